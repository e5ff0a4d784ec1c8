// The kinds of events, in one table: which fields each has, what they may hold, and what they
// change on the page. Parser, JSON schema and metrics all come from it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "exporter/state/store.h"

namespace skep::ingest {

// What a field holds, its unit and its range. The ranges find wrong units: a ratio of 95 is a
// percentage, a page that loads for 2,500 seconds was told in milliseconds.
enum class FieldType : std::uint8_t {
  kText,      // 1 to 128 characters, no control characters: becomes the value of a label
  kLongText,  // up to 2,048: kept beside the metrics (a URL), never a label
  kChoice,    // one of FieldSpec::choices
  kBool,
  kCount,         // whole number, 0 to 1e9
  kPositive,      // whole number, 1 to 1e9
  kSeconds,       // 0 to 1e9
  kShortSeconds,  // 0 to 600: what happens while somebody waits
  kBytes,         // 0 to 1e18
  kRatio,         // 0 to 1
  kUsd,           // 0 to 1e12
  kNumber,        // any finite number
  kTime,          // RFC 3339 or seconds since 1970
  kLabels,        // object of texts; of a measure only
  kBounds,        // array of rising numbers; of a measure only
};

struct FieldSpec {
  std::string_view name;
  FieldType type;
  std::string_view help;
  std::span<const std::string_view> choices = {};
  bool required = false;
};

// How one event changes one family.
enum class EffectOp : std::uint8_t {
  kCount,    // counter: + value field, or + 1 where it is absent or there is none
  kAdd,      // counter: + value field; nothing where it is absent
  kSet,      // gauge: = value field; nothing where it is absent
  kSetBool,  // gauge: 1 or 0
  kSetTime,  // gauge: the event's time in seconds since 1970
  kSetNow,   // gauge: the same, where the value field (a boolean or a choice) is `when`
  kObserve,  // histogram: the value field; nothing where it is absent
};

// A label whose value is that of a field ("": none, then `fixed` is the value) or `missing` where
// the field is absent.
struct LabelSpec {
  std::string_view name;
  std::string_view field;
  std::string_view missing = "";  // "": the label is left out
  std::string_view fixed = "";
};

struct EffectSpec {
  std::string_view family;
  EffectOp op;
  std::string_view value = "";  // field; "": none
  std::span<const LabelSpec> labels = {};
  std::string_view when_field = "";  // only where this choice or boolean field is `when`
  std::string_view when = "";
};

enum class KindId : std::uint8_t { kPlain, kAgent, kTask, kDeployment, kMeasure };

struct KindSpec {
  std::string_view name;
  std::string_view help;
  std::span<const FieldSpec> fields;
  std::span<const EffectSpec> effects;
  // Fields of which one at least must be there; empty: none.
  std::span<const std::string_view> any_of = {};
  bool from_browsers = false;  // may come by /v1/beacons
};

// Fields that every kind has: kind, id, time.
std::span<const FieldSpec> CommonFields();
// All kinds in order of their names.
std::span<const KindSpec> Kinds();
// Families of all kinds.
std::span<const state::FamilySpec> EventFamilies();

// The schema (JSON Schema 2020-12) of one event, from the table above.
std::string EventJsonSchema();

}  // namespace skep::ingest

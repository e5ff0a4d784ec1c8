// The kinds of events, in one table: which fields each has, what they may hold, and what they
// change on the page. Parser, JSON schema and metrics all come from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/state/store.h"

namespace skep::ingest {

// What a field holds: its unit and its range. The ranges find wrong units: a ratio of 95 is a
// percentage, a page that loads for 2,500 seconds was told in milliseconds.
enum class FieldType : std::uint8_t {
  kText,          // becomes the value of a label: 1 to 128 characters, none of control
  kLongText,      // 1 to 2,048 characters, none of control; never a label
  kId,            // the same to 256; never kept
  kName,          // of a family: letters, digits and '_', not beginning with a digit
  kChoice,        // one of FieldSpec::choices
  kBool,          // true or false
  kCount,         // whole number, 0 to 1e9
  kPositive,      // whole number, 1 to 1e9
  kStatus,        // whole number, 100 to 599
  kSeconds,       // 0 to 1e9
  kShortSeconds,  // 0 to 600: what happens while somebody waits
  kBytes,         // 0 to 1e18
  kRatio,         // 0 to 1
  kScore,         // 0 to 5
  kSmall,         // 0 to 1,000
  kUsd,           // 0 to 1e12
  kNumber,        // -1e300 to 1e300
  kTime,          // RFC 3339 with its offset, or seconds since 1970 up to 4e9
  kIds,           // array of 1 to 16 ids
  kLabels,        // object of at most 8 texts
  kBounds,        // array of 1 to 64 rising numbers
};

// Of the types that are numbers; nothing for the others.
struct Range {
  double least;
  double most;
  bool whole;
  std::string_view unit;  // for messages: "seconds", "ratio from 0 to 1, not percent"
};
std::optional<Range> RangeOf(FieldType type);
// Of the types that are texts: how many characters at most. Nothing for the others.
std::optional<std::size_t> MaxCharactersOf(FieldType type);

struct FieldSpec {
  std::string_view name;
  FieldType type;
  std::string_view help;
  bool required = false;
  std::span<const std::string_view> choices = {};
};

// How one event changes one family. A field that is absent changes nothing, but for kIncrease.
enum class EffectOp : std::uint8_t {
  kIncrease,  // counter: + the value field; + 1 where it is absent
  kAdd,       // counter: + the value field
  kSet,       // gauge: = the value field; 1 or 0 for a boolean
  kSetIf,     // gauge: 1 where the value field (a choice) is `rest`, else 0
  kSetTime,   // gauge: = when the event happened, in seconds since 1970
  kShare,     // gauge: value / (value + rest); nothing where that is 0 / 0
  kObserve,   // histogram: the value field, as often as the field "count" of the kind says
  kOneHot,    // gauge with a label named like the value field: 1 for its choice, 0 for the others
  kInfo,      // gauge: 1; the series of the labels' other values leave. Labels: choices, booleans
};

// A label with the value of a field; `missing` where that is absent ("": the label is left out), or
// always `missing` where `field` is "".
struct LabelSpec {
  std::string_view name;
  std::string_view field;
  std::string_view missing = "";
};

struct EffectSpec {
  std::string_view family;
  EffectOp op;
  std::string_view value = "";  // field; "": none
  std::span<const LabelSpec> labels = {};
  // Only where this choice is `when`, or present where that is ""; "": always.
  std::string_view when_field = "";
  std::string_view when = "";
  std::string_view rest = "";  // kShare: a field; kSetIf: a choice
};

// What a kind does beyond its effects.
enum class KindId : std::uint8_t {
  kPlain,
  kAgent,
  kTask,
  kError,
  kDeployment,
  kEnvironment,
  kRollback,
  kMeasure
};

struct KindSpec {
  std::string_view name;
  std::string_view help;
  std::span<const FieldSpec> fields;  // at most kMaxFields
  std::span<const EffectSpec> effects;
  // Fields of which one at least must be there; none: no such rule.
  std::span<const std::string_view> any_of = {};
  KindId id = KindId::kPlain;
  bool from_browsers = false;  // may come by /v1/beacons
};

constexpr std::size_t kMaxFields = 16;
constexpr std::size_t kMaxLabels = 8;
constexpr std::size_t kMaxListedIds = 16;
constexpr std::size_t kMaxBounds = 64;

// Fields that every kind has beside its own: kind, id, time.
std::span<const FieldSpec> CommonFields();
// All kinds, in order of their names.
std::span<const KindSpec> Kinds();
// Families of all kinds but those of "measure", in order of their names.
const std::vector<state::FamilySpec>& EventFamilies();

// The schema (JSON Schema 2020-12) of one event, made from the table above.
std::string EventJsonSchema();

}  // namespace skep::ingest

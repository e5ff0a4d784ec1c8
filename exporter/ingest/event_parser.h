// Bytes to events: one JSON object or NDJSON, each line judged by itself.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/time.h"
#include "common/json/reader.h"
#include "exporter/ingest/event_schema.h"

namespace skep::ingest {

// One field that was given. Texts are views of the body or of the batch.
struct FieldValue {
  std::uint8_t field = 0;   // index in KindSpec::fields
  std::string_view text;    // as the value of a label; "" of numbers without one and of lists
  double number = 0;        // of a boolean 1 or 0
  std::uint32_t begin = 0;  // of lists: in EventBatch::texts, ::labels or ::bounds
  std::uint32_t count = 0;
};

struct Event {
  const KindSpec* kind = nullptr;
  std::uint32_t line = 0;  // from 1
  std::string_view id;     // "": none
  std::optional<Timestamp> time;
  std::uint32_t begin = 0;  // in EventBatch::values
  std::uint32_t count = 0;
};

// Label `reason` of skep_exporter_events_refused_total.
enum class RefusalReason : std::uint8_t {
  kJson,     // no object
  kKind,     // no kind, or an unknown one
  kField,    // a field that is unknown, missing or wrong
  kMeasure,  // a measure whose family cannot be
};
inline constexpr std::size_t kRefusalReasons = 4;

// Why an event does not count. `field` is "" where the line is no object.
struct RefusedEvent {
  std::size_t line = 0;
  std::string field;
  std::string message;
};

// What one request held. Views are good as long as body and batch.
struct EventBatch {
  std::vector<Event> events;
  std::vector<FieldValue> values;
  std::vector<std::string_view> texts;
  std::vector<std::pair<std::string_view, std::string_view>> labels;  // each list by name
  std::vector<double> bounds;
  std::deque<std::string> unescaped;  // what stood with escapes in the body
  // How many were refused, by what was wrong with them.
  std::array<std::size_t, kRefusalReasons> refused{};
  std::vector<RefusedEvent> refusals;  // the first kMaxListed

  static constexpr std::size_t kMaxListed = 20;

  std::span<const FieldValue> ValuesOf(const Event& event) const {
    return std::span(values).subspan(event.begin, event.count);
  }
  // Null where the event has not got the field.
  const FieldValue* Find(const Event& event, std::string_view field) const;
  void Refuse(RefusalReason reason, std::size_t line, std::string_view field, std::string message);
  std::size_t refused_in_all() const;

  // How much of the tables is in use; and cutting off what came since, but for events.
  struct Marks {
    std::size_t values, texts, labels, bounds;
  };
  Marks marks() const;
  void CutTo(const Marks& marks);
};

struct ParseRules {
  Timestamp now;               // a time more than an hour after it is refused
  bool lines = false;          // NDJSON whatever it looks like
  bool from_browsers = false;  // only kinds that may come from browsers
};

// Appends to `batch` what `body` holds. Not `lines`: a body whose first value does not end on its
// first line is one object; every other body is taken line by line. Empty lines are passed over.
// Thread-compatible.
void ParseEvents(std::string_view body, const ParseRules& rules, EventBatch& batch);

// What the schema says of the words of a measure, as a message; nothing where they are fine.
std::optional<std::string> JudgeMeasureName(std::string_view name);
std::optional<std::string> JudgeLabelName(std::string_view name);

}  // namespace skep::ingest

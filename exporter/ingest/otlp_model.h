// OTLP requests as plain values, the same for protobuf and JSON: resources, scopes, metrics with
// their points, log records, spans. Texts are views: nothing is copied out of the request's body.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace skep::ingest {

// The value of an attribute or the body of a log record.
class AttributeValue {
 public:
  // kOther: bytes, a list or a map. Its encoded bytes tell streams apart and are nothing else.
  enum class Kind : std::uint8_t { kNone, kString, kBool, kInt, kDouble, kOther };

  AttributeValue() = default;
  static AttributeValue String(std::string_view text) { return {Kind::kString, text, 0, 0}; }
  static AttributeValue Other(std::string_view bytes) { return {Kind::kOther, bytes, 0, 0}; }
  static AttributeValue Bool(bool value) { return {Kind::kBool, {}, value ? 1 : 0, 0}; }
  static AttributeValue Int(std::int64_t value) { return {Kind::kInt, {}, value, 0}; }
  static AttributeValue Double(double value) { return {Kind::kDouble, {}, 0, value}; }

  Kind kind() const { return kind_; }
  std::string_view text() const { return text_; }    // of a string or other; else ""
  std::int64_t integer() const { return integer_; }  // of an int; of a bool 1 or 0
  double number() const { return number_; }          // of a double

  // An int, a double, or a string that is a number as a whole (Claude Code sends "34" as well as
  // 34); finite ones only.
  std::optional<double> AsNumber() const;
  // A bool, or "true" or "false".
  std::optional<bool> AsBool() const;
  // As Prometheus writes it into a label: "text", "true", "34", "0.5"; "" for the rest.
  void AppendTo(std::string& out) const;

 private:
  AttributeValue(Kind kind, std::string_view text, std::int64_t integer, double number)
      : text_(text), integer_(integer), number_(number), kind_(kind) {}

  std::string_view text_;
  std::int64_t integer_ = 0;
  double number_ = 0;
  Kind kind_ = Kind::kNone;
};

struct Attribute {
  std::string_view key;
  AttributeValue value;
};

using Attributes = std::span<const Attribute>;

// The last value of `key` (a key should stand once), or null.
const AttributeValue* FindAttribute(Attributes attributes, std::string_view key);
// The text of a string attribute, or "".
std::string_view AttributeText(Attributes attributes, std::string_view key);

struct Resource {
  Attributes attributes;
};

struct Scope {
  std::string_view name;
  std::string_view version;
  Attributes attributes;
};

// Times are nanoseconds since 1970 as the sender's clock has them; 0: not told.
using UnixNanos = std::uint64_t;

enum class MetricKind : std::uint8_t {
  kNone,  // without data, or of a kind that OTLP did not have when this was written
  kGauge,
  kSum,
  kHistogram,
  kExponentialHistogram,
  kSummary
};
enum class Temporality : std::uint8_t { kUnspecified, kDelta, kCumulative };

struct Metric {
  std::uint32_t resource = 0;  // index in the batch
  std::uint32_t scope = 0;
  std::string_view name;
  std::string_view description;
  std::string_view unit;
  MetricKind kind = MetricKind::kNone;
  Temporality temporality = Temporality::kUnspecified;
  bool monotonic = false;
};

// The buckets of one histogram point.
struct HistogramData {
  std::uint64_t count = 0;
  double sum = 0;
  bool has_sum = false;
  // Classic: counts has one more than bounds, or both are empty (only count and sum are known).
  std::span<const std::uint64_t> counts;
  std::span<const double> bounds;
  // Exponential: bucket i of `positive` holds (b^(offset+i), b^(offset+i+1)], b = 2^(2^-scale).
  std::int32_t scale = 0;
  std::uint64_t zero_count = 0;
  std::int32_t positive_offset = 0;
  std::span<const std::uint64_t> positive;
  std::int32_t negative_offset = 0;
  std::span<const std::uint64_t> negative;
};

struct Point {
  static constexpr std::uint32_t kNoHistogram = UINT32_MAX;

  std::uint32_t metric = 0;  // index in the batch
  std::uint32_t histogram = kNoHistogram;
  Attributes attributes;
  UnixNanos start = 0;
  UnixNanos time = 0;
  double value = 0;                // of gauges and sums
  bool has_value = false;          // a number was sent
  bool no_recorded_value = false;  // the sender's mark that the stream has ended
};

struct LogRecord {
  std::uint32_t resource = 0;
  std::uint32_t scope = 0;
  UnixNanos time = 0;         // the observed time where the event's own is not told
  std::int32_t severity = 0;  // 1 to 24; 0: not told
  std::string_view severity_text;
  // event_name of the record, or the attribute event.name; may be "".
  std::string_view event_name;
  AttributeValue body;
  Attributes attributes;
};

enum class SpanStatus : std::uint8_t { kUnset, kOk, kError };

struct SpanEvent {
  std::string_view name;
  UnixNanos time = 0;
  Attributes attributes;
};

struct Span {
  std::uint32_t resource = 0;
  std::uint32_t scope = 0;
  // 16 and 8 bytes, or empty. For joining spans of one request; never a label.
  std::string_view trace_id;
  std::string_view span_id;
  std::string_view parent_span_id;
  std::string_view name;
  std::int32_t kind = 0;  // 1 internal, 2 server, 3 client, 4 producer, 5 consumer
  UnixNanos start = 0;
  UnixNanos end = 0;
  SpanStatus status = SpanStatus::kUnset;
  Attributes attributes;
  std::span<const SpanEvent> events;

  // 0 where the clock went back or a time is not told.
  double DurationSeconds() const {
    return start == 0 || end <= start ? 0 : static_cast<double>(end - start) / 1e9;
  }
};

// Memory for what spans point to. Values stay where they are until Clear, which keeps the memory
// for the next request. Thread-compatible.
template <typename T>
class Pool {
 public:
  // Copies `values` to where they will stay.
  std::span<const T> Keep(std::span<const T> values) {
    if (values.empty()) return {};
    if (blocks_.empty() || used_ + values.size() > blocks_[block_].size) NextBlock(values.size());
    T* at = blocks_[block_].values.get() + used_;
    std::copy(values.begin(), values.end(), at);
    used_ += values.size();
    return {at, values.size()};
  }

  void Clear() {
    block_ = 0;
    used_ = 0;
  }

 private:
  static constexpr std::size_t kBlock = 4096;
  struct Block {
    std::unique_ptr<T[]> values;
    std::size_t size = 0;
  };

  // Behind it there is room for `count` at the present block's begin.
  void NextBlock(std::size_t count) {
    if (!blocks_.empty()) ++block_;
    while (block_ < blocks_.size() && blocks_[block_].size < count) ++block_;
    if (block_ == blocks_.size()) {
      const std::size_t size = count > kBlock ? count : kBlock;
      blocks_.push_back({std::make_unique<T[]>(size), size});
    }
    used_ = 0;
  }

  std::vector<Block> blocks_;
  std::size_t block_ = 0;
  std::size_t used_ = 0;
};

// One decoded request. Of the three lists only that of its signal has anything. Everything in it
// is valid until the next Clear, and as long as the body it was decoded from.
struct OtlpBatch {
  std::vector<Resource> resources;
  std::vector<Scope> scopes;
  std::vector<Metric> metrics;
  std::vector<Point> points;  // those of one metric stand together
  std::vector<HistogramData> histograms;
  std::vector<LogRecord> logs;
  std::vector<Span> spans;

  // What was in the request and is not in the lists, being over a limit: points, records or spans.
  std::uint64_t dropped = 0;
  std::string dropped_reason;  // of the first of them

  Pool<Attribute> attributes;
  Pool<double> numbers;
  Pool<std::uint64_t> counts;
  Pool<SpanEvent> events;
  Pool<char> text;  // what had to be unescaped

  // Empty, with its memory kept.
  void Clear();
};

}  // namespace skep::ingest

// The JSON encoding of OTLP: proto3 JSON with ids in hexadecimal, as lenient as clients need it.
#include <array>
#include <limits>
#include <optional>
#include <string>

#include "common/base/number.h"
#include "exporter/ingest/otlp_batch_builder.h"
#include "exporter/ingest/otlp_decode.h"

namespace skep::ingest {
namespace {

using json::Element;

// Field names as the protobuf files have them are allowed beside lowerCamelCase: `camel` equals
// `key` with its underscores taken out and the letters behind them raised.
bool IsField(std::string_view key, std::string_view camel) {
  if (key == camel) return true;
  if (key.find('_') == std::string_view::npos) return false;
  std::size_t at = 0;
  bool raise = false;
  for (const char c : key) {
    if (c == '_') {
      raise = true;
      continue;
    }
    const bool is_lower = c >= 'a' && c <= 'z';
    const char expected = raise && is_lower ? static_cast<char>(c - 'a' + 'A') : c;
    raise = false;
    if (at == camel.size() || camel[at++] != expected) return false;
  }
  return at == camel.size();
}

// 64-bit integers come as numbers or as strings.
std::optional<std::int64_t> IntOf(Element value) {
  if (value.IsNumber()) return value.AsInt();
  return value.IsString() ? ParseInt(value.text()) : std::nullopt;
}

std::optional<std::uint64_t> UintOf(Element value) {
  if (!value.IsNumber() && !value.IsString()) return std::nullopt;
  if (const auto exact = ParseUint(value.text())) return exact;
  const std::optional<std::int64_t> whole = value.AsInt();  // 1.0, 1e3
  if (!whole || *whole < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*whole);
}

// "NaN", "Infinity" and "-Infinity" have no other form in JSON.
std::optional<double> DoubleOf(Element value) {
  if (value.IsNumber()) return value.number();
  return value.IsString() ? ParseDouble(value.text()) : std::nullopt;
}

// An enum by number or by name, which begins with `prefix`; unknown ones are 0.
template <std::size_t N>
std::int32_t EnumOf(Element value, std::string_view prefix,
                    const std::array<std::string_view, N>& names) {
  if (value.IsNumber()) {
    const std::int64_t number = value.AsInt().value_or(0);
    return number >= 0 && number < 1000 ? static_cast<std::int32_t>(number) : 0;
  }
  std::string_view name = value.text();
  if (!value.IsString() || !name.starts_with(prefix)) return 0;
  name.remove_prefix(prefix.size());
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<std::int32_t>(i);
  }
  return 0;
}

constexpr std::array<std::string_view, 3> kTemporalities = {"UNSPECIFIED", "DELTA", "CUMULATIVE"};
constexpr std::array<std::string_view, 6> kSpanKinds = {"UNSPECIFIED", "INTERNAL", "SERVER",
                                                        "CLIENT",      "PRODUCER", "CONSUMER"};
constexpr std::array<std::string_view, 3> kStatusCodes = {"UNSET", "OK", "ERROR"};
constexpr std::array<std::string_view, 25> kSeverities = {
    "UNSPECIFIED", "TRACE",  "TRACE2", "TRACE3", "TRACE4", "DEBUG",  "DEBUG2", "DEBUG3", "DEBUG4",
    "INFO",        "INFO2",  "INFO3",  "INFO4",  "WARN",   "WARN2",  "WARN3",  "WARN4",  "ERROR",
    "ERROR2",      "ERROR3", "ERROR4", "FATAL",  "FATAL2", "FATAL3", "FATAL4"};

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Each Read returns false after Fail. The places of errors are put together on the way out.
class JsonDecoder {
 public:
  JsonDecoder(const DecodeLimits& limits, OtlpBatch& batch) : builder_(limits, batch) {}

  const std::string& problem() const { return problem_; }

  bool ReadRequest(OtlpSignal signal, Element root) {
    constexpr std::array<std::string_view, 3> kGroups = {"resourceMetrics", "resourceLogs",
                                                         "resourceSpans"};
    signal_ = signal;
    if (!root.IsObject()) return Fail("expected an object");
    return ReadList(root, kGroups[static_cast<std::size_t>(signal)],
                    [this](Element group) { return ReadResourceGroup(group); });
  }

 private:
  bool Fail(std::string message) {
    problem_ = std::move(message);
    return false;
  }
  bool FailAt(std::string_view field, std::string_view expected) {
    return Fail(std::string(field) + ": expected " + std::string(expected));
  }

  // ---- the shape that all three signals have ----

  // Calls `read` with each item of the member `name`, which may be absent or null.
  template <typename Read>
  bool ReadList(Element object, std::string_view name, const Read& read) {
    for (const auto& [key, list] : object.members()) {
      if (!IsField(key, name) || list.IsNull()) continue;
      if (!list.IsArray()) return FailAt(name, "an array");
      std::size_t i = 0;
      for (const Element item : list.items()) {
        if (item.IsObject() ? read(item) : Fail("expected an object")) {
          ++i;
          continue;
        }
        const char* const separator = problem_.starts_with("expected") ? ": " : ".";
        return Fail(std::string(name) + "[" + std::to_string(i) + "]" + separator + problem_);
      }
    }
    return true;
  }

  static Element FindField(Element object, std::string_view name) {
    for (const auto& [key, value] : object.members()) {
      if (IsField(key, name)) return value;
    }
    return {};
  }

  bool ReadResourceGroup(Element group) {
    constexpr std::array<std::string_view, 3> kGroups = {"scopeMetrics", "scopeLogs", "scopeSpans"};
    const Element resource = FindField(group, "resource");
    if (!ReadAttributes(resource)) return Fail("resource." + problem_);
    builder_.AddResource();
    return ReadList(group, kGroups[static_cast<std::size_t>(signal_)],
                    [this](Element scope) { return ReadScopeGroup(scope); });
  }

  bool ReadScopeGroup(Element group) {
    constexpr std::array<std::string_view, 3> kItems = {"metrics", "logRecords", "spans"};
    const Element scope = FindField(group, "scope");
    if (!ReadAttributes(scope)) return Fail("scope." + problem_);
    builder_.AddScope(FindField(scope, "name").text(), FindField(scope, "version").text());
    return ReadList(group, kItems[static_cast<std::size_t>(signal_)],
                    [this](Element item) { return ReadItem(item); });
  }

  bool ReadItem(Element item) {
    switch (signal_) {
      case OtlpSignal::kMetrics:
        return ReadMetric(item);
      case OtlpSignal::kLogs:
        return ReadLog(item);
      case OtlpSignal::kTraces:
        return ReadSpan(item);
    }
    return false;
  }

  // ---- attributes ----

  // Of an object that has them in its member "attributes".
  bool ReadAttributes(Element owner) {
    builder_.BeginAttributes();
    return ReadList(owner, "attributes", [this](Element one) { return ReadAttribute(one); });
  }
  bool ReadAttributeList(Element list) {
    builder_.BeginAttributes();
    if (list.IsNull()) return true;
    if (!list.IsArray()) return FailAt("attributes", "an array");
    for (const Element one : list.items()) {
      if (!one.IsObject()) return FailAt("attributes", "objects");
      if (!ReadAttribute(one)) return Fail("attributes: " + problem_);
    }
    return true;
  }

  bool ReadAttribute(Element attribute) {
    std::string_view key;
    AttributeValue value;
    for (const auto& [name, member] : attribute.members()) {
      if (name == "key") key = member.text();
      if (name == "value" && !ReadValue(member, value)) return false;
    }
    builder_.AddAttribute(key, value);
    return true;
  }

  bool ReadValue(Element any, AttributeValue& value) {
    if (!any.IsObject() && !any.IsNull()) return FailAt("value", "an object");
    for (const auto& [key, member] : any.members()) {
      if (member.IsNull()) continue;
      if (IsField(key, "stringValue")) {
        if (!member.IsString()) return FailAt("stringValue", "a string");
        value = AttributeValue::String(member.text());
      } else if (IsField(key, "intValue")) {
        const std::optional<std::int64_t> number = IntOf(member);
        if (!number) return FailAt("intValue", "a 64-bit integer");
        value = AttributeValue::Int(*number);
      } else if (IsField(key, "boolValue")) {
        if (!member.IsBool()) return FailAt("boolValue", "true or false");
        value = AttributeValue::Bool(member.boolean());
      } else if (IsField(key, "doubleValue")) {
        const std::optional<double> number = DoubleOf(member);
        if (!number) return FailAt("doubleValue", "a number");
        value = AttributeValue::Double(*number);
      } else if (IsField(key, "arrayValue") || IsField(key, "kvlistValue")) {
        value = AttributeValue::Other(member.raw());
      } else if (IsField(key, "bytesValue")) {
        value = AttributeValue::Other(member.text());
      }
    }
    return true;
  }

  // ---- numbers with their place ----

  bool Take(std::string_view field, Element value, std::uint64_t& out) {
    const std::optional<std::uint64_t> number = UintOf(value);
    if (!number) return FailAt(field, "an unsigned 64-bit integer");
    out = *number;
    return true;
  }
  bool Take(std::string_view field, Element value, std::int32_t& out) {
    const std::optional<std::int64_t> number = IntOf(value);
    if (!number || *number < std::numeric_limits<std::int32_t>::min() ||
        *number > std::numeric_limits<std::int32_t>::max()) {
      return FailAt(field, "a 32-bit integer");
    }
    out = static_cast<std::int32_t>(*number);
    return true;
  }
  bool Take(std::string_view field, Element value, double& out) {
    const std::optional<double> number = DoubleOf(value);
    if (!number) return FailAt(field, "a number");
    out = *number;
    return true;
  }
  template <typename T>
  bool TakeList(std::string_view field, Element list, std::vector<T>& out) {
    if (!list.IsArray()) return FailAt(field, "an array");
    for (const Element item : list.items()) {
      T value{};
      if (!Take(field, item, value)) return false;
      out.push_back(value);
    }
    return true;
  }

  // ---- metrics ----

  bool ReadMetric(Element object) {
    Metric metric = builder_.NewMetric();
    Element data;
    std::string_view data_name;
    for (const auto& [key, value] : object.members()) {
      if (key == "name") metric.name = value.text();
      if (key == "description") metric.description = value.text();
      if (key == "unit") metric.unit = value.text();
      if (const MetricKind kind = KindOf(key); kind != MetricKind::kNone && !value.IsNull()) {
        metric.kind = kind;
        data = value;
        data_name = key;
      }
    }
    if (data.exists() && !data.IsObject()) return FailAt(data_name, "an object");
    const std::int32_t temporality = EnumOf(FindField(data, "aggregationTemporality"),
                                            "AGGREGATION_TEMPORALITY_", kTemporalities);
    if (temporality <= 2) metric.temporality = static_cast<Temporality>(temporality);
    metric.monotonic = FindField(data, "isMonotonic").boolean();
    builder_.AddMetric(metric);
    if (ReadList(data, "dataPoints", [this](Element point) { return ReadPoint(point); })) {
      return true;
    }
    return Fail(std::string(data_name) + "." + problem_);
  }

  static MetricKind KindOf(std::string_view key) {
    if (key == "gauge") return MetricKind::kGauge;
    if (key == "sum") return MetricKind::kSum;
    if (key == "histogram") return MetricKind::kHistogram;
    if (IsField(key, "exponentialHistogram")) return MetricKind::kExponentialHistogram;
    if (key == "summary") return MetricKind::kSummary;
    return MetricKind::kNone;
  }

  bool ReadPoint(Element object) {
    if (!builder_.MayAdd()) return true;
    const MetricKind kind = builder_.last_metric().kind;
    const bool has_buckets =
        kind == MetricKind::kHistogram || kind == MetricKind::kExponentialHistogram;
    Point point = builder_.NewPoint();
    HistogramData data;
    builder_.BeginAttributes();
    builder_.BeginHistogram();
    for (const auto& [key, value] : object.members()) {
      if (value.IsNull()) continue;
      if (!ReadPointField(key, value, point)) return false;
      if (has_buckets && !ReadHistogramField(key, value, data)) return false;
    }
    builder_.AddPoint(point, has_buckets ? &data : nullptr);
    return true;
  }

  bool ReadPointField(std::string_view key, Element value, Point& point) {
    if (key == "attributes") return ReadAttributeList(value);
    if (IsField(key, "startTimeUnixNano")) return Take(key, value, point.start);
    if (IsField(key, "timeUnixNano")) return Take(key, value, point.time);
    if (IsField(key, "asDouble")) {
      point.has_value = true;
      return Take(key, value, point.value);
    }
    if (IsField(key, "asInt")) {
      const std::optional<std::int64_t> number = IntOf(value);
      if (!number) return FailAt(key, "a 64-bit integer");
      point.has_value = true;
      point.value = static_cast<double>(*number);
    }
    if (key == "flags") {
      std::uint64_t flags = 0;
      if (!Take(key, value, flags)) return false;
      point.no_recorded_value = (flags & 1) != 0;
    }
    return true;
  }

  bool ReadHistogramField(std::string_view key, Element value, HistogramData& data) {
    if (key == "count") return Take(key, value, data.count);
    if (key == "sum") {
      data.has_sum = true;
      return Take(key, value, data.sum);
    }
    if (IsField(key, "bucketCounts")) return TakeList(key, value, builder_.counts());
    if (IsField(key, "explicitBounds")) return TakeList(key, value, builder_.bounds());
    if (key == "scale") return Take(key, value, data.scale);
    if (IsField(key, "zeroCount")) return Take(key, value, data.zero_count);
    if (key == "positive") return ReadBuckets(value, data.positive_offset, builder_.counts());
    if (key == "negative") {
      return ReadBuckets(value, data.negative_offset, builder_.negative_counts());
    }
    return true;
  }

  bool ReadBuckets(Element buckets, std::int32_t& offset, std::vector<std::uint64_t>& counts) {
    for (const auto& [key, value] : buckets.members()) {
      if (value.IsNull()) continue;
      if (key == "offset" && !Take(key, value, offset)) return false;
      if (IsField(key, "bucketCounts") && !TakeList(key, value, counts)) return false;
    }
    return true;
  }

  // ---- logs ----

  bool ReadLog(Element object) {
    if (!builder_.MayAdd()) return true;
    LogRecord record = builder_.NewLog();
    UnixNanos observed = 0;
    builder_.BeginAttributes();
    for (const auto& [key, value] : object.members()) {
      if (!value.IsNull() && !ReadLogField(key, value, record, observed)) return false;
    }
    if (record.time == 0) record.time = observed;
    builder_.AddLog(record);
    return true;
  }

  bool ReadLogField(std::string_view key, Element value, LogRecord& record, UnixNanos& observed) {
    if (key == "attributes") return ReadAttributeList(value);
    if (key == "body") return ReadValue(value, record.body);
    if (IsField(key, "timeUnixNano")) return Take(key, value, record.time);
    if (IsField(key, "observedTimeUnixNano")) return Take(key, value, observed);
    if (IsField(key, "severityNumber")) {
      record.severity = EnumOf(value, "SEVERITY_NUMBER_", kSeverities);
    }
    if (IsField(key, "severityText")) record.severity_text = value.text();
    if (IsField(key, "eventName")) record.event_name = value.text();
    return true;
  }

  // ---- spans ----

  bool ReadSpan(Element object) {
    if (!builder_.MayAdd()) return true;
    Span span = builder_.NewSpan();
    builder_.BeginEvents();
    if (!ReadList(object, "events", [this](Element event) { return ReadEvent(event); })) {
      return false;
    }
    builder_.BeginAttributes();
    for (const auto& [key, value] : object.members()) {
      if (!value.IsNull() && !ReadSpanField(key, value, span)) return false;
    }
    builder_.AddSpan(span);
    return true;
  }

  bool ReadEvent(Element object) {
    SpanEvent event;
    if (!ReadAttributes(object)) return false;
    for (const auto& [key, value] : object.members()) {
      if (key == "name") event.name = value.text();
      if (IsField(key, "timeUnixNano") && !Take(key, value, event.time)) return false;
    }
    builder_.AddEvent(event);
    return true;
  }

  bool ReadSpanField(std::string_view key, Element value, Span& span) {
    if (key == "attributes") return ReadAttributeList(value);
    if (key == "name") span.name = value.text();
    if (key == "kind") span.kind = EnumOf(value, "SPAN_KIND_", kSpanKinds);
    if (IsField(key, "traceId")) span.trace_id = IdOf(value.text());
    if (IsField(key, "spanId")) span.span_id = IdOf(value.text());
    if (IsField(key, "parentSpanId")) span.parent_span_id = IdOf(value.text());
    if (IsField(key, "startTimeUnixNano")) return Take(key, value, span.start);
    if (IsField(key, "endTimeUnixNano")) return Take(key, value, span.end);
    if (key == "status") {
      const std::int32_t code = EnumOf(FindField(value, "code"), "STATUS_CODE_", kStatusCodes);
      if (code <= 2) span.status = static_cast<SpanStatus>(code);
    }
    return true;
  }

  // The bytes of an id in hexadecimal; "" for anything else.
  std::string_view IdOf(std::string_view hex) {
    std::array<char, 16> id{};
    if (hex.size() % 2 != 0 || hex.size() > 2 * id.size()) return {};
    for (std::size_t i = 0; i < hex.size() / 2; ++i) {
      const int high = HexDigit(hex[2 * i]);
      const int low = HexDigit(hex[2 * i + 1]);
      if (high < 0 || low < 0) return {};
      id[i] = static_cast<char>(high * 16 + low);
    }
    return builder_.KeepText(std::span<const char>(id.data(), hex.size() / 2));
  }

  OtlpBatchBuilder builder_;
  OtlpSignal signal_ = OtlpSignal::kMetrics;
  std::string problem_;
};

}  // namespace

Status DecodeJson(OtlpSignal signal, std::string_view body, const DecodeLimits& limits,
                  json::Document& document, OtlpBatch& batch) {
  RETURN_IF_ERROR(document.Parse(body));
  JsonDecoder decoder(limits, batch);
  if (decoder.ReadRequest(signal, document.root())) return {};
  return Invalid("JSON: " + decoder.problem());
}

}  // namespace skep::ingest

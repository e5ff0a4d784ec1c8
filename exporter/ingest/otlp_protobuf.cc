// The protobuf encoding of OTLP. Field numbers are those of opentelemetry-proto.
#include <string>

#include "common/protobuf/message.h"
#include "exporter/ingest/otlp_batch_builder.h"
#include "exporter/ingest/otlp_decode.h"

namespace skep::ingest {
namespace {

using protobuf::MessageReader;
using protobuf::Tag;

constexpr std::uint32_t Bytes(std::uint32_t field) {
  return Tag(field, protobuf::WireType::kBytes);
}
constexpr std::uint32_t Varint(std::uint32_t field) {
  return Tag(field, protobuf::WireType::kVarint);
}
constexpr std::uint32_t Fixed64(std::uint32_t field) {
  return Tag(field, protobuf::WireType::kFixed64);
}

constexpr std::uint64_t kNoRecordedValue = 1;

// A whole kind of enum is taken over only where it is known.
Temporality TemporalityOf(std::uint64_t value) {
  return value == 1   ? Temporality::kDelta
         : value == 2 ? Temporality::kCumulative
                      : Temporality::kUnspecified;
}

// Each Read returns false where the bytes are no such message.
class ProtobufDecoder {
 public:
  ProtobufDecoder(const DecodeLimits& limits, OtlpBatch& batch) : builder_(limits, batch) {}

  bool ReadRequest(OtlpSignal signal, std::string_view body) {
    signal_ = signal;
    return ForEach(body, Bytes(1),
                   [this](std::string_view group) { return ReadResourceGroup(group); });
  }

 private:
  // Calls `read` with each field of this tag.
  template <typename Read>
  static bool ForEach(std::string_view message, std::uint32_t tag, const Read& read) {
    MessageReader reader(message);
    while (reader.Next()) {
      if (reader.tag() == tag && !read(reader.bytes())) return false;
    }
    return reader.ok();
  }

  // ---- the shape that all three signals have ----

  // ResourceMetrics, ResourceLogs, ResourceSpans: 1 resource, 2 groups by scope. A field may stand
  // before those it belongs to, so the resource is looked for first.
  bool ReadResourceGroup(std::string_view bytes) {
    builder_.BeginAttributes();
    const auto read_attribute = [this](std::string_view one) { return ReadAttribute(one); };
    const auto read_resource = [&](std::string_view resource) {
      return ForEach(resource, Bytes(1), read_attribute);
    };
    if (!ForEach(bytes, Bytes(1), read_resource)) return false;
    builder_.AddResource();
    return ForEach(bytes, Bytes(2),
                   [this](std::string_view group) { return ReadScopeGroup(group); });
  }

  // ScopeMetrics, ScopeLogs, ScopeSpans: 1 scope, 2 items.
  bool ReadScopeGroup(std::string_view bytes) {
    std::string_view name;
    std::string_view version;
    builder_.BeginAttributes();
    const auto read_scope = [&](std::string_view scope) { return ReadScope(scope, name, version); };
    if (!ForEach(bytes, Bytes(1), read_scope)) return false;
    builder_.AddScope(name, version);
    return ForEach(bytes, Bytes(2), [this](std::string_view item) { return ReadItem(item); });
  }

  bool ReadScope(std::string_view bytes, std::string_view& name, std::string_view& version) {
    MessageReader reader(bytes);
    while (reader.Next()) {
      if (reader.tag() == Bytes(1)) name = reader.bytes();
      if (reader.tag() == Bytes(2)) version = reader.bytes();
      if (reader.tag() == Bytes(3) && !ReadAttribute(reader.bytes())) return false;
    }
    return reader.ok();
  }

  bool ReadItem(std::string_view bytes) {
    switch (signal_) {
      case OtlpSignal::kMetrics:
        return ReadMetric(bytes);
      case OtlpSignal::kLogs:
        return ReadLog(bytes);
      case OtlpSignal::kTraces:
        return ReadSpan(bytes);
    }
    return false;
  }

  // ---- attributes ----

  bool ReadAttribute(std::string_view bytes) {
    std::string_view key;
    AttributeValue value;
    MessageReader reader(bytes);
    while (reader.Next()) {
      if (reader.tag() == Bytes(1)) key = reader.bytes();
      if (reader.tag() == Bytes(2) && !ReadValue(reader.bytes(), value)) return false;
    }
    builder_.AddAttribute(key, value);
    return reader.ok();
  }

  static bool ReadValue(std::string_view bytes, AttributeValue& value) {
    MessageReader reader(bytes);
    while (reader.Next()) {
      switch (reader.tag()) {
        case Bytes(1):
          value = AttributeValue::String(reader.bytes());
          break;
        case Varint(2):
          value = AttributeValue::Bool(reader.AsBool());
          break;
        case Varint(3):
          value = AttributeValue::Int(reader.AsInt64());
          break;
        case Fixed64(4):
          value = AttributeValue::Double(reader.AsDouble());
          break;
        case Bytes(5):
        case Bytes(6):
        case Bytes(7):
          value = AttributeValue::Other(reader.bytes());
          break;
        default:
          break;
      }
    }
    return reader.ok();
  }

  // ---- metrics ----

  bool ReadMetric(std::string_view bytes) {
    Metric metric = builder_.NewMetric();
    std::string_view data;
    MessageReader reader(bytes);
    while (reader.Next()) {
      if (reader.tag() == Bytes(1)) metric.name = reader.bytes();
      if (reader.tag() == Bytes(2)) metric.description = reader.bytes();
      if (reader.tag() == Bytes(3)) metric.unit = reader.bytes();
      if (const MetricKind kind = KindOf(reader.tag()); kind != MetricKind::kNone) {
        metric.kind = kind;
        data = reader.bytes();
      }
    }
    if (!reader.ok()) return false;
    builder_.AddMetric(metric);
    return ReadData(data);
  }

  static MetricKind KindOf(std::uint32_t tag) {
    switch (tag) {
      case Bytes(5):
        return MetricKind::kGauge;
      case Bytes(7):
        return MetricKind::kSum;
      case Bytes(9):
        return MetricKind::kHistogram;
      case Bytes(10):
        return MetricKind::kExponentialHistogram;
      case Bytes(11):
        return MetricKind::kSummary;
      default:
        return MetricKind::kNone;
    }
  }

  // Gauge, Sum, Histogram, ...: 1 points, 2 temporality, 3 monotonic.
  bool ReadData(std::string_view bytes) {
    Metric& metric = builder_.last_metric();
    MessageReader reader(bytes);
    while (reader.Next()) {
      if (reader.tag() == Varint(2)) {
        metric.temporality = TemporalityOf(reader.varint());
      } else if (reader.tag() == Varint(3)) {
        metric.monotonic = reader.AsBool();
      } else if (reader.tag() == Bytes(1) && builder_.MayAdd() && !ReadPoint(reader.bytes())) {
        return false;
      }
    }
    return reader.ok();
  }

  bool ReadPoint(std::string_view bytes) {
    builder_.BeginAttributes();
    Point point = builder_.NewPoint();
    switch (builder_.last_metric().kind) {
      case MetricKind::kHistogram:
        return ReadHistogramPoint(bytes, point);
      case MetricKind::kExponentialHistogram:
        return ReadExponentialPoint(bytes, point);
      case MetricKind::kGauge:
      case MetricKind::kSum:
      case MetricKind::kSummary:  // told apart by its attributes only: it is refused later
      case MetricKind::kNone:
        return ReadNumberPoint(bytes, point);
    }
    return false;
  }

  bool ReadNumberPoint(std::string_view bytes, Point& point) {
    MessageReader reader(bytes);
    while (reader.Next()) {
      switch (reader.tag()) {
        case Fixed64(2):
          point.start = reader.fixed64();
          break;
        case Fixed64(3):
          point.time = reader.fixed64();
          break;
        case Fixed64(4):
          point.value = reader.AsDouble();
          point.has_value = true;
          break;
        case Fixed64(6):
          point.value = static_cast<double>(reader.AsInt64());
          point.has_value = true;
          break;
        case Bytes(7):
          if (!ReadAttribute(reader.bytes())) return false;
          break;
        case Varint(8):
          point.no_recorded_value = (reader.varint() & kNoRecordedValue) != 0;
          break;
        default:
          break;
      }
    }
    if (reader.ok()) builder_.AddPoint(point, nullptr);
    return reader.ok();
  }

  bool ReadHistogramPoint(std::string_view bytes, Point& point) {
    HistogramData data;
    builder_.BeginHistogram();
    MessageReader reader(bytes);
    while (reader.Next()) {
      if (!ReadHistogramField(reader, point, data)) return false;
    }
    if (reader.ok()) builder_.AddPoint(point, &data);
    return reader.ok();
  }

  bool ReadHistogramField(const MessageReader& reader, Point& point, HistogramData& data) {
    switch (reader.tag()) {
      case Fixed64(2):
        point.start = reader.fixed64();
        return true;
      case Fixed64(3):
        point.time = reader.fixed64();
        return true;
      case Fixed64(4):
        data.count = reader.fixed64();
        return true;
      case Fixed64(5):
        data.sum = reader.AsDouble();
        data.has_sum = true;
        return true;
      case Bytes(6):
        return protobuf::AppendPackedFixed64(reader.bytes(), builder_.counts());
      case Fixed64(6):  // a list may also come value by value
        builder_.counts().push_back(reader.fixed64());
        return true;
      case Bytes(7):
        return protobuf::AppendPackedDouble(reader.bytes(), builder_.bounds());
      case Fixed64(7):
        builder_.bounds().push_back(reader.AsDouble());
        return true;
      case Bytes(9):
        return ReadAttribute(reader.bytes());
      case Varint(10):
        point.no_recorded_value = (reader.varint() & kNoRecordedValue) != 0;
        return true;
      default:
        return true;
    }
  }

  bool ReadExponentialPoint(std::string_view bytes, Point& point) {
    HistogramData data;
    builder_.BeginHistogram();
    MessageReader reader(bytes);
    while (reader.Next()) {
      if (!ReadExponentialField(reader, point, data)) return false;
    }
    if (reader.ok()) builder_.AddPoint(point, &data);
    return reader.ok();
  }

  bool ReadExponentialField(const MessageReader& reader, Point& point, HistogramData& data) {
    switch (reader.tag()) {
      case Bytes(1):
        return ReadAttribute(reader.bytes());
      case Fixed64(2):
        point.start = reader.fixed64();
        return true;
      case Fixed64(3):
        point.time = reader.fixed64();
        return true;
      case Fixed64(4):
        data.count = reader.fixed64();
        return true;
      case Fixed64(5):
        data.sum = reader.AsDouble();
        data.has_sum = true;
        return true;
      case Varint(6):
        data.scale = static_cast<std::int32_t>(reader.AsSint64());
        return true;
      case Fixed64(7):
        data.zero_count = reader.fixed64();
        return true;
      case Bytes(8):
        return ReadBuckets(reader.bytes(), data.positive_offset, builder_.counts());
      case Bytes(9):
        return ReadBuckets(reader.bytes(), data.negative_offset, builder_.negative_counts());
      case Varint(10):
        point.no_recorded_value = (reader.varint() & kNoRecordedValue) != 0;
        return true;
      default:
        return true;
    }
  }

  static bool ReadBuckets(std::string_view bytes, std::int32_t& offset,
                          std::vector<std::uint64_t>& counts) {
    MessageReader reader(bytes);
    while (reader.Next()) {
      if (reader.tag() == Varint(1)) offset = static_cast<std::int32_t>(reader.AsSint64());
      if (reader.tag() == Varint(2)) counts.push_back(reader.varint());
      if (reader.tag() == Bytes(2) && !protobuf::AppendPackedVarint(reader.bytes(), counts)) {
        return false;
      }
    }
    return reader.ok();
  }

  // ---- logs ----

  bool ReadLog(std::string_view bytes) {
    if (!builder_.MayAdd()) return true;
    LogRecord record = builder_.NewLog();
    UnixNanos observed = 0;
    builder_.BeginAttributes();
    MessageReader reader(bytes);
    while (reader.Next()) {
      if (!ReadLogField(reader, record, observed)) return false;
    }
    if (!reader.ok()) return false;
    if (record.time == 0) record.time = observed;
    builder_.AddLog(record);
    return true;
  }

  bool ReadLogField(const MessageReader& reader, LogRecord& record, UnixNanos& observed) {
    switch (reader.tag()) {
      case Fixed64(1):
        record.time = reader.fixed64();
        return true;
      case Varint(2):
        record.severity = reader.AsInt32();
        return true;
      case Bytes(3):
        record.severity_text = reader.bytes();
        return true;
      case Bytes(5):
        return ReadValue(reader.bytes(), record.body);
      case Bytes(6):
        return ReadAttribute(reader.bytes());
      case Fixed64(11):
        observed = reader.fixed64();
        return true;
      case Bytes(12):
        record.event_name = reader.bytes();
        return true;
      default:
        return true;
    }
  }

  // ---- spans ----

  bool ReadSpan(std::string_view bytes) {
    if (!builder_.MayAdd()) return true;
    Span span = builder_.NewSpan();
    if (!ReadEvents(bytes)) return false;
    builder_.BeginAttributes();
    MessageReader reader(bytes);
    while (reader.Next()) {
      if (!ReadSpanField(reader, span)) return false;
    }
    if (reader.ok()) builder_.AddSpan(span);
    return reader.ok();
  }

  // Apart from the other fields: events have attributes as the span has.
  bool ReadEvents(std::string_view span) {
    builder_.BeginEvents();
    return ForEach(span, Bytes(11), [this](std::string_view event) { return ReadEvent(event); });
  }

  bool ReadEvent(std::string_view bytes) {
    SpanEvent event;
    builder_.BeginAttributes();
    MessageReader reader(bytes);
    while (reader.Next()) {
      if (reader.tag() == Fixed64(1)) event.time = reader.fixed64();
      if (reader.tag() == Bytes(2)) event.name = reader.bytes();
      if (reader.tag() == Bytes(3) && !ReadAttribute(reader.bytes())) return false;
    }
    builder_.AddEvent(event);
    return reader.ok();
  }

  bool ReadSpanField(const MessageReader& reader, Span& span) {
    switch (reader.tag()) {
      case Bytes(1):
        span.trace_id = reader.bytes();
        return true;
      case Bytes(2):
        span.span_id = reader.bytes();
        return true;
      case Bytes(4):
        span.parent_span_id = reader.bytes();
        return true;
      case Bytes(5):
        span.name = reader.bytes();
        return true;
      case Varint(6):
        span.kind = reader.AsInt32();
        return true;
      case Fixed64(7):
        span.start = reader.fixed64();
        return true;
      case Fixed64(8):
        span.end = reader.fixed64();
        return true;
      case Bytes(9):
        return ReadAttribute(reader.bytes());
      case Bytes(15):
        return ReadStatus(reader.bytes(), span.status);
      default:
        return true;
    }
  }

  static bool ReadStatus(std::string_view bytes, SpanStatus& status) {
    MessageReader reader(bytes);
    while (reader.Next()) {
      if (reader.tag() != Varint(3)) continue;
      status = reader.varint() == 2   ? SpanStatus::kError
               : reader.varint() == 1 ? SpanStatus::kOk
                                      : SpanStatus::kUnset;
    }
    return reader.ok();
  }

  OtlpBatchBuilder builder_;
  OtlpSignal signal_ = OtlpSignal::kMetrics;
};

}  // namespace

Status DecodeProtobuf(OtlpSignal signal, std::string_view body, const DecodeLimits& limits,
                      OtlpBatch& batch) {
  if (ProtobufDecoder(limits, batch).ReadRequest(signal, body)) return {};
  return Invalid("protobuf: the body is no OTLP request or is cut short");
}

}  // namespace skep::ingest

#include "exporter/ingest/otlp_decode.h"

#include <catch2/catch.hpp>

#include "common/protobuf/message.h"
#include "otlp_rig.h"

namespace skep::ingest {
namespace {

using protobuf::MessageWriter;
using test::Data;

std::string Describe(Attributes attributes) {
  std::string out = "{";
  for (const Attribute& one : attributes) {
    out += std::string(one.key) + "=";
    one.value.AppendTo(out);
    if (one.value.kind() == AttributeValue::Kind::kOther) out += "?";
    out += ",";
  }
  return out + "}";
}

// All that a batch holds, as text.
std::string Describe(const OtlpBatch& batch) {
  std::string out;
  for (const Point& point : batch.points) {
    const Metric& metric = batch.metrics[point.metric];
    out += std::string(metric.name) + " " + std::string(metric.unit) + " k" +
           std::to_string(static_cast<int>(metric.kind)) + " t" +
           std::to_string(static_cast<int>(metric.temporality)) + " m" +
           std::to_string(metric.monotonic) + " " +
           Describe(batch.resources[metric.resource].attributes) + " " +
           std::string(batch.scopes[metric.scope].name) + " " + Describe(point.attributes) + " " +
           std::to_string(point.start) + "-" + std::to_string(point.time) + " " +
           std::to_string(point.value);
    if (point.histogram != Point::kNoHistogram) {
      const HistogramData& data = batch.histograms[point.histogram];
      out += " n" + std::to_string(data.count) + " s" + std::to_string(data.sum) + " [";
      for (const std::uint64_t count : data.counts) out += std::to_string(count) + " ";
      out += "|";
      for (const double bound : data.bounds) out += std::to_string(bound) + " ";
      out += "] " + std::to_string(data.scale) + " z" + std::to_string(data.zero_count) + " +" +
             std::to_string(data.positive_offset) + "[";
      for (const std::uint64_t count : data.positive) out += std::to_string(count) + " ";
      out += "] -" + std::to_string(data.negative_offset) + "[";
      for (const std::uint64_t count : data.negative) out += std::to_string(count) + " ";
      out += "]";
    }
    out += "\n";
  }
  for (const LogRecord& log : batch.logs) {
    out += "log " + std::string(log.event_name) + " " + std::to_string(log.time) + " " +
           std::to_string(log.severity) + " " + std::string(log.severity_text) + " ";
    log.body.AppendTo(out);
    out += Describe(log.attributes) + "\n";
  }
  for (const Span& span : batch.spans) {
    out += "span " + std::string(span.name) + " " + std::to_string(span.trace_id.size()) + "/" +
           std::to_string(span.span_id.size()) + "/" + std::to_string(span.parent_span_id.size()) +
           " k" + std::to_string(span.kind) + " s" + std::to_string(static_cast<int>(span.status)) +
           " " + std::to_string(span.DurationSeconds()) + Describe(span.attributes);
    for (const SpanEvent& event : span.events) {
      out += " event " + std::string(event.name) + Describe(event.attributes);
    }
    out += "\n";
  }
  return out;
}

struct Decoded {
  Status status;
  std::string text;
  std::uint64_t dropped;
};

Decoded Json(OtlpSignal signal, std::string_view body, const DecodeLimits& limits = {}) {
  OtlpBatch batch;
  json::Document document;
  Status status = DecodeJson(signal, body, limits, document, batch);
  return {status, Describe(batch), batch.dropped};
}

Decoded Protobuf(OtlpSignal signal, std::string_view body, const DecodeLimits& limits = {}) {
  OtlpBatch batch;
  Status status = DecodeProtobuf(signal, body, limits, batch);
  return {status, Describe(batch), batch.dropped};
}

std::string Message(const std::function<void(MessageWriter&)>& write) {
  std::string out;
  MessageWriter writer(out);
  write(writer);
  return out;
}

std::string AttributeBytes(std::string_view key, std::string_view text) {
  return Message([&](MessageWriter& w) {
    w.Bytes(1, key).Bytes(2, Message([&](MessageWriter& v) { v.Bytes(1, text); }));
  });
}

// A request with one item; the resource comes last, as it may.
std::string Request(std::string_view item) {
  const std::string group = Message([&](MessageWriter& w) {
    w.Bytes(2, item).Bytes(1, Message([](MessageWriter& s) { s.Bytes(1, "scope"); }));
  });
  const std::string resource =
      Message([](MessageWriter& w) { w.Bytes(1, AttributeBytes("service.name", "svc")); });
  return Message([&](MessageWriter& w) {
    w.Bytes(1, Message([&](MessageWriter& r) { r.Bytes(2, group).Bytes(1, resource); }));
  });
}

}  // namespace

TEST_CASE("JSON as clients send it", "[otlp]") {
  const char* variants[] = {
      // Enums as numbers, times as strings, numbers as numbers.
      R"({"resourceMetrics":[{"resource":{"attributes":[{"key":"r","value":{"intValue":57}}]},"scopeMetrics":[{"scope":{"name":"s"},"metrics":[{"name":"m","unit":"By","sum":{"aggregationTemporality":1,"isMonotonic":true,"dataPoints":[{"attributes":[{"key":"b","value":{"boolValue":true}},{"key":"d","value":{"doubleValue":0.5}}],"startTimeUnixNano":"100","timeUnixNano":"200","asInt":"7"}]}}]}]}]})",
      // The same with names of enums, names as in the .proto files, everything behind what it
      // belongs to, nulls, fields that nobody knows.
      R"({"resource_metrics":[{"scope_metrics":[{"metrics":[{"sum":{"data_points":[{"as_int":7,"exemplars":[{"x":1}],"time_unix_nano":200,"start_time_unix_nano":100,"attributes":[{"value":{"bool_value":true},"key":"b"},{"value":{"double_value":"0.5"},"key":"d"}],"flags":0}],"is_monotonic":true,"aggregation_temporality":"AGGREGATION_TEMPORALITY_DELTA"},"unit":"By","name":"m","description":null,"gauge":null}],"scope":{"name":"s","new":[]}}],"resource":{"attributes":[{"key":"r","value":{"intValue":"57"}}]},"schemaUrl":"x"}],"later":{}})",
  };
  for (const char* text : variants) {
    const Decoded decoded = Json(OtlpSignal::kMetrics, text);
    REQUIRE(decoded.status);
    CHECK(decoded.text == "m By k2 t1 m1 {r=57,} s {b=true,d=0.5,} 100-200 7.000000\n");
  }
}

TEST_CASE("JSON histograms, exponential ones and special numbers", "[otlp]") {
  CHECK(
      Json(
          OtlpSignal::kMetrics,
          test::Envelope(
              R"({"name":"h","histogram":{"aggregationTemporality":2,"dataPoints":[{"count":"4","sum":"1.5","bucketCounts":["1",3],"explicitBounds":[0.5]}]}})"))
          .text ==
      "h  k3 t2 m0 {service.name=svc,} s {} 0-0 0.000000 n4 s1.500000 [1 3 |0.500000 ] 0 z0 +0[] "
      "-0[]\n");
  CHECK(
      Json(
          OtlpSignal::kMetrics,
          test::Envelope(
              R"({"name":"e","exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[{"count":4,"sum":1,"scale":-1,"zeroCount":"1","positive":{"offset":-7,"bucketCounts":[1,"2"]},"negative":{"bucketCounts":[]}}]}})"))
          .text ==
      "e  k4 t2 m0 {service.name=svc,} s {} 0-0 0.000000 n4 s1.000000 [|] -1 z1 +-7[1 2 ] "
      "-0[]\n");
  CHECK(Json(OtlpSignal::kMetrics,
             test::Envelope(R"({"name":"g","gauge":{"dataPoints":[{"asDouble":"-Infinity"}]}})"))
            .text == "g  k1 t0 m0 {service.name=svc,} s {} 0-0 -inf\n");
}

TEST_CASE("Enums that nobody knows are as if not told", "[otlp]") {
  for (const char* value : {"5", "-1", "\"AGGREGATION_TEMPORALITY_NEW\"", "\"DELTA\"", "null"}) {
    CAPTURE(value);
    CHECK(Json(OtlpSignal::kMetrics,
               test::Envelope(std::string(R"({"name":"s","sum":{"aggregationTemporality":)") +
                              value + R"(,"dataPoints":[{"asInt":1}]}})"))
              .text == "s  k2 t0 m0 {service.name=svc,} s {} 0-0 1.000000\n");
  }
}

TEST_CASE("JSON logs and spans", "[otlp]") {
  const Decoded logs = Json(
      OtlpSignal::kLogs,
      R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"observedTimeUnixNano":"9","severityNumber":"SEVERITY_NUMBER_WARN","severityText":"warn","body":{"stringValue":"text \u00e9"},"attributes":[{"key":"event.name","value":{"stringValue":"e"}},{"key":"l","value":{"arrayValue":{"values":[]}}}]},{"timeUnixNano":5,"eventName":"own","severityNumber":17,"body":{}}]}]}]})");
  REQUIRE(logs.status);
  CHECK(logs.text == "log e 9 13 warn text \xc3\xa9{event.name=e,l=?,}\nlog own 5 17  {}\n");
  const Decoded spans = Json(
      OtlpSignal::kTraces,
      R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"46375d228382c58ead86cec101bc3873","spanId":"D0195D6F3F402895","parentSpanId":"","name":"n","kind":"SPAN_KIND_CLIENT","startTimeUnixNano":"1000000000","endTimeUnixNano":"2500000000","attributes":[{"key":"a","value":{"stringValue":"b"}}],"events":[{"name":"retry","attributes":[{"key":"attempt","value":{"intValue":2}}]}],"status":{"code":2,"message":"no"}},{"spanId":"xyz","status":{"code":"STATUS_CODE_OK"}}]}]}]})");
  REQUIRE(spans.status);
  CHECK(spans.text ==
        "span n 16/8/0 k3 s2 1.500000{a=b,} event retry{attempt=2,}\nspan  0/0/0 k0 s1 "
        "0.000000{}\n");
}

TEST_CASE("Wrong kinds in JSON are refused with their path", "[otlp]") {
  const std::pair<std::string, const char*> cases[] = {
      {"[]", "JSON: expected an object"},
      {R"({"resourceMetrics":{}})", "JSON: resourceMetrics: expected an array"},
      {R"({"resourceMetrics":[1]})", "JSON: resourceMetrics[0]: expected an object"},
      {test::Envelope(R"({"name":"g","gauge":{"dataPoints":[{},{"asDouble":true}]}})"),
       "JSON: resourceMetrics[0].scopeMetrics[0].metrics[0].gauge.dataPoints[1].asDouble: expected "
       "a number"},
      {test::Envelope(R"({"name":"g","gauge":[]})"),
       "JSON: resourceMetrics[0].scopeMetrics[0].metrics[0].gauge: expected an object"},
      {test::Envelope(R"({"name":"g","gauge":{"dataPoints":[{"timeUnixNano":"-5"}]}})"),
       "timeUnixNano: expected an unsigned 64-bit integer"},
      {test::Envelope(R"({"name":"g","gauge":{"dataPoints":[{"asInt":1.5}]}})"),
       "asInt: expected a 64-bit integer"},
      {test::Envelope(
           R"({"name":"g","gauge":{"dataPoints":[{"attributes":[{"key":"a","value":{"stringValue":1}}]}]}})"),
       "dataPoints[0].attributes: stringValue: expected a string"},
  };
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    const Decoded decoded = Json(OtlpSignal::kMetrics, text);
    REQUIRE(!decoded.status);
    CAPTURE(decoded.status.error().message());
    CHECK(decoded.status.error().message().find(message) != std::string::npos);
  }
}

TEST_CASE("Protobuf: fields in any order, lists packed or not, unknown fields", "[otlp]") {
  const std::string point = Message([](MessageWriter& w) {
    w.Fixed64(3, 200)
        .Fixed64(2, 100)
        .Fixed64(6, 7)
        .Bytes(7, AttributeBytes("b", "c"))
        .Varint(99, 1);
  });
  const std::string metric = Message([&](MessageWriter& w) {
    w.Bytes(7, Message([&](MessageWriter& s) { s.Bytes(1, point).Varint(3, 1).Varint(2, 2); }));
    w.Bytes(3, "By").Bytes(1, "m").Bytes(77, "later");
  });
  CHECK(Protobuf(OtlpSignal::kMetrics, Request(metric)).text ==
        "m By k2 t2 m1 {service.name=svc,} scope {b=c,} 100-200 7.000000\n");

  const std::string histogram = Message([&](MessageWriter& w) {
    w.Bytes(1, "h").Bytes(
        9, Message([](MessageWriter& h) {
          h.Varint(2, 1).Bytes(
              1, Message([](MessageWriter& p) {
                p.Fixed64(4, 3).Double(5, 2.5).PackedFixed64(6, {1}).Fixed64(6, 2).PackedDouble(
                    7, {0.5});
              }));
        }));
  });
  CHECK(Protobuf(OtlpSignal::kMetrics, Request(histogram)).text ==
        "h  k3 t1 m0 {service.name=svc,} scope {} 0-0 0.000000 n3 s2.500000 [1 2 |0.500000 ] 0 z0 "
        "+0[] -0[]\n");

  const std::string exponential = Message([&](MessageWriter& w) {
    w.Bytes(1, "e").Bytes(
        10, Message([](MessageWriter& h) {
          h.Varint(2, 1).Bytes(
              1, Message([](MessageWriter& p) {
                p.Fixed64(4, 6).Double(5, 1).Sint(6, -2).Fixed64(7, 1);
                p.Bytes(8, Message([](MessageWriter& b) {
                          b.Sint(1, -3).PackedVarint(2, {2, 300});
                        }));
                p.Bytes(9, Message([](MessageWriter& b) { b.Sint(1, 4).Varint(2, 5); }));
              }));
        }));
  });
  CHECK(Protobuf(OtlpSignal::kMetrics, Request(exponential)).text ==
        "e  k4 t1 m0 {service.name=svc,} scope {} 0-0 0.000000 n6 s1.000000 [|] -2 z1 +-3[2 300 ] "
        "-4[5 ]\n");
}

TEST_CASE("Limits leave items out and count them, in both encodings", "[otlp]") {
  DecodeLimits limits;
  limits.max_items = 3;
  CHECK(Json(OtlpSignal::kMetrics, Data("claude_json.metrics.json"), limits).dropped == 4);
  CHECK(Protobuf(OtlpSignal::kMetrics, Data("claude_proto.metrics.pb"), limits).dropped == 4);
  limits = {};
  limits.max_attributes = 5;
  // All points but those of session.count and active_time have more than 6.
  CHECK(Json(OtlpSignal::kMetrics, Data("claude_json.metrics.json"), limits).dropped == 7);
  limits = {};
  limits.max_buckets = 14;
  CHECK(Json(OtlpSignal::kMetrics, Data("sdk_cumulative.metrics.json"), limits).dropped == 1);
  CHECK(Protobuf(OtlpSignal::kMetrics, Data("sdk_delta.metrics.pb"), limits).dropped == 1);
}

TEST_CASE("Recorded protobuf cut at any byte is refused or a shorter request", "[otlp]") {
  for (const auto& [signal, name] : {std::pair(OtlpSignal::kMetrics, "claude_proto.metrics.pb"),
                                     std::pair(OtlpSignal::kMetrics, "sdk_delta.metrics.pb"),
                                     std::pair(OtlpSignal::kLogs, "claude_proto.logs.pb"),
                                     std::pair(OtlpSignal::kTraces, "claude_proto.traces.pb")}) {
    const std::string body = Data(name);
    CAPTURE(name);
    REQUIRE(Protobuf(signal, body).status);
    OtlpBatch batch;
    for (std::size_t length = 1; length < body.size(); ++length) {
      batch.Clear();
      // One message is all of it, so that every cut is within it.
      if (DecodeProtobuf(signal, std::string_view(body).substr(0, length), {}, batch)) {
        FAIL("accepted " << length);
      }
    }
  }
}

TEST_CASE("Recorded requests with flipped bits are read or refused", "[otlp]") {
  OtlpBatch batch;
  json::Document document;
  const std::string protobuf = Data("sdk_delta.metrics.pb");
  const std::string json = Data("sdk_cumulative.metrics.json");
  int refused = 0;
  for (std::size_t bit = 0; bit < protobuf.size() * 8; ++bit) {
    std::string broken = protobuf;
    broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
    batch.Clear();
    refused += DecodeProtobuf(OtlpSignal::kMetrics, broken, {}, batch) ? 0 : 1;
  }
  CHECK(refused > 0);
  refused = 0;
  for (std::size_t bit = 0; bit < json.size() * 8; bit += 3) {
    std::string broken = json;
    broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
    batch.Clear();
    refused += DecodeJson(OtlpSignal::kMetrics, broken, {}, document, batch) ? 0 : 1;
  }
  CHECK(refused > 0);
}

}  // namespace skep::ingest

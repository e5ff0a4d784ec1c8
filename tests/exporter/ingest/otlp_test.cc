#include "exporter/ingest/otlp.h"

#include <catch2/catch.hpp>
#include <thread>

#include "../../support/temp_folder.h"
#include "common/protobuf/message.h"
#include "exporter/ingest/otlp_answer.h"
#include "otlp_rig.h"

namespace skep::ingest {
namespace {

using test::AttributesOf;
using test::Envelope;
using test::Rig;
using test::SumPoint;

std::string Points(Rig& rig) { return rig.Page("swarm_otlp_points_total"); }

// A classic histogram with bounds 1 and 2.
std::string Histogram(int temporality, int time, const std::string& counts, double sum,
                      const std::string& bounds = "1,2", int start = 100) {
  std::uint64_t count = 0;
  for (const char c : counts) count += c == ',' ? 0 : static_cast<std::uint64_t>(c - '0');
  return Envelope(R"({"name":"h","histogram":{"aggregationTemporality":)" +
                  std::to_string(temporality) + R"(,"dataPoints":[{"startTimeUnixNano":")" +
                  SumPoint::Nanos(start) + R"(","timeUnixNano":")" + SumPoint::Nanos(time) +
                  R"(","count":)" + std::to_string(count) + R"(,"sum":)" + std::to_string(sum) +
                  R"(,"bucketCounts":[)" + counts + R"(],"explicitBounds":[)" + bounds + "]}]}}");
}

std::string Gauge(const std::string& session, int time, double value) {
  return Envelope(R"({"name":"g","gauge":{"dataPoints":[{)" +
                  AttributesOf({"session.id=" + session}) + R"(,"timeUnixNano":")" +
                  SumPoint::Nanos(time) + R"(","asDouble":)" + std::to_string(value) + "}]}}");
}

}  // namespace

TEST_CASE("Cumulative sums: increases per stream, added up over sessions", "[otlp]") {
  Rig rig;
  const auto send = [&](const char* session, int start, int time, double value) {
    return rig.PostJson(SumPoint{.attributes = {std::string("session.id=") + session},
                                 .start = start,
                                 .time = time,
                                 .value = value}
                            .Json());
  };
  send("a", 100, 200, 5);
  send("b", 150, 200, 7);
  CHECK(rig.Page() == "requests_total{service_name=\"svc\"} 12\n");
  send("a", 100, 260, 9);  // + 4
  send("b", 150, 260, 7);  // + 0
  CHECK(rig.Page() == "requests_total{service_name=\"svc\"} 16\n");
  send("a", 100, 250, 8);   // older: dropped
  send("a", 100, 260, 30);  // the same time again: dropped
  CHECK(rig.Page() == "requests_total{service_name=\"svc\"} 16\n");
  send("a", 300, 320, 2);  // a new start: counts from 0
  CHECK(rig.Page() == "requests_total{service_name=\"svc\"} 18\n");
  send("a", 300, 380, 1);  // lower without one: a reset all the same
  CHECK(rig.Page() == "requests_total{service_name=\"svc\"} 19\n");
  CHECK(Points(rig) ==
        "swarm_otlp_points_total{result=\"accepted\",signal=\"metrics\"} 6\n"
        "swarm_otlp_points_total{result=\"duplicate\",signal=\"metrics\"} 2\n");
}

TEST_CASE("Delta sums: each interval once, whoever else has the same identity", "[otlp]") {
  Rig rig;
  const auto send = [&](int start, int time, double value) {
    // Another description each time, so that the requests differ.
    std::string body =
        SumPoint{.temporality = 1, .start = start, .time = time, .value = value}.Json();
    body.insert(body.find("\"sum\""), "\"description\":\"" + std::to_string(body.size()) +
                                          std::to_string(rig.clock.millis++) + "\",");
    return rig.PostJson(body);
  };
  send(100, 160, 1);
  send(130, 190, 10);  // a second process without session ids
  send(160, 220, 2);
  send(160, 220, 2);   // the answer was lost
  send(130, 190, 10);  // this one's too
  send(100, 190, 5);   // another interval: new
  CHECK(rig.Page() == "requests_total{service_name=\"svc\"} 18\n");
  send(0, 0, 3);
  send(0, 0, 3);  // without times nothing can be told apart
  CHECK(rig.Page() == "requests_total{service_name=\"svc\"} 24\n");
}

TEST_CASE("Up-down sums are the sum of live streams", "[otlp]") {
  OtlpOptions options;
  options.gauge_expiry = Duration{60'000};
  Rig rig(options);
  const auto send = [&](const char* session, int temporality, int time, double value) {
    rig.PostJson(SumPoint{.name = "active",
                          .temporality = temporality,
                          .monotonic = false,
                          .attributes = {std::string("session.id=") + session},
                          .time = time,
                          .value = value}
                     .Json());
  };
  send("a", 2, 200, 3);
  send("b", 2, 200, 2);
  CHECK(rig.Page() == "active{service_name=\"svc\"} 5\n");
  send("a", 2, 260, 1);
  CHECK(rig.Page() == "active{service_name=\"svc\"} 3\n");
  send("d", 1, 200, 4);
  send("d", 1, 260, -1);
  CHECK(rig.Page() == "active{service_name=\"svc\"} 6\n");
  rig.clock.millis += 40'000;
  send("b", 2, 320, 2);
  rig.clock.millis += 40'000;
  rig.Scrape();  // a and d are silent for longer than gauge_expiry
  CHECK(rig.Page() == "active{service_name=\"svc\"} 2\n");
  rig.clock.millis += 70'000;
  rig.Scrape();
  CHECK(rig.Page().empty());
  send("a", 2, 400, 1);
  CHECK(rig.Page() == "active{service_name=\"svc\"} 1\n");
}

TEST_CASE("An up-down stream that began while nothing was passed through counts in full",
          "[otlp]") {
  OtlpOptions options;
  options.pass_through = false;
  Rig rig(options);
  const auto send = [&](const char* session, int time, double value) {
    rig.PostJson(SumPoint{.name = "active",
                          .monotonic = false,
                          .attributes = {std::string("session.id=") + session},
                          .time = time,
                          .value = value}
                     .Json());
  };
  send("a", 200, 3);
  CHECK(rig.Page().empty());
  rig.otlp->Apply({}, {});
  send("b", 200, 2);
  send("a", 260, 4);
  CHECK(rig.Page() == "active{service_name=\"svc\"} 6\n");
}

TEST_CASE("Gauges: the last value wins, older ones do not, silence ends them", "[otlp]") {
  Rig rig;
  rig.PostJson(Gauge("a", 200, 7));
  rig.PostJson(Gauge("b", 205, 8));
  CHECK(rig.Page() == "g{service_name=\"svc\"} 8\n");
  rig.PostJson(Gauge("b", 190, 1));
  CHECK(rig.Page() == "g{service_name=\"svc\"} 8\n");
  rig.clock.millis += 301'000;
  CHECK(rig.Page().empty());
}

TEST_CASE("Histograms: delta and cumulative, on the bounds that came first", "[otlp]") {
  Rig rig;
  CHECK(rig.PostJson(Histogram(1, 160, "1,2,3", 10)).body == "{}");
  CHECK(rig.PostJson(Histogram(2, 160, "1,0,0", 0.5)).body == "{}");
  CHECK(rig.PostJson(Histogram(2, 220, "1,1,0", 2)).body == "{}");
  const std::string expected =
      "h_bucket{service_name=\"svc\",le=\"1\"} 2\n"
      "h_bucket{service_name=\"svc\",le=\"2\"} 5\n"
      "h_bucket{service_name=\"svc\",le=\"+Inf\"} 8\n"
      "h_sum{service_name=\"svc\"} 12\n"
      "h_count{service_name=\"svc\"} 8\n";
  CHECK(rig.Page() == expected);
  // Bounds that hold the metric's are joined.
  CHECK(rig.PostJson(Histogram(1, 300, "1,1,1,1", 4, "0.5,1,2")).body == "{}");
  CHECK(rig.Page().find("le=\"1\"} 4\n") != std::string::npos);
  // Others are refused, and the answer says why.
  const net::HttpResponse refused = rig.PostJson(Histogram(1, 360, "1,1,1", 4, "1,3"));
  CHECK(refused.status == 200);
  CHECK(refused.body ==
        R"({"partialSuccess":{"rejectedDataPoints":"1","errorMessage":"h: its buckets cannot be )"
        R"(joined to those of the metric, which has the bound 2"}})");
  // A reset: fewer than before.
  rig.PostJson(Histogram(2, 400, "0,1,0", 1.5));
  CHECK(rig.Page().find("h_count{service_name=\"svc\"} 13\n") != std::string::npos);
}

TEST_CASE("What cannot be passed through is refused with its reason", "[otlp]") {
  const std::string times =
      "\"startTimeUnixNano\":\"1\",\"timeUnixNano\":\"" + SumPoint::Nanos(1) + "\"";
  const std::pair<std::string, const char*> cases[] = {
      {R"({"name":"s","summary":{"dataPoints":[{)" + times + R"(,"count":1,"sum":1}]}})",
       "s: summaries cannot be added up over senders; send a histogram"},
      {R"({"name":"s","sum":{"isMonotonic":true,"dataPoints":[{)" + times + R"(,"asInt":"1"}]}})",
       "s: the temporality is not told"},
      {R"({"name":"s","sum":{"aggregationTemporality":1,"isMonotonic":true,"dataPoints":[{)" +
           times + R"(,"asInt":"-1"}]}})",
       "s: the value of a monotonic sum is below 0"},
      {R"({"name":"s","sum":{"aggregationTemporality":1,"dataPoints":[{)" + times +
           R"(,"asDouble":"NaN"}]}})",
       "s: the value is not finite"},
      {R"({"name":"s","gauge":{"dataPoints":[{)" + times + "}]}}", "s: the point has no value"},
      {R"({"name":"h","histogram":{"aggregationTemporality":1,"dataPoints":[{)" + times +
           R"(,"count":1,"bucketCounts":[1,0],"explicitBounds":[1]}]}})",
       "h: the histogram has no sum"},
      {R"({"name":"swarm.llm.requests","gauge":{"dataPoints":[{)" + times + R"(,"asInt":1}]}})",
       "swarm.llm.requests: the name is one of our own metrics"},
      {R"({"name":"log.lines","gauge":{"dataPoints":[{)" + times + R"(,"asInt":1}]}})",
       "log.lines: the name is one of our own metrics"},
      {R"({"name":"http.requests","sum":{"isMonotonic":true,"aggregationTemporality":1,"dataPoints":[{)" +
           times + R"(,"asInt":1}]}})",
       "http.requests: the name is one of our own metrics"},
      {R"({"name":"...","gauge":{"dataPoints":[{)" + times + R"(,"asInt":1}]}})",
       "...: the metric has no name"},
      {R"({"name":"node.cpu","gauge":{"dataPoints":[{)" + times + R"(,"asInt":1}]}})", nullptr},
  };
  for (const auto& [metric, why] : cases) {
    CAPTURE(metric);
    Rig rig;
    const net::HttpResponse answer = rig.PostJson(Envelope(metric));
    CHECK(answer.status == 200);
    CHECK(answer.body.find("\"rejectedDataPoints\":\"1\"") != std::string::npos);
    if (why != nullptr) CHECK(answer.body.find(why) != std::string::npos);
    CHECK(rig.Page().empty());
    CHECK(Points(rig) == "swarm_otlp_points_total{result=\"unsupported\",signal=\"metrics\"} 1\n");
  }
}

TEST_CASE("A metric keeps the kind that it came with first", "[otlp]") {
  Rig rig;
  rig.PostJson(SumPoint{.name = "x_total"}.Json());
  const std::string other =
      Envelope(R"({"name":"x.total","gauge":{"dataPoints":[{"timeUnixNano":"5","asInt":1}]}})");
  CHECK(rig.PostJson(other).body.find("x.total: the metric came first as a counter") !=
        std::string::npos);
}

TEST_CASE("Limits: points, attributes, metrics; the rest of the request counts", "[otlp]") {
  OtlpOptions options;
  options.max_points = 2;
  options.max_attributes = 1;
  options.max_metrics = 1;
  Rig rig(options);
  const std::string point = R"({"timeUnixNano":"5","asInt":1,)";
  const std::string body =
      Envelope(R"({"name":"g","gauge":{"dataPoints":[)" + point + AttributesOf({"a=1", "b=2"}) +
               "}," + point + AttributesOf({"a=1"}) + "}," + point + AttributesOf({"a=2"}) + "}," +
               point + AttributesOf({"a=3"}) + R"(}]}},{"name":"k","gauge":{"dataPoints":[]}})");
  CHECK(rig.PostJson(body).body ==
        R"({"partialSuccess":{"rejectedDataPoints":"2","errorMessage":"more than 1 attributes"}})");
  CHECK(rig.Page() == "g{a=\"1\",service_name=\"svc\"} 1\ng{a=\"2\",service_name=\"svc\"} 1\n");
  CHECK(rig.PostJson(SumPoint{}.Json()).body.find("requests: more than 1 metrics") !=
        std::string::npos);
  CHECK(Points(rig) ==
        "swarm_otlp_points_total{result=\"accepted\",signal=\"metrics\"} 2\n"
        "swarm_otlp_points_total{result=\"dropped_limit\",signal=\"metrics\"} 3\n");
}

TEST_CASE("Errors in the client's encoding, as OTLP has them", "[otlp]") {
  AccessOptions access;
  access.bearer_tokens = {"secret", "next"};
  access.max_body_bytes = 1000;
  Rig rig({}, access);
  const auto post = [&](const char* type, std::string body, const char* token,
                        const char* encoding = "") {
    net::HttpRequest request = Rig::Request(type, std::move(body));
    if (*token != '\0') {
      request.headers.emplace_back("Authorization", std::string("bearer ") + token);
    }
    if (*encoding != '\0') request.headers.emplace_back("Content-Encoding", encoding);
    return rig.otlp->HandleMetrics(request);
  };
  CHECK(post("application/json", "{}", "secret").status == 200);
  CHECK(post("Application/JSON; charset=utf-8", "{}", "next").status == 200);
  CHECK(post("application/x-protobuf", "", "next", "gzip").status == 200);

  const net::HttpResponse denied = post("application/json", "{}", "wrong!");
  CHECK(denied.status == 401);
  CHECK(denied.body.find("\"code\":16") != std::string::npos);
  CHECK(net::FindHeader(denied.headers, "WWW-Authenticate") == "Bearer");
  CHECK(post("application/json", "{}", "").status == 401);
  CHECK(post("application/json", "{}", "secretsecret").status == 401);

  const net::HttpResponse broken = post("application/json", "{\"resourceMetrics\":[}", "secret");
  CHECK(broken.status == 400);
  CHECK(broken.content_type == "application/json");
  CHECK(broken.body == R"({"code":3,"message":"JSON: byte 21: invalid value"})");

  const net::HttpResponse broken_protobuf = post("application/x-protobuf", "\x0a\x05", "secret");
  CHECK(broken_protobuf.status == 400);
  CHECK(broken_protobuf.content_type == "application/x-protobuf");
  protobuf::MessageReader reader(broken_protobuf.body);
  REQUIRE(reader.Next());
  CHECK(reader.varint() == 3);
  REQUIRE(reader.Next());
  CHECK(reader.bytes() == "protobuf: the body is no OTLP request or is cut short");

  CHECK(post("application/json", std::string(1001, ' '), "secret").status == 413);
  const net::HttpResponse text = post("text/plain", "x", "secret");
  CHECK(text.status == 415);
  CHECK(text.content_type == "text/plain; charset=utf-8");
  CHECK(post("application/json", "{}", "secret", "zstd").status == 415);

  rig.Scrape();
  CHECK(test::Sorted(rig.Page("swarm_otlp_requests_total")) ==
        R"(swarm_otlp_requests_total{code="200",encoding="json",signal="metrics"} 2
swarm_otlp_requests_total{code="200",encoding="protobuf",signal="metrics"} 1
swarm_otlp_requests_total{code="400",encoding="json",signal="metrics"} 1
swarm_otlp_requests_total{code="400",encoding="protobuf",signal="metrics"} 1
swarm_otlp_requests_total{code="401",encoding="json",signal="metrics"} 3
swarm_otlp_requests_total{code="413",encoding="json",signal="metrics"} 1
swarm_otlp_requests_total{code="415",encoding="json",signal="metrics"} 1
swarm_otlp_requests_total{code="415",encoding="unknown",signal="metrics"} 1
)");
}

TEST_CASE("Partial success in protobuf", "[otlp]") {
  const net::HttpResponse answer =
      SuccessAnswer(OtlpSignal::kLogs, OtlpEncoding::kProtobuf, 3, "why");
  protobuf::MessageReader outer(answer.body);
  REQUIRE(outer.Next());
  protobuf::MessageReader inner(outer.bytes());
  REQUIRE(inner.Next());
  CHECK(inner.varint() == 3);
  REQUIRE(inner.Next());
  CHECK(inner.bytes() == "why");
  CHECK(SuccessAnswer(OtlpSignal::kLogs, OtlpEncoding::kJson, 3, "why").body ==
        R"({"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"why"}})");
  CHECK(SuccessAnswer(OtlpSignal::kTraces, OtlpEncoding::kProtobuf, 0, "").body.empty());
}

TEST_CASE("Switched off it answers 404; a reload switches it", "[otlp]") {
  Rig rig;
  OtlpOptions options;
  options.enabled = false;
  rig.otlp->Apply(options, {});
  CHECK(rig.PostJson(SumPoint{}.Json()).status == 404);
  options.enabled = true;
  options.keep_attributes = {"session.id"};
  rig.otlp->Apply(options, {});
  CHECK(rig.PostJson(SumPoint{.attributes = {"session.id=a"}}.Json()).status == 200);
  CHECK(rig.Page() == "requests_total{service_name=\"svc\",session_id=\"a\"} 1\n");
}

TEST_CASE("Metrics that are not passed through still reach the consumer", "[otlp]") {
  test::RecordingConsumer consumer;
  OtlpOptions options;
  options.drop_metrics = {"req*"};
  Rig rig(options, {}, "", &consumer);
  rig.PostJson(SumPoint{.time = 200, .value = 5}.Json());
  rig.PostJson(SumPoint{.time = 260, .value = 8}.Json());
  rig.PostJson(SumPoint{.time = 260, .value = 8}.Json());
  rig.PostJson(Gauge("a", 300, 2));
  CHECK(rig.Page() == "g{service_name=\"svc\"} 2\n");
  CHECK(consumer.lines == std::vector<std::string>{"metric requests 5.000000", "end",
                                                   "metric requests 3.000000", "end",
                                                   "metric g 2.000000", "end"});
}

TEST_CASE("A metric that is refused still reaches the consumer as increases", "[otlp]") {
  test::RecordingConsumer consumer;
  Rig rig({}, {}, "", &consumer);
  rig.PostJson(SumPoint{.name = "swarm.x", .time = 200, .value = 5}.Json());
  rig.PostJson(SumPoint{.name = "swarm.x", .time = 260, .value = 6}.Json());
  rig.PostJson(SumPoint{.name = "swarm.x", .time = 250, .value = 6}.Json());  // older
  CHECK(consumer.lines == std::vector<std::string>{"metric swarm.x 5.000000", "end",
                                                   "metric swarm.x 1.000000", "end", "end"});
}

TEST_CASE("A forgotten stream that comes back is not counted twice", "[otlp]") {
  OtlpOptions options;
  options.max_points = 10;
  options.max_streams = 10;
  Rig rig(options);
  const auto send = [&](int session, int start, int time, double value) {
    rig.PostJson(SumPoint{.attributes = {"session.id=" + std::to_string(session)},
                          .start = start,
                          .time = time,
                          .value = value}
                     .Json());
  };
  send(0, 100, 200, 50);
  for (int i = 1; i <= 100; ++i) send(i, 300 + i, 400 + i, 1);
  CHECK(rig.Page() == "requests_total{service_name=\"svc\"} 150\n");
  send(0, 100, 600, 60);  // its last value is forgotten: the base line only
  CHECK(rig.Page() == "requests_total{service_name=\"svc\"} 150\n");
  send(0, 100, 660, 65);
  CHECK(rig.Page() == "requests_total{service_name=\"svc\"} 155\n");
  CHECK(Points(rig).find("{result=\"baseline\",signal=\"metrics\"} 1\n") != std::string::npos);
  rig.Scrape();
  CHECK(rig.Page("swarm_otlp_streams_forgotten_total") ==
        "swarm_otlp_streams_forgotten_total 92\n");
}

TEST_CASE("Ever new session ids grow neither the page nor the streams", "[otlp]") {
  OtlpOptions options;
  options.max_points = 1000;
  options.max_streams = 1000;
  Rig rig(options);
  std::string point = R"({"timeUnixNano":"5000","startTimeUnixNano":"1000","asInt":1,)";
  for (int request = 0; request < 20; ++request) {
    std::string points;
    for (int i = 0; i < 1000; ++i) {
      points += (i == 0 ? "" : ",") + point +
                AttributesOf({"session.id=s" + std::to_string(request * 1000 + i)}) + "}";
    }
    const net::HttpResponse answer = rig.PostJson(Envelope(
        R"({"name":"n","sum":{"aggregationTemporality":1,"isMonotonic":true,"dataPoints":[)" +
        points + "]}}"));
    REQUIRE(answer.status == 200);
  }
  CHECK(rig.Page() == "n_total{service_name=\"svc\"} 20000\n");
  rig.Scrape();
  CHECK(rig.Page("swarm_otlp_streams_forgotten_total") ==
        "swarm_otlp_streams_forgotten_total 19000\n");
}

TEST_CASE("Streams, bounds and requests survive a restart", "[otlp]") {
  const skep::test::TempFolder folder;
  const std::string first = Histogram(2, 160, "1,2,3", 10);
  const std::string sum = SumPoint{.value = 5}.Json();
  std::string page;
  {
    Rig rig({}, {}, folder.path());
    rig.PostJson(first);
    rig.PostJson(sum);
    rig.PostJson(SumPoint{.name = "active", .monotonic = false, .value = 4}.Json());
    page = rig.Page();
  }
  Rig rig({}, {}, folder.path());
  CHECK(rig.Page() == page);
  rig.PostJson(first);  // told again: the answer was lost in the crash
  rig.PostJson(sum);
  CHECK(rig.Page() == page);
  rig.PostJson(SumPoint{.time = 300, .value = 6}.Json());
  rig.PostJson(Histogram(2, 220, "2,2,3", 10.5));
  rig.PostJson(SumPoint{.name = "active", .monotonic = false, .time = 300, .value = 1}.Json());
  const std::string after = rig.Page();
  CHECK(after.find("requests_total{service_name=\"svc\"} 6\n") != std::string::npos);
  CHECK(after.find("h_count{service_name=\"svc\"} 7\n") != std::string::npos);
  CHECK(after.find("h_sum{service_name=\"svc\"} 10.5\n") != std::string::npos);
  CHECK(after.find("active{service_name=\"svc\"} 1\n") != std::string::npos);
  // The bounds are those of before, though these came first after the restart.
  CHECK(rig.PostJson(Histogram(1, 300, "1,1,1", 4, "1,3")).body.find("has the bound 2") !=
        std::string::npos);
}

TEST_CASE("Configured and recommended buckets", "[otlp]") {
  OtlpOptions options;
  options.buckets = {{"h", {2}}};
  Rig rig(options);
  rig.PostJson(Histogram(1, 160, "1,2,3", 10));
  CHECK(rig.Page() ==
        "h_bucket{service_name=\"svc\",le=\"2\"} 3\n"
        "h_bucket{service_name=\"svc\",le=\"+Inf\"} 6\n"
        "h_sum{service_name=\"svc\"} 10\n"
        "h_count{service_name=\"svc\"} 6\n");
  options.buckets = {{"h", {1}}};
  rig.otlp->Apply(options, {});
  rig.PostJson(Histogram(1, 220, "1,2,3", 10));
  CHECK(rig.Page() ==
        "h_bucket{service_name=\"svc\",le=\"1\"} 1\n"
        "h_bucket{service_name=\"svc\",le=\"+Inf\"} 6\n"
        "h_sum{service_name=\"svc\"} 10\n"
        "h_count{service_name=\"svc\"} 6\n");

  // An exponential histogram of GenAI's conventions comes out on their bounds.
  Rig tokens;
  tokens.PostJson(
      Envelope(R"({"name":"gen_ai.client.token.usage","unit":"{token}","exponentialHistogram":{)"
               R"("aggregationTemporality":1,"dataPoints":[{"timeUnixNano":"5","count":1,"sum":3,)"
               R"("scale":0,"positive":{"offset":1,"bucketCounts":[1]}}]}})"));
  const std::string page = tokens.Page();
  CHECK(page.find("gen_ai_client_token_usage_bucket{service_name=\"svc\",le=\"1\"} 0\n"
                  "gen_ai_client_token_usage_bucket{service_name=\"svc\",le=\"4\"} 1\n") !=
        std::string::npos);
  CHECK(page.find("le=\"6.7108864e+07\"") != std::string::npos);
}

TEST_CASE("HTTP/2 is counted", "[otlp]") {
  Rig rig;
  rig.otlp->NoteHttp2("192.0.2.9");
  rig.otlp->NoteHttp2("192.0.2.9");
  rig.Scrape();
  CHECK(rig.Page("swarm_otlp_http2") == "swarm_otlp_http2_connections_total 2\n");
}

TEST_CASE("Several clients and a scraper at once", "[otlp]") {
  OtlpOptions options;
  options.max_concurrent = 64;
  Rig rig(options);
  std::vector<std::thread> clients;
  for (int client = 0; client < 4; ++client) {
    clients.emplace_back([&rig, client] {
      for (int i = 1; i <= 50; ++i) {
        rig.PostJson(SumPoint{.name = "m" + std::to_string(i % 5),
                              .attributes = {"session.id=" + std::to_string(client)},
                              .time = 200 + i,
                              .value = static_cast<double>(i)}
                         .Json());
        if (i % 10 == 0) rig.Scrape();
      }
    });
  }
  for (std::thread& client : clients) client.join();
  CHECK(rig.Page("m0") == "m0_total{service_name=\"svc\"} 200\n");
  CHECK(rig.Page("m1") == "m1_total{service_name=\"svc\"} 184\n");
}

}  // namespace skep::ingest

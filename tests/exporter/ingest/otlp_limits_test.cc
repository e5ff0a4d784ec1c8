// What the endpoint does against senders that send wrong, too much or without end.
#include <catch2/catch.hpp>
#include <latch>
#include <thread>

#include "../../support/temp_folder.h"
#include "exporter/ingest/otlp.h"
#include "otlp_rig.h"
#include "tests/exporter/state/full_store.h"

namespace skep::ingest {
namespace {

using test::Envelope;
using test::Rig;
using test::SumPoint;

// Never the same bytes twice: those would be a repeat.
std::string GaugeOf(const std::string& name, const std::string& attributes = "") {
  static int time = 5;
  return R"({"name":")" + name + R"(","gauge":{"dataPoints":[{)" +
         (attributes.empty() ? "" : attributes + ",") + R"("timeUnixNano":")" +
         std::to_string(++time) + R"(","asInt":1}]}})";
}

std::string HistogramOf(const std::string& name) {
  return R"({"name":")" + name +
         R"(","histogram":{"aggregationTemporality":1,"dataPoints":[{"timeUnixNano":"6",)"
         R"("count":"1","sum":1,"bucketCounts":["1","0"],"explicitBounds":[1]}]}})";
}

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// Stays in its first request until it is let go.
class SlowConsumer final : public OtlpConsumer {
 public:
  void OnRequestBegin() override {
    arrived.count_down();
    go.wait();
  }
  void OnMetric(state::Changes&, const MetricSample&) override {}
  void OnLog(state::Changes&, const Resource&, const Scope&, const LogRecord&) override {}
  void OnSpan(state::Changes&, const Resource&, const Scope&, const Span&) override {}
  void OnRequestEnd(state::Changes&) override {}

  std::latch arrived{1};
  std::latch go{1};
};

}  // namespace

TEST_CASE("A point from the future is refused and does not freeze its stream", "[otlp]") {
  Rig rig;
  CHECK(rig.PostJson(SumPoint{.time = 200, .value = 5}.Json()).body == "{}");
  const net::HttpResponse answer = rig.PostJson(SumPoint{.time = 3700, .value = 9}.Json());
  CHECK(Has(answer.body, R"("rejectedDataPoints":"1")"));
  CHECK(Has(answer.body, "requests: the time is more than an hour ahead"));
  CHECK(rig.PostJson(SumPoint{.time = 3500, .value = 6}.Json()).body == "{}");
  CHECK(rig.Page() == "requests_total{service_name=\"svc\"} 6\n");
  CHECK(rig.Page("swarm_otlp_points_total{result=\"future\"") ==
        "swarm_otlp_points_total{result=\"future\",signal=\"metrics\"} 1\n");
  // The largest time that there is, in a gauge.
  CHECK(Has(rig.PostJson(Envelope(R"({"name":"g","gauge":{"dataPoints":[{"timeUnixNano":)"
                                  R"("18446744073709551615","asInt":1}]}})"))
                .body,
            "an hour ahead"));
}

TEST_CASE("A value that the store cannot add is refused in the answer", "[otlp]") {
  Rig rig;
  const auto send = [&](int time, const char* value) {
    std::string body = SumPoint{.temporality = 1, .start = time - 1, .time = time}.Json();
    const std::size_t at = body.find("1.000000");
    return rig.PostJson(body.replace(at, 8, value)).body;
  };
  CHECK(send(1, "1e308") == "{}");
  const std::string answer = send(2, "1e308");
  CHECK(Has(answer, R"("rejectedDataPoints":"1")"));
  CHECK(Has(answer, "requests: the value cannot be added"));
  CHECK(rig.Page("requests") == "requests_total{service_name=\"svc\"} 1e+308\n");
  const auto histogram = [](int time) {
    return Envelope(R"({"name":"h","histogram":{"aggregationTemporality":1,"dataPoints":[)"
                    R"({"timeUnixNano":")" +
                    SumPoint::Nanos(time) +
                    R"(","count":"9007199254740992","sum":1,"bucketCounts":["9007199254740992",)"
                    R"("0"],"explicitBounds":[1]}]}})");
  };
  CHECK(rig.PostJson(histogram(1)).body == "{}");
  CHECK(Has(rig.PostJson(histogram(2)).body, "h: the value cannot be added"));
}

TEST_CASE("No up-down sum becomes infinite", "[otlp]") {
  for (const int temporality : {1, 2}) {
    CAPTURE(temporality);
    Rig rig;
    const auto send = [&](const char* session, int time, const char* value) {
      std::string body = SumPoint{.temporality = temporality,
                                  .monotonic = false,
                                  .attributes = {std::string("session.id=") + session},
                                  .start = time - 1,
                                  .time = time}
                             .Json();
      return rig.PostJson(body.replace(body.find("1.000000"), 8, value)).body;
    };
    CHECK(send("a", 1, "1.5e308") == "{}");
    CHECK(Has(send("b", 1, "1.5e308"), "requests: the sum over the streams would not be finite"));
    CHECK(send("c", 1, "-1e308") == "{}");
    CHECK(rig.Page() == "requests{service_name=\"svc\"} 5e+307\n");
    if (temporality == 1) CHECK(Has(send("a", 2, "1.5e308"), "would not be finite"));
    // The one that leaves takes its part along, and nothing overflows.
    rig.clock.millis += 400'000;
    rig.Scrape();
    CHECK(rig.Page().empty());
  }
}

TEST_CASE("Metrics that nobody sends any more make room for new names", "[otlp]") {
  const skep::test::TempFolder folder;
  OtlpOptions options;
  options.max_metrics = 3;
  {
    Rig rig(options, {}, folder.File("state"));
    for (const char* name : {"a", "b", "c"}) rig.PostJson(Envelope(GaugeOf(name)));
    CHECK(Has(rig.PostJson(Envelope(GaugeOf("d"))).body, "d: more than 3 metrics"));
    rig.clock.millis += 3'000'000;
    rig.PostJson(Envelope(GaugeOf("b")));
    rig.Scrape();
    CHECK(Has(rig.PostJson(Envelope(GaugeOf("d"))).body, "d: more than 3 metrics"));
    rig.clock.millis += 700'000;  // a and c: more than an hour
    rig.Scrape();
    CHECK(rig.PostJson(Envelope(GaugeOf("d"))).body == "{}");
    CHECK(rig.PostJson(Envelope(GaugeOf("a"))).body == "{}");
    CHECK(Has(rig.PostJson(Envelope(GaugeOf("e"))).body, "e: more than 3 metrics"));
    CHECK(rig.Page("swarm_otlp_metrics_forgotten_total") ==
          "swarm_otlp_metrics_forgotten_total 2\n");
  }
  // The file knows of it: b, d and a, but not c.
  Rig again(options, {}, folder.File("state"));
  CHECK(Has(again.PostJson(Envelope(GaugeOf("c"))).body, "c: more than 3 metrics"));
  for (const char* name : {"b", "d", "a"}) {
    CHECK(again.PostJson(Envelope(GaugeOf(name))).body == "{}");
  }
}

TEST_CASE("Ever new metric names are bounded, and a million later new ones are taken", "[otlp]") {
  OtlpOptions options;
  options.max_metrics = 20;
  Rig rig(options);
  for (int round = 0; round < 30; ++round) {
    CAPTURE(round);
    for (int i = 0; i < 25; ++i) {
      const std::string name = "m" + std::to_string(round) + "x" + std::to_string(i);
      CHECK((rig.PostJson(Envelope(GaugeOf(name))).body == "{}") == (i < 20));
    }
    rig.clock.millis += 3'600'001;
    rig.Scrape();
  }
}

TEST_CASE("A counter that was forgotten and comes back goes on where it was", "[otlp]") {
  OtlpOptions options;
  options.max_metrics = 1;
  Rig rig(options);
  rig.PostJson(SumPoint{.name = "a", .value = 5}.Json());
  rig.clock.millis += 3'600'001;
  rig.Scrape();
  rig.PostJson(SumPoint{.name = "b", .value = 1}.Json());
  CHECK(rig.Page("a_total") == "a_total{service_name=\"svc\"} 5\n");
  rig.clock.millis += 3'600'001;
  rig.Scrape();
  rig.PostJson(SumPoint{.name = "a", .time = 300, .value = 7}.Json());
  CHECK(rig.Page("a_total") == "a_total{service_name=\"svc\"} 7\n");
}

TEST_CASE("No two metrics share the name of a line, whichever comes first", "[otlp]") {
  for (const std::string other : {"h1.bucket", "h1_bucket", "h1.sum", "h1.count"}) {
    CAPTURE(other);
    Rig rig;
    CHECK(rig.PostJson(Envelope(HistogramOf("h1"))).body == "{}");
    CHECK(Has(rig.PostJson(Envelope(GaugeOf(other))).body, "would share the name"));
    Rig turned;
    CHECK(turned.PostJson(Envelope(GaugeOf(other))).body == "{}");
    CHECK(Has(turned.PostJson(Envelope(HistogramOf("h1"))).body, "would share the name"));
    CHECK_FALSE(Has(turned.Page(), "le="));
  }
  Rig rig;
  CHECK(Has(rig.PostJson(Envelope(GaugeOf("x.total"))).body, "{}"));
  CHECK(Has(rig.PostJson(SumPoint{.name = "x"}.Json()).body, "x: "));
}

TEST_CASE("Controls and marks of direction in labels become replacement characters", "[otlp]") {
  Rig rig;
  const std::string attributes =
      R"("attributes":[{"key":"nul","value":{"stringValue":"a\u0000b"}},)"
      R"({"key":"turned","value":{"stringValue":"a\u202Eb\u2066c"}},)"
      R"({"key":"line","value":{"stringValue":"a\nb"}},)"
      R"({"key":"name","value":{"stringValue":"Zo\u00EB \uD83D\uDC1D"}}])";
  CHECK(rig.PostJson(Envelope(GaugeOf("g", attributes))).body == "{}");
  CHECK(rig.Page() ==
        "g{name=\"Zo\xC3\xAB \xF0\x9F\x90\x9D\",nul=\"a\xEF\xBF\xBD"
        "b\",service_name=\"svc\",turned=\"a\xEF\xBF\xBD"
        "b\xEF\xBF\xBD"
        "c\"} 1\n");
}

TEST_CASE("Too many at once are told to come again, and nothing of them has counted", "[otlp]") {
  OtlpOptions options;
  options.max_concurrent = 1;
  SlowConsumer consumer;
  Rig rig(options, {}, "", &consumer);
  net::HttpResponse first;
  std::jthread other([&] { first = rig.PostJson(SumPoint{.name = "a"}.Json()); });
  consumer.arrived.wait();
  const net::HttpResponse second = rig.PostJson(SumPoint{.name = "b"}.Json());
  CHECK(second.status == 429);
  CHECK(net::FindHeader(second.headers, "Retry-After") == "5");
  CHECK(second.body == R"({"code":14,"message":"too many requests at once"})");
  consumer.go.count_down();
  other.join();
  CHECK(first.status == 200);
  CHECK(rig.PostJson(SumPoint{.name = "b"}.Json()).status == 200);
  CHECK(Has(rig.Page("swarm_otlp_requests_total"),
            "swarm_otlp_requests_total{code=\"429\",encoding=\"json\",signal=\"metrics\"} 1\n"));
  CHECK(rig.Page("b_total") == "b_total{service_name=\"svc\"} 1\n");
}

TEST_CASE("While the state cannot be written clients are told to come again", "[otlp]") {
  Rig rig;
  state::test::FullStore full(*rig.store);
  OtlpMemory memory;
  const auto otlp =
      Otlp::Create({}, {}, memory, full, nullptr, rig.clock, Logger::Silent()).value();
  const net::HttpRequest request = Rig::Request("application/json", SumPoint{}.Json());
  const net::HttpResponse answer = otlp->HandleMetrics(request);
  CHECK(answer.status == 503);
  CHECK(net::FindHeader(answer.headers, "Retry-After") == "5");
  CHECK(Has(answer.body, R"("code":14)"));
  CHECK(rig.Page("requests").empty());
  full.is_full = false;
  CHECK(otlp->HandleMetrics(request).body == "{}");
  CHECK(rig.Page("requests") == "requests_total{service_name=\"svc\"} 1\n");
  CHECK(Has(rig.Page("swarm_otlp_requests_total"),
            "swarm_otlp_requests_total{code=\"503\",encoding=\"json\",signal=\"metrics\"} 1\n"));
}

TEST_CASE("Bodies that the server could not read count as requests of their signal", "[otlp]") {
  AccessOptions access;
  access.bearer_tokens = {"secret"};
  Rig rig({}, access);
  net::HttpRequest request = Rig::Request("application/json", "");
  request.path = "/v1/traces";
  const net::HttpResponse plain = net::HttpResponse::Text(400, "a chunk cannot be read\n");
  CHECK(rig.otlp->AnswerUnreadable(request, plain).status == 401);
  request.headers.emplace_back("Authorization", "Bearer secret");
  const net::HttpResponse answer = rig.otlp->AnswerUnreadable(request, plain);
  CHECK(answer.status == 400);
  CHECK(answer.content_type == "application/json");
  CHECK(answer.body == R"({"code":3,"message":"a chunk cannot be read"})");
  rig.Scrape();
  CHECK(rig.Page("swarm_otlp_requests_total") ==
        "swarm_otlp_requests_total{code=\"400\",encoding=\"json\",signal=\"traces\"} 1\n"
        "swarm_otlp_requests_total{code=\"401\",encoding=\"json\",signal=\"traces\"} 1\n");
}

// The buckets that the conventions recommend, of a histogram that has them among its own and of an
// exponential one; and their sums, which no page of a sender's quantiles could give.
TEST_CASE("GenAI's metric histograms are passed through on the recommended buckets", "[otlp]") {
  struct Case {
    std::string name;
    std::string unit;
    std::string family;
    std::string one;    // the bound that has the first value below it, at most 1
    std::string three;  // and that of all three, over 2 or just 2
  };
  const std::vector<Case> cases = {
      {"gen_ai.client.operation.duration", "s", "gen_ai_client_operation_duration_seconds", "1.28",
       "2.56"},
      {"gen_ai.client.operation.time_to_first_chunk", "s",
       "gen_ai_client_operation_time_to_first_chunk_seconds", "1.28", "2.56"},
      {"gen_ai.server.request.duration", "s", "gen_ai_server_request_duration_seconds", "1.28",
       "2.56"},
      {"gen_ai.server.time_to_first_token", "s", "gen_ai_server_time_to_first_token_seconds", "1",
       "2.5"},
      {"gen_ai.client.token.usage", "{token}", "gen_ai_client_token_usage", "1", "4"},
  };
  for (const auto& [name, unit, family, one, three] : cases) {
    CAPTURE(name);
    Rig rig;
    const std::string body =
        Envelope(R"({"name":")" + name + R"(","unit":")" + unit +
                 R"(","exponentialHistogram":{"aggregationTemporality":1,"dataPoints":[)"
                 R"({"attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},)"
                 R"({"key":"gen_ai.request.model","value":{"stringValue":"m"}},)"
                 R"({"key":"gen_ai.conversation.id","value":{"stringValue":"c-1"}}],)"
                 R"("timeUnixNano":"9","count":"3","sum":3.5,"scale":0,"zeroCount":"0",)"
                 R"("positive":{"offset":-1,"bucketCounts":["1","2"]}}]}})");
    CHECK(rig.PostJson(body).body == "{}");
    const std::string labels =
        "gen_ai_operation_name=\"chat\",gen_ai_request_model=\"m\",service_name=\"svc\"";
    const std::string page = rig.Page(family);
    CHECK(Has(page, family + "_bucket{" + labels + ",le=\"" + one + "\"} 1\n"));
    CHECK(Has(page, family + "_bucket{" + labels + ",le=\"" + three + "\"} 3\n"));
    CHECK(Has(page, family + "_sum{" + labels + "} 3.5\n"));
    CHECK(Has(page, family + "_count{" + labels + "} 3\n"));
  }
}

}  // namespace skep::ingest

#include "exporter/ingest/event_ingest.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/json/value.h"
#include "exporter/ingest/event_schema.h"
#include "tests/exporter/state/fixture.h"
#include "tests/exporter/state/full_store.h"
#include "tests/support/temp_folder.h"

namespace skep::ingest {
namespace {

using state::test::HandClock;
using state::test::Page;

struct Setup {
  explicit Setup(std::string path = "", EventOptions options = {}, AccessOptions access = {}) {
    std::vector<state::Section*> sections = memory.sections();
    sections.push_back(&swarm);
    store =
        state::Store::Open({.path = std::move(path)}, sections, clock, Logger::Silent()).value();
    flow = swarm::Flow::Define(*store).value();
    events = EventIngest::Create(std::move(options), std::move(access),
                                 {*store, memory, swarm, *flow, clock,
                                  [this](Timestamp at) { deployed.push_back(at); }},
                                 Logger::Silent())
                 .value();
  }

  net::HttpResponse Post(std::string body, net::Headers headers = {}) {
    net::HttpRequest request;
    request.method = "POST";
    request.path = "/v1/events";
    request.headers = std::move(headers);
    request.body = std::move(body);
    return events->HandleEvents(request);
  }

  net::HttpResponse Beacon(std::string body, std::string origin, std::string method = "POST") {
    net::HttpRequest request;
    request.method = std::move(method);
    request.headers = {{"Origin", std::move(origin)}, {"Content-Type", "text/plain"}};
    request.body = std::move(body);
    return events->HandleBeacons(request);
  }

  // The value of the series that is written so, or "".
  std::string Value(const std::string& series) {
    const std::string page = "\n" + Page(*store);
    const std::size_t at = page.find("\n" + series + " ");
    if (at == std::string::npos) return "";
    const std::size_t begin = at + series.size() + 2;
    return page.substr(begin, page.find('\n', begin) - begin);
  }

  std::string Own() {
    std::string text;
    exposition::PageWriter page(exposition::Format::kText, text);
    exporter::CollectContext context{page, {}};
    REQUIRE(events->MakeCollector()->Collect(context));
    return text;
  }

  HandClock clock;
  EventMemory memory;
  swarm::PushedSwarm swarm;
  std::vector<Timestamp> deployed;
  std::unique_ptr<state::Store> store;
  std::unique_ptr<swarm::Flow> flow;
  std::unique_ptr<EventIngest> events;
};

TEST_CASE("Events are counted, good ones beside bad ones", "[events]") {
  Setup s;
  const net::HttpResponse good = s.Post(R"({"kind":"signup"})");
  CHECK(good.status == 200);
  CHECK(good.body == "{\"accepted\":1,\"duplicates\":0,\"refused\":0}\n");
  const net::HttpResponse mixed = s.Post(
      "{\"kind\":\"signup\",\"count\":4}\n{\"kind\":\"x\"}\n{\"kind\":\"revenue\",\"amount_usd\":2."
      "5}\n");
  CHECK(mixed.status == 207);
  CHECK(mixed.body ==
        "{\"accepted\":2,\"duplicates\":0,\"refused\":1,\"errors\":[{\"line\":2,\"field\":\"kind\","
        "\"message\":\"unknown kind \\\"x\\\"\"}]}\n");
  const net::HttpResponse bad = s.Post("{\"kind\":\"x\"}");
  CHECK(bad.status == 400);
  CHECK(s.Post("").status == 400);
  CHECK(s.Value("user_signups_total") == "5");
  CHECK(s.Value("revenue_usd_total") == "2.5");
  CHECK(s.Value("events_total{kind=\"signup\"}") == "2");
  CHECK(s.Own().find("skep_exporter_events_refused_total{reason=\"kind\"} 2\n") !=
        std::string::npos);
}

TEST_CASE("An id counts once, within a request, over requests and over a restart", "[events]") {
  const test::TempFolder folder;
  const std::string body =
      "{\"kind\":\"signup\",\"id\":\"a\"}\n{\"kind\":\"signup\",\"id\":\"a\"}\n"
      "{\"kind\":\"feature_request\",\"id\":\"a\"}\n{\"kind\":\"signup\"}\n";
  {
    Setup s(folder.path());
    CHECK(s.Post(body).body == "{\"accepted\":3,\"duplicates\":1,\"refused\":0}\n");
    CHECK(s.Post(body).body == "{\"accepted\":1,\"duplicates\":3,\"refused\":0}\n");
    CHECK(s.Value("user_signups_total") == "3");
  }
  Setup s(folder.path());
  CHECK(s.Value("user_signups_total") == "3");
  CHECK(s.Post(body).body == "{\"accepted\":1,\"duplicates\":3,\"refused\":0}\n");
  CHECK(s.Value("feature_requests_total") == "1");
  CHECK(s.Own().find("skep_exporter_event_ids 2\n") != std::string::npos);
  s.clock.Advance(std::chrono::hours(25));
  CHECK(s.Post(R"({"kind":"signup","id":"a"})").body ==
        "{\"accepted\":1,\"duplicates\":0,\"refused\":0}\n");
}

TEST_CASE("An old event with an id counts, and the answer says that it could not be checked",
          "[events]") {
  Setup s;
  const std::string body = R"({"kind":"signup","id":"a","time":1799900000})";
  CHECK(s.Post(body).body ==
        "{\"accepted\":1,\"duplicates\":0,\"refused\":0,\"too_old_to_check\":1}\n");
  CHECK(s.Own().find("skep_exporter_events_too_old_to_check_total 1\n") != std::string::npos);
  CHECK(s.Post(R"({"kind":"signup","time":1799900000})").body ==
        "{\"accepted\":1,\"duplicates\":0,\"refused\":0}\n");
}

TEST_CASE("Requests that are refused as a whole are counted by status", "[events]") {
  AccessOptions access;
  access.bearer_tokens = {"secret"};
  Setup s("", {}, access);
  const net::Headers with_token = {{"Authorization", "Bearer secret"}};
  CHECK(s.Post(R"({"kind":"signup"})").status == 401);
  CHECK(s.Post("", with_token).status == 400);
  CHECK(s.Post(R"({"kind":"signup"})",
               {{"Authorization", "Bearer secret"}, {"Content-Type", "application/xml"}})
            .status == 415);
  net::HttpRequest request;
  request.path = "/v1/events";
  const net::HttpResponse plain = net::HttpResponse::Text(400, "a chunk cannot be read\n");
  const net::HttpResponse unknown = s.events->AnswerUnreadable(request, plain);
  CHECK(unknown.status == 401);
  CHECK(net::FindHeader(unknown.headers, "WWW-Authenticate") == "Bearer");
  request.headers = with_token;
  const net::HttpResponse answer = s.events->AnswerUnreadable(request, plain);
  CHECK(answer.status == 400);
  CHECK(answer.body == "{\"error\":\"a chunk cannot be read\"}\n");
  request.path = "/v1/beacons";
  CHECK(s.events->AnswerUnreadable(request, plain).status == 404);
  const std::string own = s.Own();
  for (const char* line : {"{code=\"400\"} 2\n", "{code=\"401\"} 2\n", "{code=\"415\"} 1\n"}) {
    CAPTURE(line);
    CHECK(own.find("skep_exporter_event_requests_refused_total" + std::string(line)) !=
          std::string::npos);
  }
}

TEST_CASE("Deployments are shown to those who have the token only", "[events]") {
  AccessOptions access;
  access.bearer_tokens = {"secret"};
  const Setup s("", {}, access);
  net::HttpRequest request;
  CHECK(s.events->HandleDeployments(request).status == 401);
  request.headers = {{"Authorization", "Bearer wrong"}};
  CHECK(s.events->HandleDeployments(request).status == 401);
  request.headers = {{"Authorization", "Bearer secret"}};
  CHECK(s.events->HandleDeployments(request).body == "{\"deployments\":[]}");
}

TEST_CASE("A state file that cannot be written counts nothing and asks to come again", "[events]") {
  const test::TempFolder folder;
  Setup s(folder.File("state"));
  REQUIRE(s.Post(R"({"kind":"signup","id":"a"})").status == 200);
  const Status broken = s.store->Update([](state::Changes&) -> Status { return Invalid("no"); });
  REQUIRE_FALSE(broken);
  // A full disk stands for all that the system refuses.
  state::test::FullStore full(*s.store);
  const auto events =
      EventIngest::Create({}, {}, {full, s.memory, s.swarm, *s.flow, s.clock, {}}, Logger::Silent())
          .value();
  net::HttpRequest request;
  request.method = "POST";
  request.body =
      "{\"kind\":\"signup\",\"id\":\"b\"}\n{\"kind\":\"agent\",\"agent\":\"a\",\"status\":\"idle\"}"
      "\n"
      "{\"kind\":\"deployment\",\"service\":\"shop\",\"version\":\"1\"}";
  const net::HttpResponse response = events->HandleEvents(request);
  CHECK(response.status == 503);
  CHECK(net::FindHeader(response.headers, "Retry-After") == "10");
  CHECK(s.Value("user_signups_total") == "1");
  CHECK(events->HandleDeployments(request).body == "{\"deployments\":[]}");
  // Nothing is remembered of it: the same request counts when it comes again.
  CHECK(s.Post(request.body).body == "{\"accepted\":3,\"duplicates\":0,\"refused\":0}\n");
}

TEST_CASE("Every kind of effect does to its family what it says", "[events]") {
  Setup s;
  const auto post = [&s](const std::string& body) {
    CAPTURE(body);
    const net::HttpResponse response = s.Post(body);
    CAPTURE(response.body);
    REQUIRE(response.status == 200);
  };
  post(R"({"kind":"cache","cache":"pages","hits":9,"misses":1})");
  CHECK(s.Value("cache_requests_total{cache=\"pages\",result=\"hit\"}") == "9");
  CHECK(s.Value("cache_requests_total{cache=\"pages\",result=\"miss\"}") == "1");

  post(R"({"kind":"circuit_breaker","component":"pay","state":"open"})");
  CHECK(s.Value("circuit_breaker_open{component=\"pay\"}") == "1");
  CHECK(s.Value("circuit_breaker_trips_total{component=\"pay\"}") == "1");
  CHECK(s.Value("circuit_breaker_state{component=\"pay\",state=\"open\"}") == "1");
  post(R"({"kind":"circuit_breaker","component":"pay","state":"half_open"})");
  CHECK(s.Value("circuit_breaker_open{component=\"pay\"}") == "0");
  CHECK(s.Value("circuit_breaker_trips_total{component=\"pay\"}") == "1");
  CHECK(s.Value("circuit_breaker_state{component=\"pay\",state=\"open\"}") == "0");

  post(R"({"kind":"backup","backup":"db","outcome":"success","size_bytes":7,"time":1799999000})");
  post(R"({"kind":"backup","backup":"db","outcome":"failure"})");
  CHECK(s.Value("backup_last_success_timestamp_seconds{backup=\"db\"}") == "1799999000");
  CHECK(s.Value("backup_size_bytes{backup=\"db\"}") == "7");
  CHECK(s.Value("backups_total{backup=\"db\",outcome=\"failure\"}") == "1");

  post(R"({"kind":"test","suite":"unit","passed":3,"failed":1,"coverage_ratio":0.83})");
  CHECK(s.Value("test_pass_ratio{suite=\"unit\"}") == "0.75");
  CHECK(s.Value("test_coverage_ratio{suite=\"unit\"}") == "0.83");
  post(R"({"kind":"test","suite":"none","passed":0,"failed":0})");
  CHECK(s.Value("test_pass_ratio{suite=\"none\"}").empty());

  post(R"({"kind":"external_api","api":"pay","outcome":"ok","duration_seconds":0.3,"count":5})");
  CHECK(s.Value("external_api_requests_total{api=\"pay\",outcome=\"ok\"}") == "5");
  CHECK(s.Value("external_api_request_duration_seconds_count{api=\"pay\"}") == "5");

  post(
      R"({"kind":"request","service":"shop","method":"GET","route":"/a","status":503,"duration_seconds":0.02})");
  CHECK(s.Value("http_requests_total{code=\"503\",method=\"GET\",route=\"/a\",service=\"shop\"}") ==
        "1");
  post(R"({"kind":"request","service":"shop","in_flight":4})");
  CHECK(s.Value("http_requests_in_flight{service=\"shop\"}") == "4");
  CHECK(s.Value("events_total{kind=\"request\"}") == "2");
  CHECK(Page(*s.store).find("http_requests_total{service=\"shop\"}") == std::string::npos);

  post(R"({"kind":"wasm","speedup":41,"opt_level":"O3","simd":true})");
  CHECK(s.Value("wasm_build_info{opt_level=\"O3\",simd=\"true\"}") == "1");
  post(R"({"kind":"wasm","opt_level":"O2"})");
  CHECK(s.Value("wasm_build_info{opt_level=\"O2\",simd=\"false\"}") == "1");
  CHECK(s.Value("wasm_build_info{opt_level=\"O3\",simd=\"true\"}").empty());
  CHECK(s.Value("wasm_speedup_ratio") == "41");

  post(R"({"kind":"error","component":"db","class":"SQLITE_BUSY"})");
  CHECK(s.Value("errors_total{class=\"SQLITE_BUSY\",component=\"db\",retryable=\"true\"}") == "1");
}

TEST_CASE("Deployments are shown, told and kept", "[events]") {
  const test::TempFolder folder;
  EventOptions options;
  EventOptions::Window window;
  window.days.fill(true);
  window.from = std::chrono::hours(9);  // the clock stands at 08:00
  options.deployment_windows = {window};
  {
    Setup s(folder.path(), options);
    REQUIRE(s.Post("{\"kind\":\"deployment\",\"service\":\"shop\",\"version\":\"1\"}\n"
                   "{\"kind\":\"deployment\",\"service\":\"shop\",\"version\":\"2\",\"strategy\":"
                   "\"canary\","
                   "\"duration_seconds\":90,\"commit\":\"abc\",\"url\":\"https://ci/1\"}\n"
                   "{\"kind\":\"deployment_environment\",\"service\":\"shop\",\"color\":\"blue\","
                   "\"state\":\"created\",\"time\":1799996400}\n")
                .status == 200);
    CHECK(s.deployed == std::vector<Timestamp>{s.clock.Now()});
    CHECK(s.Value("deployments_total{outcome=\"success\",service=\"shop\"}") == "2");
    CHECK(s.Value("deployment_outside_window_total{service=\"shop\"}") == "2");
    CHECK(s.Value("deployment_duration_seconds_count{strategy=\"canary\"}") == "1");
    REQUIRE(s.Post(R"({"kind":"deployment","service":"b","version":"1","outside_window":false})")
                .status == 200);
    CHECK(s.Value("deployment_outside_window_total{service=\"b\"}").empty());
    REQUIRE(s.Post(R"({"kind":"deployment","service":"b","version":"9","outcome":"cancelled"})")
                .status == 200);
    CHECK(s.deployed.size() == 2);
  }
  Setup s(folder.path(), options);
  CHECK(s.deployed == std::vector<Timestamp>{s.clock.Now()});  // the last one, at the start
  CHECK(s.Value(
            "deployment_info{commit=\"abc\",service=\"shop\",strategy=\"canary\",version=\"2\"}") ==
        "1");
  CHECK(s.Value("deployment_info{service=\"shop\",strategy=\"unknown\",version=\"1\"}").empty());
  CHECK(
      s.Own().find("deployment_environment_age_seconds{service=\"shop\",color=\"blue\"} 3600\n") !=
      std::string::npos);
  REQUIRE(
      s.Post("{\"kind\":\"rollback_request\",\"service\":\"shop\",\"requested\":true}").status ==
      200);
  CHECK(s.Value("rollback_requested{service=\"shop\"}") == "1");
  s.clock.Advance(std::chrono::seconds(1));
  REQUIRE(
      s.Post(
           R"({"kind":"rollback","service":"shop","trigger":"latency","version":"1","strategy":"blue_green","duration_seconds":4})")
          .status == 200);
  CHECK(s.Value("rollback_requested{service=\"shop\"}") == "0");
  CHECK(s.Value("deployment_info{service=\"shop\",strategy=\"blue_green\",version=\"1\"}") == "1");
  CHECK(s.Value("rollbacks_total{outcome=\"success\",service=\"shop\",trigger=\"latency\"}") ==
        "1");
  net::HttpRequest request;
  const json::Value history = json::Value::Parse(s.events->HandleDeployments(request).body).value();
  REQUIRE(history["deployments"].items().size() == 5);
  CHECK(history["deployments"].items()[3]["url"].text() == "https://ci/1");
}

TEST_CASE("Agents and tasks become those of the swarm", "[events]") {
  Setup s;
  REQUIRE(
      s.Post("{\"kind\":\"agent\",\"agent\":\"a1\",\"agent_type\":\"coder\",\"workspace\":\"shop\","
             "\"status\":\"busy\",\"spawn_seconds\":1.2}\n"
             "{\"kind\":\"task\",\"task\":\"t1\",\"task_type\":\"review\",\"workspace\":\"shop\","
             "\"status\":\"in_progress\",\"agent\":\"a1\"}\n"
             "{\"kind\":\"task\",\"task\":\"t1\",\"status\":\"completed\",\"workspace\":\"shop\","
             "\"duration_seconds\":30}\n")
          .status == 200);
  CHECK(
      s.Value(
          "swarm_agent_spawns_total{agent_type=\"coder\",source=\"events\",workspace=\"shop\"}") ==
      "1");
  CHECK(s.Value("swarm_agent_spawn_duration_seconds_count{agent_type=\"coder\"}") == "1");
  CHECK(
      s.Value(
          "swarm_tasks_finished_total{outcome=\"completed\",source=\"events\",task_type=\"review\","
          "workspace=\"shop\"}") == "1");
  CHECK(Page(*s.store).find("t1") == std::string::npos);
  CHECK(Page(*s.store).find("a1") == std::string::npos);
}

TEST_CASE("A measure makes its family once, and its shape stays", "[events]") {
  EventOptions options;
  options.max_measures = 3;
  Setup s("", options);
  REQUIRE(
      s.Post(
           "{\"kind\":\"measure\",\"name\":\"basket_items_total\",\"type\":\"counter\",\"value\":2,"
           "\"labels\":{\"shop\":\"eu\"},\"help\":\"Items sold.\"}\n"
           "{\"kind\":\"measure\",\"name\":\"basket_items_total\",\"type\":\"counter\",\"value\":3,"
           "\"labels\":{\"shop\":\"eu\"}}\n"
           "{\"kind\":\"measure\",\"name\":\"oven_celsius\",\"type\":\"gauge\",\"value\":-4.5}\n"
           "{\"kind\":\"measure\",\"name\":\"bake_seconds\",\"type\":\"histogram\",\"value\":2,"
           "\"bounds\":[1,10]}")
          .status == 200);
  CHECK(s.Value("basket_items_total{shop=\"eu\"}") == "5");
  CHECK(Page(*s.store).find("# HELP basket_items_total Items sold.\n") != std::string::npos);
  CHECK(s.Value("oven_celsius") == "-4.5");
  CHECK(s.Value("bake_seconds_bucket{le=\"10\"}") == "1");
  const std::pair<const char*, const char*> refused[] = {
      {R"("name":"oven_celsius","type":"histogram","value":1)", "is a gauge"},
      {R"("name":"bake_seconds","type":"histogram","value":1,"bounds":[1,11])", "has other bounds"},
      {R"("name":"fourth","type":"gauge","value":1)", "there are 3 measures already"},
      {R"("name":"__name__","type":"gauge","value":1)", "is the name of something else"},
      {R"("name":"swarm_agents","type":"gauge","value":1)", "is the name of something else"},
      {R"("name":"deployments_total","type":"counter","value":1)", "is the name of something else"},
  };
  for (const auto& [fields, message] : refused) {
    CAPTURE(fields);
    const net::HttpResponse response = s.Post("{\"kind\":\"measure\"," + std::string(fields) + "}");
    CHECK(response.status == 400);
    CHECK(response.body.find(message) != std::string::npos);
  }
  CHECK(s.Own().find("skep_exporter_events_refused_total{reason=\"measure\"} 6\n") !=
        std::string::npos);
}

TEST_CASE("Pages of strangers, other forms and strangers without token are sent away", "[events]") {
  EventOptions options;
  options.origins = {"https://ci.example"};
  AccessOptions access;
  access.bearer_tokens = {"secret"};
  access.max_body_bytes = 100;
  Setup s("", options, access);
  const std::string body = R"({"kind":"signup"})";
  const std::pair<std::string, std::string> token = {"Authorization", "Bearer secret"};
  CHECK(s.Post(body).status == 401);
  CHECK(s.Post(body, {token}).status == 200);
  CHECK(s.Post(body, {token, {"Content-Type", "application/json; charset=utf-8"}}).status == 200);
  CHECK(s.Post(body, {token, {"Content-Type", "application/x-www-form-urlencoded"}}).status == 415);
  CHECK(s.Post(body + std::string(100, ' '), {token}).status == 413);
  CHECK(s.Post(body, {token, {"Origin", "https://evil.example"}}).status == 403);
  const net::HttpResponse allowed = s.Post(body, {token, {"Origin", "https://ci.example"}});
  CHECK(allowed.status == 200);
  CHECK(net::FindHeader(allowed.headers, "Access-Control-Allow-Origin") == "https://ci.example");
  net::HttpRequest preflight;
  preflight.method = "OPTIONS";
  preflight.headers = {{"Origin", "https://ci.example"}};
  CHECK(s.events->HandleEvents(preflight).status == 204);
  CHECK(s.Value("user_signups_total") == "3");
  s.events->Apply({}, {});
  CHECK(s.Post(body).status == 200);
  CHECK(s.Post(body, {{"Origin", "https://ci.example"}}).status == 403);
}

TEST_CASE("Beacons are off until pages are named, and come at a bounded rate", "[events]") {
  const std::string body =
      R"({"kind":"page","page_group":"home","largest_contentful_paint_seconds":2.4})";
  Setup off;
  CHECK(off.Beacon(body, "https://app.example").status == 404);

  EventOptions options;
  options.beacon_origins = {"https://app.example"};
  options.max_beacons_per_second = 3;
  options.max_page_groups = 2;
  Setup s("", options, {.bearer_tokens = {"secret"}});
  const net::HttpResponse taken = s.Beacon(body, "https://app.example");
  CHECK(taken.status == 204);
  CHECK(taken.body.empty());
  CHECK(net::FindHeader(taken.headers, "Access-Control-Allow-Origin") == "https://app.example");
  CHECK(s.Beacon(body, "https://evil.example").status == 403);
  CHECK(s.Beacon(body, "").status == 403);
  CHECK(s.Beacon("", "https://app.example", "OPTIONS").status == 204);
  CHECK(s.Beacon(R"({"kind":"signup"})", "https://app.example").status == 400);
  CHECK(s.Beacon(std::string(65537, ' '), "https://app.example").status == 413);
  CHECK(s.Beacon(body, "https://app.example").status == 204);
  CHECK(s.Beacon(body, "https://app.example").status == 429);
  s.clock.Advance(std::chrono::seconds(10));
  for (const char* group : {"a", "b", "c"}) {
    CHECK(s.Beacon(R"({"kind":"page","js_errors":1,"page_group":")" + std::string(group) + "\"}",
                   "https://app.example")
              .status == 204);
  }
  CHECK(s.Value("rum_largest_contentful_paint_seconds_bucket{page_group=\"home\",le=\"2.5\"}") ==
        "2");
  CHECK(s.Value("rum_js_errors_total{page_group=\"other\"}") == "1");
  options.max_page_groups = 4;
  s.events->Apply(options, {});
  CHECK(
      s.Beacon(R"({"kind":"page","js_errors":1,"page_group":"d"})", "https://app.example").status ==
      429);
  s.clock.Advance(std::chrono::seconds(10));
  CHECK(
      s.Beacon(R"({"kind":"page","js_errors":1,"page_group":"d"})", "https://app.example").status ==
      204);
  CHECK(s.Value("rum_js_errors_total{page_group=\"d\"}") == "1");
  CHECK(s.Own().find("skep_exporter_beacons_over_rate_total 2\n") != std::string::npos);
}

TEST_CASE("The schema is served", "[events]") {
  Setup s;
  const net::HttpResponse response = s.events->HandleSchema({});
  CHECK(response.content_type == "application/schema+json");
  CHECK(response.body == EventJsonSchema());
}

}  // namespace
}  // namespace skep::ingest

// Lines to metrics, seen on the page of a real store.
#include "exporter/logs/line_counter.h"

#include <catch2/catch.hpp>

#include "exporter/logs/builtin_patterns.h"
#include "tests/exporter/logs/fixtures.h"

namespace skep::logs {
namespace {

// One source whose lines are given by hand.
class Counted {
 public:
  explicit Counted(const std::string& source, const std::string& more = "")
      : options_(Configured(more + "sources: [{name: app, service: shop, paths: [/x], " + source +
                            "}]")),
        store_(OpenStore({&templates_}, clock_)),
        families_(DefineFamilies(options_, *store_, Logger::Silent())) {
    MakeCounter();
  }

  void Restart() { MakeCounter(); }
  void Line(std::string_view line) {
    counter_->SetTime(clock_.Now());
    counter_->OnLine(line);
  }
  void Lines(std::initializer_list<std::string_view> lines) {
    for (const std::string_view line : lines) Line(line);
  }
  std::string Page() {
    REQUIRE(store_->Update([&](state::Changes& changes) -> Status {
      counter_->Write(changes);
      return {};
    }));
    counter_->Written();
    return PageOf(*store_);
  }
  LineCounter& counter() { return *counter_; }
  SetClock& clock() { return clock_; }

 private:
  void MakeCounter() {
    Result<std::unique_ptr<LineCounter>> made =
        LineCounter::Create(options_.sources[0], options_, families_, templates_);
    REQUIRE(made);
    counter_ = std::move(*made);
    (void)store_->Update([&](state::Changes&) -> Status {
      counter_->Restore();
      return {};
    });
  }

  SetClock clock_;
  TemplateSection templates_;
  Options options_;
  std::unique_ptr<state::Store> store_;
  Families families_;
  std::unique_ptr<LineCounter> counter_;
};

void CheckHas(const std::string& page, std::initializer_list<std::string> samples) {
  INFO(page);
  for (const std::string& sample : samples) {
    CAPTURE(sample);
    CHECK(Contains("\n" + page, "\n" + sample + "\n"));
  }
}

TEST_CASE("Access logs become requests, durations and bytes by route", "[logs]") {
  Counted logs(
      R"(format: nginx, log_format: '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent $request_time $upstream_response_time')");
  logs.Lines({R"(1.2.3.4 - - [x] "GET /users/1?token=abc HTTP/1.1" 200 100 0.150 0.100)",
              R"(1.2.3.4 - - [x] "GET /users/2 HTTP/1.1" 200 50 0.700 -)",
              R"(1.2.3.4 - - [x] "BREW /pot HTTP/1.1" 418 0 0.001 -)",
              R"(1.2.3.4 - - [x] "\x16\x03" 400 150 0.000 -)",
              R"(1.2.3.4 - bob [x] "GET /admin HTTP/1.1" 401 9 0.002 -)", "not a request"});
  const std::string page = logs.Page();
  CheckHas(
      page,
      {R"(http_requests_total{code="200",method="GET",route="/users/{id}",service="shop"} 2)",
       R"(http_requests_total{code="418",method="other",route="/pot",service="shop"} 1)",
       R"(http_requests_total{code="400",method="other",route="other",service="shop"} 1)",
       R"(http_request_duration_seconds_bucket{method="GET",route="/users/{id}",service="shop",le="0.2"} 1)",
       R"(http_request_duration_seconds_bucket{method="GET",route="/users/{id}",service="shop",le="1"} 2)",
       R"(http_request_duration_seconds_count{method="GET",route="/users/{id}",service="shop"} 2)",
       R"(http_upstream_response_duration_seconds_count{service="shop"} 1)",
       R"(http_response_bytes_total{route="/users/{id}",service="shop"} 150)",
       R"(auth_failures_total{kind="http",source="app"} 1)",
       R"(log_lines_total{level="none",source="app"} 6)",
       R"(log_read_errors_total{reason="format",source="app"} 1)"});
  CHECK(!Contains(page, "token"));
  CHECK(!Contains(page, "1.2.3"));
  CHECK(!Contains(page, "bob"));
}

TEST_CASE("Durations resolve the thresholds that were asked for", "[logs]") {
  const std::vector<double> bounds = DefaultRequestBuckets();
  for (const double threshold : {0.1, 0.2, 0.4, 0.5, 1.0, 2.0, 4.0, 5.0, 10.0}) {
    CHECK(std::find(bounds.begin(), bounds.end(), threshold) != bounds.end());
  }
}

TEST_CASE("Lines are counted by level", "[logs]") {
  Counted logs("format: json, patterns: none");
  logs.Lines({R"({"level":"error","msg":"a"})", R"({"level":50,"msg":"b"})",
              R"({"level":"info","msg":"no ERROR here"})", R"({"msg":"nothing"})",
              R"({"severity":"WARNING"})"});
  CheckHas(logs.Page(), {R"(log_lines_total{level="error",source="app"} 2)",
                         R"(log_lines_total{level="info",source="app"} 1)",
                         R"(log_lines_total{level="none",source="app"} 1)",
                         R"(log_lines_total{level="warn",source="app"} 1)"});
}

TEST_CASE("The patterns that were asked for match as asked", "[logs]") {
  Counted logs("format: plain, patterns: [errors, warnings, slow_queries, failures]");
  logs.Lines({"Fatal: it broke", "WARNING low", "Query took 1000ms", "query took 999ms",
              "connection REFUSED", "all is well"});
  CheckHas(logs.Page(), {R"(log_matches_total{pattern="errors",source="app"} 1)",
                         R"(log_matches_total{pattern="warnings",source="app"} 1)",
                         R"(log_matches_total{pattern="slow_queries",source="app"} 1)",
                         R"(log_matches_total{pattern="failures",source="app"} 1)"});
}

TEST_CASE("The patterns of the log analysis after a deployment", "[logs]") {
  Counted logs("format: plain");
  logs.Lines({"ERROR could not connect to database: connection refused",
              "ERROR Redis connection lost", "ERROR request to payment-api timed out after 5000 ms",
              "Unhandled promise rejection: x", "panic: runtime error",
              "java.lang.NullPointerException: y", "WARN memory usage high: 91%",
              "FATAL: heap out of memory", "login failed for user", "pam: authentication failure",
              "background job 17 failed", "Worker audit completed in 30ms"});
  const std::string page = logs.Page();
  CheckHas(page, {R"(log_matches_total{pattern="db_connection_errors",source="app"} 2)",
                  R"(log_matches_total{pattern="api_timeouts",source="app"} 1)",
                  R"(log_matches_total{pattern="unexpected_exceptions",source="app"} 3)",
                  R"(log_matches_total{pattern="memory_warnings",source="app"} 2)",
                  R"(log_matches_total{pattern="authentication_failures",source="app"} 2)",
                  R"(background_jobs_total{outcome="failed",service="shop"} 1)",
                  R"(background_jobs_total{outcome="completed",service="shop"} 1)"});
}

TEST_CASE("Errors have one class each", "[logs]") {
  Counted logs("format: plain");
  logs.Lines({"ERROR connect ECONNREFUSED 127.0.0.1:1 network", "ERROR read ECONNRESET",
              "ERROR ETIMEDOUT", "ERROR getaddrinfo ENOTFOUND x", "ERROR SQLITE_BUSY: locked",
              "ERROR SQLITE_LOCKED", "ERROR Timeout", "WARN network down", "temporary failure",
              "INFO timeout set to 30 s", "ERROR null pointer"});
  std::string page = logs.Page();
  for (const std::string name :
       {"ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENOTFOUND", "SQLITE_BUSY", "SQLITE_LOCKED",
        "timeout", "network", "temporary"}) {
    CheckHas(page, {"errors_total{class=\"" + name + R"(",component="shop",retryable="true"} 1)"});
  }
  CheckHas(page, {R"(errors_total{class="other",component="shop",retryable="false"} 1)"});
}

TEST_CASE("Durations of queries are read from four kinds of logs", "[logs]") {
  Counted logs("format: plain, db: main", "slow_query: 1s\n");
  logs.Lines({"query took 1500ms", "query took 20.5 ms",
              "2026-11-22 LOG:  duration: 1000.000 ms  statement: SELECT 1",
              "# Query_time: 2.500000  Lock_time: 0.0",
              R"({"t":{},"s":"I","c":"COMMAND","attr":{"durationMillis":7}})"});
  const std::string page = logs.Page();
  CheckHas(page, {R"(db_query_duration_seconds_count{db="main"} 5)",
                  R"(db_query_duration_seconds_bucket{db="main",le="0.025"} 2)",
                  R"(db_slow_queries_total{db="main"} 3)"});
  CHECK(!Contains(page, "SELECT"));
}

TEST_CASE("Failed log-ins are counted once each", "[logs]") {
  Counted logs("format: plain");
  logs.Lines(
      {"Nov 22 03:13:46 host sshd[12]: Invalid user admin from 203.0.113.7 port 4242",
       "Nov 22 03:13:48 host sshd[12]: Failed password for invalid user admin from 203.0.113.7 "
       "port 4242 ssh2",
       "Nov 22 03:13:50 host sshd[12]: message repeated 2 times: [ Failed password for root from "
       "203.0.113.7 port 1 ssh2]",
       "Nov 22 03:13:50 host sshd[12]: Accepted publickey for bob from 203.0.113.7 port 1 ssh2",
       "Nov 22 03:13:51 host sudo: bob : 3 incorrect password attempts ; TTY=pts/0 ; USER=root ; "
       "COMMAND=/bin/sh",
       "Nov 22 03:13:51 host sudo:  bob : user NOT in sudoers ; TTY=pts/0",
       "Nov 22 03:13:51 host su[3]: pam_unix(su:auth): authentication failure; logname= uid=1000",
       R"(2026/11/22 03:13:46 [error] 7#7: *1 user "x": password mismatch, client: 203.0.113.7)",
       "2026-11-22 ERROR Login failed for bob@example.org"});
  const std::string page = logs.Page();
  CheckHas(page, {R"(auth_failures_total{kind="sshd",source="app"} 3)",
                  R"(auth_failures_total{kind="sudo",source="app"} 3)",
                  R"(auth_failures_total{kind="su",source="app"} 1)",
                  R"(auth_failures_total{kind="http",source="app"} 1)",
                  R"(auth_failures_total{kind="application",source="app"} 1)",
                  R"(security_events_total{event="invalid_user",source="app"} 1)",
                  R"(security_events_total{event="sudo_denied",source="app"} 1)"});
  CHECK(!Contains(page, "203.0"));
}

TEST_CASE("Security events in requests and applications", "[logs]") {
  Counted logs("format: nginx, patterns: [security]");
  logs.Lines({R"(1.2.3.4 - - [x] "GET /?id=1+UNION+SELECT+1 HTTP/1.1" 200 1)",
              R"(1.2.3.4 - - [x] "GET /../../etc/passwd HTTP/1.1" 400 1)",
              R"(1.2.3.4 - - [x] "GET /?q=%3Cscript%3E HTTP/1.1" 200 1)"});
  CheckHas(logs.Page(), {R"(security_events_total{event="injection",source="app"} 1)",
                         R"(security_events_total{event="path_traversal",source="app"} 1)",
                         R"(security_events_total{event="cross_site_scripting",source="app"} 1)"});
}

TEST_CASE("Metrics of the user's own take labels and values from groups", "[logs]") {
  Counted logs(R"(format: plain, patterns: none,
    matches: [{name: restart, pattern: 'restarting'}],
    metrics: [
      {name: business_orders_total, help: Orders., pattern: 'order (?P<kind>\C+) from (?P<from>\S+)', labels: {kind: $kind, from: $from, shop: web}},
      {name: business_revenue_usd_total, pattern: 'paid (?P<usd>\S+) USD', value: usd},
      {name: render_duration_seconds, kind: histogram, pattern: 'rendered in (?P<ms>\d+) ms', value: ms, scale: 0.001, buckets: [0.1, 1]}])");
  logs.Lines({"order book from 203.0.113.9", "order book from 203.0.113.8",
              "order caf\xc3\xa9 from ::1", "order b\xff from x", "paid 12.50 USD", "paid 7.5 USD",
              "paid much USD", "rendered in 250 ms", "restarting"});
  CheckHas(
      logs.Page(),
      {R"(business_orders_total{from="203.0.113.0",kind="book",shop="web"} 2)",
       "business_orders_total{from=\"::\",kind=\"caf\xc3\xa9\",shop=\"web\"} 1",
       R"(business_orders_total{from="x",kind="b?",shop="web"} 1)", "business_revenue_usd_total 20",
       R"(render_duration_seconds_bucket{le="1"} 1)", "render_duration_seconds_sum 0.25",
       R"(log_matches_total{pattern="restart",source="app"} 1)",
       R"(log_read_errors_total{reason="format",source="app"} 1)"});
}

TEST_CASE("No address is in a label because it stands where the label is cut", "[logs]") {
  Counted logs(
      R"(format: plain, patterns: none, metrics: [{name: a_total, pattern: 'for (?P<who>.*)', labels: {who: $who}}])");
  const std::string before(100, 'x');
  logs.Line("for " + before + " 2001:db8:85a3:8d3:1319:8a2e:370:7348");
  const std::string page = logs.Page();
  CheckHas(page, {"a_total{who=\"" + before + " 2001:db8:85a3::\"} 1"});
}

TEST_CASE("Numbers that cannot be added to a counter cost their line, not those beside it",
          "[logs]") {
  Counted logs(R"(format: plain, patterns: none, metrics: [
      {name: usd_total, pattern: 'paid (?P<usd>\S+)', value: usd},
      {name: large_total, pattern: 'large (?P<n>\S+)', value: n, scale: 1e300}])");
  logs.Lines({"paid 5", "paid -3", "paid inf", "large 1", "large 1e300"});
  CheckHas(logs.Page(), {"usd_total 5", "large_total 1e+300",
                         R"(log_read_errors_total{reason="format",source="app"} 3)"});
}

TEST_CASE("A deployment that a unit took with it is applied again", "[logs]") {
  Counted logs("format: plain, patterns: none, templates: {learning: 0s}");
  logs.Line("ERROR one");
  (void)logs.Page();
  const Timestamp at = logs.clock().Now();
  for (int i = 0; i < 2; ++i) {
    logs.counter().ApplyDeployment(at);
    CHECK(logs.counter().miner().SinceDeployment().has_value());
    if (i > 0) continue;
    logs.counter().Dropped();
    CHECK_FALSE(logs.counter().miner().SinceDeployment().has_value());
  }
}

TEST_CASE("Series of the user's own are capped, the rest is in other", "[logs]") {
  Counted logs(
      R"(format: plain, patterns: none, metrics: [{name: a_total, pattern: 'id=(?P<id>\w+)', labels: {id: $id}, max_series: 3}])");
  for (int i = 0; i < 500; ++i) {
    logs.Line("id=x" + std::to_string(i));
    if (logs.counter().IsFull()) (void)logs.Page();
  }
  CheckHas(logs.Page(), {R"(a_total{id="other"} 497)"});
}

TEST_CASE("New kinds of errors are counted after the learning, and since the last deployment",
          "[logs]") {
  Counted logs("format: plain, patterns: none, templates: {learning: 1h}");
  logs.Line("ERROR known one");
  CHECK(!Contains(logs.Page(), "log_new_patterns_total{"));
  logs.clock().Pass(std::chrono::hours(2));
  logs.Lines(
      {"ERROR known one", "ERROR quite another", "INFO never an error", "ERROR quite another"});
  CheckHas(logs.Page(), {R"(log_new_patterns_total{source="app"} 1)"});
  CHECK(!logs.counter().miner().SinceDeployment());
  logs.clock().Pass(Duration(1));
  logs.counter().ApplyDeployment(logs.clock().Now());
  logs.Line("ERROR quite another");
  (void)logs.Page();
  CHECK(logs.counter().miner().SinceDeployment() == 0);
  logs.Line("ERROR of the third kind");
  CheckHas(logs.Page(), {R"(log_new_patterns_total{source="app"} 2)"});
  CHECK(logs.counter().miner().SinceDeployment() == 1);
  logs.Restart();  // what is known is in the state
  logs.Lines({"ERROR known one", "ERROR quite another", "ERROR of the third kind"});
  CheckHas(logs.Page(), {R"(log_new_patterns_total{source="app"} 2)"});
  CHECK(logs.counter().miner().SinceDeployment() == 1);
  CHECK(logs.counter().miner().size() == 3);
}

TEST_CASE("A deployment ends the learning, also for what came since then", "[logs]") {
  Counted logs("format: plain, patterns: none");
  logs.Line("ERROR before");
  logs.clock().Pass(Duration(10));
  const Timestamp deployment = logs.clock().Now();
  logs.clock().Pass(Duration(10));
  logs.Line("ERROR after");
  logs.counter().ApplyDeployment(deployment);
  CheckHas(logs.Page(), {R"(log_new_patterns_total{source="app"} 1)"});
}

TEST_CASE("Templates of a unit that did not happen are new again", "[logs]") {
  Counted logs("format: plain, patterns: none, templates: {learning: 0s}");
  logs.Line("ERROR one");
  logs.counter().Dropped();
  logs.Line("ERROR one");
  CheckHas(logs.Page(), {R"(log_new_patterns_total{source="app"} 1)"});
}

TEST_CASE("Every built-in pattern is a good one and needs a literal", "[logs]") {
  std::vector<std::string> patterns;
  for (const BuiltinPattern& pattern : BuiltinPatterns()) {
    CAPTURE(pattern.regex);
    CHECK(Regex::Create(pattern.regex));
    patterns.emplace_back(pattern.regex);
  }
  const Result<RegexSet> set = RegexSet::Create(patterns);
  REQUIRE(set);
  CHECK(set->unfiltered() == 0);
}

}  // namespace
}  // namespace skep::logs

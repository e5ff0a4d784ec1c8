#include "evaluator/api/api.h"

#include <catch2/catch.hpp>
#include <mutex>
#include <utility>

#include "common/net/http_client.h"
#include "common/net/http_server.h"
#include "tests/support/memory_store.h"

namespace {

using namespace std::chrono_literals;
using namespace skep;

class FixedClock final : public Clock {
 public:
  Timestamp Now() const override { return FromMillis(1'000'000); }
  Steady SteadyNow() const override { return std::chrono::steady_clock::now(); }
};

rules::GroupStatus AlertGroup() {
  rules::RuleStatus rule;
  rule.definition.kind = rules::RuleKind::kAlerting;
  rule.definition.name = "Down";
  rule.definition.query = "up == 0";
  rule.definition.hold = 5min;
  rule.definition.labels = Labels{{"severity", "page"}};
  rule.health = rules::Health::kOk;
  rule.evaluation_time = 1500us;
  rule.last_evaluation = FromMillis(999'500);
  rule.state = rules::AlertState::kFiring;
  rule.alerts.push_back({.labels = Labels{{"alertname", "Down"}, {"severity", "page"}},
                         .annotations = Labels{{"summary", "it is <down>"}},
                         .state = rules::AlertState::kFiring,
                         .value = 0,
                         .active_at = FromMillis(1000),
                         .keep_firing_since = {}});
  rules::RuleStatus recording;
  recording.definition.name = "a:b";
  recording.definition.query = "sum(a)";
  rules::GroupStatus group;
  group.name = "g";
  group.file = "r.yml";
  group.interval = 15s;
  group.rules = {rule, recording};
  return group;
}

// An Api over a small store, asked over loopback.
class Fixture {
 public:
  explicit Fixture(api::StoreAdmin* admin = nullptr)
      : admin_(admin),
        engine_(clock_),
        api_(MakeSources(), MakeOptions()),
        server_(clock_, Logger::Silent()) {
    auto appender = store_.NewAppender();
    for (int i = 0; i <= 10; ++i) {
      storage::SeriesRef one = 0;
      storage::SeriesRef two = 0;
      const Timestamp time = FromMillis(990'000 + i * 1000);
      (void)appender->Append(one, Labels{{"__name__", "a"}, {"job", "x"}}, {time, i * 0.5});
      (void)appender->Append(two, Labels{{"__name__", "a"}, {"job", "y\"<"}, {"my.label", "z"}},
                             {time, 1e30});
    }
    auto histogram = std::make_shared<Histogram>();
    histogram->count = 4;
    histogram->sum = 5;
    histogram->zero_threshold = 0.5;
    histogram->zero_count = 1;
    histogram->negative.Append(1, 1);
    histogram->positive.Append(0, 0);
    histogram->positive.Append(1, 2);
    storage::SeriesRef three = 0;
    (void)appender->AppendFull(
        three, Labels{{"__name__", "h"}},
        {.time = FromMillis(999'000), .value = 0, .histogram = histogram, .start = kNoStart});
    REQUIRE(appender->Commit());
    api_.Register(server_, [](std::string_view, net::HttpHandler handler) { return handler; });
    REQUIRE(
        server_.Start({.addresses = {"127.0.0.1:0"}, .web_config_file = "", .route_prefix = ""}));
    auto client = net::HttpClient::Create({});
    REQUIRE(client);
    client_ = *std::move(client);
  }
  ~Fixture() { server_.Stop(1s); }

  // Series `many` with one sample and a long label.
  void AddMany(int count) {
    const auto appender = store_.NewAppender();
    const std::string padding(100, 'x');
    for (int i = 0; i < count; ++i) {
      storage::SeriesRef ref = 0;
      const Labels labels{{"__name__", "many"}, {"i", std::to_string(i)}, {"padding", padding}};
      (void)appender->Append(ref, labels, {FromMillis(990'000), 1});
    }
    REQUIRE(appender->Commit());
  }

  net::ClientResponse Get(const std::string& path, net::Headers headers = {}) {
    return Ask("GET", path, "", std::move(headers));
  }
  net::ClientResponse Ask(const std::string& method, const std::string& path,
                          const std::string& body, net::Headers headers = {}) {
    net::ClientRequest request;
    request.method = method;
    request.url = "http://" + server_.addresses().front() + "/api/v1/" + path;
    request.body = body;
    request.headers = std::move(headers);
    auto response = client_->Send(request);
    REQUIRE(response);
    return *std::move(response);
  }

 private:
  api::Sources MakeSources() {
    return {.engine = engine_,
            .storage = store_,
            .clock = clock_,
            .rule_groups = [] { return std::vector{AlertGroup()}; },
            .targets =
                [] {
                  scrape::TargetsStatus status;
                  scrape::TargetStatus target;
                  target.pool = "node";
                  target.labels = Labels{{"instance", "h:1"}, {"job", "node"}};
                  target.discovered_labels = Labels{{"__address__", "h:1"}};
                  target.scrape_url = "http://h:1/metrics";
                  target.global_url = target.scrape_url;
                  target.last_scrape = FromMillis(999'000);
                  target.last_duration_seconds = 0.25;
                  target.health = scrape::Health::kUp;
                  target.interval = 15s;
                  target.timeout = 10s;
                  status.active = {target};
                  status.dropped = {{"node", Labels{{"__address__", "gone:1"}}}};
                  status.dropped_counts = {{"node", 1}};
                  status.pools = {"node"};
                  return status;
                },
            .metadata =
                [] {
                  auto table = std::make_shared<scrape::MetadataTable>();
                  table->push_back({"a", exposition::MetricType::kCounter, "Help.", ""});
                  return std::vector<scrape::TargetMetadata>{
                      {"node", Labels{{"job", "node"}}, table},
                      {"node2", Labels{{"job", "node2"}}, table}};
                },
            .alertmanagers =
                [] {
                  return api::AlertmanagersStatus{{"http://am/api/v2/alerts"}, {}};
                },
            .config_yaml = [] { return std::string("global: {}\n"); },
            .flags =
                [] {
                  return std::vector<std::pair<std::string, std::string>>{{"query.timeout", "2m"}};
                },
            .runtime = [] { return api::RuntimeStatus{}; },
            .tsdb =
                [](std::size_t limit) {
                  api::TsdbStatus status;
                  status.series = 2;
                  if (limit > 0) status.series_by_metric_name = {{"a", 2}};
                  return status;
                },
            .wal_replay =
                [] {
                  return api::WalReplayStatus{3, 7, 7};
                },
            .admin = admin_};
  }
  static api::Options MakeOptions() {
    return {.promql = {},
            .build = {"3.1.0+skep.1", "rev", "main"},
            .cors_origin = *Regex::Create("https://g.*")};
  }

  api::StoreAdmin* const admin_;
  FixedClock clock_;
  test::MemoryStore store_;
  engine::Engine engine_;
  api::Api api_;
  net::HttpServer server_;
  std::unique_ptr<net::HttpClient> client_;
};

}  // namespace

TEST_CASE("The tree of an expression is told as Prometheus tells it", "[api]") {
  Fixture api;
  struct Case {
    std::string query, tree;
  };
  const Case cases[] = {
      {"(\"x\")", R"({"type":"parenExpr","expr":{"type":"stringLiteral","val":"x"}})"},
      {"a{b!=\"c\"} offset -5m @ 1.5",
       R"({"type":"vectorSelector","name":"a","offset":-300000,"timestamp":1500,"startOrEnd":null,)"
       R"("matchers":[{"name":"b","value":"c","type":"!="},{"name":"__name__","value":"a","type":"="}],)"
       R"("anchored":false,"smoothed":false})"},
      {"rate(a[5m] @ end())",
       R"({"type":"call","func":{"name":"rate","argTypes":["matrix"],"variadic":0,"returnType":"vector"},)"
       R"("args":[{"type":"matrixSelector","range":300000,"name":"a","offset":0,"timestamp":null,)"
       R"("startOrEnd":"end","matchers":[{"name":"__name__","value":"a","type":"="}],"anchored":false,)"
       R"("smoothed":false}]})"},
      {"min_over_time(vector(1)[1h:1m] @ start())",
       R"({"type":"call","func":{"name":"min_over_time","argTypes":["matrix"],"variadic":0,)"
       R"("returnType":"vector"},"args":[{"type":"subquery","expr":{"type":"call","func":{"name":"vector",)"
       R"("argTypes":["scalar"],"variadic":0,"returnType":"vector"},"args":[{"type":"numberLiteral",)"
       R"("val":"1"}]},"range":3600000,"offset":0,"timestamp":null,"startOrEnd":"start","step":60000}]})"},
      {"topk by (x) (2, {y=\"z\"})",
       R"({"type":"aggregation","op":"topk","expr":{"type":"vectorSelector","name":"","offset":0,)"
       R"("timestamp":null,"startOrEnd":null,"matchers":[{"name":"y","value":"z","type":"="}],)"
       R"("anchored":false,"smoothed":false},"param":{"type":"numberLiteral","val":"2"},"grouping":["x"],)"
       R"("without":false})"},
      {"1 < bool 2",
       R"({"type":"binaryExpr","op":"\u003c","lhs":{"type":"numberLiteral","val":"1"},)"
       R"("rhs":{"type":"numberLiteral","val":"2"},"matching":null,"bool":true})"},
      {"{x=\"1\"} * on (i) group_left (k) {x=\"2\"}",
       R"({"type":"binaryExpr","op":"*","lhs":{"type":"vectorSelector","name":"","offset":0,)"
       R"("timestamp":null,"startOrEnd":null,"matchers":[{"name":"x","value":"1","type":"="}],)"
       R"("anchored":false,"smoothed":false},"rhs":{"type":"vectorSelector","name":"","offset":0,)"
       R"("timestamp":null,"startOrEnd":null,"matchers":[{"name":"x","value":"2","type":"="}],)"
       R"("anchored":false,"smoothed":false},"matching":{"card":"many-to-one","labels":["i"],"on":true,)"
       R"("include":["k"],"fillValues":{"lhs":null,"rhs":null}},"bool":false})"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.query);
    const auto response = api.Get("parse_query?query=" + net::PercentEncode(c.query));
    CHECK(response.body == R"({"status":"success","data":)" + c.tree + "}");
  }
  CHECK(api.Get("parse_query?query=a%7B").status == 400);
}

TEST_CASE("Queries answer in Prometheus's envelope", "[api]") {
  Fixture api;
  struct Case {
    std::string path, body;
    int status = 200;
  };
  const Case cases[] = {
      {"query?query=1%2B1&time=4",
       R"({"status":"success","data":{"resultType":"scalar","result":[4,"2"]}})"},
      {"query?query=%22x%22&time=4.5",
       R"({"status":"success","data":{"resultType":"string","result":[4.500,"x"]}})"},
      {"query?query=a&time=1000",
       R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"a","job":"x"},"value":[1000,"5"]},{"metric":{"__name__":"a","job":"y\"\u003c","my.label":"z"},"value":[1000,"1e+30"]}]}})"},
      {"query?query=a%7Bjob%3D%22x%22%7D%5B2s%5D&time=1000",
       R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"a","job":"x"},"values":[[999,"4.5"],[1000,"5"]]}]}})"},
      {"query_range?query=a%7Bjob%3D%22x%22%7D&start=990&end=991&step=0.5",
       R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"a","job":"x"},"values":[[990,"0"],[990.500,"0"],[991,"0.5"]]}]}})"},
      {"query?query=h&time=1000",
       R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"h"},)"
       R"("histogram":[1000,{"count":"4","sum":"5","buckets":[[1,"-2","-1","1"],)"
       R"([3,"-0.5","0.5","1"],[0,"1","2","2"]]}]}]}})"},
      {"query_range?query=h&start=999&end=1000&step=1",
       R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"h"},)"
       R"("histograms":[[999,{"count":"4","sum":"5","buckets":[[1,"-2","-1","1"],)"
       R"([3,"-0.5","0.5","1"],[0,"1","2","2"]]}],[1000,{"count":"4","sum":"5","buckets":)"
       R"([[1,"-2","-1","1"],[3,"-0.5","0.5","1"],[0,"1","2","2"]]}]]}]}})"},
      {"query_range?query=h*0&start=999&end=999&step=1",
       R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{},)"
       R"("histograms":[[999,{"count":"0","sum":"0"}]]}]}})"},
      {"query?query=nothing", R"({"status":"success","data":{"resultType":"vector","result":[]}})"},
      {"query?query=a&limit=1&time=1000",
       R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"a","job":"x"},"value":[1000,"5"]}]},"warnings":["results truncated due to limit"]})"},
      {"format_query?query=sum%28a%29by%28b%29",
       R"j({"status":"success","data":"sum by (b) (a)"})j"},
      {"parse_query?query=-time%28%29",
       R"j({"status":"success","data":{"type":"unaryExpr","op":"-","expr":{"type":"call","func":{"name":"time","argTypes":[],"variadic":0,"returnType":"scalar"},"args":[]}}})j"},
      {"query_exemplars?query=a&start=0&end=1", R"({"status":"success","data":[]})"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.path);
    const net::ClientResponse response = api.Get(c.path);
    CHECK(response.status == c.status);
    CHECK(response.body == c.body);
    CHECK(response.Header("Content-Type") == "application/json");
  }
}

TEST_CASE("A form in the body asks like a query string", "[api]") {
  Fixture api;
  const net::ClientResponse response =
      api.Ask("POST", "query", "query=1%2B1&time=4",
              {{"Content-Type", "application/x-www-form-urlencoded"}});
  CHECK(response.body == R"({"status":"success","data":{"resultType":"scalar","result":[4,"2"]}})");
}

TEST_CASE("A time for the query is a number of seconds or a duration", "[api]") {
  Fixture api;
  for (const char* timeout : {"5", "0.5", "5m", "1e3", "", "1000d"}) {
    CAPTURE(timeout);
    CHECK(api.Get("query?query=1&time=4&timeout=" + std::string(timeout)).status == 200);
  }
}

TEST_CASE("Bad requests are refused with the parameter's name", "[api]") {
  Fixture api;
  struct Case {
    std::string path;
    int status;
    std::string type, part;
  };
  const Case cases[] = {
      {"query?query=sum%28", 400, "bad_data", R"(invalid parameter \"query\": 1:5: parse error)"},
      {"query", 400, "bad_data", R"(invalid parameter \"query\")"},
      {"query?query=a&time=now", 400, "bad_data",
       R"(invalid parameter \"time\": cannot parse \"now\" to a valid timestamp)"},
      {"query?query=a&timeout=soon", 400, "bad_data", R"(invalid parameter \"timeout\")"},
      // As Prometheus: a time that is over ends the query at once.
      {"query?query=1&timeout=0", 503, "timeout", "query timed out in query execution"},
      {"query?query=1&timeout=-5", 503, "timeout", "query timed out in query execution"},
      {"query_range?query=1&start=1&end=2&step=1&timeout=0s", 503, "timeout", "query timed out"},
      {"query?query=a&limit=-1", 400, "bad_data", "limit must be non-negative"},
      {"query?query=a%2Bon%28%29a", 422, "execution", "many-to-many"},
      {"query_range?query=a&start=2&end=1&step=1", 400, "bad_data",
       "end timestamp must not be before start time"},
      {"query_range?query=a&start=1&end=2&step=0", 400, "bad_data",
       "zero or negative query resolution step widths"},
      {"query_range?query=a&start=1&end=2", 400, "bad_data", R"(invalid parameter \"step\")"},
      {"query_range?query=a&end=2&step=1", 400, "bad_data", R"(invalid parameter \"start\")"},
      {"query_range?query=a&start=0&end=11001&step=1", 400, "bad_data", "11,000 points"},
      {"query_range?query=a%5B5m%5D&start=0&end=1&step=1", 400, "bad_data",
       R"(invalid expression type \"range vector\")"},
      {"series", 400, "bad_data", "no match[] parameter provided"},
      {"series?match[]=%7B", 400, "bad_data", R"(invalid parameter \"match[]\")"},
      {"label/U__a_zz/values?start=x", 400, "bad_data", R"(invalid parameter \"start\")"},
      {"targets?state=zz", 400, "bad_data", "state"},
      {"rules?type=nonsense", 400, "bad_data", "nonsense"},
      {"rules?group_limit=0", 400, "bad_data", "group_limit"},
      {"rules?group_next_token=a&group_limit=1", 400, "bad_data", "group_next_token"},
      {"status/tsdb?limit=99999", 400, "bad_data", "limit"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.path);
    const net::ClientResponse response = api.Get(c.path);
    CAPTURE(response.body);
    CHECK(response.status == c.status);
    CHECK(response.body.find(R"("status":"error","errorType":")" + c.type) != std::string::npos);
    CHECK(response.body.find(c.part) != std::string::npos);
  }
}

TEST_CASE("Deep and long queries are answered or refused, on the server's threads too", "[api]") {
  Fixture api;
  const auto nested = [](int depth, const std::string& open, const std::string& close) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += open;
    text += "a";
    for (int i = 0; i < depth; ++i) text += close;
    return text;
  };
  std::string chain = "a";
  for (int i = 0; i < 400; ++i) chain += " or a";
  const net::Headers form{{"Content-Type", "application/x-www-form-urlencoded"}};
  for (const std::string& query :
       {nested(400, "sum(", ")"), nested(400, "(", ")"), nested(400, "-", ""),
        nested(100, "max_over_time(", "[1m:1m])"), chain}) {
    CAPTURE(query.substr(0, 30));
    CHECK(api.Ask("POST", "query", "time=1000&query=" + net::PercentEncode(query), form).status ==
          200);
  }
  const net::ClientResponse bomb =
      api.Ask("POST", "query", "query=" + net::PercentEncode(nested(500'000, "(", ")")), form);
  CHECK(bomb.status == 400);
}

TEST_CASE("A list of series of many pieces is whole", "[api]") {
  Fixture api;
  constexpr int kSeries = 5000;
  api.AddMany(kSeries);
  const auto whole = api.Get("series?match[]=many&match[]=many%7Bi%3D%221%22%7D&start=0&end=2000");
  REQUIRE(whole.body.size() > 512UL << 10);
  CHECK(whole.body.starts_with(R"({"status":"success","data":[{"__name__":"many")"));
  CHECK(whole.body.ends_with("\"}]}"));
  const auto count = [](std::string_view text, std::string_view what) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string_view::npos; ++at) ++found;
    return found;
  };
  CHECK(count(whole.body, "},{") == kSeries - 1);
  const auto cut = api.Get("series?match[]=many&start=0&end=2000&limit=4000");
  CHECK(count(cut.body, "},{") == 3999);
  CHECK(cut.body.ends_with(R"("}],"warnings":["results truncated due to limit"]})"));
}

TEST_CASE("Series, names and values are listed, escaped names understood", "[api]") {
  Fixture api;
  CHECK(api.Get("series?match[]=a%7Bjob%3D%22x%22%7D").body ==
        R"({"status":"success","data":[{"__name__":"a","job":"x"}]})");
  CHECK(api.Get("labels").body == R"({"status":"success","data":["__name__","job","my.label"]})");
  CHECK(api.Get("labels?match[]=a%7Bjob%3D%22x%22%7D").body ==
        R"({"status":"success","data":["__name__","job"]})");
  CHECK(api.Get("label/job/values?limit=1").body ==
        R"({"status":"success","data":["x"],"warnings":["results truncated due to limit"]})");
  CHECK(api.Get("label/U__my_2e_label/values").body == R"({"status":"success","data":["z"]})");
  CHECK(api.Get("label/none/values").body == R"({"status":"success","data":[]})");
  CHECK(api.Get("label/job").status == 404);
}

TEST_CASE("Rules and alerts are told as Grafana reads them", "[api]") {
  Fixture api;
  const std::string alert =
      R"({"labels":{"alertname":"Down","severity":"page"},"annotations":{"summary":"it is \u003cdown\u003e"},"state":"firing","activeAt":"1970-01-01T00:00:01Z","value":"0e+00"})";
  CHECK(api.Get("alerts").body == R"({"status":"success","data":{"alerts":[)" + alert + "]}}");
  const std::string alerting =
      R"({"state":"firing","name":"Down","query":"up == 0","duration":300,"keepFiringFor":0,"labels":{"severity":"page"},"annotations":{},"alerts":[)" +
      alert +
      R"(],"health":"ok","evaluationTime":0.0015,"lastEvaluation":"1970-01-01T00:16:39.5Z","type":"alerting"})";
  const std::string recording =
      R"j({"name":"a:b","query":"sum(a)","labels":{},"health":"unknown","evaluationTime":0,)j"
      R"("lastEvaluation":"0001-01-01T00:00:00Z","type":"recording"})";
  const auto group = [](const std::string& rules) {
    return R"({"status":"success","data":{"groups":[{"name":"g","file":"r.yml","rules":[)" + rules +
           R"(],"interval":15,"limit":0,"evaluationTime":0,)"
           R"("lastEvaluation":"0001-01-01T00:00:00Z"}]}})";
  };
  CHECK(api.Get("rules").body == group(alerting + "," + recording));
  CHECK(api.Get("rules?type=record").body == group(recording));
  CHECK(api.Get("rules?rule_name[]=a:b").body == group(recording));
  CHECK(api.Get("rules?rule_name=a:b").body == group(recording));
  CHECK(api.Get("rules?match[]=%7Bseverity%3D%22page%22%7D").body == group(alerting));
  CHECK(api.Get("rules?rule_group[]=other").body == R"({"status":"success","data":{"groups":[]}})");
  CHECK(api.Get("rules?file[]=r.yml&type=record").body == group(recording));
  CHECK(api.Get("rules?exclude_alerts=true&type=alert").body.find("\"alerts\"") ==
        std::string::npos);
}

TEST_CASE("Targets and their metadata are told", "[api]") {
  Fixture api;
  const std::string target =
      R"({"discoveredLabels":{"__address__":"h:1"},"labels":{"instance":"h:1","job":"node"},"scrapePool":"node","scrapeUrl":"http://h:1/metrics","globalUrl":"http://h:1/metrics","lastError":"","lastScrape":"1970-01-01T00:16:39Z","lastScrapeDuration":0.25,"health":"up","scrapeInterval":"15s","scrapeTimeout":"10s"})";
  CHECK(api.Get("targets?state=active").body ==
        R"({"status":"success","data":{"activeTargets":[)" + target +
            R"(],"droppedTargets":[],"droppedTargetCounts":{}}})");
  CHECK(
      api.Get("targets?state=dropped").body ==
      R"({"status":"success","data":{"activeTargets":[],"droppedTargets":[{"discoveredLabels":{"__address__":"gone:1"},"scrapePool":"node"}],"droppedTargetCounts":{"node":1}}})");
  CHECK(api.Get("metadata").body ==
        R"({"status":"success","data":{"a":[{"type":"counter","unit":"","help":"Help."}]}})");
  CHECK(api.Get("metadata?metric=b").body == R"({"status":"success","data":{}})");
  CHECK(
      api.Get("targets/metadata?match_target=%7Bjob%3D%22node2%22%7D").body ==
      R"({"status":"success","data":[{"target":{"job":"node2"},"metric":"a","type":"counter","help":"Help.","unit":""}]})");
  CHECK(api.Get("scrape_pools").body == R"({"status":"success","data":{"scrapePools":["node"]}})");
  CHECK(
      api.Get("alertmanagers").body ==
      R"({"status":"success","data":{"activeAlertmanagers":[{"url":"http://am/api/v2/alerts"}],"droppedAlertmanagers":[]}})");
}

TEST_CASE("Status pages tell build, flags, configuration and store", "[api]") {
  Fixture api;
  const std::string build = api.Get("status/buildinfo").body;
  CHECK(build.find(R"("version":"3.1.0+skep.1")") != std::string::npos);
  CHECK(build.find("features") == std::string::npos);  // Grafana would take us for Mimir
  CHECK(api.Get("status/config").body == R"({"status":"success","data":{"yaml":"global: {}\n"}})");
  CHECK(api.Get("status/walreplay").body ==
        R"({"status":"success","data":{"min":3,"max":7,"current":7}})");
  CHECK(api.Get("notifications").body == R"({"status":"success","data":[]})");
  CHECK(api.Get("status/flags").body == R"({"status":"success","data":{"query.timeout":"2m"}})");
  CHECK(api.Get("status/runtimeinfo").body.find(R"("serverTime":"1970-01-01T00:16:40Z")") !=
        std::string::npos);
  CHECK(api.Get("status/tsdb").body.find(R"("seriesCountByMetricName":[{"name":"a","value":2}])") !=
        std::string::npos);
}

namespace {

// Notes what it is asked to do.
// Called by the server's threads, asked by the test.
class RecordingAdmin final : public api::StoreAdmin {
 public:
  Result<std::string> Snapshot(Copied what) override {
    RETURN_IF_ERROR(Note(what == Copied::kAll ? "snapshot of all" : "snapshot of blocks"));
    return std::string("20260102T030405Z-0123456789abcdef");
  }
  Status Delete(std::span<const Matcher> matchers, storage::TimeRange range) override {
    std::string call = "delete";
    for (const Matcher& matcher : matchers) call += " " + matcher.ToString();
    if (range.min != kMinTimestamp) call += " from " + std::to_string(ToMillis(range.min));
    if (range.max != kMaxTimestamp) call += " to " + std::to_string(ToMillis(range.max));
    return Note(std::move(call));
  }
  Status CleanTombstones() override { return Note("clean"); }

  // Since the last time.
  std::vector<std::string> TakeCalls() {
    const std::lock_guard lock(mutex_);
    return std::exchange(calls_, {});
  }
  // What every call fails with; "": none does.
  void set_problem(std::string problem) {
    const std::lock_guard lock(mutex_);
    problem_ = std::move(problem);
  }

 private:
  Status Note(std::string call) {
    const std::lock_guard lock(mutex_);
    calls_.push_back(std::move(call));
    return problem_.empty() ? Status() : Internal(problem_);
  }

  std::mutex mutex_;
  std::vector<std::string> calls_;  // guarded by mutex_
  std::string problem_;             // guarded by mutex_
};

}  // namespace

TEST_CASE("Admin endpoints hand to the store what Prometheus's would", "[api]") {
  RecordingAdmin admin;
  Fixture api(&admin);
  const struct {
    std::string method, path;
    int status;
    std::string body, call;
  } cases[] = {
      {"POST", "snapshot", 200,
       R"({"status":"success","data":{"name":"20260102T030405Z-0123456789abcdef"}})",
       "snapshot of all"},
      {"PUT", "snapshot?skip_head=true", 200,
       R"({"status":"success","data":{"name":"20260102T030405Z-0123456789abcdef"}})",
       "snapshot of blocks"},
      {"POST", "snapshot?skip_head=0", 200,
       R"({"status":"success","data":{"name":"20260102T030405Z-0123456789abcdef"}})",
       "snapshot of all"},
      {"POST", "snapshot?skip_head=x", 400,
       R"({"status":"error","errorType":"bad_data","error":"invalid parameter \"skip_head\": )"
       R"(unable to parse boolean: strconv.ParseBool: parsing \"x\": invalid syntax"})",
       ""},
      {"POST", "delete_series?match[]=a%7Bb!%3D%22c%22%7D", 204, "",
       R"(delete b!="c" __name__="a")"},
      {"PUT", "delete_series?match[]=a&start=1&end=2.5", 204, "",
       R"(delete __name__="a" from 1000 to 2500)"},
      {"POST", "delete_series?match[]=a&start=3&end=2", 204, "", ""},
      {"POST", "delete_series", 400,
       R"({"status":"error","errorType":"bad_data","error":"no match[] parameter provided"})", ""},
      {"POST", "delete_series?match[]=a&start=x", 400,
       R"({"status":"error","errorType":"bad_data","error":"invalid parameter \"start\": )"
       R"(cannot parse \"x\" to a valid timestamp"})",
       ""},
      {"POST", "clean_tombstones", 204, "", "clean"},
  };
  for (const auto& each : cases) {
    CAPTURE(each.method, each.path);
    const net::ClientResponse response = api.Ask(each.method, "admin/tsdb/" + each.path, "");
    CHECK(response.status == each.status);
    CHECK(response.body == each.body);
    CHECK(admin.TakeCalls() ==
          (each.call.empty() ? std::vector<std::string>{} : std::vector{each.call}));
  }
  CHECK(api.Get("admin/tsdb/snapshot").status == 405);
  // Both selectors, one after the other; from a form, too.
  static_cast<void>(admin.TakeCalls());
  CHECK(api.Ask("POST", "admin/tsdb/delete_series", "match[]=a&match[]=b",
                {{"Content-Type", "application/x-www-form-urlencoded"}})
            .status == 204);
  CHECK(admin.TakeCalls().size() == 2);
}

TEST_CASE("What the store cannot do is told as Prometheus tells it", "[api]") {
  RecordingAdmin admin;
  admin.set_problem("disk full");
  Fixture api(&admin);
  const auto error = [&api](const std::string& path) {
    const net::ClientResponse response = api.Ask("POST", "admin/tsdb/" + path, "");
    CHECK(response.status == 500);
    return response.body;
  };
  const std::string begin = R"({"status":"error","errorType":"internal","error":")";
  CHECK(error("snapshot") == begin + R"(create snapshot: disk full"})");
  CHECK(error("delete_series?match[]=a") == begin + R"(disk full"})");
  CHECK(error("clean_tombstones") == begin + R"(disk full"})");
}

TEST_CASE("Admin endpoints are off unless they are asked for", "[api]") {
  Fixture api;
  for (const char* path : {"snapshot", "delete_series?match[]=a", "clean_tombstones"}) {
    const net::ClientResponse response = api.Ask("POST", "admin/tsdb/" + std::string(path), "");
    CHECK(response.status == 503);
    CHECK(response.body ==
          R"({"status":"error","errorType":"unavailable","error":"admin APIs disabled"})");
  }
}

TEST_CASE("Origins that match are allowed, others are not", "[api]") {
  Fixture api;
  CHECK(api.Get("labels", {{"Origin", "https://grafana"}}).Header("Access-Control-Allow-Origin") ==
        "https://grafana");
  CHECK(api.Get("labels", {{"Origin", "https://evil"}})
            .Header("Access-Control-Allow-Origin")
            .empty());
  CHECK(api.Get("labels").Header("Access-Control-Allow-Origin").empty());
  const net::ClientResponse preflight =
      api.Ask("OPTIONS", "query", "", {{"Origin", "https://grafana"}});
  CHECK(preflight.status == 204);
  CHECK(preflight.Header("Access-Control-Allow-Methods") == "GET, POST, OPTIONS");
}

TEST_CASE("What is no route is not found, what is no method not allowed", "[api]") {
  Fixture api;
  CHECK(api.Get("nonsense").status == 404);
  CHECK(api.Get("nonsense").body.find("page not found") != std::string::npos);
  CHECK(api.Ask("DELETE", "query", "").status == 405);
  CHECK(api.Ask("POST", "targets", "").status == 405);
}

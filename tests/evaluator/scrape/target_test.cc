#include "evaluator/scrape/target.h"

#include <catch2/catch.hpp>
#include <set>

#include "evaluator/scrape/schedule.h"
#include "evaluator/scrape/target_group.h"

namespace skep::scrape {
namespace {

JobOptions SimpleJob() {
  JobOptions job;
  job.name = "j";
  job.interval = std::chrono::seconds(15);
  job.timeout = std::chrono::seconds(10);
  return job;
}

RelabelRule Rule(RelabelOptions options) {
  Result<RelabelRule> rule = RelabelRule::Create(std::move(options));
  REQUIRE(rule);
  return *std::move(rule);
}

TEST_CASE("A target has its URL and labels from address, job and group", "[scrape]") {
  JobOptions job = SimpleJob();
  job.params = {{"module", {"http", "b c"}}, {"empty", {}}};
  const TargetGroup group{
      {}, Labels{{"zone", "z"}, {"__meta_x", "y"}, {"__param_extra", "&"}}, "0"};
  const Result<DiscoveredTarget> found = MakeTarget(job, group, "[::1]:80");
  REQUIRE(found);
  REQUIRE(found->target);
  CHECK(found->target->url == "http://[::1]:80/metrics?extra=%26&module=http&module=b%20c");
  CHECK(found->target->labels == Labels{{"instance", "[::1]:80"}, {"job", "j"}, {"zone", "z"}});
  CHECK(found->discovered_labels.Get("__meta_x") == "y");
  CHECK(found->target->interval == std::chrono::seconds(15));
}

TEST_CASE("Relabelling decides on address, scheme, path, times and names", "[scrape]") {
  JobOptions job = SimpleJob();
  job.relabel_rules = {
      Rule({.source_labels = {"__address__"}, .target_label = "__param_target"}),
      Rule({.source_labels = {"__param_target"}, .target_label = "instance"}),
      Rule({.target_label = "__address__", .replacement = "prober:9115"}),
      Rule({.target_label = "__scheme__", .replacement = "https"}),
      Rule({.target_label = "__metrics_path__", .replacement = "probe me"}),
      Rule({.target_label = "__scrape_interval__", .replacement = "1m"}),
      Rule({.source_labels = {"instance"}, .regex = "drop.*", .action = RelabelAction::kDrop})};
  const Result<DiscoveredTarget> found = MakeTarget(job, {}, "site.org");
  REQUIRE(found);
  REQUIRE(found->target);
  CHECK(found->target->url == "https://prober:9115/probe%20me?target=site.org");
  CHECK(found->target->labels == Labels{{"instance", "site.org"}, {"job", "j"}});
  CHECK(found->target->interval == std::chrono::minutes(1));
  const Result<DiscoveredTarget> dropped = MakeTarget(job, {}, "drop.org");
  REQUIRE(dropped);
  CHECK_FALSE(dropped->target);
  CHECK(dropped->discovered_labels.Get("__address__") == "drop.org");
}

TEST_CASE("Targets that cannot be scraped are refused", "[scrape]") {
  const auto error = [](const Labels& labels, std::string_view address) {
    return MakeTarget(SimpleJob(), {{}, labels, "0"}, address).error().message();
  };
  CHECK(error({}, "") == "target \"\": no address");
  CHECK(error({}, "a/b") == "target \"a/b\": \"a/b\" is not a valid hostname");
  CHECK(error({{"__scrape_interval__", "x"}}, "a")
            .starts_with("target \"a\": __scrape_interval__: "));
  CHECK(error({{"__scrape_timeout__", "0s"}}, "a") ==
        "target \"a\": __scrape_timeout__ cannot be 0");
  CHECK(error({{"__scrape_timeout__", "16s"}}, "a").find("(16s > 15s)") != std::string::npos);
}

TEST_CASE("A loopback host is told by its real name", "[scrape]") {
  CHECK(GlobalUrl("http://localhost:9100/metrics", "box") == "http://box:9100/metrics");
  CHECK(GlobalUrl("http://127.0.0.1/metrics", "box") == "http://box/metrics");
  CHECK(GlobalUrl("https://[::1]:1/m?x=y", "box") == "https://box:1/m?x=y");
  CHECK(GlobalUrl("http://[::1]", "box") == "http://box");
  CHECK(GlobalUrl("http://other:1/m", "box") == "http://other:1/m");
  CHECK(GlobalUrl("http://[fe80::1]:1/m", "box") == "http://[fe80::1]:1/m");
}

TEST_CASE("Turns come once per interval at the target's own offset", "[scrape]") {
  const Duration interval = std::chrono::seconds(15);
  std::set<std::int64_t> quarters;
  for (int i = 0; i < 100; ++i) {
    const Duration offset = OffsetOf("target " + std::to_string(i), interval);
    CHECK(offset >= Duration(0));
    CHECK(offset < interval);
    quarters.insert(offset * 4 / interval);
    const Timestamp first = NextTurn(FromMillis(1'700'000'000'123), interval, offset);
    CHECK(first > FromMillis(1'700'000'000'123));
    CHECK(first <= FromMillis(1'700'000'000'123) + interval);
    CHECK(NextTurn(first, interval, offset) == first + interval);
    CHECK(NextTurn(first - Duration(1), interval, offset) == first);
  }
  CHECK(quarters.size() == 4);
  CHECK(NextTurn(FromMillis(-1), interval, Duration(0)) == FromMillis(0));
  const Timestamp turn = FromMillis(1000);
  CHECK(ScrapeTime(turn, FromMillis(1002), interval) == turn);
  CHECK(ScrapeTime(turn, FromMillis(1003), interval) == FromMillis(1003));
  CHECK(ScrapeTime(turn, FromMillis(999), interval) == FromMillis(999));
}

TEST_CASE("Discovery files are YAML or JSON and strict", "[scrape]") {
  const auto json = ParseTargetFile(R"([{"targets": ["a:1"], "labels": {"x": "y"}}])", "/t.json");
  REQUIRE(json);
  CHECK((*json)[0].targets == std::vector<std::string>{"a:1"});
  CHECK((*json)[0].labels == Labels{{"__meta_filepath", "/t.json"}, {"x", "y"}});
  CHECK(ParseTargetFile("- targets: [a, b]\n", "/t.yml"));
  CHECK(ParseTargetFile("[]", "/t.json")->empty());
  for (const std::string_view bad :
       {"", "{}", "[{\"targets\": 5}]", "[{\"tarjets\": []}]", "[", "5"}) {
    CAPTURE(bad);
    const auto groups = ParseTargetFile(bad, "/t.json");
    REQUIRE_FALSE(groups);
    CHECK(groups.error().message().starts_with("/t.json:"));
  }
}

}  // namespace
}  // namespace skep::scrape

#include "exporter/ingest/event_deployments.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "common/json/value.h"
#include "tests/exporter/state/fixture.h"

namespace skep::ingest {
namespace {

using state::test::Gauge;
using state::test::HandClock;
using state::test::Samples;

const Timestamp kNow = FromMillis(1'800'000'000'000);

struct Setup {
  Setup() {
    families = {store->Define(Gauge("info")).value(), store->Define(Gauge("rollback")).value(),
                store->Define(Gauge("stamp")).value(), store->Define(Gauge("ready")).value()};
  }

  void Put(const std::vector<Deployment>& some) {
    REQUIRE(store->Update([&](state::Changes& changes) -> Status {
      Deployments::Unit unit(deployments, families, changes);
      for (const Deployment& deployment : some) unit.Put(deployment);
      return {};
    }));
  }
  void Put(Deployment deployment) { Put(std::vector{std::move(deployment)}); }

  HandClock clock;
  Deployments deployments;
  std::unique_ptr<state::Store> store =
      state::Store::Open({}, {&deployments}, clock, Logger::Silent()).value();
  DeploymentFamilies families{};
};

Deployment Make(std::string version, int seconds, std::string outcome = "success",
                std::string service = "shop") {
  Deployment deployment;
  deployment.service = std::move(service);
  deployment.version = std::move(version);
  deployment.strategy = "canary";
  deployment.outcome = std::move(outcome);
  deployment.time = kNow + std::chrono::seconds(seconds);
  return deployment;
}

using Lines = std::vector<std::string>;

TEST_CASE("A new version takes the place of the old one, which a rollback goes to", "[events]") {
  Setup s;
  s.Put(Make("1", 0));
  CHECK(Samples(*s.store) == Lines{"info{service=\"shop\",strategy=\"canary\",version=\"1\"} 1",
                                   "stamp{service=\"shop\"} 1800000000"});
  Deployment second = Make("2", 10);
  second.commit = "abc";
  s.Put(second);
  CHECK(Samples(*s.store) ==
        Lines{"info{commit=\"abc\",service=\"shop\",strategy=\"canary\",version=\"2\"} 1",
              "rollback{service=\"shop\",version=\"1\"} 1", "stamp{service=\"shop\"} 1800000010"});
  s.Put({Make("3", 20), Make("4", 30)});
  CHECK(Samples(*s.store) == Lines{"info{service=\"shop\",strategy=\"canary\",version=\"4\"} 1",
                                   "rollback{service=\"shop\",version=\"3\"} 1",
                                   "stamp{service=\"shop\"} 1800000030"});
}

TEST_CASE("Late, failed and cancelled deployments do not become the present version", "[events]") {
  Setup s;
  s.Put(Make("2", 10));
  const Lines before = Samples(*s.store);
  s.Put(Make("1", 0));
  CHECK(Samples(*s.store) == before);
  s.Put(Make("3", 20, "cancelled"));
  CHECK(Samples(*s.store) == before);
  s.Put(Make("4", 30, "failure"));
  CHECK(Samples(*s.store) == Lines{before[0], "stamp{service=\"shop\"} 1800000030"});
  CHECK(s.deployments.last() == kNow + std::chrono::seconds(30));
}

TEST_CASE("A unit that fails leaves no deployment", "[events]") {
  Setup s;
  s.Put(Make("1", 0));
  const std::string before = s.deployments.HistoryJson();
  CHECK_FALSE(s.store->Update([&](state::Changes& changes) -> Status {
    Deployments::Unit unit(s.deployments, s.families, changes);
    unit.Put(Make("2", 10));
    return Invalid("no");
  }));
  CHECK(s.deployments.HistoryJson() == before);
}

TEST_CASE("The history has the last hundred, newest first, and survives with the rest",
          "[events]") {
  Setup s;
  for (int i = 0; i < 150; ++i) s.Put(Make(std::to_string(i), i));
  s.Put(Make("old", -1, "success", "other"));
  for (int i = 0; i < 120; ++i) s.Put(Make("f", 200 + i, "failure"));
  Deployment last = Make("end", 400);
  last.url = "https://ci.example/1?a=b";
  s.Put(last);
  const json::Value history = json::Value::Parse(s.deployments.HistoryJson()).value();
  REQUIRE(history["deployments"].items().size() == 100);
  CHECK(history["deployments"].items()[0]["url"].text() == last.url);
  CHECK(history["deployments"].items()[0]["rollback_version"].text() == "149");

  Deployments restored;
  s.deployments.Save([&restored](std::string_view record) { REQUIRE(restored.Restore(record)); });
  CHECK(restored.HistoryJson() == s.deployments.HistoryJson());
  std::vector<std::string> first;
  std::vector<std::string> second;
  s.deployments.Save([&first](std::string_view record) { first.emplace_back(record); });
  restored.Save([&second](std::string_view record) { second.emplace_back(record); });
  CHECK(first == second);
  CHECK(first[0].find("\"other\"") != std::string::npos);  // deployed before all of the history
}

TEST_CASE("The service that was deployed longest ago gives way", "[events]") {
  Setup s;
  for (int i = 0; i <= static_cast<int>(Deployments::kMaxServices); ++i) {
    s.Put(Make("1", i, "success", "s" + std::to_string(i)));
  }
  std::size_t shown = 0;
  for (const std::string& line : Samples(*s.store)) shown += line.starts_with("info{") ? 1 : 0;
  CHECK(shown == Deployments::kMaxServices);
  for (const std::string& line : Samples(*s.store)) {
    CHECK_FALSE(line.starts_with("info{service=\"s0\""));
  }
}

TEST_CASE("Environments age until they are removed", "[events]") {
  Setup s;
  const auto put = [&s](std::string_view color, std::optional<Timestamp> created) {
    REQUIRE(s.store->Update([&](state::Changes& changes) -> Status {
      Deployments::Unit(s.deployments, s.families, changes).PutEnvironment("shop", color, created);
      return {};
    }));
  };
  const auto ages = [&s](const Deployments& deployments) {
    std::string text;
    exposition::PageWriter page(exposition::Format::kText, text);
    deployments.WriteAges(page, kNow + std::chrono::hours(24));
    return text.substr(std::min(text.size(), text.find("gauge\n") + 6));
  };
  CHECK(ages(s.deployments).empty());
  put("blue", kNow);
  put("green", kNow + std::chrono::hours(48));
  const std::string both =
      "deployment_environment_age_seconds{service=\"shop\",color=\"blue\"} 86400\n"
      "deployment_environment_age_seconds{service=\"shop\",color=\"green\"} 0\n";
  CHECK(ages(s.deployments) == both);
  Deployments restored;
  s.deployments.Save([&restored](std::string_view record) { REQUIRE(restored.Restore(record)); });
  CHECK(ages(restored) == both);
  put("blue", std::nullopt);
  CHECK(ages(s.deployments) ==
        "deployment_environment_age_seconds{service=\"shop\",color=\"green\"} 0\n");
}

TEST_CASE("Records that are damaged are refused", "[events]") {
  Deployments deployments;
  for (const char* record : {"", "{", "[]", "{\"service\":\"a\"}",
                             "{\"version\":\"1\",\"time\":\"2027-01-15T08:00:00Z\"}",
                             "{\"service\":\"a\",\"color\":\"blue\",\"created\":\"x\"}"}) {
    CAPTURE(record);
    CHECK_FALSE(deployments.Restore(record));
  }
  CHECK(deployments.HistoryJson() == "{\"deployments\":[]}");
}

}  // namespace
}  // namespace skep::ingest

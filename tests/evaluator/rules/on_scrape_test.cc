#include "evaluator/rules/on_scrape.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "common/instrument/instruments.h"
#include "evaluator/rules/group_selectors.h"
#include "evaluator/rules/timetable.h"
#include "tests/evaluator/rules/fakes.h"

namespace skep::rules::test {
namespace {

constexpr std::string_view kGroup =
    "groups:\n- name: g\n  interval: 1m\n  rules: [{record: r, expr: 'x{job=\"a\"} > 1'}]\n"
    "- name: other\n  interval: 1h\n  rules: [{record: o, expr: y}]\n";
const Labels kSelected = {{"__name__", "x"}, {"job", "a"}};

std::string ErrorOf(const std::string& yaml) {
  const auto node = yaml::Node::Parse(yaml, "c.yml").value();
  const auto read = ReadOnScrape(node, "/etc");
  return read ? "good" : read.error().message();
}

// A house whose group "g" goes by scrapes.
struct ScrapedHouse : House {
  explicit ScrapedHouse(std::string_view text = kGroup) {
    PlaceSlots();
    queries.Set("x{job=\"a\"} > 1", {{{}, 1}});
    queries.Set("y", {});
    Wanted({{path, "g", std::chrono::milliseconds(250), "c.yml:1:1"}});
    REQUIRE(Load(std::string(text)));
  }
  void Wanted(std::vector<OnScrapeGroup> groups) { config.on_scrape = std::move(groups); }
  // A page with this series is committed, `after` the start of the test. False: nobody wants it.
  bool Commit(const Labels& labels, Duration after) {
    clock.now = At(0) + after;
    const auto watches = manager->commits().CurrentWatches();
    if (!watches) return false;
    std::vector<std::uint32_t> found;
    watches->Find(labels, found);
    if (!found.empty()) watches->Tell(found, clock.now);
    return !found.empty();
  }
  // Times of the rounds since the last call, as milliseconds since the start of the test.
  std::vector<std::int64_t> RunDue(Duration after) {
    clock.now = At(0) + after;
    manager->RunDue();
    std::vector<std::int64_t> times;
    const auto runs = queries.runs();
    for (; seen < runs.size(); ++seen) {
      if (runs[seen].first != "y") times.push_back((runs[seen].second - At(0)).count());
    }
    return times;
  }
  std::size_t seen = 0;

 private:
  // A group's slots follow from its file's name, which is another one in each run: one is taken
  // that leaves the beginning of the test to the scrapes.
  void PlaceSlots() {
    constexpr auto kFree = std::chrono::seconds(40);
    for (int i = 0; LastSlot(path, "g", std::chrono::minutes(1), At(0) + kFree) > At(0); ++i) {
      path = folder.File("r" + std::to_string(i) + ".yml");
    }
    config.files = {path};
  }
};

using Times = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("`rules:` names groups that go by scrapes", "[rules]") {
  const auto node = yaml::Node::Parse(
                        "on_scrape:\n  - {file: rules/a.yml, group: g}\n"
                        "  - {file: /b.yml, group: h, min_spacing: 1s}\n",
                        "c.yml")
                        .value();
  const auto read = ReadOnScrape(node, "/etc");
  REQUIRE(read);
  REQUIRE(read->size() == 2);
  CHECK(read->at(0).file == "/etc/rules/a.yml");
  CHECK(read->at(0).min_spacing == std::chrono::milliseconds(250));
  CHECK(read->at(0).place == "c.yml:2:5");
  CHECK(read->at(1).file == "/b.yml");
  CHECK(read->at(1).min_spacing == std::chrono::seconds(1));
  CHECK(ReadOnScrape(yaml::Node::Parse("", "c.yml").value(), "/etc")->empty());
}

TEST_CASE("What is wrong in `rules:` is told with its place", "[rules]") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"on_scrap: []", "c.yml:1:1: field on_scrap not found in rules"},
      {"on_scrape: g", "c.yml:1:12: on_scrape: expected a list"},
      {"on_scrape: [{file: a}]", "c.yml:1:13: field group is required"},
      {"on_scrape: [{file: '', group: g}]", "c.yml:1:13: on_scrape: file is empty"},
      {"on_scrape: [{file: a, group: g, every: 1s}]",
       "c.yml:1:33: field every not found in on_scrape"},
      {"on_scrape: [{file: a, group: g, min_spacing: soon}]", "c.yml:1:46: "},
      {"on_scrape:\n- {file: a, group: g}\n- {file: ./a, group: g}",
       "c.yml:3:3: on_scrape: group \"g\" of \"/etc/./a\" is named twice"},
  };
  for (const auto& [yaml, expected] : cases) {
    CAPTURE(yaml);
    CHECK_THAT(ErrorOf(yaml), Catch::Matchers::StartsWith(expected));
  }
}

TEST_CASE("A group that there is not keeps the rules from loading", "[rules]") {
  ScrapedHouse house;
  const std::string text(kGroup);
  house.Wanted({{house.path, "nope", {}, "c.yml:7:5"}});
  Status loaded = house.Load(text);
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().message() ==
        "c.yml:7:5: on_scrape: \"" + house.path + "\" has no group \"nope\", but \"g\", \"other\"");
  house.Wanted({{"/elsewhere.yml", "g", {}, "c.yml:7:5"}});
  loaded = house.Load(text);
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().message() ==
        "c.yml:7:5: on_scrape: no file of rule_files is \"/elsewhere.yml\"");
  // The old rules go on as they were.
  CHECK(house.Commit(kSelected, Duration(10)));
}

TEST_CASE("Selectors find their groups by name and labels", "[rules]") {
  const auto group = [](const std::string& name, std::vector<std::string> exprs) {
    GroupDefinition definition;
    definition.name = name;
    for (std::string& expr : exprs) {
      definition.rules.emplace_back();
      definition.rules.back().expr = std::move(expr);
    }
    return definition;
  };
  GroupSelectors selectors;
  selectors.Add(group("names", {"a + on() b{x=\"1\"}", "sum(rate(a[5m]))"}), 0, {});
  selectors.Add(group("regex", {"{__name__=~\"a|c\"}", "absent({job=\"j\", x!=\"2\"})"}), 1, {});
  selectors.Add(group("nothing", {"vector(1)"}), 2, {});
  selectors.Add(group("sub", {"max_over_time(b{x!=\"\"}[1h:1m] offset 1d)"}), 3, {});
  const std::vector<std::pair<Labels, std::vector<std::uint32_t>>> cases = {
      {{{"__name__", "a"}}, {0, 1}},
      {{{"__name__", "b"}, {"x", "1"}}, {0, 3}},
      {{{"__name__", "b"}, {"x", "2"}}, {3}},
      {{{"__name__", "b"}}, {}},
      {{{"__name__", "c"}}, {1}},
      {{{"__name__", "d"}, {"job", "j"}}, {1}},
      {{{"__name__", "d"}, {"job", "j"}, {"x", "2"}}, {}},
  };
  for (const auto& [labels, expected] : cases) {
    CAPTURE(labels.ToString());
    std::vector<std::uint32_t> found;
    selectors.Find(labels, found);
    CHECK(found == expected);
  }
}

TEST_CASE("Where no group goes by scrapes, nobody listens", "[rules]") {
  ScrapedHouse house;
  CHECK(house.manager->commits().CurrentWatches() != nullptr);
  house.Wanted({});
  REQUIRE(house.Load(std::string(kGroup)));
  CHECK(house.manager->commits().CurrentWatches() == nullptr);
  CHECK(house.manager->Groups().at(0).min_spacing == std::nullopt);
}

TEST_CASE("A scrape with a series that a group selects evaluates that group", "[rules]") {
  ScrapedHouse house;
  CHECK_FALSE(house.Commit({{"__name__", "x"}, {"job", "b"}}, Duration(5)));
  CHECK_FALSE(house.Commit({{"__name__", "y"}}, Duration(5)));  // of a group that has its interval
  CHECK(house.RunDue(Duration(5)).empty());
  CHECK(house.Commit(kSelected, Duration(10)));
  CHECK(house.RunDue(Duration(12)) == Times{10});
  CHECK(house.RunDue(Duration(500)).empty());
  CHECK(house.Commit(kSelected, Duration(600)));
  CHECK(house.RunDue(Duration(600)) == Times{600});
  CHECK(house.Commit(kSelected, Duration(700)));
  CHECK(house.Commit(kSelected, Duration(800)));
  CHECK(house.RunDue(Duration(849)).empty());
  CHECK(house.RunDue(Duration(850)) == Times{800});
  // No scrape for a while: the interval's ticks, one each minute.
  const Times ticks = house.RunDue(std::chrono::minutes(5));
  REQUIRE_FALSE(ticks.empty());
  CHECK(ticks.back() > 240'000);
  const GroupStatus status = house.manager->Groups().at(0);
  CHECK(status.min_spacing == std::chrono::milliseconds(250));
  CHECK(status.rounds.by_scrape == 3);
  CHECK(status.rounds.by_interval == ticks.size());
  CHECK(house.manager->Groups().at(1).min_spacing == std::nullopt);
}

TEST_CASE("All rules of the group are evaluated, in order, at the time of the scrape", "[rules]") {
  ScrapedHouse house(
      "groups:\n- name: g\n  rules:\n  - {record: r, expr: 'x{job=\"a\"} > 1'}\n"
      "  - {alert: A, expr: r > 0}\n");
  house.queries.Set("r > 0", {{{}, 1}});
  CHECK(house.Commit(kSelected, Duration(10)));
  house.RunDue(Duration(15));
  const auto runs = house.queries.runs();
  REQUIRE(runs.size() == 2);
  CHECK(runs[0] == std::pair<std::string, Timestamp>("x{job=\"a\"} > 1", At(0) + Duration(10)));
  CHECK(runs[1] == std::pair<std::string, Timestamp>("r > 0", At(0) + Duration(10)));
  const std::vector<Alert> sent = house.sink.Take();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].starts_at == At(0) + Duration(10));
}

TEST_CASE("`for` counts time, not the rounds that scrapes cause", "[rules]") {
  ScrapedHouse house(
      "groups:\n- name: g\n  rules: [{alert: A, expr: 'x{job=\"a\"} > 1', for: 10s}]\n");
  for (int second = 0; second < 10; ++second) {
    CHECK(house.Commit(kSelected, std::chrono::seconds(second)));
    house.RunDue(std::chrono::seconds(second));
    CHECK(house.Rule().state == AlertState::kPending);
  }
  CHECK(house.Commit(kSelected, std::chrono::seconds(10)));
  house.RunDue(std::chrono::seconds(10));
  CHECK(house.Rule().state == AlertState::kFiring);
}

TEST_CASE("A reload changes which groups go by scrapes, and how often", "[rules]") {
  ScrapedHouse house;
  const std::string text(kGroup);
  CHECK(house.Commit(kSelected, Duration(10)));
  CHECK(house.RunDue(Duration(10)) == Times{10});
  SECTION("another spacing, the group untouched") {
    house.Wanted({{house.path, "g", std::chrono::seconds(1), ""}});
    REQUIRE(house.Load(text));
    CHECK(house.Commit(kSelected, Duration(500)));
    CHECK(house.RunDue(Duration(1009)).empty());
    CHECK(house.RunDue(Duration(1010)) == Times{500});
  }
  SECTION("off the list, while a round waits for the end of the spacing") {
    CHECK(house.Commit(kSelected, Duration(20)));
    house.Wanted({});
    REQUIRE(house.Load(text));
    CHECK_FALSE(house.Commit(kSelected, Duration(500)));
    CHECK(house.RunDue(Duration(500)).empty());
  }
  SECTION("another expression: times go on rising, other series count") {
    house.queries.Set("z > 1", {{{}, 1}});
    REQUIRE(house.Load("groups:\n- name: g\n  rules: [{record: r, expr: z > 1}]\n"));
    CHECK_FALSE(house.Commit(kSelected, Duration(500)));
    CHECK(house.Commit({{"__name__", "z"}}, Duration(500)));
    CHECK(house.RunDue(Duration(500)) == Times{500});
    CHECK(house.manager->Groups().at(0).rounds.by_scrape == 2);
  }
  SECTION("watches of before are harmless") {
    const auto old = house.manager->commits().CurrentWatches();
    REQUIRE(house.Load("groups:\n- name: g\n  rules: [{record: r, expr: w}]\n"));
    old->Tell(std::vector<std::uint32_t>{0}, At(0) + Duration(500));
    CHECK(house.RunDue(Duration(500)).empty());
  }
}

TEST_CASE("Rounds are counted by what caused them", "[rules]") {
  instrument::Instruments instruments;
  ScrapedHouse house;
  house.manager =
      std::make_unique<Manager>(Dependencies{house.queries, house.store, house.store, house.sink,
                                             house.clock, Logger::Silent(), &instruments},
                                house.options);
  REQUIRE(house.Load(std::string(kGroup)));
  CHECK(house.Commit(kSelected, Duration(10)));
  house.RunDue(Duration(10));
  house.RoundAt(At(3));
  house.RoundAt(At(4));
  const std::string key = house.path + ";g";
  const auto rounds = [&](std::string_view cause) {
    return instruments
        .AddCounter("skep_evaluator_rule_group_rounds_total", "",
                    {{"cause", cause}, {"rule_group", key}})
        .value();
  };
  CHECK(rounds("scrape") == 1);
  CHECK(rounds("interval") == 2);
  std::string page;
  exposition::PageWriter writer(exposition::Format::kText, page);
  instruments.Write(writer);
  writer.Finish();
  CHECK(page.find("skep_evaluator_rule_on_scrape_delay_seconds_count 1\n") != std::string::npos);
}

TEST_CASE("A group has one round at a time, also by scrapes from many threads", "[rules]") {
  ScrapedHouse house;
  house.Wanted({{house.path, "g", Duration(0), ""}});
  REQUIRE(house.Load(std::string(kGroup)));
  std::atomic<int> inside = 0;
  std::atomic<int> rounds = 0;
  std::atomic<bool> together = false;
  house.queries.SetAnswer("x{job=\"a\"} > 1", [&](Timestamp time) -> Result<promql::Value> {
    if (++inside > 1) together = true;
    std::this_thread::yield();
    --inside;
    ++rounds;
    return promql::Value(promql::Scalar{time, 1});
  });
  house.manager->Start();
  std::vector<std::jthread> scrapes;
  scrapes.reserve(3);
  for (int thread = 0; thread < 3; ++thread) {
    scrapes.emplace_back([&house, &rounds] {
      const auto watches = house.manager->commits().CurrentWatches();
      while (rounds < 50) {
        watches->Tell(std::vector<std::uint32_t>{0}, At(0));
        std::this_thread::yield();
      }
    });
  }
  scrapes.clear();
  house.manager->Stop();
  CHECK_FALSE(together);
  // The clock stands: each round still has a time of its own.
  std::vector<Timestamp> times;
  for (const auto& [expr, time] : house.queries.runs()) times.push_back(time);
  CHECK(times.size() >= 50);
  CHECK(std::adjacent_find(times.begin(), times.end(), std::greater_equal<>()) == times.end());
}

}  // namespace skep::rules::test

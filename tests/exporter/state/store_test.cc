#include "exporter/state/store.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "common/exposition/validator.h"
#include "tests/exporter/state/fixture.h"
#include "tests/support/many.h"

namespace skep::state {
namespace {

using exposition::Format;
using test::Add;
using test::Counter;
using test::Gauge;
using test::HandClock;
using test::Histogram;
using test::OwnPage;
using test::Page;
using test::Samples;
using test::Set;
using Lines = std::vector<std::string>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct MemoryStore {
  explicit MemoryStore(StoreOptions options = {}, std::vector<Section*> sections = {})
      : store(
            Store::Open(std::move(options), std::move(sections), clock, Logger::Silent()).value()) {
  }
  Store* operator->() { return store.get(); }
  Store& operator*() { return *store; }

  HandClock clock;
  std::unique_ptr<Store> store;
};

TEST_CASE("A page shows counters, gauges and histograms as a scraper expects them", "[state]") {
  MemoryStore store;
  const FamilyId tasks = store->Define(Counter("tasks_total")).value();
  const FamilyId load = store->Define(Gauge("load_ratio")).value();
  const FamilyId took = store->Define(Histogram("took_seconds", {0.5, 1})).value();
  Add(*store, tasks, {{"outcome", "ok"}, {"type", "a\"b\\c\nd"}}, 2);
  Add(*store, tasks, {{"outcome", "ok"}, {"type", "a\"b\\c\nd"}}, 3);
  Set(*store, load, {}, 0.1);
  REQUIRE(store->Update([&](Changes& changes) -> Status {
    changes.Observe(took, {}, 0.5, 1);
    changes.Observe(took, {}, 0.7, 2);
    changes.Observe(took, {}, 4, 1);
    return {};
  }));
  const std::string text =
      "# HELP load_ratio Things there are.\n"
      "# TYPE load_ratio gauge\n"
      "load_ratio 0.1\n"
      "# HELP tasks_total Things counted.\n"
      "# TYPE tasks_total counter\n"
      "tasks_total{outcome=\"ok\",type=\"a\\\"b\\\\c\\nd\"} 5\n"
      "# HELP took_seconds Things measured.\n"
      "# TYPE took_seconds histogram\n"
      "took_seconds_bucket{le=\"0.5\"} 1\n"
      "took_seconds_bucket{le=\"1\"} 3\n"
      "took_seconds_bucket{le=\"+Inf\"} 4\n"
      "took_seconds_sum 5.9\n"
      "took_seconds_count 4\n";
  CHECK(Page(*store) == text);
  const std::string open_metrics = Page(*store, Format::kOpenMetrics);
  CHECK(exposition::ValidateOpenMetrics(open_metrics));
  CHECK(open_metrics.find("# TYPE tasks counter\ntasks_total{") != std::string::npos);
  CHECK(exposition::LintPage(text, Format::kText).value().empty());
}

TEST_CASE("Numbers on the page are integers without fraction, or shortest", "[state]") {
  MemoryStore store;
  const FamilyId gauge = store->Define(Gauge("value")).value();
  const std::vector<std::pair<double, std::string>> cases = {
      {0, "0"},
      {-7, "-7"},
      {1234567, "1234567"},
      {9007199254740991.0, "9007199254740991"},
      {0.1, "0.1"},
      {1e300, "1e+300"},
      {5e-324, "5e-324"},
      {-2.5, "-2.5"},
      {kInfinity, "+Inf"},
      {-kInfinity, "-Inf"},
      {std::nan(""), "NaN"},
  };
  for (const auto& [value, text] : cases) {
    CAPTURE(text);
    Set(*store, gauge, {}, value);
    CHECK(Samples(*store) == Lines{"value " + text});
  }
}

TEST_CASE("A unit whose change fails or throws leaves nothing behind", "[state]") {
  MemoryStore store;
  const FamilyId tasks = store->Define(Counter("tasks_total")).value();
  Add(*store, tasks, {{"type", "a"}}, 1);
  bool committed = false;
  const auto change = [&](Changes& changes) {
    changes.Add(tasks, std::vector<LabelView>{{"type", "a"}}, 5);
    changes.Add(tasks, std::vector<LabelView>{{"type", "b"}}, 5);
    changes.OnCommitted([&] { committed = true; });
  };
  const Status failed = store->Update([&](Changes& changes) -> Status {
    change(changes);
    return Invalid("no");
  });
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message() == "no");
  CHECK_THROWS_AS(store->Update([&](Changes& changes) -> Status {
    change(changes);
    throw std::runtime_error("bug");
  }),
                  std::runtime_error);
  CHECK_FALSE(committed);
  CHECK(Samples(*store) == Lines{"tasks_total{type=\"a\"} 1"});
  Add(*store, tasks, {{"type", "b"}}, 1);
  CHECK(Samples(*store).size() == 2);
}

TEST_CASE("Remove takes a series off the page, and a later change begins from 0", "[state]") {
  MemoryStore store;
  const FamilyId tasks = store->Define(Counter("tasks_total")).value();
  const FamilyId took = store->Define(Histogram("took_seconds", {1})).value();
  const std::vector<LabelView> labels = {{"type", "a"}};
  Add(*store, tasks, labels, 7);
  REQUIRE(store->Update([&](Changes& changes) -> Status {
    changes.Observe(took, labels, 0.5, 1);
    changes.Remove(tasks, labels);
    changes.Remove(tasks, std::vector<LabelView>{{"type", "unknown"}});
    return {};
  }));
  CHECK(Samples(*store).size() == 4);
  REQUIRE(store->Update([&](Changes& changes) -> Status {
    changes.Add(tasks, labels, 2);
    changes.Remove(tasks, labels);
    changes.Add(tasks, labels, 3);
    changes.Remove(took, labels);
    changes.Observe(took, labels, 2, 1);
    return {};
  }));
  CHECK(Samples(*store) ==
        Lines{"tasks_total{type=\"a\"} 3", "took_seconds_bucket{type=\"a\",le=\"1\"} 0",
              "took_seconds_bucket{type=\"a\",le=\"+Inf\"} 1", "took_seconds_sum{type=\"a\"} 2",
              "took_seconds_count{type=\"a\"} 1"});
}

TEST_CASE("What cannot be counted is dropped and counted by reason", "[state]") {
  MemoryStore store;
  const FamilyId tasks = store->Define(Counter("tasks_total")).value();
  const FamilyId took = store->Define(Histogram("took_seconds", {1})).value();
  REQUIRE(store->Update([&](Changes& changes) -> Status {
    const std::uint64_t counts[] = {1, 2, 3};
    for (const double value : {-1.0, kInfinity, std::nan("")}) changes.Add(tasks, {}, value);
    changes.Observe(took, {}, std::nan(""));
    changes.AddBuckets(took, {}, counts, 1);
    changes.Set(tasks, {}, 1);
    changes.Observe(tasks, {}, 1);
    changes.Add(took, {}, 1);
    changes.Add(99, {}, 1);
    changes.Add(tasks, std::vector<LabelView>{{"a", ""}}, 1);
    changes.Add(tasks, std::vector<LabelView>{{"b", "1"}, {"a", "1"}}, 1);
    changes.Add(tasks, std::vector<LabelView>{{"a", "1"}, {"a", "2"}}, 1);
    changes.Add(tasks, std::vector<LabelView>{{"a-b", "1"}}, 1);
    changes.Add(tasks, std::vector<LabelView>{{"__name__", "1"}}, 1);
    changes.Observe(took, std::vector<LabelView>{{"le", "1"}}, 1);
    changes.Record("nobody", "x");
    return {};
  }));
  CHECK(Samples(*store).empty());
  const std::string own = OwnPage(*store);
  for (const std::string line : {"{reason=\"value\"} 5", "{reason=\"family\"} 4",
                                 "{reason=\"labels\"} 6", "{reason=\"section\"} 1"}) {
    CAPTURE(line, own);
    CHECK(own.find("skep_exporter_state_values_refused_total" + line + "\n") != std::string::npos);
  }
}

TEST_CASE("No sender can bring a sum to infinity or a bucket around", "[state]") {
  MemoryStore store;
  const FamilyId cost = store->Define(Counter("cost_total")).value();
  const FamilyId size = store->Define(Gauge("size_bytes")).value();
  const FamilyId took = store->Define(Histogram("took_seconds", {1})).value();
  REQUIRE(store->Update([&](Changes& changes) -> Status {
    const std::uint64_t most[] = {std::uint64_t{1} << 53, 0};
    const std::uint64_t one[] = {1, 1};
    const std::uint64_t beyond[] = {0, std::numeric_limits<std::uint64_t>::max()};
    for (const double value : {1.5e308, 1.5e308, 1.0}) changes.Add(cost, {}, value);
    for (const double value : {-1.5e308, -1.5e308, kInfinity}) changes.Add(size, {}, value);
    changes.AddBuckets(took, {}, beyond, 1);
    changes.Observe(took, {}, 1, beyond[1]);
    changes.Observe(took, {}, kInfinity);
    changes.AddBuckets(took, {}, most, 1.5e308);
    changes.AddBuckets(took, {}, one, 1);
    changes.Observe(took, {}, 0.5);
    changes.Observe(took, {}, 1.5e308);
    changes.Observe(took, {}, 2, 2);
    return {};
  }));
  CHECK(Samples(*store) == Lines{"cost_total 1.5e+308", "size_bytes -1.5e+308",
                                 "took_seconds_bucket{le=\"1\"} 9007199254740992",
                                 "took_seconds_bucket{le=\"+Inf\"} 9007199254740994",
                                 "took_seconds_sum 1.5e+308",
                                 "took_seconds_count 9007199254740994"});
  CHECK(OwnPage(*store).find("refused_total{reason=\"value\"} 9\n") != std::string::npos);
}

TEST_CASE("A family takes no more at once than it says", "[state]") {
  MemoryStore store;
  FamilySpec tokens = Counter("tokens_total");
  tokens.max_change = 1e12;
  FamilySpec took = Histogram("took_seconds", {1});
  took.max_change = 1e9;
  const FamilyId counter = store->Define(tokens).value();
  const FamilyId histogram = store->Define(took).value();
  REQUIRE(store->Update([&](Changes& changes) -> Status {
    for (const double value : {1e12, 1.1e12}) changes.Add(counter, {}, value);
    for (const double value : {1e9, 1.1e9, -1.1e9}) changes.Observe(histogram, {}, value);
    return {};
  }));
  CHECK(Samples(*store) == Lines{"tokens_total 1000000000000", "took_seconds_bucket{le=\"1\"} 0",
                                 "took_seconds_bucket{le=\"+Inf\"} 1",
                                 "took_seconds_sum 1000000000", "took_seconds_count 1"});
}

TEST_CASE("Values that are no UTF-8 or too long are mended, and found again", "[state]") {
  MemoryStore store;
  const FamilyId tasks = store->Define(Counter("tasks_total")).value();
  std::string half(1025, 'x');
  half.replace(1023, 2, "\u00e9");
  for (int i = 0; i < 2; ++i) {
    Add(*store, tasks, {{"a", "b\xff"}}, 1);
    Add(*store, tasks, {{"a", half}}, 1);
  }
  CHECK(Samples(*store) == Lines{"tasks_total{a=\"b\xef\xbf\xbd\"} 2",
                                 "tasks_total{a=\"" + std::string(1023, 'x') + "\"} 2"});
}

TEST_CASE("Define refuses names that are bad, reserved or taken", "[state]") {
  MemoryStore store({.max_families = 5});
  REQUIRE(store->Define(Counter("tasks_total")));
  REQUIRE(store->Define(Histogram("took_seconds", {1, 2})));
  CHECK(store->Define(Counter("tasks_total")).value() ==
        store->Define(Counter("tasks_total")).value());
  std::vector<std::pair<FamilySpec, std::string>> cases = {
      {Counter("node_x_total"), "reserved"},
      {Gauge("skep_exporter_x"), "reserved"},
      {Gauge("a-b"), "no name of a metric"},
      {Gauge(""), "no name of a metric"},
      {Counter("tasks"), "_total"},
      {Gauge("tasks_total"), "another type"},
      {Gauge("tasks"), "share the name tasks with tasks_total"},
      {Histogram("took_seconds", {1, 3}), "other bounds"},
      {Gauge("took_seconds_count"), "share the name took_seconds_count"},
      {Histogram("b", {2, 1}), "do not rise"},
      {Histogram("b", {1, kInfinity}), "not finite"},
  };
  FamilySpec summary = Gauge("s");
  summary.type = exposition::MetricType::kSummary;
  cases.emplace_back(summary, "a counter, a gauge or a histogram");
  FamilySpec bounded = Gauge("s");
  bounded.bounds = {1};
  cases.emplace_back(bounded, "only a histogram");
  for (const auto& [spec, text] : cases) {
    CAPTURE(spec.name, text);
    const Result<FamilyId> refused = store->Define(spec);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind() == ErrorKind::kInvalid);
    CHECK(refused.error().message().find(text) != std::string::npos);
  }
  REQUIRE(store->Define(Gauge("c")));
  REQUIRE(store->Define(Gauge("d")));
  const Result<FamilyId> beyond = store->Define(Gauge("e"));
  REQUIRE_FALSE(beyond);
  CHECK(beyond.error().kind() == ErrorKind::kUnavailable);
}

TEST_CASE("A released family gives way to one of another shape", "[state]") {
  MemoryStore store;
  const FamilyId old = store->Define(Histogram("took_seconds", {1})).value();
  REQUIRE(store->Update([&](Changes& changes) -> Status {
    changes.Observe(old, {}, 1);
    return {};
  }));
  store->Release(old);
  CHECK(Samples(*store).size() == 4);
  REQUIRE(store->Define(Histogram("took_seconds", {1, 2})));
  CHECK(Samples(*store).empty());
}

TEST_CASE("The first million agents and then the others cost no memory beyond the cap", "[state]") {
  MemoryStore store;
  FamilySpec spec = Counter("agents_total");
  spec.max_series = 100;
  spec.closed_labels = {"outcome"};
  const FamilyId agents = store->Define(spec).value();
  constexpr int kAgents = skep::test::Many(1'000'000);
  for (int i = 0; i < kAgents; i += 1000) {
    REQUIRE(store->Update([&](Changes& changes) -> Status {
      for (int j = i; j < i + 1000; ++j) {
        const std::string id = "agent-" + std::to_string(j);
        changes.Add(agents,
                    std::vector<LabelView>{{"agent", id}, {"outcome", j % 2 == 0 ? "ok" : "error"}},
                    1);
      }
      return {};
    }));
  }
  const Lines lines = Samples(*store);
  REQUIRE(lines.size() == 103);
  const std::string half = std::to_string(kAgents / 2 - 50);
  CHECK(lines[100] == R"(agents_total{agent="other",outcome="ok"} )" + half);
  CHECK(lines[101] == R"(agents_total{agent="other",outcome="error"} )" + half);
  CHECK(lines[102] ==
        R"(swarm_series_dropped_total{metric="agents_total"} )" + std::to_string(kAgents - 100));
  CHECK(OwnPage(*store).find("skep_exporter_state_series 103\n") != std::string::npos);
}

TEST_CASE("Closed labels that turn out to be open are bounded too", "[state]") {
  MemoryStore store;
  FamilySpec spec = Counter("calls_total");
  spec.max_series = 10;
  spec.closed_labels = {"status"};
  const FamilyId calls = store->Define(spec).value();
  for (int i = 0; i < 5000; ++i) Add(*store, calls, {{"status", std::to_string(i)}}, 1);
  CHECK(Samples(*store).size() == 10 + 100 + 1 + 1);
}

TEST_CASE("A label's values beyond their cap are other, known ones stay", "[state]") {
  MemoryStore store;
  FamilySpec spec = Counter("calls_total");
  spec.max_values = {{"tool", 2}};
  const FamilyId calls = store->Define(spec).value();
  for (const char* tool : {"bash", "other", "ed\"it", "grep", "bash", "ed\"it", "glob"}) {
    Add(*store, calls, {{"model", "m"}, {"tool", tool}}, 1);
  }
  CHECK(Samples(*store) == Lines{"calls_total{model=\"m\",tool=\"bash\"} 2",
                                 "calls_total{model=\"m\",tool=\"other\"} 3",
                                 "calls_total{model=\"m\",tool=\"ed\\\"it\"} 2",
                                 "swarm_series_dropped_total{metric=\"calls_total\"} 2"});
}

TEST_CASE("All families together keep the store's cap; a histogram counts as its lines",
          "[state]") {
  MemoryStore store({.max_series = 10});
  const FamilyId a = store->Define(Counter("a_total")).value();
  const FamilyId took = store->Define(Histogram("took_seconds", {1, 2})).value();
  for (int i = 0; i < 7; ++i) Add(*store, a, {{"i", std::to_string(i)}}, 1);
  REQUIRE(store->Update([&](Changes& changes) -> Status {
    changes.Observe(took, std::vector<LabelView>{{"a", "1"}}, 1);
    changes.Observe(took, std::vector<LabelView>{{"a", "2"}}, 1);
    return {};
  }));
  const Lines lines = Samples(*store);
  REQUIRE(lines.size() == 7 + 1 + 5);
  CHECK(lines[8] == "took_seconds_bucket{a=\"other\",le=\"1\"} 2");
  CHECK(lines[7] == "swarm_series_dropped_total{metric=\"took_seconds\"} 2");
}

TEST_CASE("A series that does not change leaves the page when it expires", "[state]") {
  MemoryStore store;
  FamilySpec spec = Gauge("agents");
  spec.expiry = std::chrono::seconds(10);
  spec.max_series = 2;
  const FamilyId agents = store->Define(spec).value();
  Set(*store, agents, {{"a", "1"}}, 1);
  store.clock.Advance(std::chrono::seconds(6));
  Set(*store, agents, {{"a", "2"}}, 1);
  store.clock.wall_ms += 3'600'000;  // a clock that jumps ends nothing
  CHECK(Samples(*store).size() == 2);
  store.clock.Advance(std::chrono::seconds(5));
  CHECK(Samples(*store) == Lines{"agents{a=\"2\"} 1"});
  // Its place is free again, also before a page was asked for.
  Set(*store, agents, {{"a", "3"}}, 1);
  store.clock.Advance(std::chrono::seconds(11));
  Set(*store, agents, {{"a", "4"}}, 1);
  Set(*store, agents, {{"a", "5"}}, 1);
  CHECK(Samples(*store) == Lines{"agents{a=\"5\"} 1", "agents{a=\"4\"} 1"});
  // An expired value is no base to add to.
  store.clock.Advance(std::chrono::seconds(11));
  Add(*store, agents, {{"a", "4"}}, 7);
  CHECK(Samples(*store) == Lines{"agents{a=\"4\"} 7"});
}

TEST_CASE("Threads may count and read at the same time", "[state]") {
  MemoryStore store;
  const FamilyId tasks = store->Define(Counter("tasks_total")).value();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        Add(*store, tasks, {{"thread", std::to_string(t)}}, 1);
        if (i % 100 == 0) (void)Page(*store);
        if (i % 100 == 50) (void)store->Define(Gauge("g" + std::to_string(i)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Lines expected;
  for (const std::string& line : Samples(*store)) {
    CHECK(line.ends_with("} 500"));
    expected.push_back(line);
  }
  CHECK(expected.size() == 4);
}

}  // namespace
}  // namespace skep::state

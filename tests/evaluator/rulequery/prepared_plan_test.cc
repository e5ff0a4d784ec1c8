// Queries with a plan beside the same queries without: the plain way is the oracle.
#include "evaluator/engine/prepared_plan.h"

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "evaluator/engine/engine.h"
#include "evaluator/tsdb/head.h"
#include "tests/evaluator/tsdb/living_store.h"
#include "tests/support/many.h"

namespace skep::rulequery {
namespace {

using engine::Engine;
using engine::PreparedPlan;
using engine::Query;

constexpr Duration kInterval = std::chrono::seconds(30);

class StillClock final : public Clock {
 public:
  Timestamp Now() const override { return {}; }
  Steady SteadyNow() const override { return Steady(); }
};

// c: counters; g, k: gauges; b: buckets; n: native histograms, now and then a float.
constexpr std::string_view kForms[] = {
    "g",
    "g > 5",
    "-g",
    "sum(g)",
    "sum by (job) (g)",
    "sum without (pod) (g)",
    "avg by (job, zone) (g offset 1m)",
    "max by (__name__) ({job=~\"a|b\"})",
    "count without (pod, zone) ({__name__=~\"g|k\"})",
    "stddev by (zone) (rate(c[2m]))",
    "sum by (job) (rate(c[5m]))",
    "sum without (pod) (rate(c[3m]))",
    "sum without (zone) (increase({__name__=~\"c|g\"}[2m]))",
    "count by (job) (g > 5)",
    "topk by (job) (2, g)",
    "bottomk(3, rate(c[2m]))",
    "limitk by (zone) (2, g)",
    "limit_ratio(0.5, g)",
    "quantile by (job) (0.7, avg_over_time(g[2m]))",
    "count_values by (job) (\"value\", g)",
    "group by (pod) (g or k)",
    "g and on (pod, job) k",
    "g unless on (pod) (k > 4)",
    "rate(c[2m]) or g",
    "sum by (job) (g or rate(c[2m]))",
    "g - on (job, pod, zone) k",
    "(g - avg_over_time(g[5m])) / stddev_over_time(g[5m])",
    "rate(c[2m]) / on (job, zone, pod) group_left () g",
    "g * on (job) group_left (zone) sum by (job, zone) (k{zone=\"eu\"})",
    "sum by (zone) (g * on (job, pod) group_left (zone) k{pod=\"p1\"})",
    "sum by (job) (g) / on (job) sum by (job) (k)",
    "g > on (job) group_left () avg by (job) (g)",
    "sum by (job) (g >bool on (job) group_left () avg by (job) (g))",
    "sum by (group) (label_replace(g, \"group\", \"$1\", \"pod\", \"p(.).*\"))",
    "g + ignoring (zone) group_left () label_replace(k, \"zone\", \"\", \"zone\", \".*\")",
    "g == ignoring (zone) k",
    "histogram_quantile(0.9, sum by (le, job) (rate(b[3m])))",
    "histogram_quantile(0.5, b)",
    "sum by (job) (n)",
    "sum without (pod) (rate(n[2m]))",
    "n + on (job, pod, zone) n offset 30s",
    "absent(g{pod=\"p1\"})",
    "sum by (job) (absent_over_time(g{job=\"a\", pod=\"p3\"}[1m]))",
    "sum by (job) (max_over_time(sum by (job, zone) (g)[3m:30s]))",
    "sum by (job) (max_over_time(g[2m:1m]))",
    "sum by (job) (g @ 1700000090)",
    "sort_desc(sum by (zone) (last_over_time(g[10m])))",
    "sum by (job) (timestamp(g))",
    "g + fill(1) k",
    "sum by (job) (sum_over_time(g[1m + 30s]))",
};

HistogramPtr NativeHistogram(double count) {
  Histogram histogram;
  histogram.count = count;
  histogram.sum = count * 2;
  histogram.positive.Append(1, count);
  return std::make_shared<const Histogram>(std::move(histogram));
}

// Series that appear, report for a while, end with a marker or without, and come back.
class Churn {
 public:
  explicit Churn(std::uint64_t seed) : random_(seed) {
    for (const char* name : {"c", "g", "k", "b", "n"}) {
      for (int i = 0; i < 12; ++i) series_.push_back(Member(name, i));
    }
  }

  void Round(storage::Appendable& store, Timestamp time) {
    const auto appender = store.NewAppender();
    for (Target& target : series_) {
      const bool was = target.alive;
      if (Chance(was ? 0.06 : 0.15)) target.alive = !was;
      if (target.alive) {
        if (!Chance(0.05)) Report(*appender, target, time);
      } else if (was && Chance(0.5)) {
        (void)appender->Append(target.ref, target.labels, {time, kStaleNaN});
      }
    }
    REQUIRE(appender->Commit());
  }

 private:
  struct Target {
    Labels labels;
    storage::SeriesRef ref = 0;
    bool alive = false;
    double total = 0;
  };

  static Target Member(const std::string& name, int i) {
    const char* const le = name != "b" ? "" : i % 3 == 0 ? "1" : i % 3 == 1 ? "5" : "+Inf";
    const int pod = name == "b" ? i / 3 : i;
    return {{{"__name__", name},
             {"job", pod % 3 == 0 ? "a" : "b"},
             {"pod", "p" + std::to_string(pod)},
             {"zone", pod % 2 == 0 ? "eu" : "us"},
             {"le", le}}};
  }

  void Report(storage::Appender& appender, Target& target, Timestamp time) {
    const std::string_view name = target.labels.metric_name();
    target.total = Chance(0.03) ? 0 : target.total + static_cast<double>(random_() % 1000) / 7;
    if (name == "n" && !Chance(0.05)) {
      const FullSample sample{.time = time, .histogram = NativeHistogram(target.total)};
      (void)appender.AppendFull(target.ref, target.labels, sample);
      return;
    }
    const bool counts = name == "c" || name == "b";
    const double value = counts ? target.total : static_cast<double>(random_() % 100) / 10;
    (void)appender.Append(target.ref, target.labels, {time, value});
  }

  bool Chance(double p) { return std::uniform_real_distribution<double>(0, 1)(random_) < p; }

  std::mt19937_64 random_;
  std::vector<Target> series_;
};

std::string Text(const promql::VectorSample& sample) {
  std::string text = sample.labels.ToString() + " @" + std::to_string(ToMillis(sample.sample.time));
  if (sample.histogram != nullptr) return text + " " + FormatHistogram(*sample.histogram);
  return text + " " + std::to_string(std::bit_cast<std::uint64_t>(sample.sample.value));
}

// All that an answer says: rows in their order, values by their bits, remarks; or the error.
std::vector<std::string> Text(const Result<engine::QueryResult>& result) {
  if (!result) return {result.error().message()};
  std::vector<std::string> text = result->warnings;
  text.insert(text.end(), result->infos.begin(), result->infos.end());
  for (const promql::VectorSample& sample : std::get<promql::InstantVector>(result->value)) {
    text.push_back(Text(sample));
  }
  return text;
}

// A query, and what its runs left.
struct Rule {
  Query query;
  PreparedPlan plan;
};

class Rules {
 public:
  explicit Rules(std::span<const std::string_view> forms) {
    for (const std::string_view form : forms) {
      CAPTURE(form);
      Result<Query> query = Query::Parse(form, promql::ParseOptions::All());
      REQUIRE(query);
      rules_.push_back(std::make_unique<Rule>(Rule{*std::move(query), PreparedPlan()}));
    }
  }

  // Runs what `wanted(index)` says, both ways. How many answers had something in them.
  template <typename Wanted>
  int Run(const Engine& engine, storage::Queryable& store, Timestamp time, Wanted wanted) {
    int filled = 0;
    for (std::size_t i = 0; i < rules_.size(); ++i) {
      if (!wanted(i)) continue;
      Rule& rule = *rules_[i];
      engine::QueryOptions when = engine::QueryOptions::At(time);
      const auto plain = Text(engine.Run(rule.query, store, when));
      when.plan = &rule.plan;
      const auto planned = Text(engine.Run(rule.query, store, when));
      if (!plain.empty()) ++filled;
      if (planned == plain) continue;
      INFO(rule.query.text() << " at " << ToMillis(time));
      CHECK(planned == plain);
    }
    return filled;
  }

 private:
  std::vector<std::unique_ptr<Rule>> rules_;
};

int Seeds() {
  const char* const form = std::getenv("SKEP_TEST_LONG");
  return form != nullptr && std::string_view(form) == "1" ? 400 : test::Many(20);
}

void RunSeed(std::uint64_t seed, engine::EngineOptions options, int& filled) {
  CAPTURE(seed);
  constexpr int kRounds = 60;
  const StillClock clock;
  const Engine engine(clock, options);
  tsdb::Head head({});
  Churn churn(seed);
  Rules rules(kForms);
  std::mt19937_64 random(seed);
  for (int round = 0; round < kRounds; ++round) {
    const Timestamp time = FromMillis(1'700'000'000'000) + round * kInterval;
    churn.Round(head, time);
    if (round % 7 == 6) head.DropBefore(time - std::chrono::minutes(3));
    filled += rules.Run(engine, head, time + Duration(random() % 30'000),
                        [&random](std::size_t) { return random() % 8 == 0; });
  }
}

TEST_CASE("With a plan a query gives the same to the bit while series come and go", "[plan]") {
  int filled = 0;
  const int seeds = Seeds();
  for (int seed = 1; seed <= seeds; ++seed) {
    engine::EngineOptions options;
    options.delayed_name_removal = seed % 4 == 0;
    RunSeed(static_cast<std::uint64_t>(seed), options, filled);
  }
  CHECK(filled > seeds * 60 * 3);
}

TEST_CASE("A plan does without series that ended and has them again when they go on", "[plan]") {
  constexpr int kRounds = 120;
  int filled = 0;
  engine::EngineOptions options;
  options.lookback_delta = kInterval * 2;
  const int seeds = std::max(1, Seeds() / 10);
  for (int seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    const StillClock clock;
    const Engine engine(clock, options);
    tsdb::Head head({});
    Churn churn(static_cast<std::uint64_t>(seed));
    Rules rules(kForms);
    for (int round = 0; round < kRounds; ++round) {
      // Now and then the clock goes back.
      const int shown = round % 50 == 49 ? round - 20 : round;
      const Timestamp time = FromMillis(1'700'000'000'000) + round * kInterval;
      churn.Round(head, time);
      filled += rules.Run(engine, head, time - (round - shown) * kInterval,
                          [seed](std::size_t i) { return i % 8 == seed % 8U; });
    }
  }
  CHECK(filled > seeds * kRounds * 3);
}

TEST_CASE("A plan gives the same to the bit of series that stand in blocks", "[plan]") {
  constexpr int kRounds = 240;
  int filled = 0;
  tsdb::StoreOptions options;
  options.upkeep.dense_samples = 5;  // a block each ten minutes
  tsdb::LivingStore rig(7, options);
  const StillClock clock;
  const Engine engine(clock);
  Churn churn(11);
  Rules rules(kForms);
  std::mt19937_64 random(13);
  for (int round = 0; round < kRounds; ++round) {
    churn.Round(*rig.store, rig.clock.Now());
    rig.clock.Pass(kInterval);
    rig.store->Maintain();
    rig.store->TendBlocks();
    // Of memory alone, of blocks alone, of both.
    const Timestamp time = rig.clock.Now() - Duration(random() % 3'600'000);
    const int wanted = round < 60 ? 0 : 8;
    filled += rules.Run(engine, *rig.store, time, [&random, wanted](std::size_t) {
      return random() % 16 < static_cast<std::uint64_t>(wanted);
    });
  }
  CHECK(rig.counters().flushes > 3);
  CHECK(filled > kRounds * 5);
}

TEST_CASE("A plan forgets its groups when the store gives its slots out anew", "[plan]") {
  const StillClock clock;
  const Engine engine(clock);
  tsdb::Head head({});
  constexpr std::string_view kRules[] = {"sum by (job) (m)", "sum without (pod) (m)",
                                         "m * on (job) group_left () sum by (job) (m)"};
  Rules rules(kRules);
  for (int wave = 1; wave <= 12; ++wave) {
    const Timestamp time = Timestamp(std::chrono::minutes(wave));
    const auto appender = head.NewAppender();
    for (int i = 0; i < 200; ++i) {
      storage::SeriesRef ref = 0;
      (void)appender->Append(ref,
                             {{"__name__", "m"},
                              {"job", std::to_string((wave * 3 + i * i) % 5)},
                              {"pod", std::to_string(wave * 1000 + i)}},
                             {time, static_cast<double>(i)});
    }
    REQUIRE(appender->Commit());
    head.DropBefore(time);
    CHECK(rules.Run(engine, head, time, [](std::size_t) { return true; }) == 3);
  }
}

}  // namespace
}  // namespace skep::rulequery

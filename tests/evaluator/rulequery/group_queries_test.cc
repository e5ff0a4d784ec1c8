// Rules that share what is equal in them beside the same rules, each by itself: the plain way is
// the oracle.
#include "evaluator/rulequery/group_queries.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "common/base/file.h"
#include "evaluator/rulequery/query_runner.h"
#include "evaluator/rules/manager.h"
#include "evaluator/tsdb/head.h"
#include "tests/support/many.h"
#include "tests/support/temp_folder.h"

namespace skep::rulequery {
namespace {

constexpr Duration kInterval = std::chrono::seconds(30);
constexpr Timestamp kBegin = FromMillis(1'700'000'000'000);

class StillClock final : public Clock {
 public:
  Timestamp Now() const override { return kBegin; }
  Steady SteadyNow() const override { return Steady(); }
};

// Remembers what it was told.
class Alerts final : public rules::AlertSink {
 public:
  void Send(std::vector<Alert> alerts) override {
    for (const Alert& alert : alerts) text_.insert(alert.labels.ToString());
  }
  const std::multiset<std::string>& text() const { return text_; }

 private:
  std::multiset<std::string> text_;
};

// Shares nothing.
class PlainRunner final : public rules::QueryRunner {
 public:
  explicit PlainRunner(rules::QueryRunner& runner) : runner_(runner) {}
  Result<std::unique_ptr<rules::PreparedQuery>> Prepare(std::string_view expr) override {
    return runner_.Prepare(expr);
  }

 private:
  rules::QueryRunner& runner_;
};

// Counts the series that are read.
class CountingSet final : public storage::SeriesSet {
 public:
  CountingSet(std::unique_ptr<storage::SeriesSet> set, std::atomic<int>& reads)
      : set_(std::move(set)), reads_(reads) {}
  bool Next() override { return set_->Next(); }
  const Labels& labels() const override { return set_->labels(); }
  std::uint32_t place() const override { return set_->place(); }
  const Labels& LabelsAt(std::uint32_t place) const override { return set_->LabelsAt(place); }
  Labels CopyLabels(std::uint32_t place) const override { return set_->CopyLabels(place); }
  Status ReadSamples(storage::SampleColumns& out) override {
    ++reads_;
    return set_->ReadSamples(out);
  }
  std::uint32_t slot() const override { return set_->slot(); }

 private:
  const std::unique_ptr<storage::SeriesSet> set_;
  std::atomic<int>& reads_;
};

class CountingQuerier final : public storage::Querier {
 public:
  CountingQuerier(std::unique_ptr<storage::Querier> querier, std::atomic<int>& reads)
      : querier_(std::move(querier)), reads_(reads) {}
  Result<std::unique_ptr<storage::SeriesSet>> Select(std::span<const Matcher> matchers,
                                                     storage::TimeRange range) override {
    return Counted(querier_->Select(matchers, range));
  }
  Result<std::unique_ptr<storage::SeriesSet>> SelectAgain(
      std::span<const Matcher> matchers, storage::TimeRange range,
      std::unique_ptr<storage::KeptSelect>& kept) override {
    return Counted(querier_->SelectAgain(matchers, range, kept));
  }
  Result<std::vector<std::string>> LabelNames(std::span<const Matcher> matchers) override {
    return querier_->LabelNames(matchers);
  }
  Result<std::vector<std::string>> LabelValues(std::string_view name,
                                               std::span<const Matcher> matchers) override {
    return querier_->LabelValues(name, matchers);
  }

 private:
  Result<std::unique_ptr<storage::SeriesSet>> Counted(
      Result<std::unique_ptr<storage::SeriesSet>> set) {
    if (!set) return set;
    return {std::make_unique<CountingSet>(std::move(*set), reads_)};
  }

  const std::unique_ptr<storage::Querier> querier_;
  std::atomic<int>& reads_;
};

class CountingStore final : public storage::Queryable {
 public:
  explicit CountingStore(storage::Queryable& store) : store_(store) {}
  Result<std::unique_ptr<storage::Querier>> NewQuerier(storage::TimeRange range) override {
    auto querier = store_.NewQuerier(range);
    if (!querier) return querier;
    return {std::make_unique<CountingQuerier>(std::move(*querier), reads_)};
  }
  int TakeReads() { return reads_.exchange(0); }

 private:
  storage::Queryable& store_;
  std::atomic<int> reads_ = 0;
};

// Gauges g and counters c of four pods in two jobs; pods come and go.
void Feed(tsdb::Head& head, Timestamp time, std::mt19937_64& random) {
  const auto appender = head.NewAppender();
  for (const char* name : {"g", "c"}) {
    for (int pod = 0; pod < 4; ++pod) {
      const auto value = static_cast<double>(random() % 100);
      const bool counts = *name == 'c';
      if (random() % 8 == 0) continue;
      storage::SeriesRef ref = 0;
      (void)appender->Append(
          ref,
          {{"__name__", name},
           {"job", pod % 2 == 0 ? "a" : "b"},
           {"pod", "p" + std::to_string(pod)}},
          {time, counts ? value + static_cast<double>(ToMillis(time) / 1000) : value});
    }
  }
  REQUIRE(appender->Commit());
}

// All samples, with their bits; markers too.
std::map<std::string, std::vector<std::pair<std::int64_t, std::uint64_t>>> Dump(tsdb::Head& head) {
  std::map<std::string, std::vector<std::pair<std::int64_t, std::uint64_t>>> all;
  const auto querier = head.NewQuerier({});
  REQUIRE(querier);
  const auto any = Matcher::Create(MatchType::kRegex, kMetricName, ".+");
  REQUIRE(any);
  const auto set = (*querier)->Select(std::span(&*any, 1), {});
  REQUIRE(set);
  while ((*set)->Next()) {
    storage::SampleColumns columns;
    REQUIRE((*set)->ReadSamples(columns));
    auto& samples = all[(*set)->labels().ToString()];
    for (std::size_t i = 0; i < columns.size(); ++i) {
      samples.emplace_back(ToMillis(columns.times[i]),
                           std::bit_cast<std::uint64_t>(columns.values[i]));
    }
  }
  return all;
}

// A store, an engine and a manager of rules.
struct House {
  House(const std::string& file, bool shares)
      : path(file),
        plain(engine_runner),
        manager({shares ? static_cast<rules::QueryRunner&>(engine_runner) : plain, head, head,
                 alerts, clock},
                {.restore = false}) {
    auto loaded = manager.Load({.files = {file}});
    if (!loaded) INFO(loaded.error().message());
    REQUIRE(loaded);
    manager.Apply(std::move(*loaded));
  }
  void Round(Timestamp time) { REQUIRE(manager.EvaluateRound(path, "g", time)); }

  const std::string path;
  StillClock clock;
  Alerts alerts;
  tsdb::Head head{tsdb::HeadOptions{}};
  CountingStore store{head};
  engine::Engine engine{clock};
  EngineQueryRunner engine_runner{engine, store, {}};
  PlainRunner plain;
  rules::Manager manager;
};

constexpr const char* kForms[] = {
    "g",
    "sum(g)",
    "sum by (job) (g)",
    "sum by (job) (rate(c[2m]))",
    "sum by (pod) (rate(c[2m]))",
    "avg by (job) (increase(c[2m])) + sum by (job) (g)",
    "(g - avg_over_time(g[5m])) / stddev_over_time(g[5m])",
    "max by (job) (max_over_time(g[5m]))",
    "quantile_over_time(0.5, g[5m])",
    "max_over_time(sum(g)[3m:30s])",
    "g > on (job) group_left () avg by (job) (g)",
    "sum by (job) (r1)",
    "r1",
    "r2 + r2",
    "sum(r3) + sum(r1)",
    "avg_over_time(r1[2m])",
    "count(ALERTS)",
    "count by (alertstate) (ALERTS)",
    "sum by (job) ({__name__=~\"r.\"})",
    "absent(r4)",
    "timestamp(g)",
    "count_over_time({__name__=~\"r1|g\"}[1m])",
    "last_over_time(r2[5m] offset 30s)",
};

// Every result is numbered, so most rules may write.
std::string RandomGroup(std::mt19937_64& random) {
  std::string text = "groups:\n- name: g\n  rules:\n";
  for (int i = 0; i < 14; ++i) {
    const std::string form = kForms[random() % std::size(kForms)];
    const std::string n = std::to_string(random() % 6);
    const bool alerting = random() % 4 == 0;
    text += alerting ? "  - {alert: A" + n + ", expr: '" + form + " > 30'}\n"
                     : "  - {record: r" + n + ", expr: '" + form + "', labels: {rule: \"" +
                           std::to_string(i) + "\"}}\n";
  }
  return text;
}

TEST_CASE("Rules that share equal parts write what they write each by itself", "[rules]") {
  const int seeds = test::IsLongForm() ? 2000 : std::max(3, test::Many(60));
  const test::TempFolder folder;
  int shared_reads = 0;
  int plain_reads = 0;
  for (int seed = 1; seed <= seeds; ++seed) {
    std::mt19937_64 random(static_cast<std::uint64_t>(seed));
    const std::string text = RandomGroup(random);
    CAPTURE(seed, text);
    const std::string path = folder.File(std::to_string(seed) + ".yml");
    REQUIRE(WriteFileAtomic(path, text));
    House shared(path, true);
    House plain(path, false);
    for (int round = 0; round < 12; ++round) {
      const Timestamp time = kBegin + round * kInterval;
      std::mt19937_64 samples(random());
      std::mt19937_64 same = samples;
      Feed(shared.head, time, samples);
      Feed(plain.head, time, same);
      shared.Round(time);
      plain.Round(time);
    }
    CHECK(Dump(shared.head) == Dump(plain.head));
    CHECK(shared.alerts.text() == plain.alerts.text());
    shared_reads += shared.store.TakeReads();
    plain_reads += plain.store.TakeReads();
  }
  CHECK(shared_reads * 10 < plain_reads * 9);
}

// How many series a second round of the group reads.
int ReadsOfRound(const std::string& rules) {
  const test::TempFolder folder;
  const std::string path = folder.File("r.yml");
  REQUIRE(WriteFileAtomic(path, "groups:\n- name: g\n  rules:\n" + rules));
  House house(path, true);
  const auto appender = house.head.NewAppender();
  for (int i = 0; i < 10; ++i) {
    storage::SeriesRef ref = 0;
    const Labels labels{{"__name__", "c"}, {"pod", std::to_string(i)}};
    for (int k = 0; k < 20; ++k) {
      (void)appender->Append(ref, labels, {kBegin + k * kInterval, k * 1.0});
    }
  }
  REQUIRE(appender->Commit());
  house.Round(kBegin + 18 * kInterval);
  (void)house.store.TakeReads();
  house.Round(kBegin + 19 * kInterval);
  return house.store.TakeReads();
}

TEST_CASE("What is equal in rules of a group is read once in a round", "[rules]") {
  const std::string rate = "  - {record: a, expr: 'sum(rate(c[5m]))'}\n";
  CHECK(ReadsOfRound(rate) == 10);
  CHECK(ReadsOfRound(rate + rate) == 10);
  CHECK(ReadsOfRound(rate + "  - {record: b, expr: 'avg by (pod) (rate(c[5m]))'}\n") == 10);
  CHECK(ReadsOfRound(rate + "  - {record: b, expr: 'max(max_over_time(c[5m]))'}\n") == 10);
  CHECK(ReadsOfRound(rate + "  - {record: b, expr: 'sum(rate(c[4m]))'}\n") == 20);
  CHECK(ReadsOfRound("  - {record: z, expr: '(c - avg_over_time(c[5m])) / stddev_over_time(c[5m])"
                     "'}\n") == 20);
  // 10 series of c and the one of r; the second rule may read what it wrote in the round before,
  // the fourth what the third wrote in this one.
  CHECK(ReadsOfRound("  - {record: a, expr: 'sum(c)'}\n  - {record: b, expr: 'sum(r)'}\n"
                     "  - {record: r, expr: 'count(c)'}\n  - {record: d, expr: 'sum(r)'}\n") == 12);
}

}  // namespace
}  // namespace skep::rulequery

// What comes as summaries, from memory and from blocks, beside the samples themselves.
#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "common/model/histogram.h"
#include "common/model/sample.h"
#include "evaluator/tsdb/chunk_summary.h"
#include "store_rig.h"
#include "tests/support/many.h"

namespace skep::tsdb {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::MemoryDisk;

// A store of a few series of different kinds, which get samples by scrapes, late, and in bulk.
class Rig {
 public:
  explicit Rig(std::uint64_t seed) : random_(seed) {
    clock_.PassToMidnight();
    store = OpenStore(disk_, clock_);
    store->SetOutOfOrderWindow(hours(3));
  }

  std::uint64_t Below(std::uint64_t n) { return random_() % n; }
  Timestamp Now() const { return clock_.Now(); }

  void Minutes(int n) {
    for (int i = 0; i < n; ++i) {
      for (int k = 0; k < 4; ++k) Scrape();
      store->Maintain();
      store->TendBlocks();
    }
  }
  // Some hours of the past at once, as an agent sends them that was cut off.
  void Backfill(Timestamp from, Timestamp to) {
    const auto appender = store->NewAppender();
    for (Timestamp time = from; time < to; time += seconds(15)) {
      Offer(*appender, "backfilled", time, Value("gauge"));
    }
    REQUIRE(appender->Commit());
  }

 private:
  void Scrape() {
    clock_.Pass(seconds(15));
    const auto appender = store->NewAppender();
    for (const std::string kind : {"gauge", "constant", "counter", "odd", "late", "histogram"}) {
      if (kind == "late" && Below(40) == 0) {
        Offer(*appender, kind, Now() - seconds(15 * Below(100)) - Duration(7), Value(kind));
      }
      Offer(*appender, kind, Now(), Value(kind));
    }
    REQUIRE(appender->Commit());
  }
  double Value(const std::string& kind) {
    if (kind == "constant") return 4.5;
    if (kind == "counter")
      return count_ = Below(200) == 0 ? 0 : count_ + static_cast<double>(Below(9));
    if (kind == "odd" && Below(300) == 0) return Below(2) == 0 ? kStaleNaN : std::nan("");
    return static_cast<double>(Below(1000)) / 10;
  }
  void Offer(storage::Appender& appender, const std::string& kind, Timestamp time, double value) {
    FullSample sample{.time = time, .value = value};
    if (kind == "histogram" && Below(400) == 0) {
      auto histogram = std::make_shared<Histogram>();
      histogram->positive.Append(0, 3);
      histogram->count = 3;
      sample.histogram = std::move(histogram);
    }
    storage::SeriesRef ref = 0;
    (void)appender.AppendFull(ref, {{"__name__", "m"}, {"kind", kind}}, sample);
  }

  MemoryDisk disk_;
  StoreClock clock_;
  std::mt19937_64 random_;
  double count_ = 0;

 public:
  std::unique_ptr<Store> store;  // ends before what it stands on
};

// What a summary may differ by: that of a constant is not made of its samples.
void CheckEqual(const ChunkSummary& given, const ChunkSummary& of_samples) {
  ChunkSummary same = given;
  if (given.min == given.max) {
    CHECK(given.sum == Approx(of_samples.sum).epsilon(1e-14));
    CHECK(given.squares == 0);
    same.sum = of_samples.sum;
    same.squares = of_samples.squares;
  }
  CHECK(same == of_samples);
}

// Takes the runs' samples from `plain`, and gives all in the order of time.
storage::SampleColumns Expanded(const storage::SummarizedSamples& summarized,
                                const storage::SampleColumns& plain) {
  storage::SampleColumns all;
  auto run = summarized.summaries.begin();
  const auto take_runs = [&](std::size_t after) {
    for (; run != summarized.summaries.end() && run->after == after; ++run) {
      const auto begin = std::ranges::lower_bound(plain.times, run->first_time);
      const auto end = std::ranges::upper_bound(plain.times, run->last_time);
      const auto row = [&](auto at) { return plain.values.begin() + (at - plain.times.begin()); };
      const std::vector<double> values(row(begin), row(end));
      REQUIRE(!values.empty());
      CHECK(*begin == run->first_time);
      CHECK(*std::prev(end) == run->last_time);
      const auto expected = Summarize(values);
      REQUIRE(expected);
      CheckEqual(run->summary, *expected);
      all.times.insert(all.times.end(), begin, end);
      all.values.insert(all.values.end(), values.begin(), values.end());
    }
  };
  for (std::size_t i = 0; i < summarized.samples.size(); ++i) {
    take_runs(i);
    all.times.push_back(summarized.samples.times[i]);
    all.values.push_back(summarized.samples.values[i]);
  }
  take_runs(summarized.samples.size());
  CHECK(run == summarized.summaries.end());
  return all;
}

std::vector<std::uint64_t> Bits(const std::vector<double>& values) {
  std::vector<std::uint64_t> bits;
  bits.reserve(values.size());
  for (const double value : values) bits.push_back(std::bit_cast<std::uint64_t>(value));
  return bits;
}

// How many samples came in runs.
std::size_t Check(Store& store, storage::TimeRange range, const std::vector<Timestamp>& cuts) {
  const auto querier = store.NewQuerier(range);
  REQUIRE(querier);
  const std::vector<Matcher> all = {Matcher::Create(MatchType::kEqual, "__name__", "m").value()};
  auto set = (*querier)->Select(all, range);
  REQUIRE(set);
  std::size_t in_runs = 0;
  while ((*set)->Next()) {
    CAPTURE((*set)->labels().ToString());
    storage::SummarizedSamples summarized;
    storage::SampleColumns plain;
    REQUIRE((*set)->ReadSummarized(cuts, summarized));
    REQUIRE((*set)->ReadSamples(plain));
    CHECK(std::ranges::is_sorted(plain.times, std::less_equal<>()));
    CHECK(summarized.samples.histograms.times == plain.histograms.times);
    for (const auto& run : summarized.summaries) {
      CHECK(range.min <= run.first_time);
      CHECK(run.last_time <= range.max);
      CHECK_FALSE(storage::IsCut(cuts, run.first_time, run.last_time));
      in_runs += run.summary.count;
    }
    const storage::SampleColumns expanded = Expanded(summarized, plain);
    CHECK(expanded.times == plain.times);
    CHECK(Bits(expanded.values) == Bits(plain.values));
  }
  return in_runs;
}

TEST_CASE("Summaries stand for the samples that a plain read gives", "[tsdb]") {
  std::mt19937_64 random(17);
  for (int round = 0; round < test::Many(4) + 1; ++round) {
    CAPTURE(round);
    Rig rig(random());
    std::size_t in_runs = 0;
    for (int step = 0; step < 12; ++step) {
      CAPTURE(step);
      rig.Minutes(static_cast<int>(5 + rig.Below(50)));
      if (step == 3) rig.Backfill(rig.Now() - hours(2), rig.Now() - minutes(5));
      if (step == 8) {
        const std::vector<Matcher> some = {
            Matcher::Create(MatchType::kEqual, "kind", "counter").value()};
        REQUIRE(rig.store->Delete(some, {rig.Now() - minutes(70), rig.Now() - minutes(20)}));
      }
      const Timestamp from = rig.Now() - minutes(rig.Below(600));
      in_runs += Check(*rig.store, {from, rig.Now()}, {});
      std::vector<Timestamp> cuts(4);
      for (Timestamp& cut : cuts) cut = rig.Now() - seconds(rig.Below(36'000));
      std::ranges::sort(cuts);
      in_runs += Check(*rig.store, {from, rig.Now() - minutes(rig.Below(20))}, cuts);
    }
    CHECK(in_runs > 10'000);
    CHECK(rig.store->status().blocks > 0);
  }
}

TEST_CASE("A series whose samples are all in memory comes in summaries, too", "[tsdb]") {
  Rig rig(5);
  rig.Backfill(rig.Now() - hours(20), rig.Now() - hours(3));
  REQUIRE(rig.store->status().blocks == 0);
  constexpr std::size_t kHour = 240;  // samples
  CHECK(Check(*rig.store, {}, {}) > 17 * kHour - 120);
  // Of the runs at both ends nothing is known but their samples.
  CHECK(Check(*rig.store, {rig.Now() - hours(12) + Duration(1), rig.Now() - hours(5)}, {}) >
        3 * kHour);
}

TEST_CASE("Blocks that share a moment are read as if they were one", "[tsdb]") {
  Rig rig(9);
  const Timestamp middle = rig.Now() - hours(30);
  // Two batches, and a flush between them, of which the second begins where the first ends.
  rig.Backfill(middle - hours(6), middle);
  rig.Minutes(31);
  rig.Backfill(middle - seconds(15), middle + hours(6));
  rig.Minutes(31);
  REQUIRE(rig.store->blocks()->size() > 2);
  CHECK(Check(*rig.store, {}, {}) > 1'900);
}

}  // namespace
}  // namespace skep::tsdb

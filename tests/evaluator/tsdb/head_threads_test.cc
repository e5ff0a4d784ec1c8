// Many appenders, queriers and retention at once: for the thread sanitizer, and for the promise
// that a batch is seen whole or not at all.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "evaluator/tsdb/head.h"
#include "tests/support/many.h"

namespace skep::tsdb {
namespace {

constexpr int kWriters = 3;
constexpr int kSeries = 70;  // per writer, over several stripes
constexpr int kRounds = 300;

Labels LabelsOf(int writer, int series) {
  return {{"__name__", "m"}, {"w", std::to_string(writer)}, {"s", std::to_string(series)}};
}

// Each batch gives all series of the writer the same value. Retention works on what is older: what
// it forgets vanishes from living queriers series by series.
void Write(Head& head, int writer) {
  std::vector<storage::SeriesRef> refs(kSeries, 0);
  for (int round = 1; round <= kRounds; ++round) {
    const auto appender = head.NewAppender();
    for (int i = 0; i < kSeries; ++i) {
      (void)appender->Append(refs[static_cast<std::size_t>(i)], LabelsOf(writer, i),
                             {FromMillis(1000 + round * 10), static_cast<double>(round)});
    }
    (void)appender->Commit();
  }
}

// Series that come and go.
void AppendOther(Head& head, int round) {
  const auto appender = head.NewAppender();
  storage::SeriesRef ref = 0;
  (void)appender->Append(ref, {{"__name__", "short"}, {"r", std::to_string(round)}},
                         {FromMillis(round % 100), 1});
  if (round % 3 > 0) (void)appender->Commit();
}

// Whether all series of each writer end at the same round.
bool SeesWholeBatches(Head& head) {
  const auto querier = head.NewQuerier({});
  for (int writer = 0; writer < kWriters; ++writer) {
    const std::vector<Matcher> matchers = {Matcher::Equal("w", std::to_string(writer))};
    auto set = (*querier)->Select(matchers, {});
    double newest = -1;
    while ((*set)->Next()) {
      storage::SampleColumns columns;
      (void)(*set)->ReadSamples(columns);
      const double last = columns.values.empty() ? 0 : columns.values.back();
      if (newest >= 0 && last != newest) return false;
      newest = last;
    }
  }
  return true;
}

TEST_CASE("Batches are seen whole while writers, readers and retention run", "[tsdb]") {
  Head head({});
  std::atomic<int> writing{kWriters};
  std::atomic<int> torn{0};
  std::atomic<int> looks{0};
  {
    std::vector<std::jthread> threads;
    for (int writer = 0; writer < kWriters; ++writer) {
      threads.emplace_back([&head, &writing, writer] {
        Write(head, writer);
        --writing;
      });
    }
    for (int reader = 0; reader < 2; ++reader) {
      threads.emplace_back([&] {
        do {
          if (!SeesWholeBatches(head)) ++torn;
          ++looks;
        } while (writing > 0);
      });
    }
    threads.emplace_back([&head, &writing] {
      for (int round = 0; writing > 0; ++round) {
        AppendOther(head, round);
        head.DropBefore(FromMillis(round % 50));
        (void)head.Status(5);
        (void)(*head.NewQuerier({}))->LabelValues("s", {});
      }
    });
  }
  CHECK(torn == 0);
  CHECK(looks > 0);
  CHECK(SeesWholeBatches(head));
  CHECK(head.Status(1).samples >= kWriters * kSeries);
}

TEST_CASE("Pages of numbers are freed beside those who look at them", "[tsdb]") {
  // A page has 16,384 numbers.
  const int turns = std::max(6, test::Many(30));
  Head head({});
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> newest{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 2; ++i) {
      // Asks for numbers that are just going, and for some that never were.
      threads.emplace_back([&head, &done, &newest] {
        while (!done) {
          const auto appender = head.NewAppender();
          for (std::uint64_t ref = newest > 40'000 ? newest - 40'000 : 1; ref < newest; ref += 97) {
            (void)appender->AppendKnown(ref, {FromMillis(1), 1});
          }
        }
      });
    }
    // Once for each batch: a reader that never pauses would keep retention waiting.
    threads.emplace_back([&head, &done, &newest] {
      const std::vector<Matcher> some = {Matcher::Equal("__name__", "m")};
      for (std::uint64_t seen = 0; !done; std::this_thread::yield()) {
        if (newest < seen + 4000) continue;
        seen = newest;
        const auto querier = head.NewQuerier({});
        if (!(*querier)->Select(some, {})) return;
      }
    });
    for (int turn = 0; turn < turns; ++turn) {
      const auto appender = head.NewAppender();
      for (int i = 0; i < 4000; ++i) {
        storage::SeriesRef ref = 0;
        const std::string id = std::to_string(turn) + "-" + std::to_string(i);
        (void)appender->Append(ref, {{"__name__", "m"}, {"id", id}}, {FromMillis(turn + 2), 1});
        newest = std::max<std::uint64_t>(newest, ref);
      }
      REQUIRE(appender->Commit());
      head.DropBefore(FromMillis(turn + 2));
    }
    done = true;
  }
  CHECK(head.counters().series_removed > 3900U * static_cast<unsigned>(turns - 1));
}

}  // namespace
}  // namespace skep::tsdb

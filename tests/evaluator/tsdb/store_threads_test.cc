// Appends, queries, flushes, merges, deletions, checkpoints, syncs and retention at once.
#include <atomic>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "store_rig.h"
#include "tests/support/many.h"

namespace skep::tsdb {
namespace {

constexpr int kSeries = 50;

// Time that all threads may read.
class SharedClock final : public Clock {
 public:
  Timestamp Now() const override { return FromMillis(millis_.load()); }
  Steady SteadyNow() const override { return Steady(std::chrono::milliseconds(millis_.load())); }
  void Pass(std::int64_t millis) { millis_ += millis; }

 private:
  std::atomic<std::int64_t> millis_{1'000'000};
};

Labels LabelsOf(int writer, int series) {
  return {{"__name__", "m"}, {"series", std::to_string(series)}, {"w", std::to_string(writer)}};
}

// One sample of each series in each batch: the number of the batch.
void Write(Store& store, int writer, int batches) {
  std::vector<storage::SeriesRef> refs(kSeries, 0);
  for (int batch = 1; batch <= batches; ++batch) {
    const auto appender = store.NewAppender();
    for (int i = 0; i < kSeries; ++i) {
      const Sample sample{FromMillis(1'000'000 + batch), static_cast<double>(batch)};
      if (appender->Append(refs[static_cast<std::size_t>(i)], LabelsOf(writer, i), sample) !=
          storage::AppendOutcome::kAccepted) {
        return;
      }
    }
    if (!appender->Commit()) return;
  }
}

// A series that is deleted again and again while it goes on, and at the end.
void WriteAndDelete(Store& store, const std::atomic<bool>& done) {
  const std::vector<Matcher> gone = {
      Matcher::Create(MatchType::kEqual, "__name__", "gone").value()};
  storage::SeriesRef ref = 0;
  for (std::int64_t at = 1; !done; ++at) {
    const auto appender = store.NewAppender();
    static_cast<void>(
        appender->Append(ref, Labels{{"__name__", "gone"}}, {FromMillis(1'000'000 + at), 1}));
    if (!appender->Commit()) return;
    if (at % 16 == 0 && !store.Delete(gone, {})) return;
  }
  static_cast<void>(store.Delete(gone, {}));
}

// The clock runs so fast that a query may take longer than the store has patience.
bool IsExpired(const Error& error) { return error.kind() == ErrorKind::kTimeout; }

// Whether each writer's series end with the same batch, as whole batches do.
bool SeesWholeBatches(Store& store) {
  const auto querier = store.NewQuerier({});
  const std::vector<Matcher> all = {Matcher::Create(MatchType::kEqual, "__name__", "m").value()};
  auto set = (*querier)->Select(all, {});
  if (!set) return IsExpired(set.error());
  std::map<std::string, double> newest;
  while ((*set)->Next()) {
    storage::SampleColumns columns;
    if (const Status read = (*set)->ReadSamples(columns); !read) return IsExpired(read.error());
    const double last = columns.empty() ? 0 : columns.values.back();
    const auto [at, is_new] = newest.emplace((*set)->labels().Get("w"), last);
    if (!is_new && at->second != last) return false;
    if (static_cast<double>(columns.size()) != last) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("Everything at once: batches stay whole, also on the disk", "[tsdb]") {
  test::MemoryDisk disk;
  SharedClock clock;
  StoreOptions options;
  options.wal.segment_bytes = 5000;
  options.checkpoint_bytes = 10'000;
  // A batch is a millisecond.
  options.upkeep.flush_span = Duration(50);
  options.upkeep.flush_delay = Duration(20);
  const int batches = test::Many(2000);
  {
    const auto store = OpenStore(disk, clock, options);
    std::atomic<bool> done{false};
    std::atomic<bool> whole{true};
    {
      std::vector<std::jthread> threads;
      threads.emplace_back([&] {
        while (!done) {
          clock.Pass(1000);
          store->Maintain();
        }
      });
      threads.emplace_back([&] {
        while (!done) store->TendBlocks();
      });
      threads.emplace_back([&] { WriteAndDelete(*store, done); });
      for (int i = 0; i < 2; ++i) {
        threads.emplace_back([&] {
          while (!done) whole = whole && SeesWholeBatches(*store);
        });
      }
      {
        std::vector<std::jthread> writers;
        for (int i = 0; i < 3; ++i) {
          writers.emplace_back([&store, i, batches] { Write(*store, i, batches); });
        }
      }
      done = true;
    }
    CHECK(whole);
    CHECK(store->status().checkpoints > 0);
    CHECK(store->status().upkeep.flushes > 0);
    CHECK(store->status().upkeep.failures == 0);
  }
  const auto store = OpenStore(disk, clock, options);
  const Content content = ReadAll(*store);
  REQUIRE(content.size() == 3 * kSeries);
  for (const auto& [labels, rows] : content) {
    CHECK(rows.size() == static_cast<std::size_t>(batches));
  }
}

}  // namespace skep::tsdb

#include "evaluator/tsdb/store.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "evaluator/tsdb/wal_files.h"
#include "store_rig.h"
#include "tests/support/many.h"

namespace skep::tsdb {
namespace {

using storage::AppendOutcome;
using storage::SeriesRef;
using test::MemoryDisk;

// Writes random batches to a store and to a ledger.
class Writer {
 public:
  explicit Writer(std::uint64_t seed) : random_(seed) {}

  std::size_t Below(std::size_t n) { return random_() % n; }

  // Up to 30 samples of 40 series, of which some go and others come as time passes. False: the
  // store did not take it.
  bool WriteBatch(Store& store, Ledger& ledger) {
    now_ += 1 + static_cast<std::int64_t>(Below(20'000));
    const auto appender = store.NewAppender();
    const std::size_t before = ledger.commits();
    const std::size_t generation = static_cast<std::size_t>(now_ / 3'000'000);
    for (std::size_t left = 1 + Below(30); left > 0; --left) {
      const std::size_t series = Below(40) + generation;
      const Labels labels{{"__name__", "metric_" + std::to_string(series % 3)},
                          {"instance", "host:" + std::to_string(series)}};
      const FullSample sample = MakeSample(series);
      SeriesRef ref = 0;
      if (sample.time <= newest_[labels.ToString()]) continue;
      if (appender->AppendFull(ref, labels, sample) != AppendOutcome::kAccepted) return false;
      ledger.Add(labels, sample);
      newest_[labels.ToString()] = sample.time;
    }
    if (!appender->Commit()) {
      ledger.CutTo(before);
      newest_ = committed_;
      return false;
    }
    committed_ = newest_;
    ledger.Commit();
    return true;
  }

  // The store knows no more than these.
  void Forget(const Content& content) {
    newest_.clear();
    for (const auto& [labels, rows] : content) {
      newest_[labels] = FromMillis(std::get<0>(rows.back()));
    }
    committed_ = newest_;
  }

 private:
  FullSample MakeSample(std::size_t series) {
    FullSample sample;
    sample.time = FromMillis(now_ + (Below(4) == 0 ? static_cast<std::int64_t>(Below(5)) : 0));
    if (series % 10 == 9) {
      auto histogram = std::make_shared<Histogram>();
      histogram->schema = 3;
      histogram->positive.Append(0, static_cast<double>(Below(100)));
      histogram->positive.Append(1, 1);
      histogram->count = histogram->positive.counts[0] + 1;
      histogram->sum = static_cast<double>(Below(1000));
      sample.histogram = std::move(histogram);
      return sample;
    }
    constexpr double kOdd[] = {-0.0, std::numeric_limits<double>::infinity(), 1e-310, 0.1};
    sample.value = static_cast<double>(Below(1000));
    if (Below(8) == 0) sample.value = kOdd[Below(std::size(kOdd))];
    if (Below(20) == 0) sample.value = kStaleNaN;
    if (series % 7 == 3) sample.start = FromMillis(now_ - 500);
    return sample;
  }

  std::mt19937_64 random_;
  std::int64_t now_ = 0;
  std::map<std::string, Timestamp> newest_, committed_;
};

TEST_CASE("A store has after a restart what it had before", "[tsdb]") {
  for (std::uint64_t seed = 0; seed < static_cast<std::uint64_t>(test::Many(20)) + 1; ++seed) {
    MemoryDisk disk;
    const StoreClock clock;
    StoreOptions options;
    options.wal.segment_bytes = 4000;
    Writer writer(seed);
    Ledger ledger;
    for (int run = 0; run < 4; ++run) {
      const auto store = OpenStore(disk, clock, options);
      CHECK(store->status().replay.problem_count == 0);
      REQUIRE(ReadAll(*store) == ledger.All());
      for (std::size_t left = writer.Below(120); left > 0; --left) {
        REQUIRE(writer.WriteBatch(*store, ledger));
        if (writer.Below(40) == 0) REQUIRE(store->WriteCheckpoint());
        if (writer.Below(20) == 0) REQUIRE(store->Sync());
      }
      REQUIRE(ReadAll(*store) == ledger.All());
    }
    CHECK(ReadAll(*OpenStore(disk, clock, options)) == ledger.All());
  }
}

TEST_CASE("After a power cut a store has a beginning of what it had, and all that was synced",
          "[tsdb]") {
  std::mt19937_64 random(3);
  for (int round = 0; round < test::Many(60) + 5; ++round) {
    MemoryDisk disk;
    const StoreClock clock;
    StoreOptions options;
    options.wal.segment_bytes = 3000;
    if (round % 4 == 0) options.wal_sync = HeadLogSync::kEachCommit;
    Writer writer(random());
    Ledger ledger;
    for (int run = 0; run < 3; ++run) {
      std::size_t synced = ledger.commits();
      {
        const auto store = OpenStore(disk, clock, options);
        for (std::size_t left = writer.Below(40); left > 0; --left) {
          REQUIRE(writer.WriteBatch(*store, ledger));
          const bool syncs = writer.Below(10) == 0;
          if (syncs) REQUIRE(store->Sync());
          const bool saves = writer.Below(15) == 0;
          if (saves) REQUIRE(store->WriteCheckpoint());
          if (syncs || saves || round % 4 == 0) synced = ledger.commits();
        }
        disk.PowerCut(random);  // before the store's end, which would sync
      }
      const Content content = ReadAll(*OpenStore(disk, clock, options));
      std::size_t kept = ledger.commits();
      while (kept > synced && ledger.At(kept) != content) --kept;
      REQUIRE(ledger.At(kept) == content);
      ledger.CutTo(kept);
      writer.Forget(content);
    }
  }
}

TEST_CASE("A batch that a full disk refuses is never seen, and writing goes on when there is room",
          "[tsdb]") {
  std::mt19937_64 random(5);
  for (int round = 0; round < test::Many(30) + 3; ++round) {
    MemoryDisk disk;
    StoreClock clock;
    Writer writer(random());
    Ledger ledger;
    {
      const auto store = OpenStore(disk, clock);
      for (int i = 0; i < 20; ++i) REQUIRE(writer.WriteBatch(*store, ledger));
      disk.set_faults({.capacity_bytes = disk.used_bytes() + random() % 3000});
      bool was_refused = false;
      for (int i = 0; i < 100; ++i) was_refused |= !writer.WriteBatch(*store, ledger);
      CHECK(was_refused);
      REQUIRE(ReadAll(*store) == ledger.All());
      clock.Pass(std::chrono::seconds(1));
      store->Maintain();
      CHECK_THAT(store->status().problem, Catch::Contains("the log cannot be written: ") &&
                                              Catch::Contains("no space left"));
      CHECK_FALSE(store->WriteCheckpoint());
      disk.set_faults({});
      for (int i = 0; i < 20; ++i) REQUIRE(writer.WriteBatch(*store, ledger));
      clock.Pass(std::chrono::minutes(2));
      store->Maintain();
      CHECK(store->status().wal.failed_appends > 0);
      REQUIRE(ReadAll(*store) == ledger.All());
      if (round % 2 == 0) REQUIRE(store->WriteCheckpoint());
    }
    REQUIRE(ReadAll(*OpenStore(disk, clock)) == ledger.All());
  }
}

TEST_CASE("A store tells that the disk does not sync, and saves itself by a checkpoint", "[tsdb]") {
  MemoryDisk disk;
  StoreClock clock;
  Writer writer(1);
  Ledger ledger;
  std::mt19937_64 random(1);
  {
    const auto store = OpenStore(disk, clock);
    REQUIRE(writer.WriteBatch(*store, ledger));
    disk.set_faults({.syncs_fail = true});
    clock.Pass(std::chrono::seconds(1));
    store->Maintain();
    CHECK_FALSE(store->status().problem.empty());
    static_cast<void>(writer.WriteBatch(*store, ledger));  // a new segment needs a disk that syncs
    disk.set_faults({});
    REQUIRE(writer.WriteBatch(*store, ledger));
    clock.Pass(std::chrono::minutes(2));
    store->Maintain();
    CHECK(store->status().checkpoints == 1);
    REQUIRE(writer.WriteBatch(*store, ledger));
    REQUIRE(store->Sync());
    clock.Pass(std::chrono::seconds(1));
    store->Maintain();
    CHECK(store->status().problem.empty());
    disk.PowerCut(random);
  }
  CHECK(ReadAll(*OpenStore(disk, clock)) == ledger.All());
}

TEST_CASE("A store that syncs each batch refuses one that the disk does not take", "[tsdb]") {
  MemoryDisk disk;
  StoreClock clock;
  StoreOptions options;
  options.wal_sync = HeadLogSync::kEachCommit;
  std::mt19937_64 random(1);
  const auto add = [](Store& store, double value, Timestamp time) {
    SeriesRef ref = 0;
    const auto appender = store.NewAppender();
    CHECK(appender->Append(ref, Labels{{"__name__", "m"}}, {time, value}) ==
          AppendOutcome::kAccepted);
    return static_cast<bool>(appender->Commit());
  };
  const auto count = [](Store& store) { return ReadAll(store)["m"].size(); };
  const Timestamp begin = clock.Now();
  {
    const auto store = OpenStore(disk, clock, options);
    REQUIRE(add(*store, 1, begin));
    disk.set_faults({.syncs_fail = true});
    CHECK_FALSE(add(*store, 2, begin + std::chrono::seconds(1)));
    CHECK(count(*store) == 1);
    disk.set_faults({});
    // Whoever was refused sends it again.
    REQUIRE(add(*store, 2, begin + std::chrono::seconds(1)));
    REQUIRE(add(*store, 3, begin + std::chrono::seconds(2)));
    CHECK(count(*store) == 3);
    clock.Pass(std::chrono::minutes(2));
    store->Maintain();
    CHECK(store->status().problem.empty());
    disk.PowerCut(random);
  }
  CHECK(count(*OpenStore(disk, clock, options)) == 3);
}

TEST_CASE("What retention forgot stays forgotten", "[tsdb]") {
  MemoryDisk disk;
  StoreClock clock;
  StoreOptions options;
  options.retention = std::chrono::hours(1);
  const Labels old_labels{{"__name__", "old"}};
  const Labels new_labels{{"__name__", "new"}};
  const auto add = [](Store& store, const Labels& labels, Timestamp time) {
    SeriesRef ref = 0;
    const auto appender = store.NewAppender();
    CHECK(appender->Append(ref, labels, {time, 1}) == AppendOutcome::kAccepted);
    CHECK(appender->Commit());
  };
  {
    const auto store = OpenStore(disk, clock, options);
    add(*store, old_labels, clock.Now());
    clock.Pass(std::chrono::hours(2));
    add(*store, new_labels, clock.Now());
    store->Maintain();
    CHECK(store->head().series_count() == 1);
  }
  {
    const auto store = OpenStore(disk, clock, options);
    CHECK(ReadAll(*store).size() == 1);
    // Its old number is not given to another series, nor its samples.
    add(*store, old_labels, clock.Now());
    CHECK(ReadAll(*store).at("old").size() == 1);
  }
  CHECK(ReadAll(*OpenStore(disk, clock, options)).size() == 2);
}

TEST_CASE("Checkpoints keep the log short by themselves", "[tsdb]") {
  MemoryDisk disk;
  StoreClock clock;
  StoreOptions options;
  options.checkpoint_bytes = 20'000;
  options.wal.segment_bytes = 2000;
  Writer writer(9);
  Ledger ledger;
  {
    const auto store = OpenStore(disk, clock, options);
    for (int i = 0; i < 1500; ++i) {
      REQUIRE(writer.WriteBatch(*store, ledger));
      clock.Pass(std::chrono::seconds(1));
      store->Maintain();
    }
    CHECK(store->status().checkpoints > 2);
    const std::uint64_t newest = store->status().checkpoint_bytes;
    CHECK(disk.used_bytes() < newest + std::max(options.checkpoint_bytes, newest / 2) + 10'000);
  }
  const auto store = OpenStore(disk, clock, options);
  CHECK(ReadAll(*store) == ledger.All());
  // A start alone is no reason for another one.
  clock.Pass(std::chrono::seconds(1));
  store->Maintain();
  CHECK(store->status().checkpoints == 0);
}

TEST_CASE("A spoilt segment costs its samples, and series can be told anew", "[tsdb]") {
  std::mt19937_64 random(11);
  for (int round = 0; round < test::Many(40) + 5; ++round) {
    MemoryDisk disk;
    const StoreClock clock;
    StoreOptions options;
    options.wal.segment_bytes = 1500;
    Writer writer(random());
    Ledger ledger;
    {
      const auto store = OpenStore(disk, clock, options);
      for (int i = 0; i < 60; ++i) {
        REQUIRE(writer.WriteBatch(*store, ledger));
        REQUIRE(store->Sync());
      }
    }
    const auto files = ListWal(disk, kWalFolder);
    REQUIRE(files);
    REQUIRE(files->segments.size() > 3);
    const std::string victim =
        SegmentPath(kWalFolder, files->segments[random() % (files->segments.size() - 1)]);
    disk.FlipBit(victim, random() % (disk.Content(victim).size() * 8));
    Content content;
    {
      const auto store = OpenStore(disk, clock, options);
      CHECK(store->status().replay.problem_count > 0);
      content = ReadAll(*store);
      const Content all = ledger.All();
      for (const auto& [labels, rows] : content) {
        REQUIRE(all.contains(labels));
        CHECK(std::ranges::includes(all.at(labels), rows));
      }
      writer.Forget(all);
      Ledger after;
      for (int i = 0; i < 20; ++i) REQUIRE(writer.WriteBatch(*store, after));
      for (const auto& [labels, rows] : after.All()) {
        std::vector<Row>& known = content[labels];
        known.insert(known.end(), rows.begin(), rows.end());
      }
      REQUIRE(ReadAll(*store) == content);
      if (round % 2 == 0) REQUIRE(store->WriteCheckpoint());
    }
    REQUIRE(ReadAll(*OpenStore(disk, clock, options)) == content);
  }
}

TEST_CASE("A store of an unknown version is refused and left alone", "[tsdb]") {
  MemoryDisk disk;
  const StoreClock clock;
  Writer writer(2);
  Ledger ledger;
  {
    const auto store = OpenStore(disk, clock);
    REQUIRE(writer.WriteBatch(*store, ledger));
  }
  const std::string path = SegmentPath(kWalFolder, 1);
  std::string content = disk.Content(path);
  ++content[7];
  disk.SetContent(path, content);
  const auto store = Store::Open(disk, {}, clock, Logger::Silent());
  REQUIRE_FALSE(store);
  CHECK(store.error().kind() == ErrorKind::kInvalid);
  CHECK(store.error().message().find(path) != std::string::npos);
  CHECK(disk.Content(path) == content);
}

}  // namespace
}  // namespace skep::tsdb

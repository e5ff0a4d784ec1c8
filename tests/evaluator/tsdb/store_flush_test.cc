// When samples leave memory.
#include "store_rig.h"

namespace skep::tsdb {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::MemoryDisk;

class FlushRig {
 public:
  explicit FlushRig(UpkeepOptions upkeep) {
    clock.PassToMidnight();
    StoreOptions options;
    options.upkeep = upkeep;
    store = OpenStore(disk, clock, options);
  }

  // A batch of all series at a time.
  void Append(Timestamp time) {
    const auto appender = store->NewAppender();
    for (int i = first; i < first + kSeries; ++i) {
      storage::SeriesRef ref = 0;
      const Labels labels{{"__name__", "m"}, {"i", std::to_string(i)}};
      REQUIRE(appender->Append(ref, labels, {time, 1.0}) == storage::AppendOutcome::kAccepted);
    }
    REQUIRE(appender->Commit());
  }
  // So much time with a batch each `interval`.
  void Live(Duration interval, Duration time) {
    for (Duration passed{}; passed < time; passed += interval) {
      Append(clock.Now());
      clock.Pass(interval);
      store->TendBlocks();
    }
  }
  std::uint64_t flushes() const { return store->status().upkeep.flushed_blocks; }
  std::uint64_t in_memory() const { return store->head().Status(1).samples; }

  static constexpr int kSeries = 3;
  int first = 0;  // of the series that are alive
  MemoryDisk disk;
  StoreClock clock;
  std::unique_ptr<Store> store;
};

}  // namespace

TEST_CASE("A block is written once it has many samples of a series", "[tsdb]") {
  FlushRig rig({.dense_samples = 100});
  SECTION("half a span has many") {
    rig.Live(seconds(5), hours(1));
    CHECK(rig.flushes() == 5);
    rig.Live(seconds(5), hours(2));
    CHECK(rig.flushes() == 5 + 12);
    // What is ten minutes old at most when it is flushed, and the ten minutes until then.
    CHECK(rig.in_memory() <= 3U * 240);
  }
  SECTION("a span has") {
    rig.Live(seconds(10), hours(1));
    CHECK(rig.flushes() == 2);
    rig.Live(seconds(10), hours(2));
    CHECK(rig.flushes() == 2 + 6);
    CHECK(rig.in_memory() <= 3U * 180);
  }
  SECTION("it has few: three of them") {
    rig.Live(seconds(15), hours(1));
    const std::uint64_t first = rig.flushes();
    CHECK(first == 0);
    rig.Live(seconds(15), hours(6));
    CHECK(rig.flushes() == first + 6);
    CHECK(rig.in_memory() <= 3U * 280);
    // All that was flushed stands in blocks of hours.
    rig.Live(seconds(15), minutes(11));
    CHECK(rig.in_memory() <= 3U * 4 * 12);
  }
  SECTION("it has few, and many series are new") {
    for (int round = 0; round < 12; ++round) {
      rig.Live(seconds(15), minutes(30));
      rig.first += FlushRig::kSeries;
    }
    rig.Live(seconds(15), minutes(10));
    CHECK(rig.flushes() == 18);
  }
}

TEST_CASE("Late samples are flushed when they are many, or once no more come", "[tsdb]") {
  FlushRig rig({.flush_late_samples = 300, .flush_late_rest = 60});
  rig.store->TendBlocks();
  Timestamp time = rig.clock.Now() - hours(5);
  const auto late = [&](int batches) {
    for (int i = 0; i < batches; ++i) rig.Append(time += seconds(5));
    rig.clock.Pass(seconds(1));
    rig.store->TendBlocks();
  };
  late(90);
  CHECK(rig.flushes() == 0);
  late(5);
  CHECK(rig.flushes() == 0);
  late(10);  // 315 samples
  CHECK(rig.flushes() == 1);
  CHECK(rig.in_memory() == 0);
  late(19);
  late(0);  // 57
  CHECK(rig.flushes() == 1);
  late(1);  // 60, but one came just now
  CHECK(rig.flushes() == 1);
  rig.store->TendBlocks();
  CHECK(rig.flushes() == 2);
  CHECK(rig.in_memory() == 0);
  late(0);
  CHECK(rig.flushes() == 2);
}

TEST_CASE("Whoever tends blocks is told when samples have left memory", "[tsdb]") {
  FlushRig rig({});
  rig.store->TendBlocks();
  rig.Append(rig.clock.Now());
  CHECK_FALSE(rig.store->TendBlocks());
  rig.clock.Pass(minutes(31));
  CHECK(rig.store->TendBlocks());
  CHECK_FALSE(rig.store->TendBlocks());
  // Not while somebody reads who does not see the block.
  rig.Append(rig.clock.Now());
  auto querier = rig.store->NewQuerier({});
  REQUIRE(querier);
  rig.clock.Pass(minutes(31));
  CHECK_FALSE(rig.store->TendBlocks());
  querier->reset();
  CHECK(rig.store->TendBlocks());
}

}  // namespace skep::tsdb

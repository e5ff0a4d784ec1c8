// What upkeep does where something is in its way.
#include "store_rig.h"

namespace skep::tsdb {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using test::MemoryDisk;

class UpkeepRig {
 public:
  explicit UpkeepRig(StoreOptions options = {}) : options_(std::move(options)) {
    clock.PassToMidnight();
    Open();
  }
  void Open() {
    store.reset();
    store = OpenStore(disk, clock, options_);
  }
  void Append(std::string_view name, Timestamp time, double value) {
    const auto appender = store->NewAppender();
    storage::SeriesRef ref = 0;
    REQUIRE(appender->Append(ref, Labels{{"__name__", name}}, {time, value}) ==
            storage::AppendOutcome::kAccepted);
    REQUIRE(appender->Commit());
  }
  // Later than what it may wait for.
  void Tend() {
    clock.Pass(minutes(2));
    store->TendBlocks();
  }
  // One flush of what is there.
  void Flush() {
    clock.Pass(minutes(40));
    store->TendBlocks();
  }
  std::vector<std::string> Files(const std::string& folder) const {
    std::vector<std::string> names;
    const auto entries = disk.List(folder);
    REQUIRE(entries);
    for (const DiskEntry& entry : *entries) names.push_back(entry.name);
    return names;
  }
  // The values of a series.
  std::vector<double> Read(std::string_view name) {
    std::vector<double> values;
    const Content content = ReadAll(*store);
    const auto found = content.find(std::string(name));
    if (found == content.end()) return values;
    for (const Row& row : found->second) {
      values.push_back(std::bit_cast<double>(std::stoull(std::get<2>(row))));
    }
    return values;
  }
  Status Delete(std::string_view name) {
    const std::vector<Matcher> matchers = {
        Matcher::Create(MatchType::kEqual, "__name__", std::string(name)).value()};
    return store->Delete(matchers, {});
  }

  MemoryDisk disk;
  StoreClock clock;
  std::unique_ptr<Store> store;

 private:
  const StoreOptions options_;
};

// Of the series m, whose value is 1.
std::string BlockOfOldSample() {
  UpkeepRig rig;
  rig.Append("m", rig.clock.Now() - hours(30), 1);
  rig.Flush();
  return rig.disk.Content("blocks/00000001.block");
}

}  // namespace

TEST_CASE("A block that is written anew stays older than those that came after it", "[tsdb]") {
  UpkeepRig rig;
  const Timestamp time = rig.clock.Now() - hours(30);
  rig.Append("m", time, 1);
  rig.Append("other", time, 1);
  rig.Flush();
  rig.Append("m", time, 2);
  rig.Flush();
  REQUIRE(rig.Read("m") == std::vector<double>{2});
  REQUIRE(rig.Delete("other"));
  REQUIRE(rig.store->CleanTombstones());
  CHECK(rig.Read("m") == std::vector<double>{2});
  CHECK(rig.Read("other").empty());
  rig.Open();
  CHECK(rig.Read("m") == std::vector<double>{2});
  CHECK(rig.Read("other").empty());
}

TEST_CASE("The folder of a Prometheus is refused, and nothing in it changes", "[tsdb]") {
  MemoryDisk disk;
  REQUIRE(disk.MakeFolder("chunks_head"));
  REQUIRE(disk.MakeFolder("wal"));
  REQUIRE(disk.Create("wal/00000003"));
  disk.SetContent("wal/00000003", std::string(1000, '\1'));
  const StoreClock clock;
  const auto store = Store::Open(disk, {}, clock, Logger::Silent());
  REQUIRE_FALSE(store);
  CHECK_THAT(store.error().message(), Catch::Contains("Prometheus"));
  CHECK(disk.List("")->size() == 2);
  CHECK(disk.List("wal")->size() == 1);
  CHECK(disk.Content("wal/00000003").size() == 1000);
}

TEST_CASE("A query that is asked again finds the series of a block that was written anew",
          "[tsdb]") {
  UpkeepRig rig;
  for (const std::string name : {"a", "b", "c"}) rig.Append(name, rig.clock.Now() - hours(30), 1);
  rig.Flush();
  const std::vector<Matcher> all = {Matcher::Create(MatchType::kRegex, "__name__", ".+").value()};
  std::unique_ptr<storage::KeptSelect> kept;
  const auto ask = [&] {
    std::vector<std::string> found;
    const auto querier = rig.store->NewQuerier({});
    REQUIRE(querier);
    const auto set = (*querier)->SelectAgain(all, {}, kept);
    REQUIRE(set);
    while ((*set)->Next()) {
      storage::SampleColumns columns;
      REQUIRE((*set)->ReadSamples(columns));
      REQUIRE(columns.size() == 1);
      found.push_back((*set)->labels().ToString());
    }
    return found;
  };
  REQUIRE(ask() == std::vector<std::string>{"a", "b", "c"});
  REQUIRE(rig.Delete("a"));
  REQUIRE(rig.store->CleanTombstones());
  CHECK(ask() == std::vector<std::string>{"b", "c"});
}

TEST_CASE("What the log still has of deleted samples does not come back", "[tsdb]") {
  UpkeepRig rig;
  // Samples leave memory by whole runs of 60.
  const Timestamp begin = rig.clock.Now() - minutes(50);
  for (int i = 0; i < 180; ++i) rig.Append("m", begin + std::chrono::seconds(i), 1);
  rig.Append("all", begin, 1);
  rig.clock.Pass(minutes(40));
  rig.Append("m", rig.clock.Now(), 2);
  rig.store->TendBlocks();
  rig.Tend();  // forgets what was flushed; no checkpoint is written, so the log has all
  REQUIRE(rig.store->status().upkeep.forgotten_flushes == 1);
  rig.Append("m", rig.clock.Now(), 3);
  const std::vector<Matcher> m = {Matcher::Create(MatchType::kEqual, "__name__", "m").value()};
  SECTION("of a series that is in memory") {
    REQUIRE(rig.store->Delete(m, {kMinTimestamp, rig.clock.Now() - minutes(60)}));
    REQUIRE(rig.Read("m") == std::vector<double>{2, 3});
    rig.Open();
    CHECK(rig.Read("m") == std::vector<double>{2, 3});
    CHECK(rig.Read("all") == std::vector<double>{1});
  }
  SECTION("of a series that has left memory, and cleaned away") {
    REQUIRE(rig.Delete("all"));
    REQUIRE(rig.store->CleanTombstones());
    REQUIRE(rig.Read("all").empty());
    rig.Open();
    CHECK(rig.Read("all").empty());
    CHECK(rig.Read("m").size() == 182);
  }
}

TEST_CASE("Cleaning away all of a block removes it", "[tsdb]") {
  UpkeepRig rig;
  rig.Append("m", rig.clock.Now() - hours(30), 1);
  rig.Flush();
  REQUIRE(rig.Delete("m"));
  REQUIRE(rig.Files("blocks") == std::vector<std::string>{"00000001.block", "00000001.tombstones"});
  REQUIRE(rig.store->CleanTombstones());
  CHECK(rig.Files("blocks").empty());
}

TEST_CASE("Retention makes the room that a full disk has not", "[tsdb]") {
  StoreOptions options;
  options.retention = hours(10);
  UpkeepRig rig(options);
  rig.Append("m", rig.clock.Now() - hours(9), 1);
  rig.Flush();
  REQUIRE(rig.store->status().blocks == 1);
  rig.Append("m", rig.clock.Now(), 2);
  rig.disk.set_faults({.capacity_bytes = rig.disk.used_bytes()});
  rig.clock.Pass(hours(2));
  rig.store->TendBlocks();
  CHECK(rig.store->status().upkeep.dropped_blocks == 1);
  CHECK(rig.store->status().blocks == 1);
  CHECK(rig.store->status().problem == "");
  CHECK(rig.Read("m") == std::vector<double>{2});
}

TEST_CASE("A flush that fails half way leaves no block behind", "[tsdb]") {
  UpkeepRig rig;
  const Timestamp begin = rig.clock.Now() - hours(20);
  std::vector<double> values;
  for (int i = 0; i < 400; ++i) {
    values.push_back(i * 1.1);
    rig.Append("m", begin + minutes(3) * i, values.back());
  }
  // Some of the ten spans have room.
  rig.disk.set_faults({.capacity_bytes = rig.disk.used_bytes() + 1500});
  rig.Flush();
  CHECK(rig.store->status().problem != "");
  CHECK(rig.store->status().blocks == 0);
  CHECK(rig.Files("blocks").empty());
  rig.disk.set_faults({});
  rig.Tend();
  CHECK(rig.store->status().problem == "");
  CHECK(rig.store->status().blocks == rig.Files("blocks").size());
  CHECK(rig.Read("m") == values);
  REQUIRE(rig.Delete("m"));
  REQUIRE(rig.store->CleanTombstones());
  rig.Open();
  CHECK(rig.Read("m").empty());
}

TEST_CASE("What is odd in the inbox holds nothing up", "[tsdb]") {
  UpkeepRig rig;
  rig.store->TendBlocks();
  REQUIRE(rig.disk.MakeFolder("inbox/x.block"));
  rig.Append("m", rig.clock.Now(), 1);
  rig.Flush();
  CHECK(rig.store->status().blocks == 1);
  CHECK(rig.store->status().problem == "");
  CHECK(rig.Files("inbox").size() == 1);
}

TEST_CASE("A checkpoint that a full disk ends gives its room back", "[tsdb]") {
  StoreOptions options;
  options.checkpoint_bytes = 1;
  UpkeepRig rig(options);
  for (int i = 0; i < 50; ++i) rig.Append("m" + std::to_string(i), rig.clock.Now(), i);
  const std::uint64_t used = rig.disk.used_bytes();
  rig.disk.set_faults({.capacity_bytes = used + 100});
  rig.store->Maintain();
  CHECK(rig.store->status().failed_checkpoints == 1);
  CHECK(rig.disk.used_bytes() < used + 100);
  for (const std::string& name : rig.Files("wal")) CHECK_FALSE(name.ends_with(".tmp"));
  rig.disk.set_faults({});
  rig.clock.Pass(minutes(2));
  rig.store->Maintain();
  CHECK(rig.store->status().problem == "");
  CHECK(rig.store->status().checkpoints == 1);
}

TEST_CASE("A snapshot that a start finds unfinished goes", "[tsdb]") {
  UpkeepRig rig;
  REQUIRE(rig.disk.MakeFolder("snapshots/one/blocks"));
  REQUIRE(rig.disk.MakeFolder("snapshots/two.tmp/blocks"));
  REQUIRE(rig.disk.Create("snapshots/two.tmp/blocks/00000001.block"));
  rig.Open();
  CHECK(rig.Files("snapshots") == std::vector<std::string>{"one"});
}

TEST_CASE("What waits in the inbox at a start is there for the first query", "[tsdb]") {
  const std::string bytes = BlockOfOldSample();
  UpkeepRig other;
  other.store.reset();
  REQUIRE(other.disk.MakeFolder("inbox"));
  for (const std::string path : {"inbox/a.block", "inbox/b.block"}) {
    REQUIRE(other.disk.Create(path));
    other.disk.SetContent(path, bytes);
  }
  other.disk.FlipBit("inbox/b.block", 8 * (bytes.size() / 3));
  other.Open();
  CHECK(other.Read("m") == std::vector<double>{1});
  CHECK(other.store->status().upkeep.adopted_blocks == 1);
  CHECK(other.Files("inbox") == std::vector<std::string>{"b.block.refused"});
}

TEST_CASE("A block that cannot be taken from the inbox waits there", "[tsdb]") {
  const std::string bytes = BlockOfOldSample();
  UpkeepRig other;
  REQUIRE(other.disk.MakeFolder("inbox"));
  REQUIRE(other.disk.Create("inbox/a.block"));
  other.disk.SetContent("inbox/a.block", bytes);
  other.disk.set_faults({.syncs_fail = true});
  other.Tend();
  CHECK(other.Files("inbox") == std::vector<std::string>{"a.block"});
  other.disk.set_faults({});
  other.Tend();
  CHECK(other.Files("inbox").empty());
  CHECK(other.Read("m") == std::vector<double>{1});
}

TEST_CASE("Files that somebody else removed are gone as well", "[tsdb]") {
  UpkeepRig rig;
  for (const int hour : {30, 50}) {
    rig.Append("m", rig.clock.Now() - hours(hour), hour);
    rig.Append("n" + std::to_string(hour), rig.clock.Now() - hours(hour), hour);
    rig.Flush();
  }
  REQUIRE(rig.Delete("m"));
  REQUIRE(rig.disk.Remove(BlockPath(1)));
  CHECK(rig.store->CleanTombstones());
  CHECK(rig.store->status().problem == "");
  CHECK(rig.Read("n30") == std::vector<double>{30});
}

TEST_CASE("A snapshot that fails leaves nothing that looks like one", "[tsdb]") {
  UpkeepRig rig;
  rig.Append("m", rig.clock.Now() - hours(30), 1);
  rig.Flush();
  rig.Append("m", rig.clock.Now(), 2);
  rig.disk.set_faults({.capacity_bytes = rig.disk.used_bytes()});
  CHECK_FALSE(rig.store->Snapshot(Store::Copied::kAll));
  CHECK(rig.Files("snapshots").empty());
  rig.disk.set_faults({});
  const auto name = rig.store->Snapshot(Store::Copied::kAll);
  REQUIRE(name);
  CHECK(rig.Files("snapshots") == std::vector<std::string>{*name});
  CHECK(rig.Files("snapshots/" + *name + "/blocks").size() == 2);
}

}  // namespace skep::tsdb

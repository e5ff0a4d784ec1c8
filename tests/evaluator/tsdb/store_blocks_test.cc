// Samples on their way from memory into blocks, and what becomes of blocks.
#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "evaluator/tsdb/block_folder.h"
#include "evaluator/tsdb/write_block.h"
#include "living_store.h"
#include "tests/support/many.h"

namespace skep::tsdb {
namespace {

using Rig = LivingStore;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::MemoryDisk;

TEST_CASE("Samples are the same in memory, in blocks and in merged blocks", "[tsdb]") {
  // Blocks of spans, and of some spans together.
  const bool has_few = GENERATE(false, true);
  Rig rig(1, has_few ? StoreOptions() : Rig::BlocksOfSpans());
  for (int i = 0; i < 18; ++i) {
    rig.Minutes(17);
    REQUIRE(ReadAll(*rig.store) == rig.ledger.All());
    if (i % 4 == 3) rig.Open();
    REQUIRE(ReadAll(*rig.store) == rig.ledger.All());
  }
  CHECK(rig.counters().failures == 0);
  CHECK(rig.store->status().blocks > (has_few ? 1 : 2));
  CHECK(rig.store->status().blocks < 9);  // merged
  // Half an hour, and the span that is being waited for, at most.
  CHECK(rig.HeadSamples() < 12U * 4 * (has_few ? 92 : 52));
  CHECK(rig.store->status().problem == "");
}

TEST_CASE("After a power cut nothing that was synced is missing, whatever was being written",
          "[tsdb]") {
  std::mt19937_64 random(5);
  for (int round = 0; round < test::Many(20) + 2; ++round) {
    CAPTURE(round);
    Rig rig(random());
    for (int run = 0; run < 4; ++run) {
      rig.Minutes(static_cast<int>(rig.Below(70)));
      REQUIRE(rig.Scrape());
      REQUIRE(rig.store->Sync());
      rig.clock.Pass(seconds(1) + minutes(rig.Below(30)));
      rig.store->TendBlocks();
      if (rig.Below(2) == 0) rig.store->Maintain();
      rig.disk.PowerCut(random);
      rig.Open();
      REQUIRE(ReadAll(*rig.store) == rig.ledger.All());
    }
  }
}

TEST_CASE("A reader keeps its state while samples go to blocks and blocks are merged", "[tsdb]") {
  StoreOptions options;
  options.upkeep.reader_patience = hours(2);
  Rig rig(3, options);
  rig.Minutes(29);
  const auto querier = rig.store->NewQuerier({});
  const std::vector<Matcher> all = {Matcher::Create(MatchType::kRegex, "__name__", ".+").value()};
  auto set = (*querier)->Select(all, {});
  const Content before = rig.ledger.All();
  const std::uint64_t flushes = rig.counters().flushes;
  rig.Minutes(60);
  CHECK(rig.counters().flushes == flushes + 1);  // the next one waits for the reader
  Content seen;
  while ((*set)->Next()) {
    storage::SampleColumns columns;
    REQUIRE((*set)->ReadSamples(columns));
    const std::size_t known = before.contains((*set)->labels().ToString())
                                  ? before.at((*set)->labels().ToString()).size()
                                  : 0;
    CHECK(columns.size() + columns.histograms.size() == known);
  }
  CHECK(rig.HeadSamples() > 12U * 4 * 60);
  set->reset();
  const_cast<std::unique_ptr<storage::Querier>&>(*querier).reset();
  rig.Minutes(2);
  CHECK(rig.HeadSamples() < 12U * 4 * 52);
  CHECK(ReadAll(*rig.store) == rig.ledger.All());
}

TEST_CASE("A reader that never ends fails in the end, and memory goes without it", "[tsdb]") {
  Rig rig(31);
  rig.Minutes(25);
  const auto querier = rig.store->NewQuerier({});
  REQUIRE(querier);
  const std::vector<Matcher> all = {Matcher::Create(MatchType::kRegex, "__name__", ".+").value()};
  const auto set = (*querier)->Select(all, {});
  REQUIRE((*set)->Next());
  storage::SampleColumns columns;
  while (rig.counters().flushes == 0) {
    REQUIRE((*set)->ReadSamples(columns));
    rig.Minute();
  }
  rig.Minutes(8);
  CHECK((*set)->ReadSamples(columns));
  CHECK(rig.counters().expiries == 0);
  rig.Minutes(4);
  CHECK(rig.counters().expiries == 1);
  columns.clear();
  const Status read = (*set)->ReadSamples(columns);
  REQUIRE_FALSE(read);
  CHECK(read.error().kind() == ErrorKind::kTimeout);
  CHECK(columns.empty());
  CHECK_FALSE((*querier)->Select(all, {}));
  CHECK_FALSE((*querier)->LabelNames(all));
  CHECK_FALSE((*querier)->LabelValues("i", all));
  // Whoever failed is waited for no more.
  rig.Minutes(100);
  CHECK(rig.HeadSamples() < 12U * 4 * 52);
  CHECK(rig.counters().flushes > 4);
  CHECK(rig.counters().expiries == 1);
  CHECK(ReadAll(*rig.store) == rig.ledger.All());
}

// What slots have stood for since the generation began.
struct SlotLedger {
  std::uint64_t generation = 0;
  std::map<std::uint32_t, std::string> slots;
  std::size_t met_again = 0;  // slots of earlier answers

  void Note(std::uint64_t now, std::uint32_t slot, const std::string& labels) {
    if (now != generation) slots.clear();
    REQUIRE(now >= generation);
    generation = now;
    const auto [known, is_new] = slots.emplace(slot, labels);
    if (!is_new) ++met_again;
    CHECK(known->second == labels);
  }
};

// Labels that are asked for later, or never, are those of the walk.
void CheckPlaces(const storage::SeriesSet& set,
                 const std::map<std::uint32_t, std::string>& places) {
  for (const auto& [place, labels] : places) {
    CHECK(set.CopyLabels(place).ToString() == labels);
    CHECK(set.LabelsAt(place).ToString() == labels);
    CHECK(&set.LabelsAt(place) == &set.LabelsAt(place));
  }
}

// What both ways give for the newest minutes.
void CompareSelects(Rig& rig, std::unique_ptr<storage::KeptSelect>& kept, Duration back,
                    SlotLedger& ledger) {
  const storage::TimeRange range{rig.clock.Now() - back, rig.clock.Now()};
  const std::vector<Matcher> some = {
      Matcher::Create(MatchType::kRegex, "i", "[0-9]*[13579]").value()};
  const auto querier = rig.store->NewQuerier(range);
  auto plain = (*querier)->Select(some, range);
  auto again = (*querier)->SelectAgain(some, range, kept);
  REQUIRE(plain);
  REQUIRE(again);
  std::map<std::string, storage::SampleColumns> a, b;
  std::map<std::uint32_t, std::string> slots, places;
  const auto read = [](storage::SeriesSet& set, auto& out) {
    while (set.Next()) REQUIRE(set.ReadSamples(out[set.labels().ToString()]));
    std::erase_if(out, [](const auto& one) { return one.second.empty(); });
  };
  read(**plain, a);
  while ((*again)->Next()) {
    const std::string labels = (*again)->labels().ToString();
    REQUIRE((*again)->ReadSamples(b[labels]));
    REQUIRE((*again)->slot() != 0);
    CHECK(slots.emplace((*again)->slot(), labels).second);
    ledger.Note(kept->generation(), (*again)->slot(), labels);
    REQUIRE((*again)->place() != storage::SeriesSet::kNoPlace);
    CHECK(places.emplace((*again)->place(), labels).second);
  }
  CheckPlaces(**again, places);
  std::erase_if(b, [](const auto& one) { return one.second.empty(); });
  REQUIRE(a.size() == b.size());
  for (const auto& [labels, columns] : a) {
    REQUIRE(b.contains(labels));
    CHECK(columns.times == b[labels].times);
    CHECK(columns.histograms.times == b[labels].histograms.times);
  }
}

TEST_CASE("A select that comes again sees blocks as a new one does", "[tsdb]") {
  Rig rig(4);
  std::unique_ptr<storage::KeptSelect> kept;
  SlotLedger ledger;
  for (int i = 0; i < 200; ++i) {
    rig.Minute();
    CompareSelects(rig, kept, minutes(100), ledger);
    // Now and then nothing but memory, and then the blocks again.
    if (i % 16 == 0) CompareSelects(rig, kept, minutes(1), ledger);
  }
  CHECK(rig.counters().merges > 0);
  CHECK(ledger.met_again > 200);
}

TEST_CASE("What a select keeps of blocks is counted until it is gone", "[tsdb]") {
  Rig rig(5);
  rig.Minutes(100);
  const auto counted = [&rig] { return rig.store->head().MeasureMemory().kept_selects; };
  SlotLedger ledger;
  std::unique_ptr<storage::KeptSelect> of_memory, of_all;
  CompareSelects(rig, of_memory, minutes(1), ledger);
  const auto before = counted();
  ledger = {};
  CompareSelects(rig, of_all, minutes(100), ledger);
  CHECK(counted() > before);
  of_all.reset();
  CHECK(counted() == before);
  of_memory.reset();
  CHECK(counted() == 0);
}

TEST_CASE("Samples out of order are taken within their window, and are there after all", "[tsdb]") {
  Rig rig(6);
  rig.store->SetOutOfOrderWindow(hours(1));
  for (int i = 0; i < 200; ++i) {
    rig.Minute();
    const auto appender = rig.store->NewAppender();
    const Timestamp late =
        rig.clock.Now() - minutes(1 + rig.Below(50)) - Duration(1 + rig.Below(9));
    rig.Offer(*appender, Rig::Name(rig.Below(8)), late);
    REQUIRE(rig.Commit(*appender));
    if (i % 20 == 0) REQUIRE(ReadAll(*rig.store) == rig.ledger.All());
    if (i % 50 == 49) {
      CHECK(rig.store->head().counters().samples_late > 5);
      rig.Open();
      rig.store->SetOutOfOrderWindow(hours(1));
    }
  }
  CHECK(ReadAll(*rig.store) == rig.ledger.All());

  // Twice: the first one stays, and the other is counted.
  const auto appender = rig.store->NewAppender();
  storage::SeriesRef ref = 0;
  const auto duplicates = [&] { return rig.store->head().counters().samples_duplicate; };
  const std::uint64_t before = duplicates();
  const Sample twice{rig.clock.Now() - minutes(50) + Duration(17), 1};
  REQUIRE(appender->Append(ref, Rig::Name(0), twice) == storage::AppendOutcome::kAccepted);
  REQUIRE(appender->Commit());
  CHECK(duplicates() == before);
  REQUIRE(appender->Append(ref, Rig::Name(0), {twice.time, 2}) ==
          storage::AppendOutcome::kAccepted);
  REQUIRE(appender->Commit());
  CHECK(duplicates() == before + 1);

  // Older than the window.
  CHECK(appender->Append(ref, Rig::Name(0), {rig.clock.Now() - minutes(63), 1}) ==
        storage::AppendOutcome::kOutOfOrder);
  // Without one.
  rig.store->SetOutOfOrderWindow({});
  CHECK(appender->Append(ref, Rig::Name(0), {rig.clock.Now() - minutes(2), 1}) ==
        storage::AppendOutcome::kOutOfOrder);
}

// As the ledger, without what is deleted.
void Erase(Content& content, const std::string& labels, Timestamp from, Timestamp to) {
  std::erase_if(content[labels], [&](const Row& row) {
    return ToMillis(from) <= std::get<0>(row) && std::get<0>(row) <= ToMillis(to);
  });
  if (content[labels].empty()) content.erase(labels);
}

TEST_CASE("What is deleted is gone from memory and blocks, and stays so", "[tsdb]") {
  Rig rig(7);
  rig.Minutes(200);
  Content wanted = rig.ledger.All();
  const std::vector<Matcher> one = {Matcher::Create(MatchType::kEqual, "i", "1").value()};
  const std::vector<Matcher> two = {Matcher::Create(MatchType::kEqual, "i", "2").value()};
  const Timestamp now = rig.clock.Now();
  const auto text = [](std::uint64_t series) { return Rig::Name(series).ToString(); };
  REQUIRE(rig.store->Delete(one, {now - minutes(150), now - minutes(5)}));
  Erase(wanted, text(1), now - minutes(150), now - minutes(5));
  REQUIRE(rig.store->Delete(two, {}));
  Erase(wanted, text(2), kMinTimestamp, now);
  CHECK(ReadAll(*rig.store) == wanted);
  rig.Open();
  CHECK(ReadAll(*rig.store) == wanted);

  SECTION("they leave the disk when tombstones are cleaned") {
    const std::uint64_t before = rig.store->status().block_samples;
    REQUIRE(rig.store->CleanTombstones());
    CHECK(rig.store->status().block_samples < before);
    const BlockListPtr list = rig.store->blocks();
    for (const LiveBlock& block : *list) CHECK(block.deleted == nullptr);
    CHECK(ReadAll(*rig.store) == wanted);
    rig.Open();
    CHECK(ReadAll(*rig.store) == wanted);
  }
  SECTION("samples that come later are not meant") {
    const std::size_t commits = rig.ledger.commits();
    rig.Minutes(30);
    Content since = rig.ledger.All();
    for (const auto& [labels, rows] : rig.ledger.At(commits)) {
      auto& all = since[labels];
      std::erase_if(all, [&rows](const Row& row) { return std::ranges::binary_search(rows, row); });
    }
    for (auto& [labels, rows] : since) {
      wanted[labels].insert(wanted[labels].end(), rows.begin(), rows.end());
    }
    std::erase_if(wanted, [](const auto& entry) { return entry.second.empty(); });
    CHECK(ReadAll(*rig.store) == wanted);
    rig.Open();
    CHECK(ReadAll(*rig.store) == wanted);
  }
}

TEST_CASE("Blocks in the inbox are taken in, damaged ones are put aside", "[tsdb]") {
  Rig other(8);
  other.Minutes(30);
  Rig rig(9);
  rig.Minutes(1);
  REQUIRE(rig.disk.MakeFolder(kInboxFolder));
  const auto querier = other.store->NewQuerier({});
  REQUIRE(WriteBlock(other.disk, "a.block", **querier, {}));
  const std::string bytes = other.disk.Content("a.block");
  for (const std::string name : {"inbox/good.block", "inbox/bad.block", "inbox/note.txt"}) {
    REQUIRE(rig.disk.Create(name));
    rig.disk.SetContent(name, bytes);
  }
  rig.disk.FlipBit("inbox/bad.block", 8 * (bytes.size() / 3));
  rig.clock.Pass(seconds(15));
  rig.store->TendBlocks();
  CHECK(rig.counters().adopted_blocks == 1);
  CHECK(rig.counters().refused_blocks == 1);
  CHECK(rig.disk.Content("inbox/bad.block.refused").size() == bytes.size());
  CHECK(rig.disk.Content("inbox/note.txt") == bytes);
  CHECK(rig.store->status().problem == "");
  // Both wrote the same series at the same times, and the later block wins but for the head's.
  CHECK(rig.store->status().blocks == 1);
  Content wanted = other.ledger.All();
  for (const auto& [labels, rows] : rig.ledger.All()) {
    for (const Row& row : rows) {
      std::erase_if(wanted[labels],
                    [&](const Row& old) { return std::get<0>(old) == std::get<0>(row); });
      wanted[labels].push_back(row);
    }
    std::ranges::sort(wanted[labels]);
  }
  CHECK(ReadAll(*rig.store) == wanted);
}

TEST_CASE("Retention drops whole blocks by age and by size", "[tsdb]") {
  StoreOptions options;
  SECTION("by age") {
    options.retention = hours(4);
    Rig rig(10, options);
    rig.Minutes(9 * 60);
    CHECK(rig.counters().dropped_blocks >= 2);
    const Timestamp oldest = *rig.store->status().oldest;
    CHECK(oldest < rig.clock.Now() - hours(4) + minutes(121));
    CHECK(oldest > rig.clock.Now() - hours(4) - minutes(121));
  }
  SECTION("by size") {
    options.retention = {};
    options.upkeep.most_bytes = 30'000;
    Rig rig(10, options);
    rig.Minutes(9 * 60);
    CHECK(rig.counters().dropped_blocks >= 1);
    CHECK(rig.store->status().block_bytes <= 30'000);
    CHECK(rig.store->status().blocks > 0);
  }
}

TEST_CASE("A disk that is full while a block is written loses nothing and goes on later",
          "[tsdb]") {
  Rig rig(11);
  rig.Minutes(29);
  rig.disk.set_faults({.capacity_bytes = rig.disk.used_bytes() + 500});
  rig.clock.Pass(minutes(5));
  rig.store->TendBlocks();
  CHECK(rig.store->status().problem != "");
  CHECK(rig.store->status().blocks == 0);
  CHECK(ReadAll(*rig.store) == rig.ledger.All());
  rig.disk.set_faults({});
  rig.clock.Pass(minutes(2));
  rig.store->TendBlocks();
  CHECK(rig.store->status().problem == "");
  CHECK(rig.store->status().blocks == 1);
  CHECK(ReadAll(*rig.store) == rig.ledger.All());
}

TEST_CASE("A damaged block is left out, one of another version refused", "[tsdb]") {
  Rig rig(12);
  rig.Minutes(60);
  REQUIRE(rig.store->status().blocks == 2);
  rig.store.reset();
  const std::string path = BlockPath(1);
  SECTION("damaged") {
    rig.disk.FlipBit(path, 8 * (rig.disk.Content(path).size() - 5));
    rig.Open();
    CHECK(rig.store->status().blocks == 1);
    CHECK(rig.store->status().damaged_blocks == 1);
    CHECK(!rig.disk.Content(path).empty());
  }
  SECTION("another version") {
    std::string bytes = rig.disk.Content(path);
    bytes[7] = 9;
    rig.disk.SetContent(path, bytes);
    const auto store = Store::Open(rig.disk, {}, rig.clock, Logger::Silent());
    REQUIRE_FALSE(store);
    CHECK_THAT(store.error().message(), Catch::Contains(path));
  }
}

TEST_CASE("A snapshot is a store with the same samples", "[tsdb]") {
  Rig rig(13);
  rig.Minutes(150);
  const std::vector<Matcher> one = {Matcher::Create(MatchType::kEqual, "i", "1").value()};
  REQUIRE(rig.store->Delete(one, {}));
  const Result<std::string> name = rig.store->Snapshot(Store::Copied::kAll);
  REQUIRE(name);
  CHECK(name->size() == std::string("20241004T000000Z-0123456789abcdef").size());
  const Content wanted = ReadAll(*rig.store);
  rig.Minutes(100);
  MemoryDisk copy;
  REQUIRE(copy.MakeFolder(kBlockFolder));
  const std::string folder = "snapshots/" + *name + "/";
  const auto entries = rig.disk.List(folder + kBlockFolder);
  REQUIRE(entries);
  for (const DiskEntry& entry : *entries) {
    const std::string path = std::string(kBlockFolder) + "/" + entry.name;
    REQUIRE(copy.Create(path));
    copy.SetContent(path, rig.disk.Content(folder + path));
  }
  CHECK(ReadAll(*OpenStore(copy, rig.clock)) == wanted);
}

}  // namespace
}  // namespace skep::tsdb

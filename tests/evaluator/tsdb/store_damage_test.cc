// A store with a block in which bytes were flipped.
#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "evaluator/tsdb/block_folder.h"
#include "evaluator/tsdb/block_format.h"
#include "living_store.h"

namespace skep::tsdb {
namespace {

using std::chrono::minutes;

// A store with four blocks of 20 minutes; in the second of them the last chunk, which stands before
// the index, is damaged.
class Fixture {
 public:
  Fixture() : rig(21) {
    rig.Minutes(105);
    REQUIRE(rig.store->status().blocks == 4);
    span = (*rig.store->blocks())[1].span();
    rig.store.reset();
    const std::string bytes = rig.disk.Content(path);
    rig.disk.FlipBit(path, 8 * (DecodeFooter(bytes, path)->index_offset - 1));
    rig.Open();
  }

  // Reads all series, and gives the errors; the others must have what was stored.
  std::vector<std::string> Errors(storage::TimeRange range) {
    std::vector<std::string> errors;
    const Content wanted = rig.ledger.All();
    const auto querier = rig.store->NewQuerier(range);
    auto set = (*querier)->Select({}, range);
    REQUIRE(set);
    while ((*set)->Next()) {
      storage::SampleColumns samples;
      const Status read = (*set)->ReadSamples(samples);
      const std::string labels = (*set)->labels().ToString();
      if (!read) {
        CHECK(read.error().kind() == ErrorKind::kCorrupt);
        CHECK(samples.empty());
        errors.push_back(read.error().message());
      } else {
        const auto& rows = wanted.at(labels);
        REQUIRE(samples.size() + samples.histograms.size() ==
                static_cast<std::size_t>(std::ranges::count_if(rows, [&](const Row& row) {
                  const Timestamp time = FromMillis(std::get<0>(row));
                  return range.min <= time && time <= range.max;
                })));
      }
    }
    return errors;
  }

  const std::string path = BlockPath(2);
  LivingStore rig;
  storage::TimeRange span;
};

TEST_CASE("A query over a damaged chunk is told the place, all others are answered", "[tsdb]") {
  Fixture fixture;
  const std::vector<std::string> errors = fixture.Errors({});
  REQUIRE(errors.size() == 1);
  CHECK_THAT(errors[0], Catch::StartsWith(fixture.path + " at byte "));
  CHECK(fixture.Errors({kMinTimestamp, fixture.span.min - Duration(1)}).empty());
  CHECK(fixture.Errors({fixture.span.max + Duration(1), kMaxTimestamp}).empty());
  CHECK(fixture.Errors(fixture.span) == errors);
}

TEST_CASE("A damaged block is told once, and merges go on without it", "[tsdb]") {
  Fixture fixture;
  LivingStore& rig = fixture.rig;
  const std::string bytes = rig.disk.Content(fixture.path);
  bool query_first = GENERATE(false, true);
  if (query_first) {
    REQUIRE(fixture.Errors({}).size() == 1);
    rig.Minute();
    CHECK(rig.store->status().damaged_blocks == 1);
  }
  rig.Minutes(60 * 5);
  CHECK(rig.store->status().damaged_blocks == 1);
  CHECK(rig.store->status().problem == "");
  CHECK(rig.counters().failures == 0);
  CHECK(rig.counters().merges >= 2);
  REQUIRE(rig.log.size() == 1);
  CHECK_THAT(rig.log[0], Catch::Contains(fixture.path + " at byte "));
  CHECK(rig.disk.Content(fixture.path) == bytes);
  CHECK(fixture.Errors({}).size() == 1);
  // At a new start it is tried once more.
  rig.Open();
  CHECK(rig.store->status().damaged_blocks == 0);
  REQUIRE(fixture.Errors({}).size() == 1);
  rig.Minute();
  CHECK(rig.store->status().damaged_blocks == 1);
  CHECK(rig.log.size() == 2);
}

TEST_CASE("A damaged block keeps nobody from deletions, snapshots and retention", "[tsdb]") {
  Fixture fixture;
  LivingStore& rig = fixture.rig;
  const std::vector<Matcher> one = {Matcher::Create(MatchType::kEqual, "i", "1").value()};
  REQUIRE(rig.store->Delete(one, {}));
  const Status cleaned = rig.store->CleanTombstones();
  REQUIRE_FALSE(cleaned);
  CHECK_THAT(cleaned.error().message(), Catch::Contains(fixture.path));
  std::size_t with_deletions = 0;
  for (const LiveBlock& block : *rig.store->blocks()) with_deletions += block.deleted ? 1 : 0;
  CHECK(with_deletions == 1);
  const Result<std::string> snapshot = rig.store->Snapshot(Store::Copied::kAll);
  REQUIRE(snapshot);
  CHECK(rig.disk.Content("snapshots/" + *snapshot + "/" + fixture.path) ==
        rig.disk.Content(fixture.path));
  rig.clock.Pass(std::chrono::hours(24 * 16));
  rig.store->TendBlocks();
  CHECK(rig.store->status().damaged_blocks == 0);
}

}  // namespace
}  // namespace skep::tsdb

#include "evaluator/tsdb/block_cursor.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "tests/evaluator/tsdb/block_damage.h"
#include "tests/evaluator/tsdb/block_rig.h"
#include "tests/evaluator/tsdb/plain_read.h"

namespace skep::tsdb {
namespace {

TEST_CASE("A cursor reads what the block's own functions read, in any order", "[tsdb]") {
  RandomSeries random(21);
  test::MemoryDisk disk;
  const SeriesMap series = random.Make(60, 1200);
  WriteBlock(disk, "a.block", series);
  const auto block = Block::Open(disk, "a.block").value();
  Tombstones deleted;
  for (int i = 0; i < 20; ++i) {
    const auto begin = FromMillis(RandomSeries::kBegin) + Duration(random.Pick(15'000'000));
    deleted.Add(std::vector{static_cast<std::uint32_t>(random.Pick(60))},
                {begin, begin + Duration(random.Pick(2'000'000))});
  }
  BlockCursor cursor(block, nullptr);
  BlockCursor with_deleted(block, &deleted);
  storage::SampleColumns whole;
  for (std::uint32_t i = 0; i < 400; ++i) {
    const auto one = i < 60 ? i : static_cast<std::uint32_t>(random.Pick(60));
    const auto begin = FromMillis(RandomSeries::kBegin) + Duration(random.Pick(15'000'000));
    const storage::TimeRange range{random.Pick(4) ? begin : kMinTimestamp,
                                   begin + Duration(random.Pick(9'000'000))};
    CHECK(cursor.LabelsOf(one).value() == block->LabelsOf(one).value());
    storage::SampleColumns expected, read;
    REQUIRE(block->ReadSamples(one, range, expected).has_value());
    REQUIRE(cursor.ReadSamples(one, range, read).has_value());
    REQUIRE(SameSamples(read, expected));
    expected.clear();
    read.clear();
    REQUIRE(ReadSamples(*block, deleted, one, range, expected).has_value());
    REQUIRE(with_deleted.ReadSamples(one, range, read).has_value());
    REQUIRE(SameSamples(read, expected));
  }
}

TEST_CASE("A cursor refuses a damaged chunk, leaves the columns as they were, and goes on",
          "[tsdb]") {
  test::MemoryDisk disk;
  storage::SampleColumns samples;
  std::mt19937_64 random(22);
  for (int i = 0; i < 960; ++i) {
    samples.times.push_back(FromMillis(RandomSeries::kBegin + std::int64_t{15'000} * i));
    samples.values.push_back(static_cast<double>(random() % 1000));
  }
  const SeriesMap series = {{Labels{{"a", "1"}}, samples}, {Labels{{"a", "2"}}, samples}};
  WriteBlock(disk, "a.block", series);
  std::vector<BlockChunk> chunks;
  const auto whole = Block::Open(disk, "a.block").value();  // the chunks view it
  REQUIRE(whole->ReadChunks(1, {}, chunks).has_value());
  REQUIRE(chunks.size() == 2);
  std::string content = disk.Content("a.block");
  const std::size_t at = content.rfind(chunks[1].parts.values);
  content[at] = static_cast<char>(content[at] ^ 1);
  const auto block = Block::Of(std::make_shared<HeapFile>(content), "a.block").value();
  BlockCursor cursor(block, nullptr);
  storage::SampleColumns out;
  REQUIRE(cursor.ReadSamples(0, {}, out).has_value());
  for (int i = 0; i < 2; ++i) {
    const Status status = cursor.ReadSamples(1, {}, out);
    REQUIRE_FALSE(status.has_value());
    CHECK(status.error().message() ==
          "a.block at byte " + std::to_string(at) + ": a chunk is damaged");
    CHECK(SameSamples(out, samples));
  }
  storage::SampleColumns first;
  REQUIRE(cursor.ReadSamples(1, {kMinTimestamp, chunks[0].max_time}, first).has_value());
  CHECK(first.size() == 480);
}

TEST_CASE("Threads read one block at once", "[tsdb]") {
  test::MemoryDisk disk;
  const SeriesMap series = RandomSeries(23).Make(30, 300);
  WriteBlock(disk, "a.block", series);
  const auto block = Block::Open(disk, "a.block").value();
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        BlockCursor cursor(block, nullptr);
        SeriesMap read;
        const Postings all = block->Select({}).value();
        for (const std::uint32_t one : all) {
          const Labels labels = cursor.LabelsOf(one).value();
          if (cursor.ReadSamples(one, {}, read[labels])) continue;
          return;
        }
        right += SameSeries(read, series) ? 1 : 0;
      });
    }
  }
  CHECK(right == 4);
}

}  // namespace
}  // namespace skep::tsdb

#include "evaluator/tsdb/block.h"

#include <catch2/catch.hpp>

#include "evaluator/tsdb/labels_cursor.h"
#include "tests/evaluator/tsdb/block_rig.h"
#include "tests/support/many.h"

namespace skep::tsdb {
namespace {

storage::SampleColumns Floats(std::initializer_list<std::pair<std::int64_t, double>> samples) {
  storage::SampleColumns out;
  for (const auto& [time, value] : samples) {
    out.times.push_back(FromMillis(time));
    out.values.push_back(value);
  }
  return out;
}

TEST_CASE("A block gives back every sample, whole and of any range", "[tsdb]") {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    RandomSeries random(seed);
    const SeriesMap series = random.Make(70, 1500);
    test::MemoryDisk disk;
    const BlockMeta written = WriteBlock(disk, "a.block", series);
    const auto block = Block::Open(disk, "a.block").value();
    CHECK(block->meta() == written);
    CHECK(written.series == series.size());
    REQUIRE(SameSeries(ReadBlock(*block), series));
    std::uint32_t ordinal = 0;
    LabelsCursor cursor(block->index());
    for (const auto& [labels, samples] : series) {
      CHECK(cursor.LabelsOf(ordinal).value() == labels);
      for (int i = 0; i < 20; ++i) {
        const auto begin =
            FromMillis(RandomSeries::kBegin + static_cast<std::int64_t>(random.Pick(20'000'000)));
        const storage::TimeRange range{begin, begin + Duration(random.Pick(5'000'000))};
        storage::SampleColumns part;
        REQUIRE(block->ReadSamples(ordinal, range, part).has_value());
        REQUIRE(SameSamples(part, Within(samples, range)));
      }
      ++ordinal;
    }
  }
}

TEST_CASE("A block's meta counts what is in it", "[tsdb]") {
  test::MemoryDisk disk;
  SeriesMap series;
  series[Labels{{"__name__", "a"}}] = Floats({{1000, 1}, {2000, 2}});
  series[Labels{{"__name__", "b"}}] = Floats({{-500, 3}});
  const BlockMeta meta = WriteBlock(disk, "a.block", series);
  CHECK(meta.min_time == FromMillis(-500));
  CHECK(meta.max_time == FromMillis(2000));
  CHECK(meta.series == 2);
  CHECK(meta.chunks == 2);
  CHECK(meta.samples == 3);
  CHECK(meta.size_bytes == disk.Content("a.block").size());
  const BlockParts& parts = meta.parts;
  CHECK(parts.times + parts.values + parts.starts + parts.summaries + parts.chunk_lists +
            parts.index_bytes() + kMagicBytes + kFooterBytes ==
        Approx(static_cast<double>(meta.size_bytes)).margin(8));
}

TEST_CASE("Series of one target share their times, also where one was born later", "[tsdb]") {
  test::MemoryDisk disk;
  SeriesMap series;
  for (int i = 0; i < 50; ++i) {
    storage::SampleColumns samples;
    for (int row = i % 2 == 0 ? 0 : 77; row < 960; ++row) {
      samples.times.push_back(
          FromMillis(RandomSeries::kBegin + std::int64_t{15'000} * row + row % 7));
      samples.values.push_back(i * row);
    }
    series[Labels{{"__name__", "m"}, {"i", std::to_string(i)}}] = samples;
  }
  const BlockMeta meta = WriteBlock(disk, "a.block", series);
  CHECK(meta.parts.times_table == 3 * kTimesEntryBytes);
  CHECK(SameSeries(ReadBlock(*Block::Open(disk, "a.block").value()), series));
}

TEST_CASE("A writer refuses what would be no block, and goes on", "[tsdb]") {
  test::MemoryDisk disk;
  auto writer = BlockWriter::Create(disk, "a.block").value();
  const Labels a{{"__name__", "a"}};
  const Labels b{{"__name__", "b"}};
  CHECK(writer->Add(Labels(), Floats({{1, 1}})).error().kind() == ErrorKind::kInvalid);
  std::vector<LabelView> empty_value{{"__name__", "a"}, {"x", ""}};
  CHECK_FALSE(writer->Add(Labels::WithEmptyValues(empty_value), Floats({{1, 1}})).has_value());
  REQUIRE(writer->Add(b, Floats({{1, 1}})).has_value());
  CHECK(writer->Add(a, Floats({{1, 1}})).error().message() ==
        "the series of a block must rise: a comes after b");
  CHECK_FALSE(writer->Add(b, Floats({{1, 1}})).has_value());
  REQUIRE(writer->Add(Labels{{"__name__", "c"}}, storage::SampleColumns()).has_value());
  ChunkEncoder encoder;
  const Chunk early = encoder.EncodeFloats(Floats({{1, 1}, {5, 2}}));
  const Chunk late = encoder.EncodeFloats(Floats({{6, 1}}));
  const Labels d{{"__name__", "d"}};
  CHECK_FALSE(writer->Add(d, std::vector<ChunkView>{late, early}).has_value());
  Chunk other_count = early;
  other_count.count = 3;
  CHECK_FALSE(writer->Add(d, std::vector<ChunkView>{other_count}).has_value());
  Chunk no_times = early;
  no_times.times = "?";
  CHECK(writer->Add(d, std::vector<ChunkView>{no_times}).error().kind() == ErrorKind::kCorrupt);
  REQUIRE(writer->Add(d, std::vector<ChunkView>{early, late}).has_value());
  REQUIRE(writer->Finish().has_value());
  const auto block = Block::Open(disk, "a.block").value();
  CHECK(SameSeries(ReadBlock(*block),
                   {{b, Floats({{1, 1}})}, {d, Floats({{1, 1}, {5, 2}, {6, 1}})}}));
}

TEST_CASE("A writer without samples leaves no file", "[tsdb]") {
  test::MemoryDisk disk;
  auto writer = BlockWriter::Create(disk, "a.block").value();
  REQUIRE(writer->Add(Labels{{"a", "b"}}, storage::SampleColumns()).has_value());
  CHECK(writer->Finish().value().series == 0);
  writer.reset();
  CHECK(disk.List("").value().empty());
}

TEST_CASE("A writer that is dropped takes its file along", "[tsdb]") {
  test::MemoryDisk disk;
  auto writer = BlockWriter::Create(disk, "a.block").value();
  REQUIRE(writer->Add(Labels{{"a", "b"}}, Floats({{1, 1}})).has_value());
  CHECK(disk.List("").value().front().name == "a.block.tmp");
  writer.reset();
  CHECK(disk.List("").value().empty());
}

}  // namespace
}  // namespace skep::tsdb

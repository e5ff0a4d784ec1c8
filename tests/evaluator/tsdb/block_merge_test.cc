#include "evaluator/tsdb/block_merge.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "evaluator/tsdb/chunk_summary.h"
#include "evaluator/tsdb/sample_merge.h"
#include "tests/evaluator/tsdb/block_rig.h"
#include "tests/support/many.h"

namespace skep::tsdb {
namespace {

// A sample of either kind, as a plain map holds it.
struct AnySample {
  double value = 0;
  HistogramPtr histogram;
  Timestamp start = kNoStart;
};
using PlainSeries = std::map<Labels, std::map<Timestamp, AnySample>>;

// Adds what is not deleted; equal times are replaced.
void AddPlain(const Labels& labels, const storage::SampleColumns& samples,
              Tombstones::Spans deleted, PlainSeries& to) {
  const auto gone = [&](Timestamp time) { return Touches(deleted, {time, time}); };
  const auto start = [](const std::vector<Timestamp>& starts, std::size_t i) {
    return starts.empty() ? kNoStart : starts[i];
  };
  for (std::size_t i = 0; i < samples.times.size(); ++i) {
    if (gone(samples.times[i])) continue;
    to[labels][samples.times[i]] = {samples.values[i], nullptr, start(samples.starts, i)};
  }
  const auto& histograms = samples.histograms;
  for (std::size_t i = 0; i < histograms.size(); ++i) {
    if (gone(histograms.times[i])) continue;
    to[labels][histograms.times[i]] = {0, histograms.values[i], start(histograms.starts, i)};
  }
}

SeriesMap FromPlain(const PlainSeries& plain) {
  SeriesMap out;
  for (const auto& [labels, samples] : plain) {
    storage::SampleColumns& columns = out[labels];
    for (const auto& [time, sample] : samples) {
      if (sample.histogram) {
        columns.histograms.times.push_back(time);
        columns.histograms.values.push_back(sample.histogram);
        columns.histograms.starts.push_back(sample.start);
      } else {
        columns.times.push_back(time);
        columns.values.push_back(sample.value);
        columns.starts.push_back(sample.start);
      }
    }
  }
  return out;
}

// The samples moved by some time, so that blocks follow or overlap each other.
void Move(Duration by, SeriesMap& series) {
  for (auto& [labels, samples] : series) {
    for (Timestamp& time : samples.times) time += by;
    for (Timestamp& time : samples.histograms.times) time += by;
  }
}

Tombstones RandomTombstones(const Block& block, RandomSeries& random) {
  Tombstones out;
  for (int i = 0; i < 10; ++i) {
    const auto series = static_cast<std::uint32_t>(random.Pick(block.series_count()));
    const auto begin = FromMillis(RandomSeries::kBegin) + Duration(random.Pick(20'000'000));
    const Duration length(random.Pick(10) == 0 ? 100'000'000 : random.Pick(1'000'000));
    out.Add(std::vector{series}, {begin, begin + length});
  }
  return out;
}

TEST_CASE("Merged blocks have what a plain merge has", "[tsdb]") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    CAPTURE(seed);
    RandomSeries random(seed);
    test::MemoryDisk disk;
    std::vector<BlockSource> sources;
    std::vector<Tombstones> tombstones(4);
    PlainSeries plain;
    for (std::size_t i = 0; i < tombstones.size(); ++i) {
      SeriesMap series = random.Make(25, i % 2 == 0 ? 100 : 900);
      // Seeds 1 and 2: one behind the other. Else they overlap, at times that are often equal.
      const auto step = seed <= 2 ? Duration(100'000'000) : Duration(15'000 * random.Pick(400));
      Move(static_cast<int>(i) * step, series);
      const std::string path = std::to_string(i) + ".block";
      WriteBlock(disk, path, series);
      sources.push_back({Block::Open(disk, path).value(), nullptr});
      if (i > 0) {
        tombstones[i] = RandomTombstones(*sources.back().block, random);
        sources.back().deleted = &tombstones[i];
      }
      std::uint32_t ordinal = 0;
      for (const auto& [labels, samples] : series) {
        AddPlain(labels, samples, tombstones[i].Of(ordinal++), plain);
      }
    }
    const BlockMeta meta = MergeBlocks(disk, sources, "merged.block").value();
    const auto merged = Block::Open(disk, "merged.block").value();
    CHECK(merged->meta() == meta);
    REQUIRE(SameSeries(ReadBlock(*merged), FromPlain(plain)));
  }
}

storage::SampleColumns Regular(std::int64_t begin, int count) {
  storage::SampleColumns out;
  for (int i = 0; i < count; ++i) {
    out.times.push_back(FromMillis(begin + std::int64_t{15'000} * i));
    out.values.push_back(i * i % 97);
  }
  return out;
}

std::vector<BlockChunk> ChunksOf(const Block& block) {
  std::vector<BlockChunk> chunks;
  REQUIRE(block.ReadChunks(0, {}, chunks));
  return chunks;
}

struct Blocks {
  // A block of the series "m" with these samples.
  void Add(const storage::SampleColumns& samples) {
    const std::string path = std::to_string(sources.size()) + ".block";
    WriteBlock(disk, path, {{Labels{{"__name__", "m"}}, samples}});
    sources.push_back({Block::Open(disk, path).value(), nullptr});
  }
  std::vector<std::uint32_t> MergedCounts() {
    (void)MergeBlocks(disk, sources, "merged.block").value();
    const auto block = Block::Open(disk, "merged.block").value();
    std::vector<std::uint32_t> counts;
    for (const BlockChunk& chunk : ChunksOf(*block)) counts.push_back(chunk.parts.count);
    return counts;
  }
  test::MemoryDisk disk;
  std::vector<BlockSource> sources;
};

TEST_CASE("A chunk has a summary that is small beside it, or many samples", "[tsdb]") {
  constexpr int kShort = 80;
  std::mt19937 random(3);
  Blocks blocks;
  storage::SampleColumns all;
  for (int i = 0; i < 6; ++i) {
    auto part = Regular(RandomSeries::kBegin + std::int64_t{15'000} * kShort * i, kShort);
    const bool is_dense = i % 2 == 0;
    for (double& value : part.values)
      value = is_dense ? static_cast<double>(random() >> 8) : std::floor(value / 48);
    blocks.Add(part);
    AppendSamples(all, part);
    const Block& block = *blocks.sources.back().block;
    const std::vector<BlockChunk> chunks = ChunksOf(block);
    REQUIRE(chunks.size() == 1);
    CAPTURE(i, chunks[0].parts.values.size());
    CHECK(chunks[0].parts.count == kShort);
    CHECK(block.SummaryOf(chunks[0]).value().has_value() == is_dense);
    CHECK((block.meta().parts.summaries > 0) == is_dense);
    CHECK(chunks[0].checked != is_dense);  // without a summary it stands in the list
  }
  (void)MergeBlocks(blocks.disk, blocks.sources, "merged.block").value();
  const auto merged = Block::Open(blocks.disk, "merged.block").value();
  const std::vector<BlockChunk> chunks = ChunksOf(*merged);
  REQUIRE(chunks.size() == 1);
  CHECK_FALSE(chunks[0].checked);
  CHECK(merged->SummaryOf(chunks[0]).value() == Summarize(all.values));
}

TEST_CASE("Small chunks become large ones, large ones are copied", "[tsdb]") {
  constexpr std::int64_t kTwentyMinutes = std::int64_t{80} * 15'000;
  using Counts = std::vector<std::uint32_t>;
  Blocks small;
  for (int i = 0; i < 12; ++i) small.Add(Regular(RandomSeries::kBegin + i * kTwentyMinutes, 80));
  CHECK(small.MergedCounts() == Counts{480, 480});
  Blocks large;
  large.Add(Regular(RandomSeries::kBegin, 480));
  large.Add(Regular(RandomSeries::kBegin + 6 * kTwentyMinutes, 480));
  large.Add(Regular(RandomSeries::kBegin + 12 * kTwentyMinutes, 80));
  large.Add(Regular(RandomSeries::kBegin + 13 * kTwentyMinutes, 80));
  large.Add(Regular(RandomSeries::kBegin + 14 * kTwentyMinutes, 320));
  CHECK(large.MergedCounts() == Counts{480, 480, 160, 320});
}

TEST_CASE("A merge of which nothing is left leaves no file", "[tsdb]") {
  Blocks blocks;
  blocks.Add(Regular(0, 300));
  Tombstones all;
  all.Add(std::vector<std::uint32_t>{0}, {});
  blocks.sources[0].deleted = &all;
  CHECK(MergeBlocks(blocks.disk, blocks.sources, "merged.block").value().series == 0);
  CHECK(blocks.disk.List("").value().size() == 1);
}

TEST_CASE("A merge ends where it is stopped, and with a damaged source", "[tsdb]") {
  Blocks blocks;
  blocks.Add(Regular(0, 300));
  const std::atomic<bool> cancel = true;
  CHECK(MergeBlocks(blocks.disk, blocks.sources, "merged.block", &cancel).error().kind() ==
        ErrorKind::kCanceled);
  std::vector<BlockChunk> chunks;
  REQUIRE(blocks.sources[0].block->ReadChunks(0, {}, chunks).has_value());
  const std::string content = blocks.disk.Content("0.block");
  const std::size_t at = content.find(chunks.front().parts.values);
  blocks.sources.clear();
  blocks.disk.FlipBit("0.block", 8 * at + 5);
  blocks.sources.push_back({Block::Open(blocks.disk, "0.block").value(), nullptr});
  const Error error = MergeBlocks(blocks.disk, blocks.sources, "merged.block").error();
  CHECK(error.kind() == ErrorKind::kCorrupt);
  CHECK(error.message() == "0.block at byte " + std::to_string(at) + ": a chunk is damaged");
  CHECK(blocks.disk.List("").value().size() == 1);
}

}  // namespace
}  // namespace skep::tsdb

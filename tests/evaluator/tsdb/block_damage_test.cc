#include "tests/evaluator/tsdb/block_damage.h"

#include <catch2/catch.hpp>

#include "evaluator/tsdb/chunk_cut.h"
#include "tests/evaluator/tsdb/block_rig.h"
#include "tests/support/many.h"

namespace skep::tsdb {
namespace {

constexpr char kPath[] = "blocks/00000001.block";

Result<std::shared_ptr<const Block>> Open(std::string content) {
  return Block::Of(std::make_shared<HeapFile>(std::move(content)), kPath);
}

// A small block and what is in it.
struct Fixture {
  Fixture() : series(RandomSeries(5).Make(24, 60)) {
    // A chunk with a summary, and outside of its list.
    storage::SampleColumns& large = series[Labels{{"__name__", "metric_1"}, {"id", "large"}}];
    for (std::uint32_t i = 0; i < kKeptChunkSamples; ++i) {
      large.times.push_back(FromMillis(RandomSeries::kBegin + std::int64_t{15'000} * i));
      large.values.push_back(i * i % 97);
    }
    test::MemoryDisk disk;
    REQUIRE(WriteBlock(disk, "a.block", series).parts.summaries > 0);
    whole = disk.Content("a.block");
  }
  SeriesMap series;
  std::string whole;
};

bool NamesFile(const std::string& message) { return message.find(kPath) != std::string::npos; }

TEST_CASE("A block that is cut anywhere is refused by name", "[tsdb]") {
  const Fixture fixture;
  for (std::size_t size = 0; size < fixture.whole.size(); ++size) {
    const auto block = Open(fixture.whole.substr(0, size));
    REQUIRE_FALSE(block.has_value());
    REQUIRE(block.error().kind() == ErrorKind::kCorrupt);
    REQUIRE(NamesFile(block.error().message()));
  }
  CHECK_FALSE(Open(fixture.whole + "x").has_value());
  CHECK_FALSE(Open(fixture.whole + fixture.whole).has_value());
}

TEST_CASE("A block of another version is refused by name", "[tsdb]") {
  Fixture fixture;
  fixture.whole[7] = 3;
  const Error error = Open(fixture.whole).error();
  CHECK(error.kind() == ErrorKind::kInvalid);
  CHECK(error.message() ==
        "blocks/00000001.block is a block of version 3; this program knows version 2");
}

// Reads all series of a block with one flipped bit: a series is as it was, or refused. Gives how
// many are refused.
std::size_t CountRefused(const Block& block, const SeriesMap& series) {
  std::size_t refused = 0;
  std::uint32_t ordinal = 0;
  for (const auto& [labels, samples] : series) {
    REQUIRE(block.LabelsOf(ordinal).value() == labels);
    storage::SampleColumns read;
    const Status status = block.ReadSamples(ordinal++, {}, read);
    if (status) {
      REQUIRE(SameSamples(read, samples));
    } else {
      REQUIRE(status.error().kind() == ErrorKind::kCorrupt);
      REQUIRE(NamesFile(status.error().message()));
      REQUIRE(read.empty());
      ++refused;
    }
  }
  return refused;
}

TEST_CASE("A flipped bit costs the reads of what it damages, and never gives wrong samples",
          "[tsdb]") {
  const Fixture fixture;
  std::mt19937_64 random(6);
  const std::size_t bits = 8 * fixture.whole.size();
  const std::size_t step = test::IsLongForm() ? 1 : 37;
  std::size_t refused_at_open = 0, refused_one = 0;
  for (std::size_t bit = random() % step; bit < bits; bit += step) {
    CAPTURE(bit);
    std::string flipped = fixture.whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const auto block = Open(std::move(flipped));
    if (!block) {
      ++refused_at_open;
      REQUIRE(NamesFile(block.error().message()));
      continue;
    }
    const std::size_t refused = CountRefused(**block, fixture.series);
    REQUIRE(refused > 0);
    if (refused == 1) ++refused_one;
  }
  CHECK(refused_at_open > 0);
  CHECK(refused_one > 0);
}

TEST_CASE("Bytes that make no sense though their sums are right are read safely", "[tsdb]") {
  const Fixture fixture;
  std::mt19937_64 random(7);
  const int rounds = test::IsLongForm() ? 200'000 : test::Many(1000);
  int opened = 0, refused = 0;
  for (int round = 0; round < rounds; ++round) {
    std::string content = fixture.whole;
    for (std::uint64_t changes = 1 + random() % 4; changes > 0; --changes) {
      // Half of them in the index, whose bytes all depend on each other.
      const std::size_t from = random() % 2 == 0 ? 0 : content.size() * 2 / 3;
      content[from + random() % (content.size() - from)] =
          static_cast<char>(random() % 4 == 0 ? 0xff : random());
    }
    MendSums(content);
    const auto block = Open(std::move(content));
    if (!block) continue;
    ++opened;
    const std::vector<std::string> errors = ReadAll(**block);
    refused += errors.empty() ? 0 : 1;
    for (const std::string& error : errors) REQUIRE(NamesFile(error));
  }
  CHECK(opened > rounds / 2);
  CHECK(refused > rounds / 20);
}

}  // namespace
}  // namespace skep::tsdb

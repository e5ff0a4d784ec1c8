#include "evaluator/tsdb/sealed_chunk.h"

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "common/model/sample.h"

namespace skep::tsdb {
namespace {

XorWriter RunOf(const std::vector<Sample>& samples) {
  XorWriter run;
  for (const Sample& sample : samples) run.Append(sample.time, sample.value);
  return run;
}

std::vector<Sample> RandomSamples(std::mt19937_64& random, std::size_t count) {
  const std::uint64_t kind = random() % 4;
  std::vector<Sample> samples;
  std::int64_t time = static_cast<std::int64_t>(random() % 1'000'000'000);
  double value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    time += kind < 2 ? 15'000 : 1 + static_cast<std::int64_t>(random() % 100'000);
    if (kind > 0) value += static_cast<double>(random() % 100) / (kind == 1 ? 1 : 10);
    if (kind == 3) value = std::bit_cast<double>(random());
    if (random() % 50 == 0) value = kStaleNaN;
    samples.push_back({FromMillis(time), value});
  }
  return samples;
}

// Those that `out` must have behind what was there before.
void CheckIs(const storage::SampleColumns& out, const std::vector<Sample>& expected) {
  REQUIRE(out.times.size() == expected.size());
  REQUIRE(out.values.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    CHECK(out.times[i] == expected[i].time);
    CHECK(std::bit_cast<std::uint64_t>(out.values[i]) ==
          std::bit_cast<std::uint64_t>(expected[i].value));
  }
}

std::vector<Sample> Plain(const std::vector<Sample>& samples, std::size_t take,
                          storage::TimeRange range) {
  std::vector<Sample> kept;
  for (std::size_t i = 0; i < std::min(take, samples.size()); ++i) {
    if (samples[i].time >= range.min && samples[i].time <= range.max) kept.push_back(samples[i]);
  }
  return kept;
}

std::string Saved(const SealedChunk& chunk) {
  ByteWriter bytes;
  chunk.Save(bytes);
  return std::string(bytes.view());
}

TEST_CASE("A sealed chunk gives what its run had, by range and by count, also after a restart",
          "[tsdb]") {
  std::mt19937_64 random(11);
  for (int turn = 0; turn < 60; ++turn) {
    const std::size_t count = turn == 0   ? 1
                              : turn == 1 ? SealedChunk::kMaxSamples
                                          : 1 + random() % 200;
    const std::vector<Sample> samples = RandomSamples(random, count);
    const SealedChunk chunk = SealedChunk::Of(RunOf(samples));
    REQUIRE(chunk.samples() == samples.size());
    CHECK(chunk.min_time() == samples.front().time);
    CHECK(chunk.max_time() == samples.back().time);
    const std::string bytes = Saved(chunk);
    ByteReader reader(bytes);
    const auto restored = SealedChunk::Restore(reader);
    REQUIRE(restored);
    CHECK(reader.done());
    CHECK(Saved(*restored) == bytes);
    for (int look = 0; look < 10; ++look) {
      const std::size_t take = random() % (count + 2);
      const auto at = [&] {
        return samples[random() % count].time + Duration(static_cast<int>(random() % 3) - 1);
      };
      const storage::TimeRange range =
          look == 0 ? storage::TimeRange{} : storage::TimeRange{at(), at()};
      CAPTURE(turn, look, take, ToMillis(range.min), ToMillis(range.max));
      for (const SealedChunk* one : {&chunk, &*restored}) {
        storage::SampleColumns out;
        REQUIRE(one->Read(static_cast<std::uint32_t>(take), range, out));
        CheckIs(out, Plain(samples, take, range));
      }
    }
  }
}

TEST_CASE("The summary of a sealed chunk is that of its samples, and changes nothing else",
          "[tsdb]") {
  std::mt19937_64 random(19);
  int made = 0;
  for (int turn = 0; turn < 200; ++turn) {
    CAPTURE(turn);
    const std::vector<Sample> samples = RandomSamples(random, 1 + random() % 60);
    std::vector<double> values;
    for (const Sample& sample : samples) values.push_back(sample.value);
    SealedChunk chunk = SealedChunk::Of(RunOf(samples));
    const std::string before = Saved(chunk);
    const std::size_t size_before = chunk.size_bytes();
    const std::optional<ChunkSummary> expected = Summarize(values);
    for (int look = 0; look < 2; ++look) {
      const Result<std::optional<ChunkSummary>> summary = chunk.Summary();
      REQUIRE(summary);
      REQUIRE(summary->has_value() == expected.has_value());
      if (!expected) continue;
      ++made;
      CHECK((*summary)->count == expected->count);
      CHECK((*summary)->sum == Approx(expected->sum).epsilon(1e-14));
      if (expected->min != expected->max) CHECK(**summary == *expected);
    }
    CHECK(chunk.size_bytes() == size_before);
    CHECK(Saved(chunk) == before);
    storage::SampleColumns out;
    REQUIRE(chunk.Read(chunk.samples(), {}, out));
    CheckIs(out, samples);
  }
  CHECK(made > 100);
}

TEST_CASE("Joined chunks give what their parts had", "[tsdb]") {
  std::mt19937_64 random(13);
  for (int turn = 0; turn < 20; ++turn) {
    const std::vector<Sample> all = RandomSamples(random, 300);
    std::vector<SealedChunk> parts;
    for (std::size_t from = 0; from < all.size();) {
      const std::size_t size = std::min<std::size_t>(1 + random() % 120, all.size() - from);
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(from);
      parts.push_back(SealedChunk::Of(RunOf({begin, begin + static_cast<std::ptrdiff_t>(size)})));
      from += size;
    }
    const Result<SealedChunk> joined = SealedChunk::Joined(parts);
    REQUIRE(joined);
    CHECK(Saved(*joined) == Saved(SealedChunk::Of(RunOf(all))));
    storage::SampleColumns out;
    REQUIRE(joined->Read(joined->samples(), {}, out));
    CheckIs(out, all);
  }
}

TEST_CASE("A regular run of one value takes few bytes when it is sealed", "[tsdb]") {
  XorWriter run;
  for (int i = 0; i < 120; ++i) run.Append(FromMillis(1'700'000'000'000 + i * 15'000LL), 42);
  CHECK(SealedChunk::Of(run).size_bytes() <= 20);
}

TEST_CASE("Spoilt bytes of a sealed chunk are refused, or read as an error or as other samples",
          "[tsdb]") {
  std::mt19937_64 random(12);
  for (int turn = 0; turn < 8; ++turn) {
    const std::string bytes = Saved(SealedChunk::Of(RunOf(RandomSamples(random, 40))));
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
      ByteReader reader(std::string_view(bytes).substr(0, cut));
      CHECK_FALSE(SealedChunk::Restore(reader));
    }
    for (int spoil = 0; spoil < 300; ++spoil) {
      std::string other = bytes;
      for (std::uint64_t i = 0; i < 1 + random() % 3; ++i) {
        other[random() % other.size()] = static_cast<char>(random());
      }
      ByteReader reader(other);
      const auto chunk = SealedChunk::Restore(reader);
      if (!chunk) continue;
      storage::SampleColumns out;
      const Status status = chunk->Read(chunk->samples(), {}, out);
      CHECK(out.times.size() == out.values.size());
      CHECK(out.size() == (status ? chunk->samples() : 0));
    }
  }
}

}  // namespace
}  // namespace skep::tsdb

#include "evaluator/tsdb/chunk.h"

#include <catch2/catch.hpp>

#include "tests/evaluator/tsdb/chunk_cases.h"

namespace skep::tsdb {
namespace {

constexpr std::int64_t kStart = 1'700'000'000'000;

storage::SampleColumns Regular(const std::vector<double>& values) {
  storage::SampleColumns samples;
  samples.values = values;
  samples.times = MakeTimes(values.size(), kStart,
                            [](std::size_t, std::mt19937_64&) { return std::int64_t{15'000}; });
  return samples;
}

// What a plain walk over the samples gives.
storage::SampleColumns InRange(const storage::SampleColumns& samples, storage::TimeRange range) {
  storage::SampleColumns out;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (samples.times[i] < range.min || samples.times[i] > range.max) continue;
    out.times.push_back(samples.times[i]);
    out.values.push_back(samples.values[i]);
    if (!samples.starts.empty()) out.starts.push_back(samples.starts[i]);
  }
  return out;
}

void CheckEqual(const storage::SampleColumns& a, const storage::SampleColumns& b) {
  CHECK(a.times == b.times);
  CHECK(BitsOf(a.values) == BitsOf(b.values));
  CHECK(a.starts == b.starts);
}

TEST_CASE("A chunk gives the samples of a range as a plain walk does", "[tsdb]") {
  ChunkEncoder encoder;
  for (const auto& [name, values] : ValuesCases()) {
    CAPTURE(name);
    const storage::SampleColumns samples = Regular(values);
    const Chunk chunk = encoder.EncodeFloats(samples);
    CHECK(chunk.count == values.size());
    CHECK(chunk.min_time == samples.times.front());
    CHECK(chunk.max_time == samples.times.back());
    CHECK(chunk.starts.empty());
    for (const storage::TimeRange range :
         {storage::TimeRange{},
          storage::TimeRange{FromMillis(kStart + 20'000), FromMillis(kStart + 900'000)},
          storage::TimeRange{FromMillis(kStart + 1), FromMillis(kStart + 2)},
          storage::TimeRange{kMaxTimestamp, kMinTimestamp}}) {
      storage::SampleColumns out;
      REQUIRE(DecodeChunk(chunk, range, out));
      CheckEqual(out, InRange(samples, range));
    }
  }
}

TEST_CASE("A chunk's samples are appended to what is there", "[tsdb]") {
  ChunkEncoder encoder;
  const storage::SampleColumns samples = Regular({1, 2, 3, 4});
  storage::SampleColumns late = Regular({5, 6});
  for (Timestamp& time : late.times) time += std::chrono::hours(1);
  late.starts = {FromMillis(7), FromMillis(8)};
  storage::SampleColumns out;
  REQUIRE(DecodeChunk(encoder.EncodeFloats(samples), {}, out));
  CHECK(out.starts.empty());
  REQUIRE(DecodeChunk(encoder.EncodeFloats(late), {}, out));
  CHECK(out.values == std::vector<double>{1, 2, 3, 4, 5, 6});
  CHECK(out.starts == std::vector<Timestamp>{kNoStart, kNoStart, kNoStart, kNoStart, FromMillis(7),
                                             FromMillis(8)});
  REQUIRE(DecodeRows(
      encoder.EncodeFloats(samples), {1, 3},
      std::vector<Timestamp>{FromMillis(kStart + 9'000'000), FromMillis(kStart + 9'001'000)}, out));
  CHECK(out.values == std::vector<double>{1, 2, 3, 4, 5, 6, 2, 3});
  CHECK(out.starts.size() == out.times.size());
  CHECK(out.starts.back() == kNoStart);
}

TEST_CASE("Start times come back, and cost little where they stand still or move with the times",
          "[tsdb]") {
  ChunkEncoder encoder;
  storage::SampleColumns samples = Regular(std::vector<double>(400, 1.5));
  const auto check = [&](std::size_t most_bytes) {
    const Chunk chunk = encoder.EncodeFloats(samples);
    CHECK(chunk.starts.size() <= most_bytes);
    storage::SampleColumns out;
    REQUIRE(DecodeChunk(chunk, {samples.times[150], samples.times[300]}, out));
    CheckEqual(out, InRange(samples, {samples.times[150], samples.times[300]}));
  };
  samples.starts.assign(400, FromMillis(kStart - 1000));
  check(20);
  for (std::size_t i = 200; i < 400; ++i) samples.starts[i] = FromMillis(kStart + 12'345'678);
  check(32);
  for (std::size_t i = 0; i < 400; ++i) samples.starts[i] = samples.times[i] - Duration(15'000);
  check(20);
  for (std::size_t i = 0; i < 400; i += 2) samples.starts[i] = kNoStart;
  check(400 * 8);
}

TEST_CASE("A chunk refuses parts that do not belong together", "[tsdb]") {
  ChunkEncoder encoder;
  const Chunk chunk = encoder.EncodeFloats(Regular({1, 2, 4, 7, 2}));
  storage::SampleColumns out = Regular({9});
  const auto refused = [&](const ChunkView& view) {
    const Status status = DecodeChunk(view, {}, out);
    REQUIRE(!status);
    CHECK(status.error().kind() == ErrorKind::kCorrupt);
    CHECK(out.times.size() == 1);
    CHECK(out.values.size() == 1);
    CHECK(out.starts.empty());
  };
  ChunkView view = chunk;
  view.count = 6;
  refused(view);
  view.count = 0xffffffff;
  refused(view);
  view = chunk;
  view.values = view.values.substr(0, 2);
  refused(view);
  view = chunk;
  view.starts = "x";
  refused(view);
  view = chunk;
  view.kind = ChunkKind::kHistogram;
  refused(view);
}

}  // namespace
}  // namespace skep::tsdb

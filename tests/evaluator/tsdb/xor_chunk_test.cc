#include "evaluator/tsdb/xor_chunk.h"

#include <bit>
#include <catch2/catch.hpp>
#include <limits>
#include <random>
#include <vector>

#include "common/model/sample.h"

namespace skep::tsdb {
namespace {

void CheckRoundTrip(const std::vector<Sample>& samples) {
  XorWriter writer;
  for (const Sample& sample : samples) writer.Append(sample.time, sample.value);
  REQUIRE(writer.samples() == samples.size());
  storage::SampleColumns open;
  DecodeXor(writer.words(), writer.samples(), writer.samples(), {}, open);
  const XorChunk chunk = writer.Seal();
  storage::SampleColumns sealed;
  DecodeXor(chunk.words.get(), chunk.samples, chunk.samples, {}, sealed);
  REQUIRE(open.size() == samples.size());
  REQUIRE(sealed.size() == samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    CAPTURE(i);
    CHECK(sealed.times[i] == samples[i].time);
    CHECK(open.times[i] == samples[i].time);
    CHECK(std::bit_cast<std::uint64_t>(sealed.values[i]) ==
          std::bit_cast<std::uint64_t>(samples[i].value));
    CHECK(std::bit_cast<std::uint64_t>(open.values[i]) ==
          std::bit_cast<std::uint64_t>(samples[i].value));
  }
  CHECK(writer.empty());
  CHECK(writer.last_time() == samples.back().time);
}

TEST_CASE("A run comes back bit for bit", "[tsdb]") {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const std::vector<double> odd = {0,     -0.0,     kStaleNaN, kNormalNaN, kInf,     -kInf,
                                   1e308, 4.9e-324, 1,         1,          1,        2,
                                   -2,    0.1,      1.0 / 3,   1e15,       1e15 + 1, -1};
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < odd.size(); ++i) {
    samples.push_back(
        {FromMillis(static_cast<std::int64_t>(1'000'000'000'000 + 15'000 * i)), odd[i]});
  }
  CheckRoundTrip(samples);
}

TEST_CASE("Distances at the borders of each width come back", "[tsdb]") {
  std::vector<Sample> samples;
  std::int64_t time = -5'000'000'000'000;
  std::int64_t delta = 1'000'000;
  for (const std::int64_t change :
       {0,       0,       1,       -1,       63,       64,          65,
        -63,     -64,     8191,    8192,     8193,     -8191,       -8192,
        524'287, 524'288, 524'289, -524'287, -524'288, 100'000'000, -100'000'000}) {
    delta += change;
    REQUIRE(delta > 0);
    time += delta;
    samples.push_back({FromMillis(time), 1});
  }
  CheckRoundTrip(samples);
  CheckRoundTrip({{kMinTimestamp, 1}, {FromMillis(0), 2}, {kMaxTimestamp, 3}});
}

TEST_CASE("Random runs come back", "[tsdb]") {
  std::mt19937_64 random(7);
  for (int run = 0; run < 50; ++run) {
    std::vector<Sample> samples;
    std::int64_t time = static_cast<std::int64_t>(random() % 1'000'000'000);
    double value = 0;
    for (int i = 0; i < 300; ++i) {
      time += 1 + static_cast<std::int64_t>(random() % (run % 2 ? 100 : 1'000'000));
      value = run % 3 == 0 ? std::bit_cast<double>(random())
                           : value + static_cast<double>(random() % 10);
      samples.push_back({FromMillis(time), value});
    }
    CheckRoundTrip(samples);
  }
}

TEST_CASE("Decoding keeps to the range and to the count asked for", "[tsdb]") {
  XorWriter writer;
  for (int i = 0; i < 10; ++i) writer.Append(FromMillis(i * 10), i);
  storage::SampleColumns out;
  DecodeXor(writer.words(), 10, 10, {FromMillis(20), FromMillis(50)}, out);
  CHECK(out.values == std::vector<double>{2, 3, 4, 5});
  out.clear();
  DecodeXor(writer.words(), 10, 4, {FromMillis(20), FromMillis(50)}, out);
  CHECK(out.values == std::vector<double>{2, 3});
  out.clear();
  DecodeXor(writer.words(), 10, 0, {}, out);
  DecodeXor(nullptr, 0, 5, {}, out);
  CHECK(out.size() == 0);
}

TEST_CASE("A constant at a fixed rhythm takes two bits a sample", "[tsdb]") {
  XorWriter writer;
  for (int i = 0; i < 120; ++i) writer.Append(FromMillis(1'700'000'000'000 + i * 15'000), 42);
  CHECK(writer.size_bytes() <= 16 + 3 + 30);
}

}  // namespace
}  // namespace skep::tsdb

#include "evaluator/tsdb/xor_chunk.h"

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "common/model/sample.h"

namespace skep::tsdb {
namespace {

std::string Saved(const XorWriter& run) {
  ByteWriter bytes;
  run.Save(bytes);
  return std::string(bytes.view());
}

void CheckHas(const XorWriter& run, const std::vector<Sample>& samples) {
  REQUIRE(run.samples() == samples.size());
  storage::SampleColumns out;
  run.Read(run.samples(), {}, out);
  REQUIRE(out.times.size() == samples.size());
  REQUIRE(out.values.size() == samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    CAPTURE(i);
    CHECK(out.times[i] == samples[i].time);
    CHECK(std::bit_cast<std::uint64_t>(out.values[i]) ==
          std::bit_cast<std::uint64_t>(samples[i].value));
  }
}

// Half of them before a restart, half after it; then once more in the same memory.
void CheckRoundTrip(const std::vector<Sample>& samples) {
  XorWriter first;
  const std::size_t half = samples.size() / 2;
  for (std::size_t i = 0; i < half; ++i) first.Append(samples[i].time, samples[i].value);
  const std::string bytes = Saved(first);
  XorWriter writer;
  ByteReader reader(bytes);
  REQUIRE(writer.Restore(reader, 1000));
  CHECK(reader.done());
  for (std::size_t i = half; i < samples.size(); ++i) {
    for (XorWriter* run : {&first, &writer}) run->Append(samples[i].time, samples[i].value);
  }
  CHECK(Saved(writer) == Saved(first));
  CheckHas(writer, samples);
  writer.Clear();
  CHECK(writer.empty());
  CHECK(writer.last_time() == samples.back().time);
  for (const Sample& sample : samples) writer.Append(sample.time, sample.value);
  CheckHas(writer, samples);
}

TEST_CASE("A run's bytes in a checkpoint stay what they were", "[tsdb]") {
  XorWriter run;
  CHECK(Saved(run) == std::string(2, '\0'));
  run.Append(FromMillis(1000), 1.0);
  ByteWriter expected;
  expected.Varint(1);
  expected.Varint(128);
  expected.U64(1000);
  expected.U64(std::bit_cast<std::uint64_t>(1.0));
  CHECK(Saved(run) == expected.view());
  run.Append(FromMillis(2000), 1.0);  // 110, 1000 in 14 bits; 0: the same value
  expected.Clear();
  expected.Varint(2);
  expected.Varint(128 + 18);
  expected.U64(1000);
  expected.U64(std::bit_cast<std::uint64_t>(1.0));
  expected.U64((std::uint64_t{0b110} << 14U | 1000U) << 47U);
  CHECK(Saved(run) == expected.view());
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

TEST_CASE("Reading keeps to the range and to the count asked for", "[tsdb]") {
  XorWriter writer;
  storage::SampleColumns out;
  writer.Read(5, {}, out);
  CHECK(out.size() == 0);
  for (int i = 0; i < 10; ++i) writer.Append(FromMillis(i * 10LL), i);
  writer.Read(10, {FromMillis(20), FromMillis(50)}, out);
  CHECK(out.values == std::vector<double>{2, 3, 4, 5});
  out.clear();
  writer.Read(4, {FromMillis(20), FromMillis(50)}, out);
  CHECK(out.values == std::vector<double>{2, 3});
  writer.Read(100, {FromMillis(81), {}}, out);
  CHECK(out.values == std::vector<double>{2, 3});
  writer.Read(100, {FromMillis(81), kMaxTimestamp}, out);
  CHECK(out.values == std::vector<double>{2, 3, 9});
  CHECK(out.times.size() == 3);
  writer.Read(0, {}, out);
  CHECK(out.size() == 3);
}

TEST_CASE("A constant at a fixed rhythm takes two bits a sample", "[tsdb]") {
  XorWriter writer;
  for (int i = 0; i < 120; ++i) writer.Append(FromMillis(1'700'000'000'000 + i * 15'000LL), 42);
  CHECK(writer.size_bytes() <= 16 + 3 + 30);
}

TEST_CASE("Spoilt bytes of a run are refused, or are a run that goes on", "[tsdb]") {
  std::mt19937_64 random(8);
  XorWriter run;
  for (int i = 0; i < 40; ++i) {
    run.Append(FromMillis(i * 1000LL + static_cast<std::int64_t>(random() % 100)),
               i % 2 ? std::bit_cast<double>(random()) : i);
  }
  const std::string bytes = Saved(run);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    ByteReader reader(std::string_view(bytes).substr(0, cut));
    CHECK_FALSE(XorWriter().Restore(reader, 1000));
  }
  ByteReader too_many(bytes);
  CHECK_FALSE(XorWriter().Restore(too_many, 39));
  int runs = 0;
  for (int spoil = 0; spoil < 3000; ++spoil) {
    std::string other = bytes;
    other[random() % other.size()] = static_cast<char>(random());
    ByteReader reader(other);
    XorWriter writer;
    if (!writer.Restore(reader, 1000)) continue;
    ++runs;
    if (writer.empty() || writer.last_time() > FromMillis(1'000'000'000'000)) continue;
    writer.Append(writer.last_time() + Duration(10), 1);
    storage::SampleColumns out;
    writer.Read(writer.samples(), {}, out);
    REQUIRE(out.size() == writer.samples());
    CHECK(std::is_sorted(out.times.begin(), out.times.end()));
    CHECK(out.values.back() == 1);
  }
  CHECK(runs > 0);
}

}  // namespace
}  // namespace skep::tsdb

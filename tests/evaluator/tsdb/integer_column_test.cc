#include "evaluator/tsdb/integer_column.h"

#include <catch2/catch.hpp>
#include <limits>
#include <random>
#include <vector>

#include "evaluator/tsdb/bit_packing.h"

namespace skep::tsdb {
namespace {

using Numbers = std::vector<std::int64_t>;

Numbers Decoded(std::string_view bytes, std::uint32_t count, std::uint32_t from) {
  IntegerReader reader(bytes, count);
  reader.SkipTo(from);
  Numbers out;
  std::size_t before = from - reader.index();
  for (auto block = reader.Next(); !block.empty(); block = reader.Next()) {
    out.insert(out.end(), block.begin() + static_cast<std::ptrdiff_t>(before), block.end());
    before = 0;
  }
  CHECK(reader.ok());
  CHECK(reader.rest() == "rest");
  return out;
}

void CheckRoundTrip(const Numbers& numbers) {
  std::string bytes;
  EncodeIntegers(numbers, bytes);
  bytes += "rest";
  const auto count = static_cast<std::uint32_t>(numbers.size());
  for (const std::uint32_t from : {0U, count / 3, count - 1}) {
    CHECK(Decoded(bytes, count, from) == Numbers(numbers.begin() + from, numbers.end()));
  }
}

TEST_CASE("Bits of every width come back, alone and together", "[tsdb]") {
  std::mt19937_64 random(1);
  for (unsigned width = 0; width <= 64; ++width) {
    if (PackedWidth(width) != width) continue;
    CAPTURE(width);
    for (const std::size_t count : {1U, 7U, 8U, 64U, 127U}) {
      std::vector<std::uint64_t> numbers(count);
      for (std::uint64_t& number : numbers) number = random() & Mask(width);
      std::string bytes;
      Pack(numbers, width, bytes);
      REQUIRE(bytes.size() == PackedBytes(count, width));
      std::vector<std::uint64_t> out(count, 42);
      Unpack(bytes, width, out);
      CHECK(out == numbers);
      for (std::size_t i = 0; i < count; ++i) REQUIRE(UnpackOne(bytes, width, i) == numbers[i]);
      bytes += "what follows is not looked at";
      Unpack(bytes, width, out);
      CHECK(out == numbers);
    }
  }
}

TEST_CASE("Integers of every width come back from blocks of every length", "[tsdb]") {
  std::mt19937_64 random(2);
  for (unsigned bits = 1; bits <= 64; ++bits) {
    CAPTURE(bits);
    for (const std::size_t count : {1U, 2U, 3U, 128U, 129U, 130U, 300U}) {
      Numbers level(count), wander(count);
      std::uint64_t sum = 0;
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t number = random() >> (64 - bits);
        sum += random() % 5 == 0 ? number : 0;
        level[i] = static_cast<std::int64_t>(number);
        wander[i] = static_cast<std::int64_t>(sum);
      }
      CheckRoundTrip(level);
      CheckRoundTrip(wander);
    }
  }
}

TEST_CASE("Integers at the ends of their range come back", "[tsdb]") {
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  CheckRoundTrip({kMin, kMax, kMin, kMax, 0, -1, 1});
  CheckRoundTrip({kMin, kMin});
  CheckRoundTrip({0, kMin, 0, kMin});
  CheckRoundTrip({kMax, kMax - 6, kMax - 12, 0, 5, kMin});
}

TEST_CASE("One counter reset does not widen a block", "[tsdb]") {
  Numbers numbers;
  for (int i = 0; i < 128; ++i) numbers.push_back(i == 60 ? 0 : 1'000'000'000 + i * 3 + i % 2);
  std::string bytes;
  EncodeIntegers(numbers, bytes);
  CHECK(bytes.size() <= 128 * 2 / 8 + 30);
}

}  // namespace
}  // namespace skep::tsdb

#include "evaluator/tsdb/values_column.h"

#include <catch2/catch.hpp>

#include "tests/evaluator/tsdb/chunk_cases.h"

namespace skep::tsdb {
namespace {

std::string Encoded(const std::vector<double>& values) {
  std::string bytes;
  ValuesEncoder encoder;
  encoder.Encode(values, bytes);
  return bytes;
}

const ValuesCase& Case(const std::vector<ValuesCase>& cases, std::string_view name) {
  for (const ValuesCase& one : cases) {
    if (one.name == name) return one;
  }
  FAIL("no such case");
  return cases.front();
}

TEST_CASE("Values of every kind come back bit for bit, whole and in part", "[tsdb]") {
  ValuesEncoder encoder;  // one for all: what is left in its buffers must not matter
  for (const auto& [name, values] : ValuesCases()) {
    CAPTURE(name);
    std::string bytes;
    const ValueKind kind = encoder.Encode(values, bytes);
    CHECK(KindOf(bytes) == kind);
    CHECK(bytes == Encoded(values));
    const auto count = static_cast<std::uint32_t>(values.size());
    std::vector<double> whole;
    REQUIRE(DecodeValues(bytes, count, {0, count}, whole));
    CHECK(BitsOf(whole) == BitsOf(values));
    const std::uint32_t step = 1 + count / 13;
    for (std::uint32_t begin = 0; begin < count; begin += step) {
      for (std::uint32_t end = begin; end <= count; end += step) {
        std::vector<double> part;
        REQUIRE(DecodeValues(bytes, count, {begin, end}, part));
        CHECK(BitsOf(part) ==
              BitsOf(std::vector<double>(values.begin() + begin, values.begin() + end)));
      }
    }
  }
}

TEST_CASE("Each run takes the kind and about the bytes that suit it", "[tsdb]") {
  struct Expected {
    std::string_view name;
    ValueKind kind;
    std::size_t bytes;  // at most
  };
  const std::vector<ValuesCase> cases = ValuesCases();
  const std::vector<Expected> expected = {
      {"constant", ValueKind::kConstant, 9},
      {"one", ValueKind::kConstant, 3},
      {"one marker", ValueKind::kConstant, 9},
      {"negative zeros", ValueKind::kConstant, 2},
      {"line", ValueKind::kInteger, 20},
      {"counter", ValueKind::kInteger, 961 * 5 / 8 + 8 * 10},
      {"jumps", ValueKind::kInteger, 120},
      {"now and then", ValueKind::kInteger, 500 / 8 + 125 * 14 / 8 + 80},
      {"multiples", ValueKind::kInteger, 385 * 10 / 8 + 4 * 8},
      {"decimals", ValueKind::kDecimal, 384 * 17 / 8 + 4 * 8},
      {"decimals with a marker at the end", ValueKind::kDecimal, 32},
      {"milliseconds", ValueKind::kDecimal, 300 * 10 / 8 + 32},
      {"microseconds", ValueKind::kDecimal, 300 * 10 / 8 + 32},
      {"markers at the begin", ValueKind::kInteger, 60},
      {"sine", ValueKind::kFloat, 257 * 7 + 16},
      {"noise", ValueKind::kFloat, 300 * 8},
      {"any bits", ValueKind::kFloat, 400 * 8 + 64},
      {"floats of 32 bits", ValueKind::kFloat, 200 * 4 + 64},
      {"parabola", ValueKind::kInteger, 60},
  };
  for (const Expected& one : expected) {
    CAPTURE(one.name);
    const std::string bytes = Encoded(Case(cases, one.name).values);
    CHECK(ValueKindName(KindOf(bytes)) == ValueKindName(one.kind));
    CHECK(bytes.size() <= one.bytes);
  }
}

TEST_CASE("Values whose bytes are damaged are refused or decoded to their count", "[tsdb]") {
  for (const auto& [name, values] : ValuesCases()) {
    CAPTURE(name);
    const std::string good = Encoded(values);
    const auto count = static_cast<std::uint32_t>(values.size());
    for (std::size_t at = 0; at < good.size(); at += 1 + good.size() / 60) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
      for (const std::string_view bytes :
           {std::string_view(bad), std::string_view(good).substr(0, at)}) {
        std::vector<double> out = {1};
        const Status status = DecodeValues(bytes, count, {0, count}, out);
        CHECK(out.size() == (status ? 1U + count : 1U));
        if (!status) CHECK(status.error().kind() == ErrorKind::kCorrupt);
      }
    }
  }
}

}  // namespace
}  // namespace skep::tsdb

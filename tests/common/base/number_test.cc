#include "common/base/number.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

using skep::FormatDouble;
using skep::FormatPlainDouble;
using skep::ParseDouble;

TEST_CASE("FormatDouble prints as Go's shortest %g", "[number]") {
  const std::pair<double, std::string> cases[] = {
      {0, "0"},
      {-0.0, "-0"},
      {1, "1"},
      {-1.5, "-1.5"},
      {0.1, "0.1"},
      {123456, "123456"},
      {1e6, "1e+06"},
      {1234567, "1.234567e+06"},
      {0.0001, "0.0001"},
      {0.00001, "1e-05"},
      {1e21, "1e+21"},
      {1e100, "1e+100"},
      {std::nan(""), "NaN"},
      {std::numeric_limits<double>::infinity(), "+Inf"},
      {-std::numeric_limits<double>::infinity(), "-Inf"}};
  for (const auto& [value, text] : cases) {
    CAPTURE(value);
    CHECK(FormatDouble(value) == text);
  }
}

TEST_CASE("FormatPlainDouble prints as Prometheus's API", "[number]") {
  const std::pair<double, std::string> cases[] = {{0, "0"},
                                                  {-0.0, "-0"},
                                                  {1e6, "1000000"},
                                                  {1234567.25, "1234567.25"},
                                                  {0.00001, "0.00001"},
                                                  {1e-6, "0.000001"},
                                                  {1e-7, "1e-07"},
                                                  {1e20, "100000000000000000000"},
                                                  {1e21, "1e+21"},
                                                  {-12345, "-12345"},
                                                  {1e15, "1000000000000000"},
                                                  {std::nan(""), "NaN"}};
  for (const auto& [value, text] : cases) {
    CAPTURE(value);
    CHECK(FormatPlainDouble(value) == text);
  }
}

TEST_CASE("A double printed in any form reads back to the same bits", "[number]") {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const auto value = std::bit_cast<double>(random());
    if (std::isnan(value)) continue;
    REQUIRE(ParseDouble(FormatDouble(value)) == value);
    REQUIRE(ParseDouble(FormatPlainDouble(value)) == value);
  }
}

TEST_CASE("ParseDouble takes the whole text or nothing", "[number]") {
  const std::pair<std::string, double> good[] = {{"1", 1},     {"+1.5", 1.5},   {"-2e3", -2000},
                                                 {"0x1f", 31}, {"-0X1p4", -16}, {".5", 0.5},
                                                 {"5.", 5}};
  for (const auto& [text, value] : good) {
    CAPTURE(text);
    CHECK(ParseDouble(text) == value);
  }
  for (const std::string text : {"Inf", "+inf", "INFINITY"}) {
    CAPTURE(text);
    CHECK(ParseDouble(text) == std::numeric_limits<double>::infinity());
  }
  CHECK(ParseDouble("-Inf") == -std::numeric_limits<double>::infinity());
  CHECK(std::isnan(ParseDouble("NaN").value()));
  for (const std::string text :
       {"", "-", "+-1", "1 ", " 1", "1x", "0x", "0x-1", "--1", "nan(1)", "1e"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseDouble(text).has_value());
  }
}

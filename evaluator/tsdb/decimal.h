// Doubles that are decimal numbers with few digits, as integers.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

namespace skep::tsdb {

inline constexpr unsigned kMaxDecimals = 18;
inline constexpr std::array<double, kMaxDecimals + 1> kPowersOfTen = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
    1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};

// The value that `integer` with so many decimals stands for: one division, rounded once.
inline double FromDecimal(std::int64_t integer, unsigned decimals) {
  return static_cast<double>(integer) / kPowersOfTen[decimals];
}

// `integer` such that FromDecimal gives `value` bit for bit. False where there is none, or where
// only more than 51 bits would do.
bool ToDecimal(double value, unsigned decimals, std::int64_t& integer);

// A run as integers with the same number of decimals.
struct Decimals {
  unsigned decimals = 0;
  std::vector<std::int64_t> integers;
  // Rows that have no such integer; theirs is that of the row before.
  std::vector<std::uint32_t> exceptions;
};

// Finds the fewest decimals that do for all but a few rows. False where there are none: the run
// is of other floats. `out` is overwritten. Requires: not empty.
bool FindDecimals(std::span<const double> values, Decimals& out);

}  // namespace skep::tsdb

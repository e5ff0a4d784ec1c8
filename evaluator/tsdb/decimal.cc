#include "evaluator/tsdb/decimal.h"

#include <algorithm>
#include <cmath>

namespace skep::tsdb {
namespace {

constexpr double kRounder = 0x1.8p52;  // adding it rounds what is below 2^51 to a whole number
constexpr double kMaxDecimal = 0x1p51;
constexpr double kMaxInteger = 0x1p63;
constexpr std::size_t kRowsPerException = 16;  // more are cheaper as floats
constexpr unsigned kNone = kMaxDecimals + 1;

bool SameBits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

bool ToInteger(double value, std::int64_t& integer) {
  if (!(std::fabs(value) < kMaxInteger)) return false;
  integer = static_cast<std::int64_t>(value);
  return SameBits(static_cast<double>(integer), value);
}

// The fewest decimals from `least` on that do for `value`; kNone.
unsigned FewestDecimals(double value, unsigned least) {
  std::int64_t integer = 0;
  while (least < kNone && !ToDecimal(value, least, integer)) ++least;
  return least;
}

}  // namespace

bool ToDecimal(double value, unsigned decimals, std::int64_t& integer) {
  if (decimals == 0) return ToInteger(value, integer);
  const double scaled = value * kPowersOfTen[decimals];
  if (!(std::fabs(scaled) < kMaxDecimal)) return false;
  const double whole = (scaled + kRounder) - kRounder;
  if (!SameBits(whole / kPowersOfTen[decimals], value)) return false;
  integer = static_cast<std::int64_t>(whole);
  return true;
}

namespace {

// The decimals that most rows need. False once too many rows have none.
bool ScanDecimals(std::span<const double> values, unsigned& decimals) {
  const std::size_t allowed = 1 + values.size() / kRowsPerException;
  std::size_t refused = 0;
  decimals = 0;
  double before = 0;
  for (const double value : values) {
    if (SameBits(value, before)) continue;
    before = value;
    std::int64_t integer = 0;
    if (ToDecimal(value, decimals, integer)) continue;
    const unsigned more = std::isfinite(value) ? FewestDecimals(value, decimals) : kNone;
    if (more < kNone) {
      decimals = more;
    } else if (++refused > allowed) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool FindDecimals(std::span<const double> values, Decimals& out) {
  if (!ScanDecimals(values, out.decimals)) return false;
  const std::size_t allowed = 1 + values.size() / kRowsPerException;
  out.integers.resize(values.size());
  out.exceptions.clear();
  std::int64_t integer = 0;
  for (std::uint32_t i = 0; i < values.size(); ++i) {
    if (!ToDecimal(values[i], out.decimals, integer)) {
      // Those before the first that has an integer take zero.
      integer = i == 0 ? 0 : out.integers[i - 1];
      out.exceptions.push_back(i);
      if (out.exceptions.size() > allowed) return false;
    }
    out.integers[i] = integer;
  }
  return true;
}

}  // namespace skep::tsdb

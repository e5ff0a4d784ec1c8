#include "evaluator/tsdb/decimal.h"

#include <algorithm>
#include <cmath>

namespace skep::tsdb {
namespace {

constexpr double kRounder = 0x1.8p52;  // adding it rounds what is below 2^51 to a whole number
constexpr double kTooLarge = 0x1p63;
constexpr std::size_t kRowsPerException = 16;  // more are cheaper as floats
constexpr unsigned kNone = kMaxDecimals + 1;
constexpr unsigned kFewDecimals = 9;  // with more of them another form may be the true one

constexpr std::array<double, Scale::kMaxMultiplied + 1> kTenths = {1e0,  1e-1, 1e-2, 1e-3, 1e-4,
                                                                   1e-5, 1e-6, 1e-7, 1e-8, 1e-9};

bool SameBits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

bool ToInteger(double value, std::int64_t& integer) {
  if (!(std::fabs(value) < kTooLarge)) return false;
  integer = static_cast<std::int64_t>(value);
  return SameBits(static_cast<double>(integer), value);
}

double Scaled(double whole, Scale scale) {
  switch (scale.form()) {
    case ScaleForm::kDivided:
      return whole / kPowersOfTen[scale.decimals()];
    case ScaleForm::kMultiplied:
      return whole * kTenths[scale.decimals()];
    case ScaleForm::kDividedTwice:
      return whole / 1e3 / 1e3;
  }
  return whole;
}

// The fewest decimals from `least` on that do for `value`; kNone.
unsigned FewestDecimals(double value, unsigned least) {
  std::int64_t integer = 0;
  while (least < kNone && !ToScaled(value, Scale::Divided(least), integer)) ++least;
  return least;
}

std::size_t AllowedExceptions(std::size_t rows) { return 1 + rows / kRowsPerException; }

// The decimals that most rows need. False once too many rows have none.
bool ScanDecimals(std::span<const double> values, unsigned& decimals) {
  const std::size_t allowed = AllowedExceptions(values.size());
  std::size_t refused = 0;
  decimals = 0;
  double before = 0;
  for (const double value : values) {
    if (SameBits(value, before)) continue;
    before = value;
    std::int64_t integer = 0;
    if (ToScaled(value, Scale::Divided(decimals), integer)) continue;
    const unsigned more = std::isfinite(value) ? FewestDecimals(value, decimals) : kNone;
    if (more < kNone) {
      decimals = more;
    } else if (++refused > allowed) {
      return false;
    }
  }
  return true;
}

bool FillIn(std::span<const double> values, ScaledRun& out) {
  const std::size_t allowed = AllowedExceptions(values.size());
  out.integers.resize(values.size());
  out.exceptions.clear();
  out.small = true;
  for (std::uint32_t i = 0; i < values.size(); ++i) {
    std::int64_t integer = 0;
    if (!ToScaled(values[i], out.scale, integer)) {
      if (out.exceptions.size() == allowed) return false;
      // Those before the first that has an integer take zero.
      integer = i == 0 ? 0 : out.integers[i - 1];
      out.exceptions.push_back(i);
    }
    out.small &= integer <= kMaxSmall && integer >= -kMaxSmall;
    out.integers[i] = integer;
  }
  return true;
}

// The forms that a decimal text cannot have, tried where a run has many digits.
bool TryOtherForms(std::span<const double> values, ScaledRun& out) {
  const auto fits = [&](Scale scale) {
    out.scale = scale;
    return FillIn(values, out);
  };
  for (unsigned decimals = 1; decimals <= Scale::kMaxMultiplied; ++decimals) {
    if (fits(Scale::Multiplied(decimals))) return true;
  }
  return fits(Scale::DividedTwice());
}

}  // namespace

double FromScaled(std::int64_t integer, Scale scale) {
  if (scale == Scale()) return static_cast<double>(integer);
  return Scaled(SmallToDouble(integer), scale);
}

bool ToScaled(double value, Scale scale, std::int64_t& integer) {
  if (scale == Scale()) return ToInteger(value, integer);
  const double number = value * kPowersOfTen[scale.decimals()];
  if (!(std::fabs(number) < static_cast<double>(kMaxSmall))) return false;
  const double whole = (number + kRounder) - kRounder;
  if (!SameBits(Scaled(whole, scale), value)) return false;
  integer = static_cast<std::int64_t>(whole);
  return true;
}

bool FindScale(std::span<const double> values, ScaledRun& out) {
  unsigned decimals = 0;
  const bool decimal = ScanDecimals(values, decimals);
  if ((!decimal || decimals > kFewDecimals) && TryOtherForms(values, out)) return true;
  out.scale = Scale::Divided(decimals);
  return decimal && FillIn(values, out);
}

}  // namespace skep::tsdb

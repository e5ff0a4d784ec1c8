// Doubles that are decimal numbers with few digits, as integers.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace skep::tsdb {

inline constexpr unsigned kMaxDecimals = 18;
inline constexpr std::array<double, kMaxDecimals + 1> kPowersOfTen = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
    1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};

// How a double was made of an integer. Programs do it in three ways, which round differently.
enum class ScaleForm : std::uint8_t {
  kDivided,       // integer / 10^decimals: as the double nearest to a decimal text
  kMultiplied,    // integer * 10^-decimals: milliseconds as seconds in node_exporter's disks
  kDividedTwice,  // integer / 1000 / 1000: microseconds as seconds in its pressures
};

// A form and its decimals, as one number of 5 bits.
class Scale {
 public:
  static constexpr unsigned kCodes = 29;
  static constexpr unsigned kMaxMultiplied = 9;

  constexpr Scale() = default;  // integers as they are
  static constexpr Scale Divided(unsigned decimals) { return Scale(decimals); }
  // Requires: 1 to kMaxMultiplied.
  static constexpr Scale Multiplied(unsigned decimals) { return Scale(kMaxDecimals + decimals); }
  static constexpr Scale DividedTwice() { return Scale(kCodes - 1); }
  static constexpr std::optional<Scale> FromCode(unsigned code) {
    return code < kCodes ? std::optional(Scale(code)) : std::nullopt;
  }

  constexpr unsigned code() const { return code_; }
  constexpr ScaleForm form() const {
    if (code_ <= kMaxDecimals) return ScaleForm::kDivided;
    return code_ == kCodes - 1 ? ScaleForm::kDividedTwice : ScaleForm::kMultiplied;
  }
  constexpr unsigned decimals() const {
    if (code_ <= kMaxDecimals) return code_;
    return code_ == kCodes - 1 ? 6 : code_ - kMaxDecimals;
  }
  constexpr bool operator==(const Scale&) const = default;

 private:
  explicit constexpr Scale(unsigned code) : code_(code) {}

  unsigned code_ = 0;
};

// Largest magnitude of integers that SmallToDouble converts.
inline constexpr std::int64_t kMaxSmall = std::int64_t{1} << 51;

// `integer` as a double, without the instruction that does but one at a time. Beyond kMaxSmall it
// is some other double.
inline double SmallToDouble(std::int64_t integer) {
  constexpr double kOffset = 0x1.8p52;  // its lowest mantissa bit counts ones
  const auto bits = std::bit_cast<std::uint64_t>(kOffset) + static_cast<std::uint64_t>(integer);
  return std::bit_cast<double>(bits) - kOffset;
}

// The value that a scaled integer stands for. Requires: at most kMaxSmall, unless the scale is that
// of integers.
double FromScaled(std::int64_t integer, Scale scale);

// `integer` such that FromScaled gives `value` bit for bit. False where there is none.
bool ToScaled(double value, Scale scale, std::int64_t& integer);

// A run as integers of the same scale.
struct ScaledRun {
  Scale scale;
  bool small = true;  // none is beyond kMaxSmall
  std::vector<std::int64_t> integers;
  // Rows that have no such integer; theirs is that of the row before.
  std::vector<std::uint32_t> exceptions;
};

// Finds the scale with the fewest decimals that does for all but a few rows. False where there is
// none: the run is of other floats. `out` is overwritten. Requires: not empty.
bool FindScale(std::span<const double> values, ScaledRun& out);

}  // namespace skep::tsdb

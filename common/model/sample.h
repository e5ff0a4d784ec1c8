// A sample, and the two NaNs that mean something.
#pragma once

#include <bit>
#include <cstdint>

#include "common/base/time.h"

namespace skep {

struct Sample {
  Timestamp time;
  double value = 0;
};

// Ends a series: "no longer exposed". Any other NaN is a value. The bits are Prometheus's, on the
// wire too.
inline constexpr std::uint64_t kStaleNaNBits = 0x7ff0000000000002ULL;
// Defined in a source file, out of the compiler's sight: g++ 12 at -O2 folds a signalling NaN that
// it sees into a quiet one, which is no marker any more.
extern const double kStaleNaN;
inline bool IsStaleNaN(double value) {
  return std::bit_cast<std::uint64_t>(value) == kStaleNaNBits;
}

// The NaN of computations and of pages, with Prometheus's bits.
inline constexpr std::uint64_t kNormalNaNBits = 0x7ff8000000000001ULL;
inline const double kNormalNaN = std::bit_cast<double>(kNormalNaNBits);

}  // namespace skep

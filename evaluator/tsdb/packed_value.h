// One value alone, in 0 to 8 bytes behind a code of 4 bits, for where there is no neighbour to
// compare with: whole numbers up to 2^48 and values whose last bytes are zero are shorter.
//
//   code    bytes   the value
//   0       0       +0
//   1..6    code    a whole number, unsigned
//   7       0       the staleness marker
//   8..15   code-7  the upper bytes of the double; the lower ones are zero
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "common/model/sample.h"
#include "evaluator/tsdb/bytes.h"

namespace skep::tsdb {

inline constexpr unsigned kStaleCode = 7;
inline constexpr std::array<std::uint8_t, 16> kPackedBytes = {0, 1, 2, 3, 4, 5, 6, 0,
                                                              1, 2, 3, 4, 5, 6, 7, 8};

// Writes to `at`, which has room for 8 bytes and is moved behind those that count; gives the code.
inline unsigned PackValue(double value, char*& at) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  if (bits == 0) return 0;
  if (bits == kStaleNaNBits) return kStaleCode;
  const auto zeros = static_cast<unsigned>(std::countr_zero(bits)) & ~7U;
  const unsigned upper = 8 - zeros / 8;
  if (value > 0 && value < 0x1p48) {
    const auto whole = static_cast<std::uint64_t>(value);
    const auto bytes = (static_cast<unsigned>(std::bit_width(whole)) + 7) / 8;
    if (std::bit_cast<std::uint64_t>(static_cast<double>(whole)) == bits && bytes <= upper) {
      StoreU64(at, whole);
      at += bytes;
      return bytes;
    }
  }
  StoreU64(at, bits >> zeros);
  at += upper;
  return upper + 7;
}

// The value of a code (below 16) at `at`, where 8 bytes can be read, of which kPackedBytes count.
inline double UnpackValue(unsigned code, const char* at) {
  if (code == kStaleCode || code == 0) return code == 0 ? 0 : kStaleNaN;
  const unsigned unused = 64 - 8U * kPackedBytes[code];
  const std::uint64_t upper = LoadU64(at) << unused;
  return code > kStaleCode ? std::bit_cast<double>(upper)
                           : static_cast<double>(static_cast<std::int64_t>(upper >> unused));
}

}  // namespace skep::tsdb

// What writer and reader of times must agree on; the picture is in times_column.h.
#pragma once

#include <cstdint>

namespace skep::tsdb {

inline constexpr std::uint64_t kSlopeUnit = 1024;  // in a millisecond
inline constexpr std::uint8_t kOwnSlope = 64;
inline constexpr std::uint8_t kTimeWidthCode64 = 57;

// Where a line is after `steps`. Modulo 2^64.
constexpr std::uint64_t LineAt(std::uint64_t origin, std::uint64_t slope, std::uint64_t steps) {
  return origin + steps * slope / kSlopeUnit;
}

constexpr bool IsWidthCode(std::uint8_t code) { return (code & ~kOwnSlope) <= kTimeWidthCode64; }
constexpr unsigned WidthOf(std::uint8_t code) {
  const unsigned low = code & ~kOwnSlope & 0xffU;
  return low == kTimeWidthCode64 ? 64 : low;
}

}  // namespace skep::tsdb

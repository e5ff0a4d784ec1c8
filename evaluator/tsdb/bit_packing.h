// Many small numbers of the same width, one after another in bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace skep::tsdb {

// Widths above it, up to 64, are stored as 64: a number of at most 56 bits lies within eight bytes
// wherever its first bit is.
inline constexpr unsigned kMaxPackedWidth = 56;

// The width to pack numbers with that need `bits`: 0..56 or 64.
constexpr unsigned PackedWidth(unsigned bits) { return bits > kMaxPackedWidth ? 64 : bits; }

// The lowest `width` bits. Requires: `width` is a PackedWidth, here and below.
constexpr std::uint64_t Mask(unsigned width) {
  return width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
}

constexpr std::size_t PackedBytes(std::size_t count, unsigned width) {
  return (count * width + 7) / 8;
}

// Appends PackedBytes bytes; the lowest bit of the first number is the lowest of the first byte.
// Requires: no number has more than `width` bits.
void Pack(std::span<const std::uint64_t> numbers, unsigned width, std::string& out);

// Fills `out` from `bytes`. Requires: `bytes` holds at least PackedBytes of them. What follows in
// `bytes` is not looked at but may be read, which is faster than bytes that end with the numbers.
void Unpack(std::string_view bytes, unsigned width, std::span<std::uint64_t> out);

// Number `index` alone.
std::uint64_t UnpackOne(std::string_view bytes, unsigned width, std::size_t index);

}  // namespace skep::tsdb

// Bits of Prometheus's chunks: the highest one of each byte first.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace skep::prometheusblock {

// Safe on any bytes: a read beyond the end, or a number that is none, gives 0 and ends the reading:
// ok() is false. A value; owns nothing of the bytes.
class BitReader {
 public:
  explicit BitReader(std::string_view bytes) : bytes_(bytes), left_(bytes.size() * 8) {}

  bool ok() const { return ok_; }
  std::size_t left() const { return left_; }  // bits

  // Requires: at most 64.
  std::uint64_t Bits(unsigned count) {
    if (count > left_) return Fail();
    if (count == 0) return 0;
    const std::size_t at = bytes_.size() * 8 - left_;
    const unsigned skip = at % 8;
    left_ -= count;
    std::uint64_t bits = Window(at / 8) << skip >> (64 - count);
    if (skip + count > 64) {
      bits |= static_cast<unsigned char>(bytes_[at / 8 + 8]) >> (72 - skip - count);
    }
    return bits;
  }
  bool Bit() { return Bits(1) != 0; }
  double Double() { return std::bit_cast<double>(Bits(64)); }

  // The ones before the next zero, which is passed over; at most `most`.
  unsigned Ones(unsigned most) {
    unsigned count = 0;
    while (count < most && Bit()) ++count;
    return count;
  }

  // The varints of protocol buffers, at any bit.
  std::uint64_t Varint() {
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint64_t byte = Bits(8);
      if (shift == 63 && byte > 1) break;
      number |= (byte & 0x7f) << shift;
      if (byte < 0x80) return number;
    }
    return Fail();
  }
  std::int64_t SignedVarint() {
    const std::uint64_t number = Varint();
    return static_cast<std::int64_t>(number >> 1) ^ -static_cast<std::int64_t>(number & 1);
  }

  // Prometheus's varbits: ones up to a zero say how many bits follow.
  std::uint64_t PackedUint() { return Bits(PackedWidth()); }
  std::int64_t PackedInt() { return Signed(PackedWidth()); }

  // Of `width` bits, up from -2^(width-1) + 1: the highest bit alone is positive.
  std::int64_t Signed(unsigned width) {
    const std::uint64_t bits = Bits(width);
    if (width == 0 || width == 64) return static_cast<std::int64_t>(bits);
    const bool negative = bits > (std::uint64_t{1} << (width - 1));
    return static_cast<std::int64_t>(negative ? bits - (std::uint64_t{1} << width) : bits);
  }

  // What follows makes no sense to the caller.
  std::uint64_t Fail() {
    ok_ = false;
    left_ = 0;
    return 0;
  }

 private:
  unsigned PackedWidth() {
    static constexpr unsigned kWidths[] = {0, 3, 6, 9, 12, 18, 25, 56, 64};
    return kWidths[Ones(8)];
  }
  // 8 bytes as a number, with zeros behind the end.
  std::uint64_t Window(std::size_t byte) const {
    std::uint64_t window = 0;
    const std::size_t there = bytes_.size() - byte;
    std::memcpy(&window, bytes_.data() + byte, there < 8 ? there : 8);
    return __builtin_bswap64(window);
  }

  std::string_view bytes_;
  std::size_t left_;
  bool ok_ = true;
};

// A row of doubles, each as its difference in bits from the one before. A value.
struct XorRow {
  double value = 0;
  unsigned leading = 0;   // zeros before the bits that differ, as they were told last
  unsigned trailing = 0;  // and behind them

  // The next value. 0 bits: the same one.
  double Next(BitReader& bits) {
    if (!bits.Bit()) return value;
    if (bits.Bit()) {
      leading = static_cast<unsigned>(bits.Bits(5));
      unsigned width = static_cast<unsigned>(bits.Bits(6));
      if (width == 0) width = 64;
      if (leading + width > 64) return bits.Fail(), value;
      trailing = 64 - leading - width;
    }
    const std::uint64_t difference = bits.Bits(64 - leading - trailing) << trailing;
    value = std::bit_cast<double>(std::bit_cast<std::uint64_t>(value) ^ difference);
    return value;
  }
};

}  // namespace skep::prometheusblock

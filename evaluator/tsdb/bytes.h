// Numbers and strings as bytes of our files: little-endian, varints as in protocol buffers.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace skep::tsdb {

static_assert(std::endian::native == std::endian::little);

inline constexpr std::size_t kMaxVarintBytes = 10;

constexpr std::uint64_t ZigZag(std::int64_t n) {
  return (static_cast<std::uint64_t>(n) << 1) ^ static_cast<std::uint64_t>(n >> 63);
}
constexpr std::int64_t UnZigZag(std::uint64_t n) {
  return static_cast<std::int64_t>((n >> 1) ^ (~(n & 1) + 1));
}
// b - a where both may be anything: wraps around, and Plus takes it back.
constexpr std::int64_t Minus(std::int64_t b, std::int64_t a) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(b) - static_cast<std::uint64_t>(a));
}
constexpr std::int64_t Plus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

inline std::uint64_t LoadU64(const char* at) {
  std::uint64_t n = 0;
  std::memcpy(&n, at, sizeof(n));
  return n;
}
// Writes 8 bytes whatever `n` is.
inline void StoreU64(char* at, std::uint64_t n) { std::memcpy(at, &n, sizeof(n)); }

// Needs kMaxVarintBytes of room; gives the end.
inline char* StoreVarint(char* at, std::uint64_t n) {
  while (n >= 0x80) {
    *at++ = static_cast<char>(n | 0x80);
    n >>= 7;
  }
  *at++ = static_cast<char>(n);
  return at;
}

// Bytes that grow; cleared, they keep their memory. Thread-compatible.
class ByteWriter {
 public:
  std::string_view view() const { return {bytes_.get(), size_}; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::size_t capacity() const { return capacity_; }
  void Clear() { size_ = 0; }

  void U8(std::uint8_t n) { *Room(1) = static_cast<char>(n), ++size_; }
  void U32(std::uint32_t n) { Raw(&n, sizeof(n)); }
  void U64(std::uint64_t n) { Raw(&n, sizeof(n)); }
  void Varint(std::uint64_t n) { SetEnd(StoreVarint(Room(kMaxVarintBytes), n)); }
  void Signed(std::int64_t n) { Varint(ZigZag(n)); }
  void Bytes(std::string_view bytes) { Raw(bytes.data(), bytes.size()); }
  // Length, then bytes.
  void String(std::string_view text) {
    Varint(text.size());
    Bytes(text);
  }

  // For hot loops: a place for at least `size` bytes at the end, which count once SetEnd is called.
  char* Room(std::size_t size) {
    if (capacity_ - size_ < size) Grow(size);
    return bytes_.get() + size_;
  }
  void SetEnd(const char* end) { size_ = static_cast<std::size_t>(end - bytes_.get()); }

 private:
  void Raw(const void* from, std::size_t size) {
    if (size == 0) return;
    std::memcpy(Room(size), from, size);
    size_ += size;
  }
  // Out of the way of the hot path; and g++ 12, where it is inlined, sees a copy from null.
  [[gnu::noinline]] void Grow(std::size_t size) {
    const std::size_t capacity = std::max({size_ + size, 2 * capacity_, std::size_t{256}});
    auto grown = std::make_unique_for_overwrite<char[]>(capacity);
    if (size_ > 0) std::memcpy(grown.get(), bytes_.get(), size_);
    bytes_ = std::move(grown);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// Reads what a ByteWriter wrote, safely on any bytes: a read beyond the end, or a varint of more
// than 64 bits, gives 0 or "" and ends the reading: ok() is false, left() is 0. A value.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool ok() const { return ok_; }
  bool done() const { return at_ == end_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  const char* at() const { return at_; }

  std::uint8_t U8() {
    if (at_ == end_) return Fail(), std::uint8_t{0};
    return static_cast<std::uint8_t>(*at_++);
  }
  std::uint32_t U32() { return Fixed<std::uint32_t>(); }
  std::uint64_t U64() { return Fixed<std::uint64_t>(); }
  std::uint64_t Varint() {
    if (at_ != end_ && static_cast<unsigned char>(*at_) < 0x80) {
      return static_cast<unsigned char>(*at_++);
    }
    return LongVarint();
  }
  std::int64_t Signed() { return UnZigZag(Varint()); }
  std::string_view Bytes(std::uint64_t size) {
    if (size > left()) return Fail(), std::string_view();
    const std::string_view bytes(at_, static_cast<std::size_t>(size));
    at_ += size;
    return bytes;
  }
  std::string_view String() { return Bytes(Varint()); }

  // Requires: `size` is at most left().
  void Skip(std::size_t size) { at_ += size; }

  // The rest is not to be read: it makes no sense to the caller.
  void Fail() {
    ok_ = false;
    at_ = end_;
  }

 private:
  template <typename Number>
  Number Fixed() {
    Number n = 0;
    if (left() < sizeof(n)) return Fail(), n;
    std::memcpy(&n, at_, sizeof(n));
    at_ += sizeof(n);
    return n;
  }
  std::uint64_t LongVarint() {
    std::uint64_t n = 0;
    for (unsigned shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const auto byte = static_cast<unsigned char>(*at_++);
      if (shift == 63 && byte > 1) break;
      n |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return n;
    }
    Fail();
    return 0;
  }

  const char* at_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace skep::tsdb

#include "evaluator/tsdb/bit_packing.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "evaluator/tsdb/bytes.h"

namespace skep::tsdb {
namespace {

constexpr std::size_t kWord = sizeof(std::uint64_t);

constexpr std::uint64_t Mask(unsigned width) {
  return width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
}

// Eight bytes from `at`, zeros beyond the end.
std::uint64_t LoadNearEnd(std::string_view bytes, std::size_t at) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data() + at, std::min(kWord, bytes.size() - at));
  return word;
}

// A width that the compiler knows makes shifts and offsets constants: eight numbers fill `kWidth`
// bytes exactly.
template <unsigned kWidth>
void UnpackWidth(const char* at, std::size_t groups, std::uint64_t* out) {
  for (; groups > 0; --groups, at += kWidth, out += 8) {
#pragma GCC unroll 8
    for (unsigned i = 0; i < 8; ++i) {
      out[i] = (LoadU64(at + i * kWidth / 8) >> (i * kWidth % 8)) & Mask(kWidth);
    }
  }
}

// Any width: half as fast.
void UnpackAny(const char* at, unsigned width, std::span<std::uint64_t> out) {
  const std::uint64_t mask = Mask(width);
  std::size_t bit = 0;
  for (std::uint64_t& number : out) {
    number = (LoadU64(at + bit / 8) >> (bit % 8)) & mask;
    bit += width;
  }
}

// The widths of most counters and gauges.
void UnpackGroups(const char* at, unsigned width, std::span<std::uint64_t> out) {
  const std::size_t groups = out.size() / 8;
  switch (width) {
    case 1:
      return UnpackWidth<1>(at, groups, out.data());
    case 2:
      return UnpackWidth<2>(at, groups, out.data());
    case 3:
      return UnpackWidth<3>(at, groups, out.data());
    case 4:
      return UnpackWidth<4>(at, groups, out.data());
    case 5:
      return UnpackWidth<5>(at, groups, out.data());
    case 6:
      return UnpackWidth<6>(at, groups, out.data());
    case 7:
      return UnpackWidth<7>(at, groups, out.data());
    case 8:
      return UnpackWidth<8>(at, groups, out.data());
    case 9:
      return UnpackWidth<9>(at, groups, out.data());
    case 10:
      return UnpackWidth<10>(at, groups, out.data());
    case 11:
      return UnpackWidth<11>(at, groups, out.data());
    case 12:
      return UnpackWidth<12>(at, groups, out.data());
    default:
      return UnpackAny(at, width, out);
  }
}

}  // namespace

void Pack(std::span<const std::uint64_t> numbers, unsigned width, std::string& out) {
  if (width == 0) return;
  const std::size_t start = out.size();
  const std::size_t size = PackedBytes(numbers.size(), width);
  out.resize(start + size + kWord);  // so that whole words may be written
  char* const to = out.data() + start;
  std::uint64_t word = 0;  // its lowest `used` bits wait to be written
  unsigned used = 0;
  std::size_t at = 0;
  for (const std::uint64_t number : numbers) {
    assert((number & ~Mask(width)) == 0);
    word |= number << used;
    used += width;
    if (used < 64) continue;
    std::memcpy(to + at, &word, kWord);
    at += kWord;
    used -= 64;
    word = used == 0 ? 0 : number >> (width - used);
  }
  std::memcpy(to + at, &word, kWord);
  out.resize(start + size);
}

void Unpack(std::string_view bytes, unsigned width, std::span<std::uint64_t> out) {
  assert(bytes.size() >= PackedBytes(out.size(), width));
  if (width == 0) return std::fill(out.begin(), out.end(), 0);
  if (width == 64) {
    std::memcpy(out.data(), bytes.data(), out.size() * kWord);
    return;
  }
  // Those whose eight bytes lie within `bytes`, in groups of eight that begin at a byte.
  const std::size_t whole = bytes.size() < kWord ? 0 : (bytes.size() - kWord) * 8 / width + 1;
  const std::size_t fast = std::min(whole, out.size()) & ~std::size_t{7};
  UnpackGroups(bytes.data(), width, out.first(fast));
  for (std::size_t i = fast; i < out.size(); ++i) out[i] = UnpackOne(bytes, width, i);
}

std::uint64_t UnpackOne(std::string_view bytes, unsigned width, std::size_t index) {
  if (width == 0) return 0;
  const std::size_t bit = index * width;
  return (LoadNearEnd(bytes, bit / 8) >> (bit % 8)) & Mask(width);
}

}  // namespace skep::tsdb

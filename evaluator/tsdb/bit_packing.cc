#include "evaluator/tsdb/bit_packing.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <utility>

#include "evaluator/tsdb/bytes.h"

namespace skep::tsdb {
namespace {

constexpr std::size_t kWord = sizeof(std::uint64_t);

// Eight bytes from `at`, zeros beyond the end.
std::uint64_t LoadNearEnd(std::string_view bytes, std::size_t at) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data() + at, std::min(kWord, bytes.size() - at));
  return word;
}

// A width that the compiler knows makes shifts and offsets constants, twice as fast as others:
// eight numbers fill `kWidth` bytes exactly.
template <unsigned kWidth>
void UnpackGroups(const char* at, std::size_t groups, std::uint64_t* out) {
  for (; groups > 0; --groups, at += kWidth, out += 8) {
#pragma GCC unroll 8
    for (unsigned i = 0; i < 8; ++i) {
      out[i] = (LoadU64(at + i * kWidth / 8) >> (i * kWidth % 8)) & Mask(kWidth);
    }
  }
}

using Unpacker = void (*)(const char*, std::size_t, std::uint64_t*);
constexpr auto kUnpackers = []<std::size_t... kWidths>(std::index_sequence<kWidths...>) {
  return std::array<Unpacker, sizeof...(kWidths)>{UnpackGroups<kWidths>...};
}
(std::make_index_sequence<kMaxPackedWidth + 1>());

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
  kUnpackers[width](bytes.data(), fast / 8, out.data());
  for (std::size_t i = fast; i < out.size(); ++i) out[i] = UnpackOne(bytes, width, i);
}

std::uint64_t UnpackOne(std::string_view bytes, unsigned width, std::size_t index) {
  if (width == 0) return 0;
  const std::size_t bit = index * width;
  return (LoadNearEnd(bytes, bit / 8) >> (bit % 8)) & Mask(width);
}

}  // namespace skep::tsdb

#include "common/base/crc32c.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

namespace skep {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // bits reversed

using Table = std::array<std::uint32_t, 256>;

// tables[k][b]: what byte `b` does to the sum when `k` bytes follow it.
constexpr std::array<Table, 8> MakeTables() {
  std::array<Table, 8> tables{};
  for (std::uint32_t b = 0; b < 256; ++b) {
    std::uint32_t crc = b;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][b] = crc;
  }
  for (std::size_t k = 1; k < 8; ++k) {
    for (std::size_t b = 0; b < 256; ++b) {
      const std::uint32_t before = tables[k - 1][b];
      tables[k][b] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}
constexpr std::array<Table, 8> kTables = MakeTables();

std::uint64_t Load64(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

std::uint32_t UpdateByTable(std::uint32_t crc, const char* at, std::size_t size) {
  for (; size >= 8; at += 8, size -= 8) {
    const std::uint64_t word = Load64(at) ^ crc;
    const auto byte = [word](unsigned k) { return (word >> (8 * k)) & 0xff; };
    crc = kTables[7][byte(0)] ^ kTables[6][byte(1)] ^ kTables[5][byte(2)] ^ kTables[4][byte(3)] ^
          kTables[3][byte(4)] ^ kTables[2][byte(5)] ^ kTables[1][byte(6)] ^ kTables[0][byte(7)];
  }
  for (; size > 0; ++at, --size) {
    crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<unsigned char>(*at)) & 0xff];
  }
  return crc;
}

#if defined(__x86_64__)

// One bit of the sum after another, as a linear map: column i is what bit i becomes.
using BitMap = std::array<std::uint32_t, 32>;

constexpr std::uint32_t Apply(const BitMap& map, std::uint32_t crc) {
  std::uint32_t out = 0;
  for (std::size_t i = 0; crc != 0; ++i, crc >>= 1) {
    if ((crc & 1) != 0) out ^= map[i];
  }
  return out;
}

// The map of 2^`doublings` zero bytes.
constexpr BitMap ZeroBytes(int doublings) {
  BitMap map{};
  for (std::size_t i = 0; i < 32; ++i) {
    std::uint32_t crc = 1U << i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    map[i] = crc;
  }
  for (int n = 0; n < doublings; ++n) {
    BitMap twice{};
    for (std::size_t i = 0; i < 32; ++i) twice[i] = Apply(map, map[i]);
    map = twice;
  }
  return map;
}

// The same map by bytes of the sum.
using Skip = std::array<Table, 4>;

constexpr Skip MakeSkip(int doublings) {
  const BitMap map = ZeroBytes(doublings);
  Skip skip{};
  for (std::uint32_t b = 0; b < 256; ++b) {
    for (std::uint32_t k = 0; k < 4; ++k) skip[k][b] = Apply(map, b << (8 * k));
  }
  return skip;
}

constexpr int kLongDoublings = 12;
constexpr int kShortDoublings = 7;
constexpr Skip kLongSkip = MakeSkip(kLongDoublings);
constexpr Skip kShortSkip = MakeSkip(kShortDoublings);

std::uint32_t Advance(const Skip& skip, std::uint64_t crc) {
  return skip[0][crc & 0xff] ^ skip[1][(crc >> 8) & 0xff] ^ skip[2][(crc >> 16) & 0xff] ^
         skip[3][(crc >> 24) & 0xff];
}

// Three runs of `kRun` bytes each at a time.
template <std::size_t kRun>
__attribute__((target("sse4.2"))) std::uint64_t UpdateThree(std::uint64_t crc, const char*& at,
                                                            std::size_t& size, const Skip& skip) {
  while (size >= 3 * kRun) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (const char* const end = at + kRun; at < end; at += 8) {
      crc = __builtin_ia32_crc32di(crc, Load64(at));
      second = __builtin_ia32_crc32di(second, Load64(at + kRun));
      third = __builtin_ia32_crc32di(third, Load64(at + 2 * kRun));
    }
    crc = Advance(skip, crc) ^ second;
    crc = Advance(skip, crc) ^ third;
    at += 2 * kRun;
    size -= 3 * kRun;
  }
  return crc;
}

__attribute__((target("sse4.2"))) std::uint32_t UpdateByInstruction(std::uint32_t start,
                                                                    const char* at,
                                                                    std::size_t size) {
  std::uint64_t crc = start;
  crc = UpdateThree<1UL << kLongDoublings>(crc, at, size, kLongSkip);
  crc = UpdateThree<1UL << kShortDoublings>(crc, at, size, kShortSkip);
  for (; size >= 8; at += 8, size -= 8) crc = __builtin_ia32_crc32di(crc, Load64(at));
  auto last = static_cast<std::uint32_t>(crc);
  for (; size > 0; ++at, --size) {
    last = __builtin_ia32_crc32qi(last, static_cast<unsigned char>(*at));
  }
  return last;
}

std::uint32_t Update(std::uint32_t crc, const char* at, std::size_t size) {
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  return has_instruction ? UpdateByInstruction(crc, at, size) : UpdateByTable(crc, at, size);
}

#else

std::uint32_t Update(std::uint32_t crc, const char* at, std::size_t size) {
  return UpdateByTable(crc, at, size);
}

#endif

}  // namespace

std::uint32_t Crc32c(std::string_view bytes, std::uint32_t crc) {
  return ~Update(~crc, bytes.data(), bytes.size());
}

std::uint32_t Crc32cByTable(std::string_view bytes, std::uint32_t crc) {
  return ~UpdateByTable(~crc, bytes.data(), bytes.size());
}

}  // namespace skep

// Hashes for tables, and one for files. None is for hostile input that must not collide.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace skep {

// FNV-1a: stays the same for ever, so that it may stand in files and go to others. To go on from an
// earlier text, `hash` is what that gave.
inline constexpr std::uint64_t kFnv1aBasis = 14695981039346656037ULL;
constexpr std::uint64_t Fnv1a(std::string_view bytes, std::uint64_t hash = kFnv1aBasis) {
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

// Those below may change with a version. Mixes all bits of `a` and `b` (the finalizer of
// MurmurHash3 over their combination).
constexpr std::uint64_t MixHash(std::uint64_t a, std::uint64_t b) {
  std::uint64_t h = a ^ (b + 0x9e3779b97f4a7c15ULL + (a << 6) + (a >> 2));
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdULL;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return h ^ (h >> 33);
}

// Eight bytes at a time by 128-bit multiplication (the folding that wyhash made known).
inline std::uint64_t HashBytes(std::string_view bytes) {
  __extension__ using Wide = unsigned __int128;
  constexpr std::uint64_t kSecret = 0xa0761d6478bd642fULL;
  const auto fold = [](std::uint64_t a, std::uint64_t b) {
    const auto product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  std::uint64_t hash = kSecret ^ bytes.size();
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    hash = fold(hash ^ word, 0xe7037ed1a0b428dbULL);
  }
  std::uint64_t tail = 0;
  if (left > 0) std::memcpy(&tail, at, left);
  hash = fold(hash ^ tail, 0x8ebc6af09c88c6e3ULL);
  return hash ^ (hash >> 29);
}

}  // namespace skep

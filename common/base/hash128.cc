#include "common/base/hash128.h"

#include <random>

#define XXH_INLINE_ALL  // NOLINT: how xxhash.h wants to be told
#include <xxhash.h>

namespace skep {
namespace {

std::uint64_t Seed() {
  static const std::uint64_t seed = [] {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
  }();
  return seed;
}

}  // namespace

Hash128 Hash128Of(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data(), bytes.size(), Seed());
  return {hash.low64, hash.high64};
}

}  // namespace skep

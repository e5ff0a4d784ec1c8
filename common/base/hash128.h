// 128 bits that stand for a piece of bytes, where keeping the bytes would cost too much.
#pragma once

#include <cstdint>
#include <string_view>

namespace skep {

struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  bool operator==(const Hash128&) const = default;
};

// XXH3 with a random seed of this process, so it is for memory only. Two different pieces share one
// with a probability of 2^-128, unless somebody who knows the seed made them for it. Thread-safe.
Hash128 Hash128Of(std::string_view bytes);

}  // namespace skep

// What pieces of the heap take, for the metrics of our own memory.
#pragma once

#include <algorithm>
#include <cstddef>

namespace skep::tsdb {

// Bytes that glibc takes for a piece of `bytes`: eight of its own, in steps of sixteen, 32 at
// least.
constexpr std::size_t HeapSize(std::size_t bytes) {
  return bytes == 0 ? 0 : std::max<std::size_t>(32, (bytes + 8 + 15) / 16 * 16);
}

}  // namespace skep::tsdb

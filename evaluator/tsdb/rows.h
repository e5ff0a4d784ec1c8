// Rows of a chunk's columns: what all of its columns have in common.
#pragma once

#include <cstdint>

namespace skep::tsdb {

// A chunk holds at most so many samples: four and a half hours at one a second. Readers refuse
// more, so that damaged bytes cannot ask for memory.
inline constexpr std::uint32_t kMaxChunkSamples = 16384;

// From `begin` up to `end`, which is not included.
struct RowRange {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  std::uint32_t size() const { return end - begin; }
  bool empty() const { return begin == end; }
  bool operator==(const RowRange&) const = default;
};

}  // namespace skep::tsdb

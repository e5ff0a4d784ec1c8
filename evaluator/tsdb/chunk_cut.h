// Where a run of samples is cut into chunks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/base/time.h"

namespace skep::tsdb {

inline constexpr std::uint32_t kUsualChunkSamples = 480;
inline constexpr std::uint32_t kSmallChunkSamples = 120;
// From so many samples on a chunk of a block is worth keeping: merges copy it. A smaller one is put
// together with others by the next merge.
inline constexpr std::uint32_t kKeptChunkSamples = 240;

// Gives the rows at which chunks end: rising, the last is the number of times. `ends` is replaced.
//
// Cuts lie on a grid of absolute time, 480 scrapes apart (2 hours at 15 s), not at every 480th row:
// so series of a target that differ by one scrape, or begin later, still share the columns of times
// of all other chunks. A chunk goes on over a cut while it has less than 120 samples, and ends
// without one at 600. Requires: times rise strictly, not empty.
void CutIntoChunks(std::span<const Timestamp> times, std::vector<std::uint32_t>& ends);

}  // namespace skep::tsdb

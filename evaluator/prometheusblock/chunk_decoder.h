// The samples of one chunk of a Prometheus block.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/result.h"
#include "common/base/time.h"
#include "evaluator/storage/querier.h"

namespace skep::prometheusblock {

// A chunk as it lies in a file; owns nothing.
struct ChunkView {
  // 1 floats, 2 histograms of whole numbers, 3 histograms of floats. Prometheus 3 has more of them
  // behind feature flags; they are refused by number.
  std::uint8_t encoding = 0;
  std::string_view data;
};

// Appends the samples: floats, or histograms, whose staleness markers become floats. Safe on any
// bytes: kCorrupt, and `out` is as before. Times that do not rise strictly, within the chunk or
// from what `out` has, are damage; so are histograms whose numbers do not fit together. Requires:
// `out` has no starts.
Status DecodeChunk(const ChunkView& chunk, storage::SampleColumns& out);

// Whether `time` is after the newest of `samples`.
inline bool IsAfter(const storage::SampleColumns& samples, Timestamp time) {
  const auto& histograms = samples.histograms.times;
  return (samples.times.empty() || samples.times.back() < time) &&
         (histograms.empty() || histograms.back() < time);
}

}  // namespace skep::prometheusblock

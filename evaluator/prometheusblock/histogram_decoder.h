// Chunks of native histograms.
//
//   samples (16 bits) | flags (8 bits): the highest two say whether a counter was reset, or that
//   these are gauges | zero threshold | schema | spans of both sides | bounds of custom buckets |
//   sample | sample | …
//
// Of whole numbers each field is the change of its change from sample to sample, and each bucket
// its difference from the bucket before; of floats each field is a row of XORs. The sum is one in
// both. A sample whose sum is the staleness marker has no buckets.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/result.h"
#include "evaluator/storage/querier.h"

namespace skep::prometheusblock {

enum class HistogramCounts : std::uint8_t { kWhole, kFloat };

// As DecodeChunk, but on an error `out` may have more than before.
Status DecodeHistograms(std::string_view data, HistogramCounts counts, storage::SampleColumns& out);

}  // namespace skep::prometheusblock

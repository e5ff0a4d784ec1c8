// Histograms of OTLP on the bounds of one family: exact or refused, never guessed. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/ingest/otlp_model.h"

namespace skep::ingest {

// The bounds that GenAI's and MCP's semantic conventions recommend for a metric; empty: none.
std::span<const double> RecommendedBounds(std::string_view metric_name);
// 1, 4, 16, ... 67108864: for numbers of things, tokens and bytes.
std::span<const double> PowersOfFour();

// Whether the bounds are finite and rise, and there are at most 128.
bool AreGoodBounds(std::span<const double> bounds);
// Whether each of `some` is one of `all`.
bool IsSubset(std::span<const double> some, std::span<const double> all);

// Both put the counts up to each bound of `bounds`, and of all observations, into `cumulated`: one
// more than there are bounds. "": done; otherwise why not.
//
// Classic: each bound must be one of the histogram's own, so that buckets are only joined.
std::string CumulateClassic(const HistogramData& data, std::span<const double> bounds,
                            std::vector<std::uint64_t>& cumulated);
// Exponential: a bucket is counted below the first bound that no value in it can exceed. So a
// quantile taken from the result is never too low, and too high by less than one of the buckets of
// `bounds`. Zeros (and what the sender counted as zero) count as 0.
std::string CumulateExponential(const HistogramData& data, std::span<const double> bounds,
                                std::vector<std::uint64_t>& cumulated);

// What to add to each bucket for a stream that had given out `before` and now has `now`, both
// cumulated and of one size: `added`, by bucket. `before` becomes what is given out then. No count
// ever goes back: where an exponential histogram has become coarser and its counts moved up, what
// was given out stays, and later observations make up for it. Requires: the total did not fall.
void AddIncrease(std::vector<std::uint64_t>& before, std::span<const std::uint64_t> now,
                 std::vector<std::uint64_t>& added);

}  // namespace skep::ingest

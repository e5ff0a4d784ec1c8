// Native histograms: counts of observations in many buckets as one value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/base/time.h"

namespace skep {

// What is known about a counter reset between a histogram and the one before it in its series.
// kGauge: no counter, so there are no resets.
enum class CounterResetHint : std::uint8_t { kUnknown, kReset, kNotReset, kGauge };

// The schema of histograms whose bounds are listed (Prometheus calls them NHCB).
inline constexpr int kCustomBucketsSchema = -53;
inline constexpr int kMinSchema = -4;
inline constexpr int kMaxSchema = 8;

// `length` buckets in a row, from index `first` on.
struct BucketSpan {
  std::int32_t first = 0;
  std::uint32_t length = 0;

  bool operator==(const BucketSpan&) const = default;
};

// The buckets of one side: their indexes as spans, their counts one after another. Buckets that
// stand nowhere are empty. `Number` is double, or an accumulator that arithmetic works with.
template <typename Number>
struct BucketRunsOf {
  std::vector<BucketSpan> spans;  // rising; two spans neither touch nor overlap
  std::vector<Number> counts;     // absolute, not cumulative

  bool empty() const { return counts.empty(); }
  // Requires: `index` is above all that are there.
  void Append(std::int32_t index, Number count) {
    if (!spans.empty() && static_cast<std::int64_t>(spans.back().first) + spans.back().length ==
                              static_cast<std::int64_t>(index)) {
      ++spans.back().length;
    } else {
      spans.push_back({index, 1});
    }
    counts.push_back(count);
  }
  // visit(index, count) in rising order.
  template <typename Visit>
  void ForEach(Visit visit) const {
    std::size_t at = 0;
    for (const BucketSpan& span : spans) {
      for (std::uint32_t i = 0; i < span.length; ++i) {
        visit(static_cast<std::int32_t>(span.first + static_cast<std::int32_t>(i)), counts[at++]);
      }
    }
  }
};

// A plain value. Where it is stored it is immutable and shared (HistogramPtr).
//
// Exponential schemas (-4..8): positive bucket i holds (b^(i-1), b^i] with b = 2^(2^-schema),
// negative bucket i [-b^i, -b^(i-1)), the zero bucket [-zero_threshold, zero_threshold].
// Custom buckets: positive bucket i holds (bounds[i-1], bounds[i]], the first from -Inf, the last
// up to +Inf; no negative ones and no zero bucket.
template <typename Number>
struct HistogramOf {
  CounterResetHint reset_hint = CounterResetHint::kUnknown;
  int schema = 0;
  double zero_threshold = 0;
  Number zero_count{};
  Number count{};  // of all observations; those of NaN are in no bucket
  Number sum{};
  BucketRunsOf<Number> positive, negative;
  std::shared_ptr<const std::vector<double>> bounds;  // of custom buckets, rising; null: none

  bool custom() const { return schema == kCustomBucketsSchema; }
  std::span<const double> custom_bounds() const {
    return bounds == nullptr ? std::span<const double>() : std::span<const double>(*bounds);
  }
};

using BucketRuns = BucketRunsOf<double>;
using Histogram = HistogramOf<double>;
using HistogramPtr = std::shared_ptr<const Histogram>;

struct HistogramSample {
  Timestamp time;
  HistogramPtr histogram;  // never null
};

// A start that nobody gave.
inline constexpr Timestamp kNoStart{};

// A sample of either kind, with what most samples lack.
struct FullSample {
  Timestamp time;
  double value = 0;                  // where `histogram` is null
  HistogramPtr histogram = nullptr;  // null: a float
  Timestamp start = kNoStart;        // when the counter began that the sample belongs to
};

// One bucket with its bounds.
struct HistogramBucket {
  double lower = 0;
  double upper = 0;
  bool lower_inclusive = false;
  bool upper_inclusive = false;
  double count = 0;
};

// The upper bound of positive bucket `index`. Requires: an exponential schema.
double ExponentialBound(int schema, std::int64_t index);

// Every bucket from the lowest to the highest, empty ones that have a place included; the zero
// bucket only where it counts something. Replaces `out`.
void ListBuckets(const Histogram& histogram, std::vector<HistogramBucket>& out);

// The same but for the reset hint: bounds, places of the buckets, and all numbers bit by bit.
bool SameHistogram(const Histogram& a, const Histogram& b);

// Memory that it takes, shared bounds not counted.
std::size_t SizeBytes(const Histogram& histogram);

// As Prometheus prints it: "{count:4, sum:5, [-0.5,0.5]:1, (0.5,1]:1, (1,2]:2}".
std::string FormatHistogram(const Histogram& histogram);

}  // namespace skep

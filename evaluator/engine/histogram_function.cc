#include "evaluator/engine/histogram_function.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "common/base/compensated_sum.h"
#include "common/model/sample.h"

namespace skep::engine {
namespace {

using promql::FunctionId;

constexpr double kInf = std::numeric_limits<double>::infinity();

double CountOfBuckets(const std::vector<HistogramBucket>& buckets) {
  double count = 0;
  for (const HistogramBucket& bucket : buckets) count += bucket.count;
  return count;
}

// The sum of NaN and of both infinities is NaN; only NaN is in no bucket.
bool HasNaN(const Histogram& histogram, const std::vector<HistogramBucket>& buckets) {
  return std::isnan(histogram.sum) && CountOfBuckets(buckets) < histogram.count;
}

// The zero bucket reaches only to the side on which there are other buckets, if that is one.
void NarrowZeroBucket(const Histogram& histogram, HistogramBucket& bucket) {
  const bool negative = !histogram.negative.empty();
  const bool positive = !histogram.positive.empty();
  if (positive && !negative) bucket.lower = 0;
  if (negative && !positive) bucket.upper = 0;
}

// How far into a bucket of exponential width `value` lies, 0 to 1.
double LogPart(const HistogramBucket& bucket, double value) {
  const double lower = std::log2(std::fabs(bucket.lower));
  const double upper = std::log2(std::fabs(bucket.upper));
  const double at = std::log2(std::fabs(value));
  return value > 0 ? (at - lower) / (upper - lower) : 1 - (at - upper) / (lower - upper);
}

double AtLogPart(const HistogramBucket& bucket, double part) {
  const double lower = std::log2(std::fabs(bucket.lower));
  const double upper = std::log2(std::fabs(bucket.upper));
  if (bucket.lower > 0) return std::exp2(lower + (upper - lower) * part);
  return -std::exp2(upper + (lower - upper) * (1 - part));
}

// The value that lies `part` into the bucket.
double AtPart(const Histogram& histogram, HistogramBucket bucket, double part) {
  const bool linear = histogram.custom() || (bucket.lower <= 0 && bucket.upper >= 0);
  if (!linear) return AtLogPart(bucket, part);
  return bucket.lower + (bucket.upper - bucket.lower) * part;
}

// Finds the bucket in which the observation of a rank lies; from the near end, for equal rounding.
struct Found {
  HistogramBucket bucket;
  double part = 0;       // how far in
  bool reached = false;  // the rank lies in some bucket at all
};

Found FindRank(double q, const Histogram& histogram, const std::vector<HistogramBucket>& buckets) {
  const bool forward = std::isnan(histogram.sum) || q < 0.5;
  const double rank = (forward ? q : 1 - q) * histogram.count;
  Found found;
  double count = 0;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    const HistogramBucket& bucket = buckets[forward ? i : buckets.size() - 1 - i];
    if (bucket.count == 0) continue;
    found.bucket = bucket;
    count += bucket.count;
    if (count >= rank) break;
  }
  // Rounding may have brought more together than there are in all.
  count = std::min(count, histogram.count);
  found.reached = !(count < rank);  // NaN is no rank beyond the buckets
  const double inside = forward ? rank - (count - found.bucket.count) : count - rank;
  found.part = inside / found.bucket.count;
  return found;
}

// Custom buckets without an end: the end that there is, whether or not the rank lies in them.
std::optional<double> EndOfEndless(const Histogram& histogram, const HistogramBucket& bucket) {
  if (!histogram.custom()) return std::nullopt;
  if (bucket.lower == -kInf && bucket.upper <= 0) return bucket.upper;
  if (bucket.lower != -kInf && bucket.upper == kInf) return bucket.lower;
  return std::nullopt;
}

// Requires: the rank lies in the bucket, which has ends.
double QuantileIn(const Histogram& histogram, const Found& found) {
  HistogramBucket bucket = found.bucket;
  if (histogram.custom() && bucket.lower == -kInf) bucket.lower = 0;
  if (!histogram.custom() && bucket.lower < 0 && bucket.upper > 0) {
    NarrowZeroBucket(histogram, bucket);
  }
  return AtPart(histogram, bucket, found.part);
}

// How many observations lie below a value, found bucket by bucket.
class RankBelow {
 public:
  explicit RankBelow(double value) : value_(value) {}

  bool found() const { return found_; }
  void Look(const HistogramBucket& bucket, bool linear, double below) {
    if (found_) return;
    if (bucket.lower >= value_) {
      Set(below);
    } else if (bucket.upper > value_) {
      // Nothing is known of how the observations of a bucket without a lower end lie.
      const double part = std::isinf(bucket.lower) ? 1
                          : linear ? (value_ - bucket.lower) / (bucket.upper - bucket.lower)
                                   : LogPart(bucket, value_);
      Set(below + bucket.count * part);
    }
  }
  double rank(double total) const { return found_ ? std::min(rank_, total) : total; }

 private:
  void Set(double rank) {
    rank_ = rank;
    found_ = true;
  }

  const double value_;
  double rank_ = 0;
  bool found_ = false;
};

double MiddleOf(const Histogram& histogram, const HistogramBucket& bucket) {
  if (histogram.custom()) return (bucket.upper + bucket.lower) / 2;
  if (bucket.lower <= 0 && bucket.upper >= 0) return 0;
  const double middle = std::sqrt(bucket.upper * bucket.lower);
  return bucket.upper < 0 ? -middle : middle;
}

double Variance(const Histogram& histogram) {
  std::vector<HistogramBucket> buckets;
  ListBuckets(histogram, buckets);
  const double mean = histogram.sum / histogram.count;
  CompensatedSum variance;
  for (const HistogramBucket& bucket : buckets) {
    if (bucket.count == 0) continue;
    const double delta = MiddleOf(histogram, bucket) - mean;
    variance.Add(bucket.count * delta * delta);
  }
  return variance.total() / histogram.count;
}

}  // namespace

HistogramNumber HistogramQuantileOf(double q, const Histogram& histogram) {
  if (q < 0) return {-kInf};
  if (q > 1) return {kInf};
  if (histogram.count == 0 || std::isnan(q)) return {kNormalNaN};
  std::vector<HistogramBucket> buckets;
  ListBuckets(histogram, buckets);
  const Found found = FindRank(q, histogram, buckets);
  if (const auto end = EndOfEndless(histogram, found.bucket)) return {*end};
  if (!found.reached && std::isnan(histogram.sum)) return {kNormalNaN, true};
  if (!found.reached) return {found.bucket.upper};
  return {QuantileIn(histogram, found), HasNaN(histogram, buckets)};
}

HistogramNumber HistogramFractionOf(double lower, double upper, const Histogram& histogram) {
  if (histogram.count == 0 || std::isnan(lower) || std::isnan(upper)) return {kNormalNaN};
  std::vector<HistogramBucket> buckets;
  ListBuckets(histogram, buckets);
  const bool nan = HasNaN(histogram, buckets);
  if (lower >= upper) return {0, nan};
  RankBelow low(lower);
  RankBelow high(upper);
  double below = 0;
  for (HistogramBucket& bucket : buckets) {
    const bool zero = bucket.lower <= 0 && bucket.upper >= 0;
    if (zero && !histogram.custom()) NarrowZeroBucket(histogram, bucket);
    if (zero && histogram.custom() && bucket.lower == -kInf) bucket.lower = 0;
    low.Look(bucket, zero || histogram.custom(), below);
    high.Look(bucket, zero || histogram.custom(), below);
    if (low.found() && high.found()) break;
    below += bucket.count;
  }
  const double total = nan ? CountOfBuckets(buckets) : histogram.count;
  return {(high.rank(total) - low.rank(total)) / histogram.count, nan};
}

HistogramFunction FindHistogramFunction(FunctionId id) {
  switch (id) {
    case FunctionId::kHistogramCount:
      return [](const Histogram& h) { return h.count; };
    case FunctionId::kHistogramSum:
      return [](const Histogram& h) { return h.sum; };
    case FunctionId::kHistogramAvg:
      return [](const Histogram& h) { return h.sum / h.count; };
    case FunctionId::kHistogramStddev:
      return [](const Histogram& h) { return std::sqrt(Variance(h)); };
    case FunctionId::kHistogramStdvar:
      return Variance;
    default:
      return nullptr;
  }
}

}  // namespace skep::engine

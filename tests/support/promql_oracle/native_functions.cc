#include "tests/support/promql_oracle/native_functions.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/support/promql_oracle/arithmetic.h"

namespace skep::oracle {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

bool AroundZero(const NativeBucket& bucket) { return bucket.lower <= 0 && bucket.upper >= 0; }

// A zero bucket belongs to the side that has buckets, if only one has.
void NarrowZero(const Native& native, NativeBucket& bucket) {
  const bool positive = !native.positive.empty();
  const bool negative = !native.negative.empty();
  if (positive && !negative) bucket.lower = 0;
  if (negative && !positive) bucket.upper = 0;
}

// How far into an exponential bucket a value lies, on a logarithmic scale.
double LogPart(const NativeBucket& bucket, double value) {
  const double lower = std::log2(std::fabs(bucket.lower));
  const double upper = std::log2(std::fabs(bucket.upper));
  const double at = std::log2(std::fabs(value));
  return value > 0 ? (at - lower) / (upper - lower) : 1 - (at - upper) / (lower - upper);
}

double AtPart(const Native& native, const NativeBucket& bucket, double part) {
  if (native.custom() || AroundZero(bucket)) {
    return bucket.lower + (bucket.upper - bucket.lower) * part;
  }
  const double lower = std::log2(std::fabs(bucket.lower));
  const double upper = std::log2(std::fabs(bucket.upper));
  if (bucket.lower > 0) return std::exp2(lower + (upper - lower) * part);
  return -std::exp2(upper + (lower - upper) * (1 - part));
}

double Variance(const Native& native) {
  const double mean = native.sum / native.count;
  PreciseSum squares;
  for (const NativeBucket& bucket : BucketsOf(native)) {
    if (bucket.count == 0) continue;
    double middle = (bucket.lower + bucket.upper) / 2;
    if (!native.custom()) {
      middle = AroundZero(bucket) ? 0 : std::sqrt(bucket.lower * bucket.upper);
      if (bucket.upper < 0) middle = -middle;
    }
    const double off = middle - mean;
    squares.Add(bucket.count * off * off);
  }
  return squares.total() / native.count;
}

// Observations up to `value`.
double RankOf(double value, const Native& native) {
  double below = 0;
  for (NativeBucket bucket : BucketsOf(native)) {
    const bool zero = AroundZero(bucket);
    if (zero) NarrowZero(native, bucket);
    if (bucket.lower >= value) return std::min(below, native.count);
    if (bucket.upper > value) {
      const bool linear = native.custom() || zero;
      double part =
          linear ? (value - bucket.lower) / (bucket.upper - bucket.lower) : LogPart(bucket, value);
      if (std::isinf(bucket.lower)) part = 1;  // nobody knows where they lie
      return std::min(below + bucket.count * part, native.count);
    }
    below += bucket.count;
  }
  // Observations of NaN are in no bucket.
  return std::isnan(native.sum) ? std::min(below, native.count) : native.count;
}

}  // namespace

// From the lower end, or from the upper one where that is nearer.
double QuantileOfNative(double q, const Native& native) {
  if (q < 0) return -kInf;
  if (q > 1) return kInf;
  if (native.count == 0 || std::isnan(q)) return kNan;
  std::vector<NativeBucket> buckets = BucketsOf(native);
  const bool upwards = std::isnan(native.sum) || q < 0.5;
  if (!upwards) std::reverse(buckets.begin(), buckets.end());
  const double rank = (upwards ? q : 1 - q) * native.count;
  NativeBucket found;
  double seen = 0;
  for (const NativeBucket& bucket : buckets) {
    if (bucket.count == 0) continue;
    found = bucket;
    seen += bucket.count;
    if (seen >= rank) break;
  }
  seen = std::min(seen, native.count);
  if (!native.custom() && found.lower < 0 && found.upper > 0) NarrowZero(native, found);
  if (native.custom() && found.lower == -kInf) {
    if (found.upper <= 0) return found.upper;
    found.lower = 0;
  } else if (native.custom() && found.upper == kInf) {
    return found.lower;
  }
  if (seen < rank) return std::isnan(native.sum) ? kNan : found.upper;
  const double inside = upwards ? rank - (seen - found.count) : seen - rank;
  return AtPart(native, found, inside / found.count);
}

double FractionOfNative(double lower, double upper, const Native& native) {
  if (native.count == 0 || std::isnan(lower) || std::isnan(upper)) return kNan;
  if (lower >= upper) return 0;
  return (RankOf(upper, native) - RankOf(lower, native)) / native.count;
}

bool IsNativeFunction(std::string_view name) {
  return name == "histogram_count" || name == "histogram_sum" || name == "histogram_avg" ||
         name == "histogram_stddev" || name == "histogram_stdvar";
}

double OfNative(std::string_view name, const Native& native) {
  if (name == "histogram_count") return native.count;
  if (name == "histogram_sum") return native.sum;
  if (name == "histogram_avg") return native.sum / native.count;
  return name == "histogram_stdvar" ? Variance(native) : std::sqrt(Variance(native));
}

}  // namespace skep::oracle

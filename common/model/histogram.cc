#include "common/model/histogram.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "common/base/number.h"

namespace skep {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr std::int64_t kFar = 1 << 20;  // exponents beyond it give zero or infinity anyway

bool SameBits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

bool SameRuns(const BucketRuns& a, const BucketRuns& b) {
  return a.spans == b.spans &&
         std::equal(a.counts.begin(), a.counts.end(), b.counts.begin(), b.counts.end(), SameBits);
}

// 2^(i / 256 - 1): the fractions of all schemas, as the finest one needs them.
const std::array<double, 256>& Fractions() {
  static const std::array<double, 256> fractions = [] {
    std::array<double, 256> table{};
    for (std::size_t i = 0; i < table.size(); ++i) {
      table[i] = static_cast<double>(std::exp2(static_cast<long double>(i) / 256.0L - 1.0L));
    }
    return table;
  }();
  return fractions;
}

void ListExponential(const Histogram& histogram, std::vector<HistogramBucket>& out) {
  const int schema = histogram.schema;
  histogram.negative.ForEach([&](std::int32_t i, double count) {
    const double lower = -ExponentialBound(schema, i);
    const double upper = -ExponentialBound(schema, std::int64_t{i} - 1);
    out.push_back({lower, upper, true, false, count});
  });
  std::reverse(out.begin(), out.end());
  if (histogram.zero_count > 0) {
    const double edge = histogram.zero_threshold;
    out.push_back({-edge, edge, true, true, histogram.zero_count});
  }
  histogram.positive.ForEach([&](std::int32_t i, double count) {
    const double lower = ExponentialBound(schema, std::int64_t{i} - 1);
    out.push_back({lower, ExponentialBound(schema, i), false, true, count});
  });
}

void ListCustom(const Histogram& histogram, std::vector<HistogramBucket>& out) {
  const std::span<const double> bounds = histogram.custom_bounds();
  const auto bound = [bounds](std::int64_t i) {
    if (i < 0) return -kInf;
    return i < static_cast<std::int64_t>(bounds.size()) ? bounds[static_cast<std::size_t>(i)]
                                                        : kInf;
  };
  histogram.positive.ForEach([&](std::int32_t i, double count) {
    out.push_back({bound(std::int64_t{i} - 1), bound(i), i == 0, true, count});
  });
}

}  // namespace

double ExponentialBound(int schema, std::int64_t index) {
  const auto power = [](double fraction, std::int64_t exponent) {
    const double bound =
        std::ldexp(fraction, static_cast<int>(std::clamp<std::int64_t>(exponent, -kFar, kFar)));
    // The bucket of the largest float ends there.
    if (fraction == 0.5 && exponent == 1025) return std::numeric_limits<double>::max();
    return bound;
  };
  if (schema <= 0) return power(0.5, index * (std::int64_t{1} << -schema) + 1);
  const std::int64_t in_octave = index & ((std::int64_t{1} << schema) - 1);
  const auto at = static_cast<std::size_t>(in_octave << (kMaxSchema - schema));
  return power(Fractions()[at], (index >> schema) + 1);
}

void ListBuckets(const Histogram& histogram, std::vector<HistogramBucket>& out) {
  out.clear();
  if (histogram.custom()) {
    ListCustom(histogram, out);
  } else {
    ListExponential(histogram, out);
  }
}

bool SameHistogram(const Histogram& a, const Histogram& b) {
  const auto a_bounds = a.custom_bounds();
  const auto b_bounds = b.custom_bounds();
  return a.schema == b.schema && SameBits(a.count, b.count) && SameBits(a.sum, b.sum) &&
         SameBits(a.zero_count, b.zero_count) && a.zero_threshold == b.zero_threshold &&
         std::equal(a_bounds.begin(), a_bounds.end(), b_bounds.begin(), b_bounds.end()) &&
         SameRuns(a.positive, b.positive) && SameRuns(a.negative, b.negative);
}

std::size_t SizeBytes(const Histogram& histogram) {
  const auto runs = [](const BucketRuns& r) {
    return r.spans.size() * sizeof(BucketSpan) + r.counts.size() * sizeof(double);
  };
  return sizeof(Histogram) + runs(histogram.positive) + runs(histogram.negative);
}

std::string FormatHistogram(const Histogram& histogram) {
  std::string out = "{count:";
  AppendDouble(out, histogram.count);
  out += ", sum:";
  AppendDouble(out, histogram.sum);
  std::vector<HistogramBucket> buckets;
  ListBuckets(histogram, buckets);
  for (const HistogramBucket& bucket : buckets) {
    if (bucket.count == 0) continue;
    out += bucket.lower_inclusive ? ", [" : ", (";
    AppendDouble(out, bucket.lower);
    out += ',';
    AppendDouble(out, bucket.upper);
    out += bucket.upper_inclusive ? "]:" : "):";
    AppendDouble(out, bucket.count);
  }
  return out + "}";
}

}  // namespace skep

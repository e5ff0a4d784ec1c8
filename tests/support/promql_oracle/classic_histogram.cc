#include "tests/support/promql_oracle/classic_histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "common/base/number.h"

namespace skep::oracle {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Apart by no more than rounding makes: 1e-12 of their sum.
bool AlmostEqual(double a, double b) {
  constexpr double kTolerance = 1e-12;
  constexpr double kSmallestNormal = std::numeric_limits<double>::min();
  if (a == b || (std::isnan(a) && std::isnan(b))) return true;
  const double sum = std::fabs(a) + std::fabs(b);
  const double off = std::fabs(a - b);
  if (a == 0 || b == 0 || sum < kSmallestNormal) return off < kTolerance * kSmallestNormal;
  return off / std::min(sum, std::numeric_limits<double>::max()) < kTolerance;
}

// A bucket that has less than the one below it, or not noticeably more, gets what that one has.
void MakeRising(std::vector<Bucket>& buckets) {
  double below = buckets[0].count;
  for (Bucket& bucket : buckets) {
    if (AlmostEqual(bucket.count, below) || bucket.count < below) {
      bucket.count = below;
    } else {
      below = bucket.count;
    }
  }
}

std::vector<Bucket> ByBound(std::vector<Bucket> buckets) {
  std::stable_sort(buckets.begin(), buckets.end(),
                   [](const Bucket& a, const Bucket& b) { return a.upper < b.upper; });
  std::vector<Bucket> out;
  for (const Bucket& bucket : buckets) {
    if (!out.empty() && out.back().upper == bucket.upper) {
      out.back().count += bucket.count;
    } else {
      out.push_back(bucket);
    }
  }
  return out;
}

// Observations up to `value`, which lie evenly within a bucket; the lowest one begins at zero if it
// ends above zero.
double RankOf(double value, const std::vector<Bucket>& buckets) {
  const double total = buckets.back().count;
  double low = buckets[0].upper > 0 ? 0 : -kInf;
  double below = 0;
  for (const Bucket& bucket : buckets) {
    if (low >= value) return std::min(below, total);
    if (bucket.upper > value) {
      if (std::isinf(low)) return std::min(bucket.count, total);
      const double part = (bucket.count - below) * (value - low) / (bucket.upper - low);
      return std::min(below + part, total);
    }
    low = bucket.upper;
    below = bucket.count;
  }
  return total;
}

}  // namespace

double QuantileOfBuckets(double q, std::vector<Bucket> buckets) {
  if (std::isnan(q)) return kNan;
  if (q < 0) return -kInf;
  if (q > 1) return kInf;
  if (buckets.back().upper != kInf) return kNan;
  MakeRising(buckets);
  if (buckets.size() < 2 || buckets.back().count == 0) return kNan;
  const double rank = q * buckets.back().count;
  std::size_t i = 0;
  while (i + 1 < buckets.size() && !(buckets[i].count >= rank)) ++i;
  if (i + 1 == buckets.size()) return buckets[i - 1].upper;
  if (i == 0 && buckets[0].upper <= 0) return buckets[0].upper;
  const Bucket below = i == 0 ? Bucket{0, 0} : buckets[i - 1];
  return below.upper + (buckets[i].upper - below.upper) *
                           ((rank - below.count) / (buckets[i].count - below.count));
}

double FractionOfBuckets(double lower, double upper, const std::vector<Bucket>& buckets) {
  if (buckets.back().upper != kInf) return kNan;
  const double total = buckets.back().count;
  if (total == 0 || std::isnan(lower) || std::isnan(upper)) return kNan;
  if (lower >= upper) return 0;
  return (RankOf(upper, buckets) - RankOf(lower, buckets)) / total;
}

Result<Elements> OfHistograms(const Elements& elements, const HistogramNumber& number) {
  std::map<Labels, std::vector<Bucket>> histograms;
  for (const Element& element : elements) {
    if (element.native != nullptr) continue;
    const auto bound = ParseDouble(element.labels.Get("le"));
    if (!bound) continue;
    const Labels labels = LabelsBuilder(element.labels).Delete("le").Build();
    histograms[labels].push_back({*bound, element.value});
  }
  Elements out;
  for (const Element& element : elements) {
    if (element.native == nullptr || histograms.erase(element.labels) > 0) continue;
    out.push_back({WithoutName(element.labels), number.of_native(*element.native)});
  }
  for (const auto& [labels, buckets] : histograms) {
    out.push_back({WithoutName(labels), number.of_buckets(ByBound(buckets))});
  }
  RETURN_IF_ERROR(RefuseDuplicates(out));
  return out;
}

}  // namespace skep::oracle

// Arithmetic that agrees with Prometheus to the bit: compensated sums, Go's min, max and quantile.
#pragma once

#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "common/base/compensated_sum.h"
#include "common/model/sample.h"

namespace skep::engine {

// A mean as sum / count; once the sum would overflow, as a running mean.
class CompensatedMean {
 public:
  explicit CompensatedMean(double first) : sum_{first, 0} {}

  void Add(double x) {
    count_ += 1;
    if (!running_) {
      CompensatedSum next = sum_;
      next.Add(x);
      if (!std::isinf(next.sum)) {
        sum_ = next;
        return;
      }
      running_ = true;
      sum_ = {sum_.sum / (count_ - 1), sum_.lost / (count_ - 1)};
    }
    const double weight = (count_ - 1) / count_;
    sum_ = {weight * sum_.sum, weight * sum_.lost};
    sum_.Add(x / count_);
  }
  double value() const {
    return running_ ? sum_.sum + sum_.lost : sum_.sum / count_ + sum_.lost / count_;
  }

 private:
  CompensatedSum sum_;  // the mean itself once running_
  double count_ = 1;
  bool running_ = false;
};

// Go's math.Max and math.Min: NaN if either is, but for an infinity that decides.
inline double GoMax(double a, double b) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  if (a == kInf || b == kInf) return kInf;
  if (std::isnan(a) || std::isnan(b)) return kNormalNaN;
  if (a == 0 && b == 0) return std::signbit(a) ? b : a;
  return a > b ? a : b;
}
inline double GoMin(double a, double b) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  if (a == -kInf || b == -kInf) return -kInf;
  if (std::isnan(a) || std::isnan(b)) return kNormalNaN;
  if (a == 0 && b == 0) return std::signbit(a) ? a : b;
  return a < b ? a : b;
}

// NaN before everything: the order in which quantiles are counted.
inline bool NanFirst(double a, double b) {
  if (std::isnan(a)) return !std::isnan(b);
  return a < b;
}

// The q-quantile, interpolated between the two nearest values. NaN where there are none or q is
// NaN; -Inf below 0, +Inf above 1. `scratch` is room to work, not that of `values`.
double Quantile(double q, std::span<const double> values, std::vector<double>& scratch);

}  // namespace skep::engine

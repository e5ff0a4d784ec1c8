#include "tests/support/promql_oracle/arithmetic.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace skep::oracle {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

void PreciseSum::Add(double x) {
  const double next = sum_ + x;
  if (std::isinf(next)) {
    lost_ = 0;
  } else {
    const double larger = std::fabs(sum_) >= std::fabs(x) ? sum_ : x;
    const double smaller = std::fabs(sum_) >= std::fabs(x) ? x : sum_;
    lost_ += (larger - next) + smaller;
  }
  sum_ = next;
}

double Sum(const std::vector<double>& values) {
  PreciseSum sum(values[0]);
  for (std::size_t i = 1; i < values.size(); ++i) sum.Add(values[i]);
  return sum.total();
}

double Mean(const std::vector<double>& values) {
  PreciseSum sum(values[0]);
  std::size_t i = 1;
  for (; i < values.size(); ++i) {
    PreciseSum next = sum;
    next.Add(values[i]);
    if (std::isinf(next.sum())) break;
    sum = next;
  }
  const double summed = static_cast<double>(i);
  if (i == values.size()) return sum.sum() / summed + sum.lost() / summed;
  PreciseSum mean(sum.sum() / summed, sum.lost() / summed);
  for (; i < values.size(); ++i) {
    const double count = static_cast<double>(i + 1);
    const double weight = (count - 1) / count;
    mean = PreciseSum(weight * mean.sum(), weight * mean.lost());
    mean.Add(values[i] / count);
  }
  return mean.total();
}

double Quantile(double q, std::vector<double> values) {
  if (std::isnan(q)) return kNan;
  if (q < 0) return -kInf;
  if (q > 1) return kInf;
  std::sort(values.begin(), values.end(), [](double a, double b) {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && !std::isnan(b);
    return a < b;
  });
  const double rank = q * static_cast<double>(values.size() - 1);
  const auto lower = static_cast<std::size_t>(std::floor(rank));
  const std::size_t upper = std::min(lower + 1, values.size() - 1);
  const double weight = rank - std::floor(rank);
  return values[lower] * (1 - weight) + values[upper] * weight;
}

double Smaller(double a, double b) {
  if (a == -kInf || b == -kInf) return -kInf;
  if (std::isnan(a) || std::isnan(b)) return kNan;
  return a < b ? a : b;
}

double Larger(double a, double b) {
  if (a == kInf || b == kInf) return kInf;
  if (std::isnan(a) || std::isnan(b)) return kNan;
  return a > b ? a : b;
}

}  // namespace skep::oracle

#include "evaluator/engine/float_math.h"

#include <algorithm>
#include <cstddef>

namespace skep::engine {

double Quantile(double q, std::vector<double>& values) {
  if (values.empty() || std::isnan(q)) return kNormalNaN;
  if (q < 0) return -std::numeric_limits<double>::infinity();
  if (q > 1) return std::numeric_limits<double>::infinity();
  const double n = static_cast<double>(values.size());
  const double rank = q * (n - 1);
  const auto lower = static_cast<std::ptrdiff_t>(std::max(0.0, std::floor(rank)));
  const auto last = static_cast<std::ptrdiff_t>(values.size()) - 1;
  const std::ptrdiff_t upper = std::min(last, lower + 1);
  // Two values are needed, not an order of all: O(n) instead of O(n log n).
  std::nth_element(values.begin(), values.begin() + lower, values.end(), NanFirst);
  const double low = values[static_cast<std::size_t>(lower)];
  double high = low;
  if (upper != lower) high = *std::min_element(values.begin() + upper, values.end(), NanFirst);
  const double weight = rank - std::floor(rank);
  return low * (1 - weight) + high * weight;
}

}  // namespace skep::engine

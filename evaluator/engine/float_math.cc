#include "evaluator/engine/float_math.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>

namespace skep::engine {
namespace {

// The values that a sort would bring to these places; `upper` is `lower` or the one behind it.
template <typename Before>
std::pair<double, double> NthAndNext(std::vector<double>& values, std::ptrdiff_t lower,
                                     std::ptrdiff_t upper, Before before) {
  const auto nth = values.begin() + lower;
  std::nth_element(values.begin(), nth, values.end(), before);
  return {*nth,
          upper == lower ? *nth : *std::min_element(values.begin() + upper, values.end(), before)};
}

}  // namespace

double Quantile(double q, std::vector<double>& values) {
  if (values.empty() || std::isnan(q)) return kNormalNaN;
  if (q < 0) return -std::numeric_limits<double>::infinity();
  if (q > 1) return std::numeric_limits<double>::infinity();
  const double n = static_cast<double>(values.size());
  const double rank = q * (n - 1);
  const auto lower = static_cast<std::ptrdiff_t>(std::max(0.0, std::floor(rank)));
  const auto last = static_cast<std::ptrdiff_t>(values.size()) - 1;
  const std::ptrdiff_t upper = std::min(last, lower + 1);
  // Two values are needed, not an order of all: O(n) instead of O(n log n). Comparing without a
  // look for NaN takes half the time.
  const auto [low, high] =
      std::any_of(values.begin(), values.end(), [](double v) { return v != v; })
          ? NthAndNext(values, lower, upper, NanFirst)
          : NthAndNext(values, lower, upper, std::less<>());
  const double weight = rank - std::floor(rank);
  return low * (1 - weight) + high * weight;
}

}  // namespace skep::engine

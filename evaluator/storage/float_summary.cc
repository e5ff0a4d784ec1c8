#include "evaluator/storage/float_summary.h"

#include <algorithm>
#include <cmath>

#include "common/base/compensated_sum.h"

namespace skep::storage {
namespace {

// One step of a counter and of a gauge.
void AddStep(double before, double value, FloatSummary& summary) {
  summary.changes += before != value;
  if (value < before) {
    ++summary.resets;
    summary.before_resets += before;
  }
}

double SquaresAbout(double mean, std::span<const double> values) {
  double squares = 0;
  double distances = 0;
  for (const double value : values) {
    squares += (value - mean) * (value - mean);
    distances += value - mean;
  }
  // What the rounding of the mean added is taken off.
  squares -= distances * distances / static_cast<double>(values.size());
  return squares < 0 ? 0 : squares;
}

}  // namespace

std::optional<FloatSummary> Summarize(std::span<const double> values) {
  FloatSummary summary;
  summary.count = static_cast<std::uint32_t>(values.size());
  summary.first = summary.min = summary.max = values.front();
  summary.last = values.back();
  CompensatedSum sum;
  double before = values.front();
  for (const double value : values) {
    if (!std::isfinite(value)) return std::nullopt;
    AddStep(before, value, summary);
    summary.min = std::min(summary.min, value);
    summary.max = std::max(summary.max, value);
    sum.Add(value);
    before = value;
  }
  summary.sum = sum.total();
  summary.squares = SquaresAbout(summary.sum / static_cast<double>(summary.count), values);
  const bool finite = std::isfinite(summary.sum) && std::isfinite(summary.squares) &&
                      std::isfinite(summary.before_resets);
  return finite ? std::optional(summary) : std::nullopt;
}

FloatSummary Joined(const FloatSummary& earlier, const FloatSummary& later) {
  FloatSummary joined;
  joined.count = earlier.count + later.count;
  joined.resets = earlier.resets + later.resets;
  joined.changes = earlier.changes + later.changes;
  joined.first = earlier.first;
  joined.last = later.last;
  joined.min = std::min(earlier.min, later.min);
  joined.max = std::max(earlier.max, later.max);
  joined.sum = earlier.sum + later.sum;
  const double a = earlier.count;
  const double b = later.count;
  const double apart = later.sum / b - earlier.sum / a;
  joined.squares = earlier.squares + later.squares + apart * apart * (a * b / (a + b));
  joined.before_resets = earlier.before_resets;
  AddStep(earlier.last, later.first, joined);
  joined.before_resets += later.before_resets;
  return joined;
}

}  // namespace skep::storage

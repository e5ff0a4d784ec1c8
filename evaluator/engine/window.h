// The samples of one series that a range function sees at one step, and what it makes of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/time.h"
#include "evaluator/engine/table.h"
#include "evaluator/promql/function.h"

namespace skep::engine {

// A view into a series' samples; at least one sample, no staleness markers.
struct Window {
  const Timestamp* times = nullptr;
  const double* values = nullptr;
  std::size_t size = 0;
  // The range (start, end]. Anchored and smoothed selectors hand along samples outside of it.
  std::int64_t start = 0;
  std::int64_t end = 0;
  std::int64_t step_time = 0;
  double range_seconds = 0;
  bool anchored = false;
  bool smoothed = false;
  // Per sample of the window: falls (value below the one before) in the series up to it. Only
  // differences mean something. Null where the function does not ask for it.
  const std::uint32_t* falls = nullptr;
  // When the counter began that each sample belongs to. Null where no sample of the series has one.
  const Timestamp* starts = nullptr;

  std::int64_t time(std::size_t i) const { return ToMillis(times[i]); }
  double seconds(std::size_t i) const { return static_cast<double>(time(i)) / 1000; }
};

// Whether the counter was reset before the second of two neighbours, as their starts tell it.
bool IsStartReset(Timestamp start_before, Timestamp before, Timestamp start, Timestamp now);

// Where the samples of a rate lie in its range, in milliseconds.
struct Extent {
  std::int64_t range_start = 0;
  std::int64_t range_end = 0;
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::size_t size = 0;
  // The first sample's counter began here, inside the range: it was zero then.
  std::optional<std::int64_t> zero;
};
// The start of the first sample where it can stand for a zero (Extent::zero).
std::optional<std::int64_t> ZeroInside(const Extent& extent, Timestamp start);
// By how much the change from the first sample (or from zero) to the last one is stretched to cover
// the range. `first_of_change`: a counter's first value as a part of the change; it limits how far
// back the counter can have come from zero.
double ExtrapolationFactor(const Extent& extent, std::optional<double> first_of_change);

// The scalar arguments at the step (quantile, smoothing factors, seconds ahead), and room to work.
struct WindowArguments {
  double first = 0;
  double second = 0;
  std::vector<double>* scratch = nullptr;
};

// kAbsent: the series has no result at this step.
using WindowFunction = double (*)(const Window& window, const WindowArguments& arguments);

// What computes `id`. Null for what is no function of single windows.
WindowFunction FindWindowFunction(promql::FunctionId id);
// Whether Window::falls must be set.
bool NeedsFalls(promql::FunctionId id);

}  // namespace skep::engine

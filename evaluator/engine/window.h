// The samples of one series that a range function sees at one step, and what it makes of them.
#pragma once

#include <cstddef>
#include <cstdint>
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

  std::int64_t time(std::size_t i) const { return ToMillis(times[i]); }
  double seconds(std::size_t i) const { return static_cast<double>(time(i)) / 1000; }
};

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

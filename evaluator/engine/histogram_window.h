// Range functions over series that hold histograms, alone or beside floats.
#pragma once

#include "common/model/histogram.h"
#include "evaluator/engine/histogram_remarks.h"
#include "evaluator/engine/window.h"
#include "evaluator/promql/function.h"

namespace skep::engine {

// The histograms that a range function sees at one step. Starts are as many as histograms.
struct HistogramWindow {
  const Timestamp* times = nullptr;
  const HistogramPtr* values = nullptr;
  const Timestamp* starts = nullptr;
  std::size_t size = 0;

  std::int64_t time(std::size_t i) const { return ToMillis(times[i]); }
};

// A float, a histogram, or neither.
struct WindowResult {
  double value = kAbsent;
  HistogramPtr histogram;
};

// What `id` makes of a window in which at least one histogram lies; `floats` may be empty but has
// its range set.
WindowResult ApplyToHistograms(promql::FunctionId id, const Window& floats,
                               const HistogramWindow& histograms, const WindowArguments& arguments,
                               const HistogramRemarker& remarks);

// The histogram at `at`, on the line between two neighbours; a counter that was reset between them
// began again from zero. Null, with a remark, where they do not mix.
HistogramPtr Interpolate(const HistogramSample& left, const HistogramSample& right, std::int64_t at,
                         bool counter, const HistogramRemarker& remarks);

}  // namespace skep::engine

// Range functions over windows of which many samples are known only as what runs of them come to.
#pragma once

#include <cstddef>
#include <span>

#include "evaluator/engine/window.h"
#include "evaluator/promql/function.h"
#include "evaluator/storage/querier.h"

namespace skep::engine {

// What a function sees at one step of a series that was read summarized.
struct SummaryWindow {
  using Run = storage::SummarizedSamples::Run;

  Window samples;             // those in no run; there may be none. Its range is set
  std::span<const Run> runs;  // at least one; all of their samples are in the window
  std::size_t before = 0;  // samples of the series in front of `samples`, which Run::after counts
  std::size_t size = 0;    // samples, those of runs included
};

// kAbsent: the series has no result at this step.
using SummaryFunction = double (*)(const SummaryWindow& window);

// What computes `id`; null for what needs every sample. min, max, count, changes, resets, the first
// and the last sample are those of the plain function, bit for bit; so are sum and average of
// integers below 2^53, and rate and increase where no run has more than one reset. The other sums
// are rounded at other places (README.md).
SummaryFunction FindSummaryFunction(promql::FunctionId id);
// Whether the plain function looks at every sample of its window, so that adding up summaries of
// sixteen is faster.
bool LooksAtEverySample(promql::FunctionId id);

}  // namespace skep::engine

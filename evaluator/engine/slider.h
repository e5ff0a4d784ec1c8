// One function of a range vector, slid over the windows of one series after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/result.h"
#include "evaluator/engine/context.h"
#include "evaluator/engine/pieces.h"
#include "evaluator/engine/rate_windows.h"
#include "evaluator/engine/selector.h"
#include "evaluator/engine/summary_window.h"
#include "evaluator/engine/table.h"
#include "evaluator/engine/window.h"
#include "evaluator/promql/ast.h"

namespace skep::engine {

// rate, increase: they judge whether the metric is a counter, and look at starts.
bool IsRate(promql::FunctionId id);

// What all calls over one range share. Borrowed.
struct SliderInput {
  const Steps& steps;
  const RangeSpec& spec;
  const std::vector<Column>& scalars;
};

// One call: its function, its windows, its buffers. Thread-compatible.
class Slider {
 public:
  Slider(QueryContext& context, const promql::Call& call, const SliderInput& input);

  // What a series came to.
  struct Filled {
    bool any = false;
    bool floats = false;
  };

  // Fills the series' row of `table`, its last.
  Result<Filled> Run(const RangeSeries& series, Table& table);

 private:
  // The samples from `low` to before `high` that a step sees.
  struct Bounds {
    std::size_t low = 0;
    std::size_t high = 0;

    std::size_t size() const { return high - low; }
    void Slide(const std::vector<Timestamp>& times, const RangeSpec& spec, std::int64_t end);
  };

  // The same of runs. None lies across the ends of a range.
  struct RunBounds {
    std::size_t low = 0;
    std::size_t high = 0;
    std::size_t samples = 0;

    std::size_t size() const { return high - low; }
    // How many samples they have.
    std::size_t Slide(const std::vector<SummaryWindow::Run>& runs, const RangeSpec& spec,
                      std::int64_t end);
  };

  // Of a step: where its range ends, and itself.
  struct StepTimes {
    std::int64_t end = 0;
    std::int64_t step = 0;
  };

  // A step looks at so many samples, which is so much work. One series with long windows at many
  // steps can take hours: the query's end is looked for within its row, too.
  Status NoteWork(std::size_t samples, std::size_t work);
  // The function over the window, whose samples are those of `bounds`.
  double Compute(const storage::SampleColumns& samples, const Bounds& bounds);
  // The same as Run for a rate of floats without starts.
  Result<Filled> RunRates(const storage::SampleColumns& samples, double* out);
  // The same as Run where runs of samples have come as what they come to.
  Result<Filled> RunSummarized(const RangeSeries& series, Table& table);
  // The same over histograms, and floats beside them.
  Result<Filled> RunMixed(const RangeSeries& series, Table& table);
  // Starts that overlap the sample in front, in any window of a rate.
  void CheckStarts(const RangeSeries& series);
  void SetWindow(const storage::SampleColumns& samples, const Bounds& bounds, const StepTimes& at);
  void SetArguments(std::size_t step);
  // Most windows have no reset: with the running count they need not look for one.
  void CountFalls(const storage::SampleColumns& samples);

  QueryContext& context_;
  const promql::Call& call_;
  const Steps& steps_;
  const RangeSpec& spec_;
  const std::vector<Column>& scalars_;
  const WindowFunction function_;
  const SummaryFunction summary_function_;  // null: summaries are never read
  const bool by_pieces_;                    // where windows are long enough
  const bool needs_falls_;
  const bool is_rate_;
  const promql::PosRange place_;             // of the range vector
  std::size_t work_ = 0;                     // since the last check
  std::optional<RateWindows> rate_windows_;  // of a plain rate, increase, delta
  RateKind rate_kind_;
  Window window_;
  WindowArguments arguments_;
  Pieces pieces_;
  std::vector<double> scratch_;
  std::vector<std::uint32_t> falls_;
};

}  // namespace skep::engine

#include "evaluator/engine/range_function.h"

#include <algorithm>
#include <array>
#include <deque>
#include <string>

#include "common/base/number.h"
#include "common/base/quote.h"
#include "evaluator/engine/absence.h"
#include "evaluator/engine/histogram_remarks.h"
#include "evaluator/engine/histogram_window.h"
#include "evaluator/engine/summary_window.h"
#include "evaluator/engine/window.h"

namespace skep::engine {
namespace {

using promql::FunctionId;

std::string WithoutExponent(double value) { return std::to_string(value); }  // Go's %f

// Whether the extended selector may stand in this function.
Status CheckExtended(const promql::Call& call, const RangeSpec& spec) {
  constexpr std::array kSmoothed{FunctionId::kDelta, FunctionId::kIncrease, FunctionId::kRate};
  constexpr std::array kAnchored{FunctionId::kChanges, FunctionId::kDelta, FunctionId::kIncrease,
                                 FunctionId::kRate, FunctionId::kResets};
  const FunctionId id = call.function->id;
  const std::string name(call.function->name);
  if (spec.anchored && std::find(kAnchored.begin(), kAnchored.end(), id) == kAnchored.end()) {
    return Invalid(
        "anchored modifier can only be used with: changes, delta, increase, rate, resets - not "
        "with " +
        name);
  }
  if (spec.smoothed && std::find(kSmoothed.begin(), kSmoothed.end(), id) == kSmoothed.end()) {
    return Invalid("smoothed modifier can only be used with: delta, increase, rate - not with " +
                   name);
  }
  return {};
}

Status CheckFactor(double factor, std::string_view name, std::string_view sign) {
  if (factor > 0 && factor < 1) return {};
  if (factor != factor) return {};  // Prometheus lets NaN through
  return Invalid("invalid " + std::string(name) + " factor. Expected: 0 < " + std::string(sign) +
                 " < 1, got: " + WithoutExponent(factor));
}

// Parameters are judged only where there is a sample to use them on.
Status CheckArguments(QueryContext& context, const promql::Call& call,
                      const WindowArguments& arguments) {
  if (call.function->id == FunctionId::kDoubleExponentialSmoothing) {
    RETURN_IF_ERROR(CheckFactor(arguments.first, "smoothing", "sf"));
    return CheckFactor(arguments.second, "trend", "tf");
  }
  if (call.function->id == FunctionId::kQuantileOverTime) {
    const double q = arguments.first;
    if (!(q >= 0 && q <= 1)) {
      context.annotations.Warn("quantile value should be between 0 and 1, got " + FormatDouble(q),
                               call.arguments[0]->position);
    }
  }
  return {};
}

bool EndsLikeCounter(std::string_view name) {
  return name.ends_with("_total") || name.ends_with("_sum") || name.ends_with("_count") ||
         name.ends_with("_bucket");
}

// "metric might not be a counter", once per metric name. Looking at the name of every series costs
// less than the rates themselves, building the text would not.
class CounterJudge {
 public:
  enum class Names : std::uint8_t { kEqual, kAny };  // of the rows' metrics

  CounterJudge(QueryContext& context, promql::PosRange place, Names names)
      : context_(context), place_(place), names_(names) {}

  void Look(const Row& row) {
    if (row.drop_name && !context_.delayed_name_removal()) return;
    if (context_.type_and_unit_labels()) {
      const std::string_view metric = row.labels->metric_name();
      if (!metric.empty()) LookAtType(metric, row.labels->Get("__type__"));
      return;
    }
    // Asking for labels costs more than the rate.
    if (names_ == Names::kEqual && !last_.empty()) return;
    const std::string_view name = row.labels->metric_name();
    if (name.empty() || name == last_) return;
    last_ = name;
    if (EndsLikeCounter(name)) return;
    context_.annotations.Info(
        "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: " +
            Quote(name),
        place_);
  }

 private:
  void LookAtType(std::string_view name, std::string_view type) {
    if (type == "counter" || type == "histogram") return;
    context_.annotations.Info(
        "metric might not be a counter, __type__ label is not set to \"counter\" or "
        "\"histogram\", got " +
            Quote(type) + ": " + Quote(name),
        place_);
  }

  QueryContext& context_;
  promql::PosRange place_;
  Names names_;
  std::string_view last_;  // points into a label set of the query
};

bool IsRate(FunctionId id) { return id == FunctionId::kRate || id == FunctionId::kIncrease; }

// What all calls over one range share. Borrowed.
struct SliderInput {
  const Steps& steps;
  const RangeSpec& spec;
  const std::vector<Column>& scalars;
};

// One call: its function, its windows, its buffers.
class Slider {
 public:
  // `place`: of the range vector.
  Slider(QueryContext& context, const promql::Call& call, promql::PosRange place,
         const SliderInput& input)
      : context_(context),
        call_(call),
        steps_(input.steps),
        spec_(input.spec),
        scalars_(input.scalars),
        function_(FindWindowFunction(call.function->id)),
        summary_function_(FindSummaryFunction(call.function->id)),
        needs_falls_(NeedsFalls(call.function->id)),
        is_rate_(IsRate(call.function->id)),
        place_(place) {
    window_.range_seconds = static_cast<double>(spec_.range_ms) / 1000;
    window_.anchored = spec_.anchored;
    window_.smoothed = spec_.smoothed;
    arguments_.scratch = &scratch_;
  }

  // What a series came to.
  struct Filled {
    bool any = false;
    bool floats = false;
  };

  // Fills the series' row of `table`, its last.
  Result<Filled> Run(const RangeSeries& series, Table& table) {
    const storage::SampleColumns& samples = series.samples;
    if (samples.empty() && series.summaries.empty()) return Filled{};
    if (needs_falls_ && samples.size() > 0) CountFalls(samples);
    if (!series.summaries.empty()) return RunSummarized(series, table);
    if (!samples.histograms.empty()) return RunMixed(series, table);
    double* const out = table.values(table.size() - 1);
    bool any = false;
    std::size_t low = 0;
    std::size_t high = 0;
    for (std::size_t s = 0; s < steps_.count; ++s) {
      const std::int64_t end = spec_.End(steps_.At(s));
      const std::int64_t from = end - spec_.range_ms - spec_.reach_back_ms;  // not included
      const std::int64_t to = end + spec_.reach_ahead_ms;
      while (high < samples.size() && ToMillis(samples.times[high]) <= to) ++high;
      while (low < high && ToMillis(samples.times[low]) <= from) ++low;
      if (low == high || spec_.range_ms == 0) continue;
      RETURN_IF_ERROR(NoteWork(high - low));
      SetWindow(samples, low, high, end, steps_.At(s));
      if (!scalars_.empty()) {  // most functions have none
        SetArguments(s);
        RETURN_IF_ERROR(CheckArguments(context_, call_, arguments_));
      }
      out[s] = function_(window_, arguments_);
      any = any || IsPresent(out[s]);
    }
    if (!samples.starts.empty() && is_rate_) CheckStarts(series);
    return Filled{any, any};
  }

 private:
  // A step looks at so many samples. One series with long windows at many steps can take hours: the
  // query's end is looked for within its row, too.
  Status NoteWork(std::size_t samples) { return NoteWork(samples, samples); }
  Status NoteWork(std::size_t samples, std::size_t work) {
    constexpr std::size_t kUnchecked = 1 << 16;
    context_.stats.samples_read += samples;
    work_ += work;
    if (work_ < kUnchecked) return {};
    work_ = 0;
    return context_.Check();
  }

  // The same where runs of samples have come as what they come to.
  Result<Filled> RunSummarized(const RangeSeries& series, Table& table) {
    double* const out = table.values(table.size() - 1);
    bool any = false;
    Bounds floats;
    RunBounds runs;
    for (std::size_t s = 0; s < steps_.count; ++s) {
      const std::int64_t end = spec_.End(steps_.At(s));
      floats.Slide(series.samples.times, spec_, end);
      const std::size_t in_runs = runs.Slide(series.summaries, spec_, end);
      const std::size_t size = floats.size() + in_runs;
      if (size == 0) continue;
      RETURN_IF_ERROR(NoteWork(size, floats.size() + runs.size()));
      SetWindow(series.samples, floats.low, floats.high, end, steps_.At(s));
      if (in_runs == 0) {
        out[s] = function_(window_, arguments_);
      } else {
        const auto in_range = std::span(series.summaries).subspan(runs.low, runs.size());
        out[s] = summary_function_({window_, in_range, floats.low, size});
      }
      any = any || IsPresent(out[s]);
    }
    return Filled{any, any};
  }

  // The same over histograms, and floats beside them.
  Result<Filled> RunMixed(const RangeSeries& series, Table& table) {
    const storage::SampleColumns& samples = series.samples;
    const HistogramRemarker remarks(context_, series.row.labels->metric_name(), place_);
    const std::size_t row = table.size() - 1;
    Filled filled;
    Bounds floats;
    Bounds histograms;
    for (std::size_t s = 0; s < steps_.count; ++s) {
      const std::int64_t end = spec_.End(steps_.At(s));
      floats.Slide(samples.times, spec_, end);
      histograms.Slide(samples.histograms.times, spec_, end);
      constexpr std::size_t kHistogramWork = 64;  // what one costs, in floats
      RETURN_IF_ERROR(NoteWork(floats.size() + histograms.size(),
                               floats.size() + histograms.size() * kHistogramWork));
      if (floats.size() + histograms.size() == 0 || spec_.range_ms == 0) continue;
      SetWindow(samples, floats.low, floats.high, end, steps_.At(s));
      SetArguments(s);
      if (floats.size() > 0) RETURN_IF_ERROR(CheckArguments(context_, call_, arguments_));
      WindowResult result;
      if (histograms.size() == 0) {
        result.value = function_(window_, arguments_);
      } else {
        const HistogramWindow window{samples.histograms.times.data() + histograms.low,
                                     samples.histograms.values.data() + histograms.low,
                                     samples.histograms.starts.data() + histograms.low,
                                     histograms.size()};
        result = ApplyToHistograms(call_.function->id, window_, window, arguments_, remarks);
      }
      filled.floats = filled.floats || IsPresent(result.value);
      filled.any = filled.any || IsPresent(result.value) || result.histogram != nullptr;
      table.values(row)[s] = result.value;
      if (result.histogram != nullptr) table.SetHistogram(row, s, std::move(result.histogram));
    }
    return filled;
  }

  // The samples from `low` to before `high` that a step sees.
  struct Bounds {
    std::size_t low = 0;
    std::size_t high = 0;

    std::size_t size() const { return high - low; }
    void Slide(const std::vector<Timestamp>& times, const RangeSpec& spec, std::int64_t end) {
      const std::int64_t from = end - spec.range_ms - spec.reach_back_ms;  // not included
      while (high < times.size() && ToMillis(times[high]) <= end + spec.reach_ahead_ms) ++high;
      while (low < high && ToMillis(times[low]) <= from) ++low;
    }
  };

  // The same of runs. None lies across the ends of a range.
  struct RunBounds {
    std::size_t low = 0;
    std::size_t high = 0;
    std::size_t samples = 0;

    std::size_t size() const { return high - low; }
    // How many samples they have.
    std::size_t Slide(const std::vector<SummaryWindow::Run>& runs, const RangeSpec& spec,
                      std::int64_t end) {
      const std::int64_t from = end - spec.range_ms;  // not included
      for (; high < runs.size() && ToMillis(runs[high].last_time) <= end; ++high) {
        samples += runs[high].summary.count;
      }
      for (; low < high && ToMillis(runs[low].first_time) <= from; ++low) {
        samples -= runs[low].summary.count;
      }
      return samples;
    }
  };

  // Starts that overlap the sample in front, in any window of a rate.
  void CheckStarts(const RangeSeries& series) {
    const storage::SampleColumns& samples = series.samples;
    const HistogramRemarker remarks(context_, series.row.labels->metric_name(), place_);
    Bounds bounds;
    for (std::size_t s = 0; s < steps_.count; ++s) {
      bounds.Slide(samples.times, spec_, spec_.End(steps_.At(s)));
      for (std::size_t i = bounds.low + 1; i < bounds.high; ++i) {
        const Timestamp start = samples.starts[i];
        if (start == kNoStart || start >= samples.times[i - 1]) continue;
        if (start != samples.starts[i - 1]) return remarks.StartOverlaps();
      }
    }
  }

  void SetWindow(const storage::SampleColumns& samples, std::size_t low, std::size_t high,
                 std::int64_t end, std::int64_t step_time) {
    window_.times = samples.times.data() + low;
    window_.values = samples.values.data() + low;
    window_.size = high - low;
    window_.start = end - spec_.range_ms;
    window_.end = end;
    window_.step_time = step_time;
    window_.falls = needs_falls_ ? falls_.data() + low : nullptr;
    window_.starts = samples.starts.empty() ? nullptr : samples.starts.data() + low;
  }

  void SetArguments(std::size_t step) {
    if (!scalars_.empty()) arguments_.first = scalars_[0][step];
    if (scalars_.size() > 1) arguments_.second = scalars_[1][step];
  }

  // Most windows have no reset: with the running count they need not look for one.
  void CountFalls(const storage::SampleColumns& samples) {
    falls_.resize(samples.size());
    falls_[0] = 0;
    for (std::size_t i = 1; i < samples.size(); ++i) {
      falls_[i] = falls_[i - 1] + (samples.values[i] < samples.values[i - 1] ? 1U : 0U);
    }
  }

  QueryContext& context_;
  const promql::Call& call_;
  const Steps& steps_;
  const RangeSpec& spec_;
  const std::vector<Column>& scalars_;
  const WindowFunction function_;
  const SummaryFunction summary_function_;  // null: summaries are never read
  const bool needs_falls_;
  const bool is_rate_;
  std::size_t work_ = 0;          // since the last check
  const promql::PosRange place_;  // of the range vector
  Window window_;
  WindowArguments arguments_;
  std::vector<double> scratch_;
  std::vector<std::uint32_t> falls_;
};

bool KeepsName(FunctionId id) {
  return id == FunctionId::kLastOverTime || id == FunctionId::kFirstOverTime;
}

}  // namespace

std::optional<std::size_t> RangeArgument(const promql::Call& call) {
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    if (call.arguments[i]->type() == promql::ValueType::kMatrix) return i;
  }
  return std::nullopt;
}

namespace {

// Slides all functions over one series after the other. `scalars` are other arguments of a single
// one.
Result<std::vector<Table>> SlideAll(QueryContext& context,
                                    const std::vector<const promql::Call*>& calls,
                                    const Steps& steps, RangeSource& source, const RangeSpec& spec,
                                    const std::vector<Column>& scalars) {
  const FunctionId first = calls.front()->function->id;
  const promql::Expr& argument = *calls.front()->arguments[*RangeArgument(*calls.front())];
  const promql::PosRange place = argument.position;
  const auto* const matrix = promql::As<promql::MatrixSelector>(promql::StripParens(argument));
  const bool one_name = matrix != nullptr && FixesName(matrix->vector->matchers);
  CounterJudge judge(context, place,
                     one_name ? CounterJudge::Names::kEqual : CounterJudge::Names::kAny);
  std::vector<Table> tables;
  std::deque<Slider> sliders;
  for (const promql::Call* call : calls) {
    tables.emplace_back(context.budget, steps.count);
    sliders.emplace_back(context, *call, place, SliderInput{steps, spec, scalars});
  }
  RangeSeries series;
  while (true) {
    const Result<bool> more = source.Next(series);
    if (!more) return more.error();
    if (!*more) break;
    for (std::size_t i = 0; i < calls.size(); ++i) {
      Row row = series.row;
      row.drop_name = row.drop_name || !KeepsName(calls[i]->function->id);
      tables[i].Add(row);
      const auto filled = sliders[i].Run(series, tables[i]);
      if (!filled) return filled.error();
      if (!filled->any) tables[i].RemoveLast();
      if (i == 0 && filled->floats && IsRate(first)) judge.Look(series.row);
    }
  }
  for (Table& table : tables) table.distinct_without_name = source.distinct_without_name();
  return tables;
}

}  // namespace

Result<Table> EvalRangeFunction(QueryContext& context, const promql::Call& call, const Steps& steps,
                                RangeSource& source, const RangeSpec& spec,
                                const std::vector<Column>& scalars) {
  RETURN_IF_ERROR(CheckExtended(call, spec));
  Result<std::vector<Table>> tables = SlideAll(context, {&call}, steps, source, spec, scalars);
  if (!tables) return tables.error();
  Table table = std::move(tables->front());
  if (call.function->id == FunctionId::kAbsentOverTime) {
    return Absence(context, table, *call.arguments[*RangeArgument(call)]);
  }
  if (!KeepsName(call.function->id)) RETURN_IF_ERROR(context.RefuseEqual(table));
  return table;
}

Result<std::vector<Table>> EvalRangeFunctions(QueryContext& context,
                                              const std::vector<const promql::Call*>& calls,
                                              const Steps& steps, RangeSource& source,
                                              const RangeSpec& spec) {
  Result<std::vector<Table>> tables = SlideAll(context, calls, steps, source, spec, {});
  if (!tables) return tables;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (!KeepsName(calls[i]->function->id)) RETURN_IF_ERROR(context.RefuseEqual((*tables)[i]));
  }
  return tables;
}

}  // namespace skep::engine

#include "evaluator/engine/slider.h"

#include <algorithm>
#include <string>

#include "common/base/number.h"
#include "evaluator/engine/first_behind.h"
#include "evaluator/engine/histogram_remarks.h"
#include "evaluator/engine/histogram_window.h"
#include "evaluator/engine/range_function.h"

namespace skep::engine {
namespace {

using promql::FunctionId;

std::string WithoutExponent(double value) { return std::to_string(value); }  // Go's %f

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

// Summaries of pieces pay where windows overlap so much.
constexpr std::size_t kManyWindows = 8;
constexpr std::int64_t kOverlap = 4;

}  // namespace

bool IsRate(FunctionId id) { return id == FunctionId::kRate || id == FunctionId::kIncrease; }

Slider::Slider(QueryContext& context, const promql::Call& call, const SliderInput& input)
    : context_(context),
      call_(call),
      steps_(input.steps),
      spec_(input.spec),
      scalars_(input.scalars),
      function_(FindWindowFunction(call.function->id)),
      summary_function_(FindSummaryFunction(call.function->id)),
      by_pieces_(spec_.summarized && LooksAtEverySample(call.function->id) &&
                 steps_.count >= kManyWindows && spec_.range_ms >= kOverlap * steps_.interval),
      needs_falls_(NeedsFalls(call.function->id)),
      is_rate_(IsRate(call.function->id)),
      place_(call.arguments[*RangeArgument(call)]->position) {
  window_.range_seconds = static_cast<double>(spec_.range_ms) / 1000;
  window_.anchored = spec_.anchored;
  window_.smoothed = spec_.smoothed;
  arguments_.scratch = &scratch_;
  const bool counter = IsRate(call.function->id);
  if (spec_.anchored || spec_.smoothed) return;
  if (!counter && call.function->id != FunctionId::kDelta) return;
  rate_windows_.emplace(steps_, spec_);
  rate_kind_.counter = counter;
  if (call.function->id == FunctionId::kRate) rate_kind_.range_seconds = window_.range_seconds;
}

void Slider::Bounds::Slide(const std::vector<Timestamp>& times, const RangeSpec& spec,
                           std::int64_t end) {
  const std::int64_t from = end - spec.range_ms - spec.reach_back_ms;  // not included
  high = FirstBehind(times, high, FromMillis(end + spec.reach_ahead_ms));
  low = std::min(high, FirstBehind(times, low, FromMillis(from)));
}

std::size_t Slider::RunBounds::Slide(const std::vector<SummaryWindow::Run>& runs,
                                     const RangeSpec& spec, std::int64_t end) {
  const std::int64_t from = end - spec.range_ms;  // not included
  for (; high < runs.size() && ToMillis(runs[high].last_time) <= end; ++high) {
    samples += runs[high].summary.count;
  }
  for (; low < high && ToMillis(runs[low].first_time) <= from; ++low) {
    samples -= runs[low].summary.count;
  }
  return samples;
}

Result<Slider::Filled> Slider::Run(const RangeSeries& series, Table& table) {
  const storage::SampleColumns& samples = series.samples;
  if (samples.empty() && series.summaries.empty()) return Filled{};
  const bool is_plain = series.summaries.empty() && samples.histograms.empty();
  if (rate_windows_ && is_plain && samples.starts.empty()) {
    return RunRates(samples, table.values(table.size() - 1));
  }
  if (needs_falls_ && samples.size() > 0) CountFalls(samples);
  pieces_.Clear();
  if (!series.summaries.empty()) return RunSummarized(series, table);
  if (!samples.histograms.empty()) return RunMixed(series, table);
  double* const out = table.values(table.size() - 1);
  bool any = false;
  Bounds bounds;
  for (std::size_t s = 0; s < steps_.count; ++s) {
    const std::int64_t end = spec_.End(steps_.At(s));
    bounds.Slide(samples.times, spec_, end);
    if (bounds.size() == 0 || spec_.range_ms == 0) continue;
    RETURN_IF_ERROR(NoteWork(bounds.size(), bounds.size()));
    SetWindow(samples, bounds, {end, steps_.At(s)});
    if (!scalars_.empty()) {  // most functions have none
      SetArguments(s);
      RETURN_IF_ERROR(CheckArguments(context_, call_, arguments_));
    }
    out[s] = Compute(samples, bounds);
    any = any || IsPresent(out[s]);
  }
  if (!samples.starts.empty() && is_rate_) CheckStarts(series);
  return Filled{any, any};
}

Result<Slider::Filled> Slider::RunRates(const storage::SampleColumns& samples, double* out) {
  const RateWindows::List& list = rate_windows_->Of(samples.times);
  RETURN_IF_ERROR(NoteWork(list.samples, samples.size() + steps_.count));
  const bool any = FillRates(rate_kind_, list, samples.values, out);
  return Filled{any, any};
}

double Slider::Compute(const storage::SampleColumns& samples, const Bounds& bounds) {
  if (by_pieces_) {
    if (const auto window = pieces_.Of(samples, bounds.low, window_)) {
      return summary_function_(*window);
    }
  }
  return function_(window_, arguments_);
}

Status Slider::NoteWork(std::size_t samples, std::size_t work) {
  constexpr std::size_t kUnchecked = 1 << 16;
  context_.stats.samples_read += samples;
  work_ += work;
  if (work_ < kUnchecked) return {};
  work_ = 0;
  return context_.Check();
}

Result<Slider::Filled> Slider::RunSummarized(const RangeSeries& series, Table& table) {
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
    SetWindow(series.samples, floats, {end, steps_.At(s)});
    if (in_runs == 0) {
      out[s] = Compute(series.samples, floats);
    } else {
      const auto in_range = std::span(series.summaries).subspan(runs.low, runs.size());
      out[s] = summary_function_({window_, in_range, floats.low, size});
    }
    any = any || IsPresent(out[s]);
  }
  return Filled{any, any};
}

Result<Slider::Filled> Slider::RunMixed(const RangeSeries& series, Table& table) {
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
    SetWindow(samples, floats, {end, steps_.At(s)});
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

void Slider::CheckStarts(const RangeSeries& series) {
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

void Slider::SetWindow(const storage::SampleColumns& samples, const Bounds& bounds,
                       const StepTimes& at) {
  window_.times = samples.times.data() + bounds.low;
  window_.values = samples.values.data() + bounds.low;
  window_.size = bounds.size();
  window_.start = at.end - spec_.range_ms;
  window_.end = at.end;
  window_.step_time = at.step;
  window_.falls = needs_falls_ ? falls_.data() + bounds.low : nullptr;
  window_.starts = samples.starts.empty() ? nullptr : samples.starts.data() + bounds.low;
}

void Slider::SetArguments(std::size_t step) {
  if (!scalars_.empty()) arguments_.first = scalars_[0][step];
  if (scalars_.size() > 1) arguments_.second = scalars_[1][step];
}

void Slider::CountFalls(const storage::SampleColumns& samples) {
  falls_.resize(samples.size());
  falls_[0] = 0;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    falls_[i] = falls_[i - 1] + (samples.values[i] < samples.values[i - 1] ? 1U : 0U);
  }
}

}  // namespace skep::engine

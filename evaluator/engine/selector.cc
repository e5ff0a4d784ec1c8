#include "evaluator/engine/selector.h"

#include <algorithm>

#include "common/model/histogram_math.h"
#include "evaluator/engine/histogram_remarks.h"
#include "evaluator/engine/histogram_window.h"
#include "evaluator/engine/selected.h"

namespace skep::engine {
namespace {

// How one series' samples become its column.
struct InstantRule {
  Steps steps;
  std::int64_t offset_ms = 0;
  std::optional<std::int64_t> fixed;
  std::int64_t lookback_ms = 0;
  double scale = 0;              // of times; 0: values are wanted
  bool starts = false;           // starts rather than times
  bool keep_histograms = false;  // as they are, though times are wanted

  std::int64_t At(std::size_t i) const { return fixed.value_or(steps.At(i)) - offset_ms; }
};

// Returns how many steps have a sample.
std::size_t FillColumn(const InstantRule& rule, const storage::SampleColumns& samples,
                       double* out) {
  std::size_t next = 0;  // first sample behind the step
  std::size_t found = 0;
  for (std::size_t i = 0; i < rule.steps.count; ++i) {
    const std::int64_t at = rule.At(i);
    while (next < samples.size() && ToMillis(samples.times[next]) <= at) ++next;
    if (next == 0) continue;
    const std::int64_t time = ToMillis(samples.times[next - 1]);
    const double value = samples.values[next - 1];
    if (time <= at - rule.lookback_ms || IsStaleNaN(value)) continue;
    out[i] = rule.scale == 0 ? value : static_cast<double>(time) / rule.scale;
    ++found;
  }
  return found;
}

// What is known of the sample besides its value, as `rule` asks for it.
double TimeValue(const InstantRule& rule, Timestamp time, const std::vector<Timestamp>& starts,
                 std::size_t i) {
  if (rule.starts) time = starts.empty() ? kNoStart : starts[i];
  return static_cast<double>(ToMillis(time)) / rule.scale;
}

// Like FillColumn for a series that has histograms or starts, or whose starts are asked for.
std::size_t FillAny(const InstantRule& rule, const storage::SampleColumns& samples, Table& table,
                    std::size_t row) {
  const storage::SampleColumns::Histograms& histograms = samples.histograms;
  std::size_t f = 0;  // first float and first histogram behind the step
  std::size_t h = 0;
  std::size_t found = 0;
  for (std::size_t i = 0; i < rule.steps.count; ++i) {
    const Timestamp at = FromMillis(rule.At(i));
    const Timestamp before = FromMillis(rule.At(i) - rule.lookback_ms);
    while (f < samples.size() && samples.times[f] <= at) ++f;
    while (h < histograms.size() && histograms.times[h] <= at) ++h;
    const bool histogram = h > 0 && (f == 0 || histograms.times[h - 1] > samples.times[f - 1]);
    if (!histogram && f == 0) continue;
    const Timestamp time = histogram ? histograms.times[h - 1] : samples.times[f - 1];
    if (time <= before || (!histogram && IsStaleNaN(samples.values[f - 1]))) continue;
    ++found;
    if (rule.scale != 0 && !(histogram && rule.keep_histograms)) {
      table.values(row)[i] = histogram ? TimeValue(rule, time, histograms.starts, h - 1)
                                       : TimeValue(rule, time, samples.starts, f - 1);
    } else if (histogram) {
      table.SetHistogram(row, i, histograms.values[h - 1]);
    } else {
      table.values(row)[i] = samples.values[f - 1];
    }
  }
  return found;
}

double Interpolate(const storage::SampleColumns& samples, std::size_t right, std::int64_t at) {
  const std::int64_t t0 = ToMillis(samples.times[right - 1]);
  const std::int64_t t1 = ToMillis(samples.times[right]);
  const double y0 = samples.values[right - 1];
  const double y1 = samples.values[right];
  return y0 + (y1 - y0) * static_cast<double>(at - t0) / static_cast<double>(t1 - t0);
}

// `smoothed`: between two samples at most a lookback away on either side, the line between them.
std::size_t FillSmoothed(const InstantRule& rule, const storage::SampleColumns& samples,
                         double* out) {
  std::size_t found = 0;
  std::size_t next = 0;  // first sample at or behind the step
  for (std::size_t i = 0; i < rule.steps.count; ++i) {
    const std::int64_t at = rule.At(i);
    while (next < samples.size() && ToMillis(samples.times[next]) < at) ++next;
    const bool has_right =
        next < samples.size() && ToMillis(samples.times[next]) <= at + rule.lookback_ms;
    const bool has_left = next > 0 && ToMillis(samples.times[next - 1]) > at - rule.lookback_ms;
    if (has_right && ToMillis(samples.times[next]) == at) {
      out[i] = samples.values[next];
    } else if (has_left) {
      out[i] = has_right ? Interpolate(samples, next, at) : samples.values[next - 1];
    } else {
      continue;
    }
    ++found;
  }
  return found;
}

// The same over histograms; a step that sees floats too has no result.
std::size_t FillSmoothedHistograms(const InstantRule& rule, const storage::SampleColumns& samples,
                                   const HistogramRemarker& remarks, Table& table,
                                   std::size_t row) {
  const storage::SampleColumns::Histograms& histograms = samples.histograms;
  const auto seen = [&rule](const std::vector<Timestamp>& times, std::size_t step) {
    const std::int64_t at = rule.At(step);
    return std::any_of(times.begin(), times.end(), [&rule, at](Timestamp t) {
      return ToMillis(t) > at - rule.lookback_ms && ToMillis(t) <= at + rule.lookback_ms;
    });
  };
  std::size_t found = 0;
  std::size_t next = 0;  // first histogram at or behind the step
  for (std::size_t i = 0; i < rule.steps.count; ++i) {
    if (!seen(histograms.times, i)) continue;
    if (seen(samples.times, i)) {
      remarks.MixOfFloats();
      continue;
    }
    const std::int64_t at = rule.At(i);
    while (next < histograms.size() && ToMillis(histograms.times[next]) < at) ++next;
    const auto sample = [&histograms](std::size_t k) {
      return HistogramSample{histograms.times[k], histograms.values[k]};
    };
    const bool has_right =
        next < histograms.size() && ToMillis(histograms.times[next]) <= at + rule.lookback_ms;
    const bool has_left = next > 0 && ToMillis(histograms.times[next - 1]) > at - rule.lookback_ms;
    HistogramPtr value;
    if (has_right && ToMillis(histograms.times[next]) == at) {
      value = histograms.values[next];
    } else if (has_left && has_right) {
      const bool counter = histograms.values[next - 1]->reset_hint != CounterResetHint::kGauge;
      value = Interpolate(sample(next - 1), sample(next), at, counter, remarks);
    } else if (has_left) {
      value = histograms.values[next - 1];
    }
    if (value == nullptr) continue;
    table.SetHistogram(row, i, std::move(value));
    ++found;
  }
  return found;
}

// How a selector's series are read.
struct Reading {
  bool smoothed = false;
  bool stats_only = false;  // of histograms; see StatsOnly()
  promql::PosRange place;
};

// Fills the last row; how many steps have a sample.
std::size_t FillRow(QueryContext& context, const InstantRule& rule, const Reading& reading,
                    storage::SampleColumns& samples, Table& table) {
  const std::size_t row = table.size() - 1;
  if (reading.smoothed) {
    DropStale(samples, {});
    if (samples.histograms.empty()) return FillSmoothed(rule, samples, table.values(row));
    const HistogramRemarker remarks(context, table.row(row).labels->metric_name(), reading.place);
    return FillSmoothedHistograms(rule, samples, remarks, table, row);
  }
  if (samples.histograms.empty() && !rule.starts)
    return FillColumn(rule, samples, table.values(row));
  if (reading.stats_only) FindResets(samples);
  return FillAny(rule, samples, table, row);
}

Result<Table> FillTable(QueryContext& context, const Selected& selected, const InstantRule& rule,
                        const Reading& reading) {
  storage::SeriesSet& set = *selected.set;
  Table table(context.budget, rule.steps.count);
  storage::SampleColumns samples;
  BufferCharge charge(context.budget);
  while (set.Next()) {
    RETURN_IF_ERROR(context.Check());
    samples.clear();
    RETURN_IF_ERROR(set.ReadSamples(samples));
    charge.Hold(samples);
    ++context.stats.series_selected;
    table.Add(selected.row());
    const std::size_t found = FillRow(context, rule, reading, samples, table);
    if (found == 0) table.RemoveLast();
    context.stats.samples_read += found;
  }
  RETURN_IF_ERROR(context.Check());
  CollectWarnings(context, set);
  return table;
}

}  // namespace

bool FixesName(const std::vector<Matcher>& matchers) {
  return std::any_of(matchers.begin(), matchers.end(), [](const Matcher& matcher) {
    return matcher.name() == kMetricName && matcher.type() == MatchType::kEqual;
  });
}

Result<Table> SelectVector(QueryContext& context, const promql::VectorSelector& selector,
                           const Steps& steps, SelectorValue what) {
  InstantRule rule{.steps = steps,
                   .offset_ms = selector.modifiers.offset.count(),
                   .fixed = FixedTime(selector.modifiers, context.when()),
                   .lookback_ms = context.lookback_ms(),
                   .scale = what == SelectorValue::kSample ? 0.0 : 1000.0,
                   .starts = what == SelectorValue::kStart};
  // Times are those of the newest samples: there is nothing to smooth.
  const bool smoothed = selector.smoothed && what == SelectorValue::kSample;
  const std::int64_t ahead = smoothed ? rule.lookback_ms : 0;
  auto set = Select(context, selector,
                    Between(rule.At(0) - rule.lookback_ms + 1, rule.At(steps.count - 1) + ahead));
  if (!set) return set.error();
  Result<Table> table = FillTable(context, *set, rule,
                                  {.smoothed = smoothed,
                                   .stats_only = context.IsStatsOnly(selector),
                                   .place = selector.position});
  if (table) table->distinct_without_name = FixesName(selector.matchers);
  return table;
}

Result<Table> SelectTimes(QueryContext& context, const std::vector<Matcher>& matchers,
                          const Steps& steps, const Reference& reference) {
  const InstantRule rule{.steps = steps,
                         .offset_ms = reference.offset_ms,
                         .fixed = reference.fixed,
                         .lookback_ms = context.lookback_ms(),
                         .scale = 1.0,
                         .keep_histograms = true};
  const storage::TimeRange range =
      Between(rule.At(0) - rule.lookback_ms + 1, rule.At(steps.count - 1));
  auto set = Select(context, matchers, range);
  if (!set) return set.error();
  return FillTable(context, *set, rule, {});
}

}  // namespace skep::engine

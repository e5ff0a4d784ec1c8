#include "evaluator/engine/selector.h"

#include <algorithm>

#include "common/model/histogram_math.h"
#include "evaluator/engine/histogram_remarks.h"
#include "evaluator/engine/histogram_window.h"
#include "evaluator/engine/locked_set.h"
#include "evaluator/engine/prepared_plan.h"

namespace skep::engine {
namespace {

// An answer of the store, which the context owns.
struct Selected {
  storage::SeriesSet* set = nullptr;
  std::uint16_t selector = 0;  // its number in the plan; 0: it has none

  Row row() const { return {RowLabels(*set), false, selector, selector == 0 ? 0 : set->slot()}; }
};

using SelectResult = Result<std::unique_ptr<storage::SeriesSet>>;

Result<Selected> TakeOver(QueryContext& context, SelectResult set, std::uint16_t selector) {
  if (!set) return Error(set.error().kind(), "expanding series: " + set.error().message());
  if (context.shares_sets()) *set = std::make_unique<LockedSet>(std::move(*set));
  const Selected selected{set->get(), selector};
  context.Own(std::move(*set));
  return selected;
}

// Milliseconds; both ends included.
storage::TimeRange Between(std::int64_t first, std::int64_t last) {
  return {FromMillis(first), FromMillis(last)};
}

// A selector of the tree, by what the plan kept where there is one.
Result<Selected> Select(QueryContext& context, const promql::VectorSelector& node,
                        storage::TimeRange range) {
  PreparedPlan::Selector* const kept =
      context.plan() == nullptr ? nullptr : context.plan()->SelectorOf(node);
  if (kept == nullptr) return TakeOver(context, context.querier().Select(node.matchers, range), 0);
  SharedSelect& series = context.plan()->SeriesOf(*kept, node, context.when().start - range.min);
  const std::lock_guard lock(series.mutex);
  SelectResult set = context.querier().SelectAgain(node.matchers, range, series.kept);
  context.plan()->NoteGeneration(*kept, series.kept == nullptr ? 0 : series.kept->generation());
  return TakeOver(context, std::move(set), kept->number);
}

void CollectWarnings(QueryContext& context, const storage::SeriesSet& set) {
  for (std::string& warning : set.Warnings()) {
    context.storage_warnings.push_back(std::move(warning));
  }
}

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

// Hints that say of every histogram but the first whether the counter was reset.
void FindResets(storage::SampleColumns& samples) {
  storage::SampleColumns::Histograms& histograms = samples.histograms;
  HistogramPtr before;
  for (std::size_t i = 0; i < histograms.size(); ++i) {
    HistogramPtr& now = histograms.values[i];
    const HistogramPtr original = now;
    if (before != nullptr && now->reset_hint == CounterResetHint::kUnknown) {
      auto hinted = std::make_shared<Histogram>(*now);
      hinted->reset_hint =
          IsReset(*now, *before) ? CounterResetHint::kReset : CounterResetHint::kNotReset;
      now = std::move(hinted);
    }
    before = original;
  }
}

void DropStale(storage::SampleColumns& samples, std::span<storage::SummarizedSamples::Run> runs) {
  std::size_t kept = 0;
  auto run = runs.begin();
  const auto move_runs_at = [&](std::size_t i) {
    for (; run != runs.end() && run->after == i; ++run) run->after = kept;
  };
  for (std::size_t i = 0; i < samples.size(); ++i) {
    move_runs_at(i);
    if (IsStaleNaN(samples.values[i])) continue;
    samples.times[kept] = samples.times[i];
    samples.values[kept] = samples.values[i];
    if (!samples.starts.empty()) samples.starts[kept] = samples.starts[i];
    ++kept;
  }
  move_runs_at(samples.size());
  samples.times.resize(kept);
  samples.values.resize(kept);
  if (!samples.starts.empty()) samples.starts.resize(kept);
}

// Holds the read buffer's share of the budget.
class BufferCharge {
 public:
  explicit BufferCharge(Budget& budget) : budget_(budget) {}
  BufferCharge(const BufferCharge&) = delete;
  BufferCharge& operator=(const BufferCharge&) = delete;
  ~BufferCharge() { Set(0); }
  void Hold(const storage::SampleColumns& columns, std::size_t runs = 0) {
    constexpr std::size_t kOfRun = sizeof(storage::SummarizedSamples::Run) / 16;
    std::size_t samples = columns.size() + runs * kOfRun;
    for (const HistogramPtr& h : columns.histograms.values) samples += SizeBytes(*h) / 16;
    Set(samples);
  }

 private:
  void Set(std::size_t samples) {
    budget_.Release(held_, held_ * 16);
    budget_.Charge(samples, samples * 16);
    held_ = samples;
  }

  Budget& budget_;
  std::size_t held_ = 0;
};

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

class StorageRange final : public RangeSource {
 public:
  struct Options {
    bool distinct = false;             // see distinct_without_name()
    bool stats_only = false;           // of histograms; see StatsOnly()
    bool starts = false;               // are wanted
    bool summarized = false;           // see RangeSpec
    std::vector<Timestamp> cuts = {};  // where no run may lie across, if summarized
  };
  StorageRange(QueryContext& context, const Selected& selected, Options options)
      : context_(context),
        selected_(selected),
        options_(std::move(options)),
        charge_(context.budget) {}

  Result<bool> Next(RangeSeries& out) override {
    RETURN_IF_ERROR(context_.Check());
    if (!selected_.set->Next()) {
      CollectWarnings(context_, *selected_.set);
      return false;
    }
    out.row = selected_.row();
    RETURN_IF_ERROR(Read(out));
    charge_.Hold(out.samples, out.summaries.size());
    DropStale(out.samples, out.summaries);
    if (options_.stats_only) FindResets(out.samples);
    if (!options_.starts) ForgetStarts(out.samples);
    // Those of histograms are looked at without asking whether there are any.
    out.samples.histograms.starts.resize(out.samples.histograms.size(), kNoStart);
    ++context_.stats.series_selected;
    return true;
  }
  bool distinct_without_name() const override { return options_.distinct; }

 private:
  Status Read(RangeSeries& out) {
    out.clear();
    if (options_.summarized) {
      RETURN_IF_ERROR(selected_.set->ReadSummarized(options_.cuts, out));
      if (out.summaries.empty() || out.samples.histograms.empty()) return {};
      // Windows of both are computed sample by sample.
      out.clear();
    }
    return selected_.set->ReadSamples(out.samples);
  }

  static void ForgetStarts(storage::SampleColumns& samples) {
    samples.starts.clear();
    samples.histograms.starts.clear();
  }

  QueryContext& context_;
  const Selected selected_;
  const Options options_;
  BufferCharge charge_;
};

class TableRange final : public RangeSource {
 public:
  TableRange(Table table, const Steps& inner) : table_(std::move(table)), inner_(inner) {}

  Result<bool> Next(RangeSeries& out) override {
    if (next_ == table_.size()) return false;
    out.row = table_.row(next_);
    out.clear();
    const double* values = table_.values(next_);
    for (std::size_t s = 0; s < table_.steps(); ++s) {
      if (!IsPresent(values[s])) continue;
      out.samples.times.push_back(FromMillis(inner_.At(s)));
      out.samples.values.push_back(values[s]);
    }
    ReadHistograms(out.samples.histograms);
    ++next_;
    return true;
  }
  bool distinct_without_name() const override { return table_.distinct_without_name; }

 private:
  // What a hint says of the sample in front may not be true of the step in front.
  void ReadHistograms(storage::SampleColumns::Histograms& out) const {
    const HistogramPtr* const row = table_.histograms(next_);
    if (row == nullptr) return;
    for (std::size_t s = 0; s < table_.steps(); ++s) {
      HistogramPtr histogram = row[s];
      if (histogram == nullptr) continue;
      if (histogram->reset_hint == CounterResetHint::kReset ||
          histogram->reset_hint == CounterResetHint::kNotReset) {
        auto unhinted = std::make_shared<Histogram>(*histogram);
        unhinted->reset_hint = CounterResetHint::kUnknown;
        histogram = std::move(unhinted);
      }
      out.times.push_back(FromMillis(inner_.At(s)));
      out.values.push_back(std::move(histogram));
      out.starts.push_back(kNoStart);
    }
  }

  Table table_;
  Steps inner_;
  std::size_t next_ = 0;
};

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
  auto set = TakeOver(context, context.querier().Select(matchers, range), 0);
  if (!set) return set.error();
  return FillTable(context, *set, rule, {});
}

namespace {

// Where some step's range begins or ends: a run across that would be partly inside. A single step
// reads what lies in its range, and nothing else.
std::vector<Timestamp> CutsOf(const RangeSpec& spec, const Steps& steps) {
  std::vector<Timestamp> cuts;
  if (steps.count == 1 || spec.fixed) return cuts;
  cuts.reserve(2 * steps.count);
  for (std::size_t s = 0; s < steps.count; ++s) {
    cuts.push_back(FromMillis(spec.End(steps.At(s)) - spec.range_ms));
  }
  for (std::size_t s = 0; s < steps.count; ++s) cuts.push_back(FromMillis(spec.End(steps.At(s))));
  const auto ends = cuts.begin() + static_cast<std::ptrdiff_t>(steps.count);
  std::inplace_merge(cuts.begin(), ends, cuts.end());
  return cuts;
}

// Shorter ranges hold no whole chunk. Extended selectors look at samples outside of the range, and
// starts are of single samples.
bool MaySummarize(const QueryContext& context, const RangeSpec& spec) {
  constexpr std::int64_t kShortest = 8L * 60 * 1000;
  return spec.range_ms >= kShortest && !spec.anchored && !spec.smoothed &&
         !context.use_start_timestamps();
}

}  // namespace

RangeSpec SpecOf(const QueryContext& context, const promql::MatrixSelector& selector,
                 RangeDetail detail) {
  const promql::VectorSelector& vector = *selector.vector;
  RangeSpec spec{.range_ms = selector.range.count(),
                 .offset_ms = vector.modifiers.offset.count(),
                 .fixed = FixedTime(vector.modifiers, context.when()),
                 .anchored = vector.anchored,
                 .smoothed = vector.smoothed,
                 .position = selector.position};
  if (spec.anchored || spec.smoothed) spec.reach_back_ms = context.lookback_ms();
  if (spec.smoothed) spec.reach_ahead_ms = context.lookback_ms();
  spec.summarized = detail == RangeDetail::kSummaries && MaySummarize(context, spec);
  return spec;
}

RangeSpec SpecOf(const QueryContext& context, const promql::Subquery& subquery) {
  return {.range_ms = subquery.range.count(),
          .offset_ms = subquery.modifiers.offset.count(),
          .fixed = FixedTime(subquery.modifiers, context.when()),
          .position = subquery.position};
}

Result<std::unique_ptr<RangeSource>> SelectRange(QueryContext& context,
                                                 const promql::MatrixSelector& selector,
                                                 const Steps& steps, const RangeSpec& spec) {
  const std::int64_t first = spec.End(steps.start) - spec.range_ms - spec.reach_back_ms + 1;
  const std::int64_t last = spec.End(steps.end()) + spec.reach_ahead_ms;
  auto set = Select(context, *selector.vector, Between(first, last));
  if (!set) return set.error();
  const bool starts = context.use_start_timestamps() && !spec.anchored && !spec.smoothed;
  return std::unique_ptr<RangeSource>(
      new StorageRange(context, *set,
                       {.distinct = FixesName(selector.vector->matchers),
                        .stats_only = context.IsStatsOnly(*selector.vector),
                        .starts = starts,
                        .summarized = spec.summarized,
                        .cuts = spec.summarized ? CutsOf(spec, steps) : std::vector<Timestamp>()}));
}

std::unique_ptr<RangeSource> RangeOver(Table table, const Steps& inner) {
  return std::make_unique<TableRange>(std::move(table), inner);
}

std::optional<Steps> InnerSteps(const QueryContext& context, const promql::Subquery& subquery,
                                const Steps& steps, const RangeSpec& spec) {
  const std::int64_t interval =
      subquery.step.count() > 0 ? subquery.step.count() : context.default_subquery_step_ms();
  const std::int64_t before = spec.End(steps.start) - spec.range_ms;  // not part of the range
  const std::int64_t last = spec.End(steps.end());
  std::int64_t first = before / interval * interval;
  if (first <= before) first += interval;
  if (first > last) return std::nullopt;
  return Steps{first, interval, static_cast<std::size_t>((last - first) / interval) + 1};
}

}  // namespace skep::engine

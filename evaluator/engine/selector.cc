#include "evaluator/engine/selector.h"

#include <algorithm>

namespace skep::engine {
namespace {

bool FixesName(const std::vector<Matcher>& matchers) {
  return std::any_of(matchers.begin(), matchers.end(), [](const Matcher& matcher) {
    return matcher.name() == kMetricName && matcher.type() == MatchType::kEqual;
  });
}

// `first` and `last` included.
Result<storage::SeriesSet*> Select(QueryContext& context, const std::vector<Matcher>& matchers,
                                   std::int64_t first, std::int64_t last) {
  Result<std::unique_ptr<storage::SeriesSet>> set =
      context.querier().Select(matchers, {FromMillis(first), FromMillis(last)});
  if (!set) return Error(set.error().kind(), "expanding series: " + set.error().message());
  storage::SeriesSet* raw = set->get();
  context.Own(std::move(*set));
  return raw;
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
  double scale = 0;  // of times; 0: values are wanted

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

void DropStale(storage::SampleColumns& samples) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (IsStaleNaN(samples.values[i])) continue;
    samples.times[kept] = samples.times[i];
    samples.values[kept] = samples.values[i];
    ++kept;
  }
  samples.times.resize(kept);
  samples.values.resize(kept);
}

// Holds the read buffer's share of the budget.
class BufferCharge {
 public:
  explicit BufferCharge(Budget& budget) : budget_(budget) {}
  BufferCharge(const BufferCharge&) = delete;
  BufferCharge& operator=(const BufferCharge&) = delete;
  ~BufferCharge() { Set(0); }
  void Set(std::size_t samples) {
    budget_.Release(held_, held_ * 16);
    budget_.Charge(samples, samples * 16);
    held_ = samples;
  }

 private:
  Budget& budget_;
  std::size_t held_ = 0;
};

Result<Table> FillTable(QueryContext& context, storage::SeriesSet& set, const InstantRule& rule,
                        bool smoothed) {
  Table table(context.budget, rule.steps.count);
  storage::SampleColumns samples;
  BufferCharge charge(context.budget);
  while (set.Next()) {
    RETURN_IF_ERROR(context.Check());
    samples.clear();
    RETURN_IF_ERROR(set.ReadSamples(samples));
    charge.Set(samples.size());
    ++context.stats.series_selected;
    if (smoothed) DropStale(samples);
    double* out = table.Add({&set.labels(), false});
    const std::size_t found =
        smoothed ? FillSmoothed(rule, samples, out) : FillColumn(rule, samples, out);
    if (found == 0) table.RemoveLast();
    context.stats.samples_read += found;
  }
  RETURN_IF_ERROR(context.Check());
  CollectWarnings(context, set);
  return table;
}

class StorageRange final : public RangeSource {
 public:
  StorageRange(QueryContext& context, storage::SeriesSet& set, bool distinct)
      : context_(context), set_(set), distinct_(distinct), charge_(context.budget) {}

  Result<bool> Next(RangeSeries& out) override {
    RETURN_IF_ERROR(context_.Check());
    if (!set_.Next()) {
      CollectWarnings(context_, set_);
      return false;
    }
    out.row = {&set_.labels(), false};
    out.samples.clear();
    RETURN_IF_ERROR(set_.ReadSamples(out.samples));
    charge_.Set(out.samples.size());
    DropStale(out.samples);
    ++context_.stats.series_selected;
    return true;
  }
  bool distinct_without_name() const override { return distinct_; }

 private:
  QueryContext& context_;
  storage::SeriesSet& set_;
  bool distinct_;
  BufferCharge charge_;
};

class TableRange final : public RangeSource {
 public:
  TableRange(Table table, const Steps& inner) : table_(std::move(table)), inner_(inner) {}

  Result<bool> Next(RangeSeries& out) override {
    if (next_ == table_.size()) return false;
    out.row = table_.row(next_);
    out.samples.clear();
    const double* values = table_.values(next_);
    for (std::size_t s = 0; s < table_.steps(); ++s) {
      if (!IsPresent(values[s])) continue;
      out.samples.times.push_back(FromMillis(inner_.At(s)));
      out.samples.values.push_back(values[s]);
    }
    ++next_;
    return true;
  }
  bool distinct_without_name() const override { return table_.distinct_without_name; }

 private:
  Table table_;
  Steps inner_;
  std::size_t next_ = 0;
};

}  // namespace

Result<Table> SelectVector(QueryContext& context, const promql::VectorSelector& selector,
                           const Steps& steps, SelectorValue what) {
  InstantRule rule{.steps = steps,
                   .offset_ms = selector.modifiers.offset.count(),
                   .fixed = FixedTime(selector.modifiers, context.when()),
                   .lookback_ms = context.lookback_ms(),
                   .scale = what == SelectorValue::kTimestamp ? 1000.0 : 0.0};
  const std::int64_t ahead = selector.smoothed ? rule.lookback_ms : 0;
  auto set = Select(context, selector.matchers, rule.At(0) - rule.lookback_ms + 1,
                    rule.At(steps.count - 1) + ahead);
  if (!set) return set.error();
  Result<Table> table = FillTable(context, **set, rule, selector.smoothed);
  if (table) table->distinct_without_name = FixesName(selector.matchers);
  return table;
}

Result<Table> SelectTimes(QueryContext& context, const std::vector<Matcher>& matchers,
                          const Steps& steps, const Reference& reference) {
  const InstantRule rule{.steps = steps,
                         .offset_ms = reference.offset_ms,
                         .fixed = reference.fixed,
                         .lookback_ms = context.lookback_ms(),
                         .scale = 1.0};
  auto set = Select(context, matchers, rule.At(0) - rule.lookback_ms + 1, rule.At(steps.count - 1));
  if (!set) return set.error();
  return FillTable(context, **set, rule, false);
}

RangeSpec SpecOf(const QueryContext& context, const promql::MatrixSelector& selector) {
  const promql::VectorSelector& vector = *selector.vector;
  RangeSpec spec{.range_ms = selector.range.count(),
                 .offset_ms = vector.modifiers.offset.count(),
                 .fixed = FixedTime(vector.modifiers, context.when()),
                 .anchored = vector.anchored,
                 .smoothed = vector.smoothed,
                 .position = selector.position};
  if (spec.anchored || spec.smoothed) spec.reach_back_ms = context.lookback_ms();
  if (spec.smoothed) spec.reach_ahead_ms = context.lookback_ms();
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
  auto set = Select(context, selector.vector->matchers, first, last);
  if (!set) return set.error();
  return std::unique_ptr<RangeSource>(
      new StorageRange(context, **set, FixesName(selector.vector->matchers)));
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

// Range selectors and subqueries, series by series.
#include <algorithm>

#include "evaluator/engine/selected.h"
#include "evaluator/engine/selector.h"

namespace skep::engine {
namespace {

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

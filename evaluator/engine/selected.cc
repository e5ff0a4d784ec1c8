#include "evaluator/engine/selected.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "common/model/histogram_math.h"
#include "evaluator/engine/locked_set.h"
#include "evaluator/engine/prepared_plan.h"

namespace skep::engine {
namespace {

using SelectResult = Result<std::unique_ptr<storage::SeriesSet>>;

Result<Selected> TakeOver(QueryContext& context, SelectResult set, std::uint16_t selector) {
  if (!set) return Error(set.error().kind(), "expanding series: " + set.error().message());
  if (context.shares_sets()) *set = std::make_unique<LockedSet>(std::move(*set));
  const Selected selected{set->get(), selector};
  context.Own(std::move(*set));
  return selected;
}

}  // namespace

storage::TimeRange Between(std::int64_t first, std::int64_t last) {
  return {FromMillis(first), FromMillis(last)};
}

Result<Selected> Select(QueryContext& context, const promql::VectorSelector& node,
                        storage::TimeRange range) {
  PreparedPlan::Selector* const kept =
      context.plan() == nullptr ? nullptr : context.plan()->SelectorOf(node);
  if (kept == nullptr) return TakeOver(context, context.querier().Select(node.matchers, range), 0);
  const Timestamp start = context.when().start;
  SharedSelect& series =
      context.plan()->SeriesOf(*kept, node, {start - range.min, range.max - start});
  const std::lock_guard lock(series.mutex);
  SelectResult set = context.querier().SelectAgain(node.matchers, range, series.kept);
  context.plan()->NoteGeneration(*kept, series.kept == nullptr ? 0 : series.kept->generation());
  return TakeOver(context, std::move(set), kept->number);
}

Result<Selected> Select(QueryContext& context, const std::vector<Matcher>& matchers,
                        storage::TimeRange range) {
  return TakeOver(context, context.querier().Select(matchers, range), 0);
}

void CollectWarnings(QueryContext& context, const storage::SeriesSet& set) {
  for (std::string& warning : set.Warnings()) {
    context.storage_warnings.push_back(std::move(warning));
  }
}

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
  const auto first = std::find_if(samples.values.begin(), samples.values.end(), IsStaleNaN);
  if (first == samples.values.end()) return;  // most series have none, and then nothing moves
  auto kept = static_cast<std::size_t>(first - samples.values.begin());
  auto run =
      std::find_if(runs.begin(), runs.end(), [kept](const auto& one) { return one.after >= kept; });
  const auto move_runs_at = [&](std::size_t i) {
    for (; run != runs.end() && run->after == i; ++run) run->after = kept;
  };
  for (std::size_t i = kept; i < samples.size(); ++i) {
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

void BufferCharge::Hold(const storage::SampleColumns& columns, std::size_t runs) {
  constexpr std::size_t kOfRun = sizeof(storage::SummarizedSamples::Run) / 16;
  std::size_t samples = columns.size() + runs * kOfRun;
  for (const HistogramPtr& h : columns.histograms.values) samples += SizeBytes(*h) / 16;
  Set(samples);
}

}  // namespace skep::engine

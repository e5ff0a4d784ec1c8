#include "evaluator/engine/context.h"

#include <algorithm>

namespace skep::engine {
namespace {

Error SameLabelSet() { return Invalid("vector cannot contain metrics with the same labelset"); }

// The same for the histograms, once the floats are merged.
bool MergeHistograms(Table& table, std::size_t into, std::size_t from) {
  for (std::size_t s = 0; s < table.steps(); ++s) {
    const HistogramPtr histogram = table.SharedHistogram(from, s);
    const bool taken = table.histogram(into, s) != nullptr;
    if (taken && table.PresentAt(from, s)) return false;
    if (histogram == nullptr) continue;
    if (IsPresent(table.values(into)[s])) return false;
    table.SetHistogram(into, s, histogram);
  }
  return true;
}

// Moves what `from` has into `into`. False where both have a value at one step.
bool MergeRow(Table& table, std::size_t into, std::size_t from) {
  double* a = table.values(into);
  const double* b = table.values(from);
  for (std::size_t s = 0; s < table.steps(); ++s) {
    if (IsPresent(a[s]) && IsPresent(b[s])) return false;
    if (IsPresent(b[s])) a[s] = b[s];
  }
  return !table.has_histograms() || MergeHistograms(table, into, from);
}

}  // namespace

bool IsMetadataLabel(std::string_view name) {
  return name == kMetricName || name == "__type__" || name == "__unit__";
}

Labels WithoutMetadata(const Labels& labels) {
  std::vector<LabelView> kept;
  kept.reserve(8);
  for (const LabelView& label : labels) {
    if (!IsMetadataLabel(label.name)) kept.push_back(label);
  }
  return Labels::FromPairs(kept);
}

QueryContext::QueryContext(Setup setup)
    : budget(setup.options.limits.max_samples, setup.options.limits.max_bytes),
      setup_(std::move(setup)),
      lookback_ms_((setup_.when.lookback_delta.count() > 0 ? setup_.when.lookback_delta
                                                           : setup_.options.lookback_delta)
                       .count()) {}

void QueryContext::ReleaseStorage() {
  sets_.clear();
  labels_.clear();
  setup_.querier.reset();
}

Status QueryContext::Check() {
  if (budget.exceeded()) {
    return Invalid("query processing would load too many samples into memory in query execution");
  }
  if (setup_.when.cancel != nullptr && setup_.when.cancel->load(std::memory_order_relaxed)) {
    return Error(ErrorKind::kCanceled, "query was canceled in expression evaluation");
  }
  // Reading the clock costs as much as evaluating a short series: do it now and then.
  if (checks_++ % 16 == 0 && setup_.clock.SteadyNow() >= setup_.deadline) {
    return Error(ErrorKind::kTimeout, "query timed out in expression evaluation");
  }
  return {};
}

const Labels* QueryContext::Own(Labels labels) {
  budget.Charge(0, labels.size_bytes() + sizeof(Labels));
  return &labels_.emplace_back(std::move(labels));
}

void QueryContext::Settle(Row& row) {
  if (!row.drop_name || delayed_name_removal()) return;
  row.labels = Own(WithoutMetadata(*row.labels));
  row.drop_name = false;
}

void QueryContext::Settle(Table& table) {
  for (std::size_t i = 0; i < table.size(); ++i) Settle(table.row(i));
}

void QueryContext::DropName(Table& table) {
  for (std::size_t i = 0; i < table.size(); ++i) table.row(i).drop_name = true;
}

std::vector<std::pair<std::uint64_t, std::size_t>> QueryContext::SortedHashes(
    const Table& table) const {
  std::vector<std::pair<std::uint64_t, std::size_t>> hashes;
  hashes.reserve(table.size());
  for (std::size_t i = 0; i < table.size(); ++i) {
    hashes.emplace_back(table.row(i).labels->Hash(), i);
  }
  std::sort(hashes.begin(), hashes.end());
  return hashes;
}

Status QueryContext::MergeEqual(Table& table) {
  if (table.size() < 2) return {};
  Settle(table);
  const auto hashes = SortedHashes(table);
  std::vector<char> gone(table.size(), 0);
  bool any = false;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    if (gone[hashes[i].second] != 0) continue;
    for (std::size_t k = i + 1; k < hashes.size() && hashes[k].first == hashes[i].first; ++k) {
      const auto [first, second] = std::pair(hashes[i].second, hashes[k].second);
      if (gone[second] != 0 || *table.row(first).labels != *table.row(second).labels) continue;
      if (!MergeRow(table, first, second)) return SameLabelSet();
      gone[second] = 1;
      any = true;
    }
  }
  if (any) table.Filter([&gone](std::size_t i) { return gone[i] == 0; });
  return {};
}

Status QueryContext::MergeAfterDrop(Table& table) {
  if (delayed_name_removal() || table.distinct_without_name) return {};
  return MergeEqual(table);
}

Status QueryContext::RefuseEqual(Table& table) {
  if (table.size() < 2 || delayed_name_removal() || table.distinct_without_name) return {};
  Settle(table);
  const auto hashes = SortedHashes(table);
  for (std::size_t i = 1; i < hashes.size(); ++i) {
    if (hashes[i].first == hashes[i - 1].first &&
        *table.row(hashes[i].second).labels == *table.row(hashes[i - 1].second).labels) {
      return SameLabelSet();
    }
  }
  return {};
}

}  // namespace skep::engine

#include "evaluator/tsdb/sample_merge.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "common/model/histogram.h"

namespace skep::tsdb {
namespace {

using Histograms = storage::SampleColumns::Histograms;
using storage::SampleColumns;

bool HasStarts(const SampleColumns& samples) { return !samples.starts.empty(); }
bool HasStarts(const Histograms& histograms) { return !histograms.starts.empty(); }

// Both, or none, have starts.
template <typename Columns>
void MatchStarts(Columns& a, Columns& b) {
  if (!HasStarts(a) && !HasStarts(b)) return;
  a.starts.resize(a.times.size(), kNoStart);
  b.starts.resize(b.times.size(), kNoStart);
}

template <typename Columns>
void Take(Columns& from, std::size_t row, Columns& to) {
  to.times.push_back(from.times[row]);
  to.values.push_back(std::move(from.values[row]));
  if (HasStarts(from)) to.starts.push_back(from.starts[row]);
}

template <typename Columns>
void Append(Columns& to, Columns& from) {
  to.times.insert(to.times.end(), from.times.begin(), from.times.end());
  to.values.insert(to.values.end(), from.values.begin(), from.values.end());
  to.starts.insert(to.starts.end(), from.starts.begin(), from.starts.end());
}

// Of floats or of histograms alone.
template <typename Columns>
void MergeRows(Columns& older, Columns& newer) {
  if (newer.times.empty()) return;
  MatchStarts(older, newer);
  if (older.times.empty() || older.times.back() < newer.times.front()) return Append(older, newer);
  Columns merged;
  std::size_t a = 0;
  for (std::size_t b = 0; b < newer.times.size(); ++b) {
    while (a < older.times.size() && older.times[a] < newer.times[b]) Take(older, a++, merged);
    if (a < older.times.size() && older.times[a] == newer.times[b]) ++a;
    Take(newer, b, merged);
  }
  while (a < older.times.size()) Take(older, a++, merged);
  older.times = std::move(merged.times);
  older.values = std::move(merged.values);
  older.starts = std::move(merged.starts);
}

// Keeps the rows that `keep` says yes to.
template <typename Columns, typename Keep>
void KeepRows(Columns& columns, const Keep& keep) {
  std::size_t kept = 0;
  for (std::size_t row = 0; row < columns.times.size(); ++row) {
    if (!keep(columns.times[row])) continue;
    if (kept != row) {
      columns.times[kept] = columns.times[row];
      columns.values[kept] = std::move(columns.values[row]);
      if (HasStarts(columns)) columns.starts[kept] = columns.starts[row];
    }
    ++kept;
  }
  columns.times.resize(kept);
  columns.values.resize(kept);
  if (HasStarts(columns)) columns.starts.resize(kept);
}

bool Contains(const std::vector<Timestamp>& times, Timestamp time) {
  return std::binary_search(times.begin(), times.end(), time);
}

}  // namespace

Timestamp FirstTime(const SampleColumns& samples) {
  Timestamp first = kMaxTimestamp;
  if (!samples.times.empty()) first = samples.times.front();
  if (!samples.histograms.empty()) first = std::min(first, samples.histograms.times.front());
  return first;
}

Timestamp LastTime(const SampleColumns& samples) {
  Timestamp last = kMinTimestamp;
  if (!samples.times.empty()) last = samples.times.back();
  if (!samples.histograms.empty()) last = std::max(last, samples.histograms.times.back());
  return last;
}

void MergeSamples(SampleColumns& samples, SampleColumns& newer) {
  if (newer.empty()) return;
  if (!samples.empty() && FirstTime(newer) <= LastTime(samples)) {
    // A time has one kind of sample: the newer one.
    const auto not_in = [](const std::vector<Timestamp>& times) {
      return [&times](Timestamp time) { return !Contains(times, time); };
    };
    if (!newer.histograms.empty()) KeepRows(samples, not_in(newer.histograms.times));
    if (!newer.times.empty()) KeepRows(samples.histograms, not_in(newer.times));
  }
  MergeRows(samples, newer);
  MergeRows(samples.histograms, newer.histograms);
}

void AppendSamples(SampleColumns& out, SampleColumns& part) {
  MatchStarts(out, part);
  Append(out, part);
  MatchStarts(out.histograms, part.histograms);
  Append(out.histograms, part.histograms);
}

void DropSpans(std::span<const storage::TimeRange> spans, SampleColumns& samples) {
  const auto keep = [spans](Timestamp time) {
    return std::none_of(spans.begin(), spans.end(), [time](const storage::TimeRange& span) {
      return span.min <= time && time <= span.max;
    });
  };
  KeepRows(samples, keep);
  KeepRows(samples.histograms, keep);
}

}  // namespace skep::tsdb

#include "evaluator/rules/series_tracker.h"

#include <utility>

namespace skep::rules {

SeriesTracker::Entry& SeriesTracker::Find(const Labels& labels) {
  if (next_ < entries_.size() && entries_[next_].labels == labels) return entries_[next_++];
  if (index_.empty()) {
    for (std::size_t i = 0; i < entries_.size(); ++i) index_.emplace(entries_[i].labels, i);
  }
  const auto [found, is_new] = index_.try_emplace(labels, entries_.size());
  if (is_new) entries_.push_back({labels, 0, false, true});
  next_ = found->second + 1;
  return entries_[found->second];
}

storage::AppendOutcome SeriesTracker::Append(storage::Appender& appender, const Labels& labels,
                                             const FullSample& sample) {
  Entry& entry = Find(labels);
  const storage::AppendOutcome outcome =
      sample.histogram == nullptr ? appender.Append(entry.ref, labels, {sample.time, sample.value})
                                  : appender.AppendFull(entry.ref, labels, sample);
  if (outcome == storage::AppendOutcome::kAccepted) entry.written = true;
  return outcome;
}

void SeriesTracker::AppendStale(storage::Appender& appender, Timestamp time) {
  for (Entry& entry : entries_) {
    if (entry.written || entry.fresh) continue;
    // Refused where another rule writes the same series now: then it is not stale.
    (void)appender.Append(entry.ref, entry.labels, {time, kStaleNaN});
  }
}

void SeriesTracker::Commit() {
  const std::size_t gone =
      std::erase_if(entries_, [](const Entry& entry) { return !entry.written; });
  bool grown = false;
  for (Entry& entry : entries_) {
    grown = grown || entry.fresh;
    entry.written = entry.fresh = false;
  }
  if (gone > 0 || grown) index_.clear();
  next_ = 0;
}

void SeriesTracker::Abandon() {
  std::erase_if(entries_, [](const Entry& entry) { return entry.fresh; });
  for (Entry& entry : entries_) entry.written = false;
  index_.clear();
  next_ = 0;
}

std::vector<Labels> SeriesTracker::TakeAll() {
  std::vector<Labels> all;
  all.reserve(entries_.size());
  for (Entry& entry : entries_) all.push_back(std::move(entry.labels));
  entries_.clear();
  index_.clear();
  next_ = 0;
  return all;
}

}  // namespace skep::rules

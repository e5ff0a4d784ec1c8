#include "evaluator/rules/departed_series.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "common/model/sample.h"

namespace skep::rules {

void DepartedSeries::Add(Group group) {
  if (group.series.empty()) return;
  const std::lock_guard lock(mutex_);
  groups_.push_back(std::move(group));
}

std::optional<Timestamp> DepartedSeries::NextDue() const {
  const std::lock_guard lock(mutex_);
  const auto first = std::ranges::min_element(groups_, {}, &Group::due);
  return first == groups_.end() ? std::nullopt : std::optional(first->due);
}

std::vector<DepartedSeries::Group> DepartedSeries::TakeDue(Timestamp now) {
  std::vector<Group> due;
  const std::lock_guard lock(mutex_);
  const auto first_due = std::partition(groups_.begin(), groups_.end(),
                                        [now](const Group& group) { return group.due > now; });
  std::move(first_due, groups_.end(), std::back_inserter(due));
  groups_.erase(first_due, groups_.end());
  return due;
}

void DepartedSeries::WriteDue(Timestamp now) {
  for (const Group& group : TakeDue(now)) {
    const std::unique_ptr<storage::Appender> appender = storage_.NewAppender();
    for (const Labels& labels : group.series) {
      storage::SeriesRef ref = 0;
      // Refused where another rule went on with the series.
      (void)appender->Append(ref, labels, {group.marker_time, kStaleNaN});
    }
    if (const Status committed = appender->Commit(); !committed) {
      logger_.Warn("writing staleness markers failed", {{"error", committed.error()}});
    }
  }
}

}  // namespace skep::rules

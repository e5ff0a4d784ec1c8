// Series of rule groups that are no longer there, which wait for their staleness markers.
#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "common/base/log.h"
#include "common/base/time.h"
#include "common/model/labels.h"
#include "evaluator/storage/appender.h"

namespace skep::rules {

// Markers come two intervals after the group went, so that one that was renamed can take its series
// over. Thread-safe.
class DepartedSeries {
 public:
  // `storage` must outlive it.
  DepartedSeries(storage::Appendable& storage, Logger logger)
      : storage_(storage), logger_(std::move(logger)) {}

  struct Group {
    Timestamp due;          // when the markers are written
    Timestamp marker_time;  // that they have
    std::vector<Labels> series;
  };
  void Add(Group group);

  // When the next markers are to be written; empty: none wait.
  std::optional<Timestamp> NextDue() const;
  // Writes those that are due at `now`. A series that another rule went on with gets none.
  void WriteDue(Timestamp now);

 private:
  std::vector<Group> TakeDue(Timestamp now);

  storage::Appendable& storage_;
  const Logger logger_;
  mutable std::mutex mutex_;
  std::vector<Group> groups_;  // guarded by mutex_
};

}  // namespace skep::rules

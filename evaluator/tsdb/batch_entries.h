// The samples that an appender holds until it commits. Internal to this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "common/model/sample.h"
#include "evaluator/tsdb/series.h"

namespace skep::tsdb {

struct BatchEntry {
  Series* series = nullptr;  // its `uncommitted` keeps it alive
  Sample sample;
  std::uint32_t full = 0;     // plus one: among the full samples; 0: a plain float
  bool names_series = false;  // the log learns of the series by this entry
  bool late = false;          // out of order, but within the window; then it is among the full ones
};
using BatchEntries = std::vector<BatchEntry>;

// Lists for the next batches: one that grew anew for each page of 1,000 samples was a sixth of what
// storing the page cost. Thread-safe.
class SpareEntries {
 public:
  // Empty, with whatever memory it has.
  BatchEntries Take() {
    const std::lock_guard lock(mutex_);
    if (spare_.empty()) return {};
    BatchEntries entries = std::move(spare_.back());
    spare_.pop_back();
    return entries;
  }
  void GiveBack(BatchEntries entries) {
    // A batch of a million samples must not keep its memory for ever.
    constexpr std::size_t kMostEntries = 16'384;
    constexpr std::size_t kMostLists = 4;
    if (entries.capacity() == 0 || entries.capacity() > kMostEntries) return;
    entries.clear();
    const std::lock_guard lock(mutex_);
    if (spare_.size() < kMostLists) spare_.push_back(std::move(entries));
  }

 private:
  std::mutex mutex_;
  std::vector<BatchEntries> spare_;  // guarded by mutex_
};

}  // namespace skep::tsdb

// How long the columns of samples are, to take back what was appended to them.
#pragma once

#include <algorithm>
#include <cstddef>

#include "evaluator/storage/querier.h"

namespace skep::tsdb {

// A value. Requires of Restore: nothing was taken away since.
class ColumnSizes {
 public:
  explicit ColumnSizes(const storage::SampleColumns& of)
      : floats_(of.times.size()),
        starts_(of.starts.size()),
        histograms_(of.histograms.times.size()),
        histogram_starts_(of.histograms.starts.size()) {}

  void Restore(storage::SampleColumns& columns) const {
    columns.times.resize(floats_);
    columns.values.resize(floats_);
    columns.starts.resize(starts_);
    columns.histograms.times.resize(histograms_);
    columns.histograms.values.resize(histograms_);
    columns.histograms.starts.resize(histogram_starts_);
  }

  // First and last time of what was appended since; the first is behind the last where nothing was.
  storage::TimeRange AddedTo(const storage::SampleColumns& columns) const {
    storage::TimeRange added{kMaxTimestamp, kMinTimestamp};
    Extend(columns.times, floats_, added);
    Extend(columns.histograms.times, histograms_, added);
    return added;
  }

 private:
  static void Extend(const std::vector<Timestamp>& times, std::size_t before,
                     storage::TimeRange& range) {
    if (times.size() == before) return;
    range.min = std::min(range.min, times[before]);
    range.max = std::max(range.max, times.back());
  }

  std::size_t floats_, starts_, histograms_, histogram_starts_;
};

}  // namespace skep::tsdb

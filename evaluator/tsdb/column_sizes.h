// How long the columns of samples are, to take back what was appended to them.
#pragma once

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

 private:
  std::size_t floats_, starts_, histograms_, histogram_starts_;
};

}  // namespace skep::tsdb

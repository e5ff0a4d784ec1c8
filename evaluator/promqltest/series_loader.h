// The samples that lines of a script's `load`, or a unit-test file's input_series, describe.
#pragma once

#include <cstddef>
#include <map>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/model/histogram.h"
#include "common/model/labels.h"
#include "evaluator/promql/parser.h"
#include "evaluator/storage/appender.h"

namespace skep::promqltest {

// By label set; times rise.
using SeriesSamples = std::map<Labels, std::vector<FullSample>>;

// Collects series whose values stand at `start` and every `step` after it. Thread-compatible.
class SeriesLoader {
 public:
  SeriesLoader(Timestamp start, Duration step) : start_(start), step_(step) {}

  // `metric{a="b"} 1+1x5 _ stale {{…}}`. Of a series that stands in two lines the last one counts.
  // `metric@st …` says when the counters of the line behind it began: seconds from each sample.
  Status AddLine(std::string_view line);

  // A native histogram with custom buckets beside each classic one (load_with_nhcb).
  void AddCustomBuckets();

  const SeriesSamples& series() const { return series_; }

 private:
  Timestamp StartOf(std::size_t place, Timestamp time) const;

  Timestamp start_;
  Duration step_;
  std::vector<promql::SequenceValue> starts_;  // for the line that comes
  SeriesSamples series_;
};

// Offers samples to a store piece by piece as time goes on: what a rule sees at some time does not
// depend on samples of later. Thread-compatible.
class SeriesFeed {
 public:
  explicit SeriesFeed(SeriesSamples series) : series_(std::move(series)) {}

  // Appends what is not later than `time` and has not been appended yet, in one batch. The first
  // sample that the store refuses is kInvalid; those before it are lost with the batch.
  Status AppendUntil(Timestamp time, storage::Appendable& store);

 private:
  SeriesSamples series_;
  std::map<Labels, std::size_t> done_;  // samples appended, by series
};

}  // namespace skep::promqltest

// The read side of storage: series of a time range, as columns.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/model/histogram.h"
#include "common/model/labels.h"
#include "common/model/matcher.h"
#include "common/model/sample.h"
#include "evaluator/storage/float_summary.h"

namespace skep::storage {

// Both ends included.
struct TimeRange {
  Timestamp min = kMinTimestamp;
  Timestamp max = kMaxTimestamp;
};

// The samples of one series as parallel columns: its floats, and apart from them its histograms
// (most series have only one kind). Times rise strictly in each; no time is in both. Staleness
// markers are among the floats.
struct SampleColumns {
  struct Histograms {
    std::vector<Timestamp> times;
    std::vector<HistogramPtr> values;  // never null
    std::vector<Timestamp> starts;     // as for floats

    std::size_t size() const { return times.size(); }
    bool empty() const { return times.empty(); }
  };

  std::vector<Timestamp> times;
  std::vector<double> values;
  // When the counter began that the sample belongs to, kNoStart where nobody said so. Empty where
  // no sample has one, else as long as `times`.
  std::vector<Timestamp> starts;
  Histograms histograms;

  std::size_t size() const { return times.size(); }  // of the floats
  bool empty() const { return times.empty() && histograms.empty(); }
  void clear() {
    times.clear();
    values.clear();
    starts.clear();
    histograms.times.clear();
    histograms.values.clear();
    histograms.starts.clear();
  }
};

// The samples of one series, but some runs of its floats only as what they come to: the run
// `summaries[i]` lies in time behind the first `summaries[i].after` floats of `samples` and before
// the others. Runs stand in the order of time; a sample is either in `samples` or in one run. No
// staleness marker, NaN, infinity, histogram or start timestamp is in a run or between its samples.
struct SummarizedSamples {
  struct Run {
    FloatSummary summary;
    Timestamp first_time, last_time;  // of its samples
    std::size_t after = 0;
  };

  SampleColumns samples;
  std::vector<Run> summaries;

  void clear() {
    samples.clear();
    summaries.clear();
  }
};

// Whether a cut lies between the first and the last sample of a run: some of them are at or before
// it, others after it. `cuts` rise.
inline bool IsCut(std::span<const Timestamp> cuts, Timestamp first_time, Timestamp last_time) {
  const auto cut = std::lower_bound(cuts.begin(), cuts.end(), first_time);
  return cut != cuts.end() && *cut < last_time;
}

// The answer to one Select: a list that is walked once, in rising order of the label sets.
// Thread-compatible. Keeps what it shows alive; outlives its Querier.
class SeriesSet {
 public:
  virtual ~SeriesSet() = default;

  // Moves to the first or next series. False at the end.
  virtual bool Next() = 0;
  // Of the present series; valid until the set is destroyed.
  virtual const Labels& labels() const = 0;
  // A store may make label sets only when they are asked for. Then the present series has a place,
  // at which its labels can be asked for later too, or never.
  static constexpr std::uint32_t kNoPlace = 0xffffffff;
  virtual std::uint32_t place() const { return kNoPlace; }
  // Of the series at a place that this set gave. The first is valid until the set is destroyed; the
  // second keeps nothing.
  virtual const Labels& LabelsAt(std::uint32_t /*place*/) const { return labels(); }
  virtual Labels CopyLabels(std::uint32_t place) const { return LabelsAt(place); }
  // Appends the present series' samples in the Select's range to `out`. May be none.
  virtual Status ReadSamples(SampleColumns& out) = 0;
  // The same samples, but a chunk that lies wholly in the Select's range and across no cut (IsCut)
  // may come as a run where the store knows its summary and every sample of it is visible as it
  // was summarized: none deleted, none between them from elsewhere. Requires: `out` is clear;
  // `cuts` rise. Reading the same series by the other function afterwards is allowed.
  virtual Status ReadSummarized(std::span<const Timestamp> /*cuts*/, SummarizedSamples& out) {
    return ReadSamples(out.samples);
  }
  // After SelectAgain: a small number of the present series and, in one generation, of no other. It
  // stays as long as every answer has the series; one that was missing may come back with another.
  // 0: the store has none.
  virtual std::uint32_t slot() const { return 0; }
  // What would be wrong with the answer though it could be given (one of several stores was down).
  virtual std::vector<std::string> Warnings() const { return {}; }
};

// What a store keeps of a Select that comes again and again (a rule's, at every round): the series
// that it found, so that the next time only new and deleted ones are looked at. The caller owns it.
// Thread-compatible; may outlive the store.
class KeptSelect {
 public:
  virtual ~KeptSelect() = default;
  // Changes, never to an earlier value, when the slots are given out anew. Never 0.
  virtual std::uint64_t generation() const = 0;
};

// A read handle of one time range. Sees every batch committed before it was made; of later batches
// it sees all or nothing. Thread-compatible; several Queriers run at once.
class Querier {
 public:
  virtual ~Querier() = default;

  // Series that all matchers accept and that have, or may have, samples in `range`. At least one
  // matcher refuses the empty value, otherwise every series is walked.
  virtual Result<std::unique_ptr<SeriesSet>> Select(std::span<const Matcher> matchers,
                                                    TimeRange range) = 0;
  // The same answer, faster where the store knows a way. `kept` is null or what the last call left
  // there; a store that keeps nothing leaves it null. Requires: of one `kept`, all calls have the
  // same matchers and go to queriers of the same store.
  virtual Result<std::unique_ptr<SeriesSet>> SelectAgain(std::span<const Matcher> matchers,
                                                         TimeRange range,
                                                         std::unique_ptr<KeptSelect>& /*kept*/) {
    return Select(matchers, range);
  }

  // Distinct label names, or values of one label, of the series that all matchers accept; sorted.
  // No matchers: all.
  virtual Result<std::vector<std::string>> LabelNames(std::span<const Matcher> matchers) = 0;
  virtual Result<std::vector<std::string>> LabelValues(std::string_view name,
                                                       std::span<const Matcher> matchers) = 0;
};

// Where queries begin. Thread-safe.
class Queryable {
 public:
  virtual ~Queryable() = default;
  // For samples in `range`; series that have none there may be left out.
  virtual Result<std::unique_ptr<Querier>> NewQuerier(TimeRange range) = 0;
};

}  // namespace skep::storage

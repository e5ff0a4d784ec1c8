// The write side of storage. Scrapes, rule results and backtests all enter here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/base/result.h"
#include "common/model/histogram.h"
#include "common/model/labels.h"
#include "common/model/sample.h"

namespace skep::storage {

// What became of one sample. All are normal: callers count them, none is an Error.
enum class [[nodiscard]] AppendOutcome : std::uint8_t{
    kAccepted,
    kDuplicate,      // same time, other value
    kOutOfOrder,     // older than the series' newest sample, and no out-of-order window is open
    kTooOld,         // older than what the store still takes
    kLimitExceeded,  // the store may not take another series
};

// A store's own number for a series, good for a faster second Append. 0: not known yet. Never
// reused for another series; one that has been dropped is simply not found again.
using SeriesRef = std::uint64_t;

// A sample of a series whose number is known; its time stands elsewhere.
struct KnownSample {
  SeriesRef ref = 0;
  double value = 0;
};

// A sample of a run that is not kAccepted. Nothing for outcome: the store does not have the series.
struct RunException {
  std::size_t index = 0;  // in the run
  std::optional<AppendOutcome> outcome;
};

// One batch of samples, visible to queriers as a whole or not at all.
// Thread-compatible: one thread per batch; batches on different threads are independent.
// Destroying an Appender that was not committed drops its samples.
class Appender {
 public:
  virtual ~Appender() = default;

  // Offers `sample` to the series named by `labels`, creating the series if new. `ref` may hold
  // what an earlier call for the same labels left there; if it is still good, `labels` is not
  // looked at. Afterwards it holds the series' number, or 0 where there is none. Keeps no reference
  // to `labels`. An equal sample (same time, same bits) is kAccepted. Requires: Commit has not been
  // called.
  virtual AppendOutcome Append(SeriesRef& ref, const Labels& labels, Sample sample) = 0;

  // The same for whoever knows only the number. Nothing where the store has no series of it, for 0
  // or because the series was dropped: then Append would have to look at the labels.
  virtual std::optional<AppendOutcome> AppendKnown(SeriesRef ref, Sample sample) = 0;

  // The same, in this order, for samples of one time: a store may do it at less cost than one by
  // one. Adds to `exceptions`, in order, what was not accepted.
  virtual void AppendRun(Timestamp time, std::span<const KnownSample> run,
                         std::vector<RunException>& exceptions) {
    for (std::size_t i = 0; i < run.size(); ++i) {
      const std::optional<AppendOutcome> outcome = AppendKnown(run[i].ref, {time, run[i].value});
      if (outcome != AppendOutcome::kAccepted) exceptions.push_back({i, outcome});
    }
  }

  // As Append for a histogram, or for a sample that knows its start.
  virtual AppendOutcome AppendFull(SeriesRef& ref, const Labels& labels,
                                   const FullSample& sample) = 0;

  // Makes the batch durable, then visible. On error nothing of it will ever be visible,
  // also not after a restart. Requires: called at most once.
  virtual Status Commit() = 0;
};

// Where batches begin. Thread-safe.
class Appendable {
 public:
  virtual ~Appendable() = default;
  virtual std::unique_ptr<Appender> NewAppender() = 0;
};

}  // namespace skep::storage

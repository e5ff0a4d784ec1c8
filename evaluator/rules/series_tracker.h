// The series that one rule writes: their numbers in the store, and staleness markers for those
// that a round no longer has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "common/model/labels.h"
#include "common/model/sample.h"
#include "evaluator/storage/appender.h"

namespace skep::rules {

// Rounds mostly write the same series in the same order: the next one is compared with what is
// expected (one memcmp) before anything is hashed.
// Thread-compatible.
class SeriesTracker {
 public:
  // Append ..., then AppendStale, then Commit or Abandon.
  storage::AppendOutcome Append(storage::Appender& appender, const Labels& labels,
                                const FullSample& sample);
  // A marker at `time` for each series that was there after the last round and was not appended.
  void AppendStale(storage::Appender& appender, Timestamp time);
  // The round's batch was committed: its series are what the next round is compared with.
  void Commit();
  // It was not: those of the round before are.
  void Abandon();

  // All series of the last committed round, which are then forgotten.
  std::vector<Labels> TakeAll();
  bool empty() const { return entries_.empty(); }

 private:
  struct Entry {
    Labels labels;
    storage::SeriesRef ref = 0;
    bool written = false;  // in this round
    bool fresh = false;    // not there in the last round
  };

  Entry& Find(const Labels& labels);

  std::vector<Entry> entries_;
  std::unordered_map<Labels, std::size_t> index_;  // empty until a round differs
  std::size_t next_ = 0;
};

}  // namespace skep::rules

// Writes what the head has of a past span of time to blocks, beside appends and queries.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "evaluator/storage/querier.h"

namespace skep::tsdb {

class BlockWriter;
class Head;
class Snapshot;
struct SeriesList;

// What a flush has written, so that the head can forget exactly that.
struct FlushedSamples {
  Timestamp before;          // all are older
  std::uint64_t newest = 0;  // the last commit of which it has seen samples
  // Numbers of series, and the newest sample that was written of each.
  std::vector<std::pair<std::uint32_t, Timestamp>> series;
};

// One flush: of the samples before a time that were committed when it began. Thread-compatible; the
// head goes on meanwhile. Memory: some 30 bytes a series.
class HeadFlush {
 public:
  HeadFlush(Head& head, Timestamp before);
  ~HeadFlush();

  // From the oldest sample to at most the time; some samples may be further inside. None: nothing
  // is to be written.
  std::optional<storage::TimeRange> span() const { return span_; }

  // Adds the samples in `range`, which ends before the time, of all series.
  Status Write(storage::TimeRange range, BlockWriter& writer);

  // What the Writes have written. The flush is over.
  FlushedSamples Finish();

 private:
  std::shared_ptr<const Snapshot> snapshot_;
  std::shared_ptr<const SeriesList> list_;  // in the order of labels
  std::optional<storage::TimeRange> span_;
  FlushedSamples flushed_;
};

}  // namespace skep::tsdb

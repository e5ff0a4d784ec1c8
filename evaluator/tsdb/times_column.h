// The times of a chunk as bytes: straight lines, and how far the scrapes lie beside them.
//
//   column     count (varint)
//              first time in ms (signed varint)
//              segment...
//   segment    length - 1 (varint)
//              width code + 64 * has a slope of its own (1 byte); codes 0..56, 57 for 64
//              slope: 1/1024 ms from one sample to the next (varint), if it has its own
//              shift of its origin from where the line of the segment before would go on, of
//              segment 0 from the first time (signed varint)
//              residuals: `width` bits each, lowest bit first, up to a whole byte
//
// Sample i of a segment is at origin + floor(i * slope / 1024) + residual i. A regular run is one
// segment of width 0; jitter is a few bits; a gap, or a scrape that came late, begins a segment.
// Any sample can be found without those before it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/column_bytes.h"
#include "evaluator/tsdb/rows.h"

namespace skep::tsdb {

// Appends the column. Requires: 1 to kMaxChunkSamples times, strictly rising.
void EncodeTimes(std::span<const Timestamp> times, std::string& out);

// Immutable; owns nothing of the bytes. Every error is kCorrupt.
class TimesReader {
 public:
  // `bytes` are one column and nothing else. Looks at its beginning only.
  static Result<TimesReader> Open(std::string_view bytes);

  std::uint32_t count() const { return count_; }

  // The rows whose times lie in `range`. Decodes none but what a binary search touches.
  Result<RowRange> Find(storage::TimeRange range) const;
  // Appends the times of `rows`, cut at count(). They rise strictly. `out` is as before on an
  // error.
  Status Read(RowRange rows, std::vector<Timestamp>& out) const;

 private:
  struct Segment;
  class Segments;

  TimesReader(std::uint32_t count, std::int64_t first, std::string_view segments)
      : count_(count), first_(first), segments_(segments) {}
  // The first row at or after a time; count() where there is none.
  Result<std::uint32_t> LowerBound(std::int64_t time) const;

  std::uint32_t count_;
  std::int64_t first_;
  std::string_view segments_;
};

}  // namespace skep::tsdb

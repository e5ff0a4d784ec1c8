// What is deleted of a block, whose own file never changes: spans of time of series, in a file
// beside it.
//
//   file    "skeptmb" 1, sum of the rest (4 bytes), id of the block (8 bytes), number of spans
//           (varint), spans
//   span    2 * (its series less that of the span before) + has the times of the span before
//           (varint), then, if it has not: first time in ms (signed), last less first time (varint)
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/block.h"
#include "evaluator/tsdb/disk.h"

namespace skep::tsdb {

// Spans of time, both ends included, of series by their ordinals in one block. A value.
class Tombstones {
 public:
  using Spans = std::span<const storage::TimeRange>;

  // Deletes `span` of each of the series. Spans that overlap or touch become one. Requires:
  // `series` rise strictly; span.min is not after span.max.
  void Add(std::span<const std::uint32_t> series, storage::TimeRange span);

  // Of a series: rising, disjoint. Valid until Add.
  Spans Of(std::uint32_t series) const;
  bool empty() const { return series_.empty(); }
  std::size_t span_count() const { return series_.size(); }
  std::size_t size_bytes() const;  // in memory

  bool operator==(const Tombstones& other) const;

 private:
  friend Result<Tombstones> LoadTombstones(Disk& disk, const std::string& path, const Block& block);
  friend Status SaveTombstones(Disk& disk, const std::string& path, const Block& block,
                               const Tombstones& tombstones);

  void Append(std::uint32_t series, storage::TimeRange span);

  // Parallel: by series, then time.
  std::vector<std::uint32_t> series_;
  std::vector<storage::TimeRange> spans_;
};

// None where there is no file, or one of the block that stood there before `block`. kInvalid:
// another version. kCorrupt: damaged.
Result<Tombstones> LoadTombstones(Disk& disk, const std::string& path, const Block& block);
// Durable, in one step, when it returns; what was there is replaced. While it works `path` + ".tmp"
// is there.
Status SaveTombstones(Disk& disk, const std::string& path, const Block& block,
                      const Tombstones& tombstones);

// Whether something of the range is deleted: a chunk whose range is touched has no summary.
bool Touches(Tombstones::Spans deleted, storage::TimeRange range);
// Appends what is left of the range.
void Subtract(storage::TimeRange range, Tombstones::Spans deleted,
              std::vector<storage::TimeRange>& left);

}  // namespace skep::tsdb

#include "evaluator/tsdb/block_cursor.h"

#include <algorithm>
#include <utility>

#include "evaluator/tsdb/column_sizes.h"

namespace skep::tsdb {
namespace {

constexpr std::size_t kMaxTimes = (1UL << 20) / sizeof(Timestamp);
constexpr std::size_t kMaxSeen = 4096;  // columns

}  // namespace

BlockCursor::BlockCursor(std::shared_ptr<const Block> block, const Tombstones* deleted)
    : block_(std::move(block)), deleted_(deleted), labels_(block_->index()) {}

Status BlockCursor::ReadSamples(std::uint32_t series, storage::TimeRange range,
                                storage::SampleColumns& out) {
  const Tombstones::Spans deleted = deleted_ ? deleted_->Of(series) : Tombstones::Spans();
  left_.clear();
  Subtract(range, deleted, left_);
  const ColumnSizes before(out);
  for (const storage::TimeRange& part : left_) {
    Status status = ReadLeft(series, part, out);
    if (status) continue;
    before.Restore(out);
    return status;
  }
  return {};
}

Status BlockCursor::ReadLeft(std::uint32_t series, storage::TimeRange range,
                             storage::SampleColumns& out) {
  chunks_.clear();
  RETURN_IF_ERROR(block_->ReadChunks(series, range, chunks_));
  for (const BlockChunk& chunk : chunks_) RETURN_IF_ERROR(Decode(chunk, range, out));
  return {};
}

Status BlockCursor::Decode(const BlockChunk& chunk, storage::TimeRange range,
                           storage::SampleColumns& out) {
  const Result<const Times*> known = KnownTimesOf(chunk);
  if (!known) return known.error();
  if (*known == nullptr) return block_->Decode(chunk, range, out);
  const Times& times = **known;
  const auto begin = std::lower_bound(times.begin(), times.end(), range.min);
  const auto end = std::upper_bound(begin, times.end(), range.max);
  const RowRange rows{static_cast<std::uint32_t>(begin - times.begin()),
                      static_cast<std::uint32_t>(end - times.begin())};
  return block_->DecodeRows(chunk, rows, {begin, end}, out);
}

// Null for a column that comes for the first time: decoding all of it pays only where another
// series has it, too.
Result<const BlockCursor::Times*> BlockCursor::KnownTimesOf(const BlockChunk& chunk) {
  const auto known = times_.find(chunk.column);
  if (known != times_.end()) return &known->second;
  if (seen_.size() == kMaxSeen) seen_.clear();
  if (seen_.insert(chunk.column).second) return nullptr;
  if (kept_times_ > kMaxTimes) {
    times_.clear();
    kept_times_ = 0;
  }
  Times times;
  RETURN_IF_ERROR(block_->ReadTimes(chunk, times));
  kept_times_ += times.size();
  return &times_.emplace(chunk.column, std::move(times)).first->second;
}

}  // namespace skep::tsdb

// Reads series of a block one after another: what a query does with each block.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "common/base/result.h"
#include "common/model/labels.h"
#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/block.h"
#include "evaluator/tsdb/labels_cursor.h"
#include "evaluator/tsdb/tombstones.h"

namespace skep::tsdb {

// Remembers what neighbours share: texts of labels, and times, of which at most 1 MB. So it is
// faster than the functions of Block from the second series on, and most with rising ordinals.
// Keeps the block, not the tombstones. Thread-compatible; a copy reads on its own.
class BlockCursor {
 public:
  // `deleted`: null where nothing is; must outlive the cursor and stay as it is.
  BlockCursor(std::shared_ptr<const Block> block, const Tombstones* deleted);

  const Block& block() const { return *block_; }
  // Both as the functions of Block, without what is deleted.
  Result<Labels> LabelsOf(std::uint32_t series) { return labels_.LabelsOf(series); }
  Status ReadSamples(std::uint32_t series, storage::TimeRange range, storage::SampleColumns& out);
  // As Block::Decode: deleted samples are not left out.
  Status Decode(const BlockChunk& chunk, storage::TimeRange range, storage::SampleColumns& out);

 private:
  using Times = std::vector<Timestamp>;

  Status ReadLeft(std::uint32_t series, storage::TimeRange range, storage::SampleColumns& out);
  Result<const Times*> KnownTimesOf(const BlockChunk& chunk);

  std::shared_ptr<const Block> block_;
  const Tombstones* deleted_;
  LabelsCursor labels_;
  // Columns of times: those that came once, and those that came again, decoded.
  std::unordered_set<std::uint32_t> seen_;
  std::unordered_map<std::uint32_t, Times> times_;
  std::size_t kept_times_ = 0;
  std::vector<BlockChunk> chunks_;
  std::vector<storage::TimeRange> left_;
};

}  // namespace skep::tsdb

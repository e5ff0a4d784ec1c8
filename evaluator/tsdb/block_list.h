// The blocks that queries see at one moment.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "evaluator/tsdb/block.h"
#include "evaluator/tsdb/tombstones.h"

namespace skep::tsdb {

// A block and what is deleted of it. A plain value; holds the mapping.
struct LiveBlock {
  std::uint64_t number = 0;  // of the file; the higher one wins where two have a sample of one time
  std::shared_ptr<const Block> block;
  std::shared_ptr<const Tombstones> deleted;  // null: nothing

  storage::TimeRange span() const { return {block->meta().min_time, block->meta().max_time}; }
};

// Rising in number. Immutable; a query holds one as long as it runs, and a file that was replaced
// meanwhile stays mapped as long.
using BlockList = std::vector<LiveBlock>;
using BlockListPtr = std::shared_ptr<const BlockList>;

}  // namespace skep::tsdb

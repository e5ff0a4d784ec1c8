// Makes one block of several.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>

#include "common/base/result.h"
#include "evaluator/tsdb/block.h"
#include "evaluator/tsdb/disk.h"
#include "evaluator/tsdb/tombstones.h"

namespace skep::tsdb {

struct BlockSource {
  std::shared_ptr<const Block> block;
  const Tombstones* deleted = nullptr;  // null: nothing; must live while the merge runs
};

// Writes the block `path` with all samples of `sources` but the deleted ones. Of samples with equal
// times that of the later source stays. Large chunks whose time no other chunk shares are copied as
// they are; the others are read, put together and cut anew (chunk_cut.h). Holds one series at a
// time and what a BlockWriter holds. Sources and their files are left as they are.
//
// Where nothing is left there is no file, and `series` of the answer is 0. On an error nothing is
// left of the new block. kCorrupt: a source is damaged there, and its Block::damage() says so; it
// can be read on but not merged. kCanceled: `cancel`, which may be null, became true.
Result<BlockMeta> MergeBlocks(Disk& disk, std::span<const BlockSource> sources, std::string path,
                              const std::atomic<bool>* cancel = nullptr);

}  // namespace skep::tsdb

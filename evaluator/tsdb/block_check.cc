#include "evaluator/tsdb/block_check.h"

#include <memory>
#include <vector>

#include "evaluator/tsdb/block.h"
#include "evaluator/tsdb/labels_cursor.h"

namespace skep::tsdb {

Status CheckBlock(Disk& disk, const std::string& path) {
  const Result<std::shared_ptr<const Block>> opened = Block::Open(disk, path);
  if (!opened) return opened.error();
  const Block& block = **opened;
  LabelsCursor labels(block.index());
  std::vector<BlockChunk> chunks;
  for (std::uint32_t series = 0; series < block.series_count(); ++series) {
    if (const Result<Labels> read = labels.LabelsOf(series); !read) return read.error();
    chunks.clear();
    RETURN_IF_ERROR(block.ReadChunks(series, {}, chunks));
    for (const BlockChunk& chunk : chunks) RETURN_IF_ERROR(block.Check(chunk));
  }
  return {};
}

}  // namespace skep::tsdb

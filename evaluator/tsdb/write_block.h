// Writes what some querier shows to a block.
#pragma once

#include <string>

#include "common/base/result.h"
#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/block_writer.h"
#include "evaluator/tsdb/disk.h"

namespace skep::tsdb {

// All samples of the querier in `range`. Where there are none there is no file, and the meta has no
// series. Memory: the samples of one series, and some bytes for each series.
Result<BlockMeta> WriteBlock(Disk& disk, const std::string& path, storage::Querier& querier,
                             storage::TimeRange range);

}  // namespace skep::tsdb

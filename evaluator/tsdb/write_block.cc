#include "evaluator/tsdb/write_block.h"

#include <memory>

namespace skep::tsdb {

Result<BlockMeta> WriteBlock(Disk& disk, const std::string& path, storage::Querier& querier,
                             storage::TimeRange range) {
  auto writer = BlockWriter::Create(disk, path);
  if (!writer) return writer.error();
  const Result<std::unique_ptr<storage::SeriesSet>> all = querier.Select({}, range);
  if (!all) return all.error();
  storage::SampleColumns samples;
  while ((*all)->Next()) {
    samples.clear();
    RETURN_IF_ERROR((*all)->ReadSamples(samples));
    RETURN_IF_ERROR((*writer)->Add((*all)->labels(), samples));
  }
  return (*writer)->Finish();
}

}  // namespace skep::tsdb

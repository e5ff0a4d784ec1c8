// A block of a real Prometheus: a folder with meta.json, index, chunks/ and tombstones. What was
// written by Prometheus 2.0 up to 3 is read, but for chunks of experimental encodings.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/model/labels.h"
#include "evaluator/prometheusblock/chunk_files.h"
#include "evaluator/prometheusblock/index.h"
#include "evaluator/prometheusblock/tombstones.h"
#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/disk.h"

namespace skep::prometheusblock {

// Of meta.json.
struct Meta {
  std::string ulid;  // the block's name
  Timestamp min_time;
  Timestamp max_time;  // not included
  std::uint64_t samples = 0;
  std::uint64_t series = 0;
};

// kCorrupt: this is no meta.json of a block. kInvalid: another version. `path` is for messages.
Result<Meta> ReadMeta(const std::string& text, const std::string& path);

// Whether the folder has a meta.json beside an index, as a block does.
bool IsBlock(const std::string& folder);
// The blocks directly in a folder (a data folder, a snapshot), sorted by name.
Result<std::vector<std::string>> ListBlocks(const std::string& folder);

// Immutable once opened: any thread may read. The files stay mapped and must not change meanwhile;
// Prometheus removes blocks, but never writes into one.
class Block {
 public:
  // Errors name the file, and the byte where it is damaged.
  static Result<Block> Open(const std::string& folder);

  const Meta& meta() const { return meta_; }
  std::size_t series_count() const { return index_->series_count(); }
  // In rising order of labels; requires: less than series_count(). An error costs this series.
  Status ReadSeries(std::size_t series, IndexedSeries& out) const {
    return index_->Read(series, out);
  }
  // Whether the sums of those lists of the index that nothing here reads are right.
  Status CheckUnread() const { return index_->CheckUnread(); }
  // Replaces `out` by the samples of a series in `range` that were not deleted. A chunk that is
  // damaged costs itself, and its error is added to `damage`.
  void ReadSamples(const IndexedSeries& series, storage::TimeRange range,
                   storage::SampleColumns& out, std::vector<Error>& damage) const;

 private:
  Block() = default;
  Status ReadChunk(const ChunkPlace& place, storage::SampleColumns& out) const;

  Meta meta_;
  tsdb::MappedFilePtr index_file_;
  std::unique_ptr<Index> index_;
  std::vector<ChunkFile> chunk_files_;
  Tombstones tombstones_;
};

}  // namespace skep::prometheusblock

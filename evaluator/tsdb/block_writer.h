// Writes a block: the series of a closed span of time in one file, in the order of their labels.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/model/labels.h"
#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/block_format.h"
#include "evaluator/tsdb/block_index_writer.h"
#include "evaluator/tsdb/chunk.h"
#include "evaluator/tsdb/chunk_list.h"
#include "evaluator/tsdb/disk.h"
#include "evaluator/tsdb/times_columns.h"
#include "evaluator/tsdb/unfinished_file.h"

namespace skep::tsdb {

// Thread-compatible. Holds the encoded bytes of one series, a megabyte of the file, and of the
// index some 20 bytes a series and the texts of the labels, each once (at Finish twice that).
//
// The file is `path` + ".tmp" until Finish has synced and renamed it, so nobody sees half a block;
// destroying a writer that is not finished removes it.
// After an error of the disk the block is lost: all later calls give that error.
class BlockWriter {
 public:
  // Takes away what an earlier attempt left under the name. `disk` must outlive the writer; the
  // folder must be there.
  static Result<std::unique_ptr<BlockWriter>> Create(Disk& disk, std::string path);

  // The next series. Its samples are cut into chunks (chunk_cut.h). A series without samples is
  // left out. kInvalid, and the series is left out: the labels do not rise from call to call, or
  // one is empty. Requires: times rise strictly in each column.
  Status Add(const Labels& labels, const storage::SampleColumns& samples);
  // The next series of chunks that are encoded already; kInvalid also where the chunks of floats,
  // or those of histograms, are not in the order of time; kCorrupt where their times are none.
  Status Add(const Labels& labels, std::span<const ChunkView> chunks);

  // The next series in pieces, each later than the one before: BeginSeries, some pieces, EndSeries.
  // A piece that is refused leaves the series with the others.
  Status BeginSeries(const Labels& labels);
  Status AddSamples(const storage::SampleColumns& samples);
  Status AddChunk(const ChunkView& chunk);
  Status EndSeries();

  // Makes the block durable. Where no series was added there is no file afterwards, and `series` of
  // the answer is 0. Called once.
  Result<BlockMeta> Finish();

 private:
  explicit BlockWriter(UnfinishedFile file) : file_(std::move(file)) {}

  Status AddFloats(const storage::SampleColumns& samples);
  Status AddHistograms(const storage::SampleColumns::Histograms& samples);
  Status AddToList(const ChunkView& chunk, TimesColumns::Column column);
  Status WriteIndex();
  Status WriteTimesTable();
  Status WritePlaces();
  Status WritePart(IndexPart part, std::string_view bytes);

  UnfinishedFile file_;
  BlockFooter footer_;
  BlockIndexWriter index_;
  TimesColumns columns_;
  std::vector<std::uint64_t> places_;  // of the series' chunk lists
  Labels last_labels_;

  // The present series.
  Labels labels_;
  ChunkListWriter list_;
  BlockMeta series_;  // what it adds to that of the block
  std::optional<Timestamp> last_float_, last_histogram_;

  // Kept for their memory.
  ChunkEncoder encoder_;
  std::vector<std::uint32_t> ends_;
  Chunk chunk_;
  ByteWriter out_;
};

}  // namespace skep::tsdb

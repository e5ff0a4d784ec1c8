// A block of the store for reading: samples of a closed span of time in one mapped file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/model/labels.h"
#include "common/model/matcher.h"
#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/block_format.h"
#include "evaluator/tsdb/block_index.h"
#include "evaluator/tsdb/chunk.h"
#include "evaluator/tsdb/disk.h"

namespace skep::tsdb {

// A chunk as its series' list has it. Views the block's mapping. Its summary is good; times, values
// and starts are looked through only when Block::Check or Block::Decode is called.
struct BlockChunk {
  ChunkView parts;
  Timestamp min_time, max_time;  // of its first and its last sample
  std::uint32_t column = 0;      // of times; chunks of one block with the same have the same times
  std::uint32_t crc = 0;         // of values and starts
  bool checked = false;          // those stand in the list and were looked through with it
};

// Immutable, thread-safe. Who holds it holds the mapping, also after the file was removed.
//
// Series have ordinals, from 0 in the order of their labels; so rising ordinals are rising labels.
// A read looks only at what it needs: the sums of the index at Open, that of a chunk when it is
// read. So damage in a chunk costs the reads of that chunk: kCorrupt with file and offset. Bytes
// that the disk cannot give any more (mapping_guard.h) are such damage; in the index they cost all
// reads. No bytes, however they come about, make it read outside of the mapping.
class Block {
 public:
  // kInvalid: a block of another version. kCorrupt: no block, or its footer or index is damaged.
  static Result<std::shared_ptr<const Block>> Open(Disk& disk, std::string path);
  // The same of a file that is mapped already; `path` is for messages. Requires: not null.
  static Result<std::shared_ptr<const Block>> Of(MappedFilePtr file, std::string path);

  const std::string& path() const { return bytes_->path; }
  const BlockMeta& meta() const { return footer_.meta; }
  // What the first read, of any thread, that met damage said; nothing where none has.
  std::optional<std::string> damage() const { return bytes_->first_damage.message(); }
  // Another for each block, but by chance of one in 2^32.
  std::uint64_t id() const {
    return std::uint64_t{footer_.index_crc} << 32 | static_cast<std::uint32_t>(meta().size_bytes);
  }
  std::uint32_t series_count() const { return static_cast<std::uint32_t>(meta().series); }

  // For cursors (labels_cursor.h) and statistics.
  const BlockIndex& index() const { return index_; }
  // The series that all matchers accept, rising. Regular expressions run once per distinct value.
  Result<Postings> Select(std::span<const Matcher> matchers) const {
    return IfThere(index_.Select(matchers));
  }
  // Decodes up to 16 series; to walk many take a BlockCursor.
  Result<Labels> LabelsOf(std::uint32_t series) const;
  // Sorted and distinct, of the series that all matchers accept; no matchers: all.
  Result<std::vector<std::string>> LabelNames(std::span<const Matcher> matchers) const {
    return IfThere(index_.LabelNames(matchers));
  }
  Result<std::vector<std::string>> LabelValues(std::string_view name,
                                               std::span<const Matcher> matchers) const {
    return IfThere(index_.LabelValues(name, matchers));
  }

  // Appends the samples in `range`. On an error `out` is as before. Requires of this and the next:
  // `series` is below series_count().
  Status ReadSamples(std::uint32_t series, storage::TimeRange range,
                     storage::SampleColumns& out) const;

  // Appends the chunks that overlap `range`: those of floats in the order of time, and so those of
  // histograms; two of one kind never overlap. They view the mapping.
  Status ReadChunks(std::uint32_t series, storage::TimeRange range,
                    std::vector<BlockChunk>& out) const;
  // What stands for the samples of a chunk of floats (chunk.h); touches the list of chunks only.
  // Not to be used where tombstones touch the chunk.
  Result<std::optional<ChunkSummary>> SummaryOf(const BlockChunk& chunk) const;
  // kCorrupt: the disk could not give some byte that was read of the file. For who copies chunks
  // after Check: between the two the kernel may have read them anew.
  Status CheckMapping() const;
  // Whether the chunk's bytes are those that were written.
  Status Check(const BlockChunk& chunk) const;
  // Appends all of its times, having checked them: as many as `parts.count`, rising.
  Status ReadTimes(const BlockChunk& chunk, std::vector<Timestamp>& out) const;
  // Appends the samples of `rows`, whose times are known already, having checked the others' bytes.
  Status DecodeRows(const BlockChunk& chunk, RowRange rows, std::span<const Timestamp> times,
                    storage::SampleColumns& out) const;
  // Appends the samples of a chunk that lie in `range`, having checked it.
  Status Decode(const BlockChunk& chunk, storage::TimeRange range,
                storage::SampleColumns& out) const;

 private:
  Block(std::unique_ptr<const BlockBytes> bytes, const BlockFooter& footer, BlockIndex index);

  template <typename T>
  Result<T> IfThere(Result<T> answer) const {
    RETURN_IF_ERROR(index_.CheckThere());
    return answer;
  }
  // Requires: `column` is below the number of columns.
  TimesEntry TimesOf(std::uint32_t column) const;
  Status CheckTimes(const BlockChunk& chunk) const;
  Status CheckValues(const BlockChunk& chunk) const;

  std::unique_ptr<const BlockBytes> bytes_;
  BlockFooter footer_;
  BlockIndex index_;
  std::string_view samples_;  // the file up to its index
  const char* times_table_ = nullptr;
  PackedArray places_;
};

}  // namespace skep::tsdb

// A finished run of one series' floats, as the head keeps it in memory: the columns of times and
// values (times_column.h, values_column.h). Series of one target have the same times, which stand
// once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "common/base/result.h"
#include "common/base/time.h"
#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/bytes.h"
#include "evaluator/tsdb/chunk_summary.h"
#include "evaluator/tsdb/shared_times.h"
#include "evaluator/tsdb/xor_chunk.h"

namespace skep::tsdb {

// Its samples never change; 16 bytes beside those of its columns. Thread-compatible.
class SealedChunk {
 public:
  // The most samples that one holds.
  static constexpr std::uint32_t kMaxSamples = 1024;

  // Of all samples of `run`. Requires: 1 to kMaxSamples. Each thread keeps buffers for it, and the
  // times of its last chunk, which the next one shares where they are equal.
  static SealedChunk Of(const XorWriter& run);
  // Of all samples of `parts`, each later than the one before. Requires: the same. kCorrupt as
  // Read.
  static Result<SealedChunk> Joined(std::span<const SealedChunk> parts);

  std::uint32_t samples() const { return times_.span().samples; }
  Timestamp min_time() const { return times_.span().first; }
  Timestamp max_time() const { return times_.span().last; }
  // Of the columns; a summary is not counted.
  std::size_t size_bytes() const { return times_.column().size() + values().size(); }
  // Of the heap; of times, its part.
  std::size_t heap_bytes() const;

  // Appends those of the first `take` samples that lie in `range`. kCorrupt: only after Restore
  // from bytes that Save did not write; then `out` is as before.
  Status Read(std::uint32_t take, storage::TimeRange range, storage::SampleColumns& out) const;

  // What stands for all of its samples (chunk_summary.h); none where they must be read. The first
  // call makes it of the samples, and keeps it in some 20 bytes. kCorrupt as Read.
  Result<std::optional<ChunkSummary>> Summary();

  // As bytes of a checkpoint, and back; nothing where they cannot be a chunk. The columns are
  // looked at when they are read.
  void Save(ByteWriter& out) const;
  static std::optional<SealedChunk> Restore(ByteReader& reader);

 private:
  struct Scratch;
  // What stands in front of the values: how many bytes they have u32, and the summary behind them
  // u8 (0: not made yet).
  static constexpr std::size_t kHeader = 5;
  static constexpr std::uint8_t kNoSummary = 255;  // none may stand, and nothing follows

  SealedChunk(SharedTimes times, std::string_view values);
  static Scratch& ClearScratch();
  static SealedChunk Encode(Scratch& scratch);

  std::string_view values() const;
  std::uint8_t summary_length() const { return static_cast<std::uint8_t>(values_[kHeader - 1]); }
  // Requires: made, and may stand.
  std::string_view summary() const { return {values().end(), summary_length()}; }
  Status MakeSummary();

  SharedTimes times_;
  std::unique_ptr<char[]> values_;  // header, values, summary
};

}  // namespace skep::tsdb

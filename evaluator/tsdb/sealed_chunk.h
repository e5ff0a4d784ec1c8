// A finished run of one series' floats, as the head keeps it in memory: the columns of times and
// values (times_column.h, values_column.h) in one piece of the heap.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "common/base/result.h"
#include "common/base/time.h"
#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/bytes.h"
#include "evaluator/tsdb/xor_chunk.h"

namespace skep::tsdb {

// Immutable; 32 bytes beside those of its columns.
class SealedChunk {
 public:
  // The most samples that one holds.
  static constexpr std::uint32_t kMaxSamples = 1024;

  // Of all samples of `run`. Requires: 1 to kMaxSamples. Each thread keeps buffers for it.
  static SealedChunk Of(const XorWriter& run);
  // Of all samples of `parts`, each later than the one before. Requires: the same. kCorrupt as
  // Read.
  static Result<SealedChunk> Joined(std::span<const SealedChunk> parts);

  std::uint32_t samples() const { return samples_; }
  Timestamp min_time() const { return min_time_; }
  Timestamp max_time() const { return max_time_; }
  std::size_t size_bytes() const { return std::size_t{times_bytes_} + values_bytes_; }

  // Appends those of the first `take` samples that lie in `range`. kCorrupt: only after Restore
  // from bytes that Save did not write; then `out` is as before.
  Status Read(std::uint32_t take, storage::TimeRange range, storage::SampleColumns& out) const;

  // As bytes of a checkpoint, and back; nothing where they cannot be a chunk. The columns are
  // looked at when they are read.
  void Save(ByteWriter& out) const;
  static std::optional<SealedChunk> Restore(ByteReader& reader);

 private:
  struct Scratch;

  SealedChunk(std::string_view times, std::string_view values);
  static Scratch& ClearScratch();
  static SealedChunk Encode(Scratch& scratch);

  std::string_view times() const { return {columns_.get(), times_bytes_}; }
  std::string_view values() const { return {columns_.get() + times_bytes_, values_bytes_}; }

  std::unique_ptr<char[]> columns_;
  Timestamp min_time_, max_time_;
  std::uint32_t values_bytes_;
  std::uint16_t times_bytes_;
  std::uint16_t samples_ = 0;
};

}  // namespace skep::tsdb

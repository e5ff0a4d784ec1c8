// A sealed run of one series' samples as bytes: times, values, and what belongs to them, each as a
// byte string of its own, so that a container can store the times of all series of a target once.
//
// A chunk has floats or histograms, never both. The single columns are in times_column.h,
// values_column.h, integer_column.h (starts) and histogram_column.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/base/time.h"
#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/chunk_summary.h"
#include "evaluator/tsdb/rows.h"
#include "evaluator/tsdb/values_column.h"

namespace skep::tsdb {

// What the values of a chunk are. The numbers are in files.
enum class ChunkKind : std::uint8_t {
  kConstant = 0,
  kInteger = 1,
  kDecimal = 2,
  kFloat = 3,
  kHistogram = 4,
};

// "constant", ..., "histogram": stable, for metrics and tools.
std::string_view ChunkKindName(ChunkKind kind);

// An encoded chunk. A plain value.
struct Chunk {
  ChunkKind kind = ChunkKind::kConstant;
  std::uint32_t count = 0;
  Timestamp min_time, max_time;  // of the first and the last sample
  std::string times;
  std::string values;   // or histograms
  std::string starts;   // empty where no sample has a start
  std::string summary;  // empty: none may stand for the chunk, or decoding is as cheap

  std::size_t size_bytes() const {
    return times.size() + values.size() + starts.size() + summary.size();
  }
};

// The parts as they lie in a file or in memory; owns nothing.
struct ChunkView {
  ChunkView() = default;
  ChunkView(const Chunk& chunk)  // NOLINT: a view of it
      : kind(chunk.kind),
        count(chunk.count),
        times(chunk.times),
        values(chunk.values),
        starts(chunk.starts),
        summary(chunk.summary) {}

  ChunkKind kind = ChunkKind::kConstant;
  std::uint32_t count = 0;
  std::string_view times, values, starts, summary;
};

// Makes chunks, reusing its buffers. Thread-compatible.
class ChunkEncoder {
 public:
  // Of the floats of `samples`. Requires: 1 to kMaxChunkSamples of them, times rise strictly.
  Chunk EncodeFloats(const storage::SampleColumns& samples);
  // Of its histograms. Requires: the same.
  Chunk EncodeHistograms(const storage::SampleColumns::Histograms& samples);

  // The parts one by one, for a container that shares times. They append.
  ChunkKind EncodeValues(std::span<const double> values, std::string& out);
  // Appends nothing where a summary may not stand, or the values are constant.
  void EncodeSummaryOf(std::span<const double> values, std::string_view column, std::string& out);

 private:
  ValuesEncoder values_;
};

// Appends the starts; nothing where none is given. Requires: one for each time, or none at all.
void EncodeStarts(std::span<const Timestamp> times, std::span<const Timestamp> starts,
                  std::string& out);

// Appends the samples of the chunk that lie in `range`. Safe on any bytes: kCorrupt, and `out` is
// as before. Where `out.starts` is not empty, or the chunk has some, starts are filled up with
// kNoStart.
Status DecodeChunk(const ChunkView& chunk, storage::TimeRange range, storage::SampleColumns& out);

// The same where the rows and their times are known already, because the times are another
// series' as well: `times` are those of `rows`.
Status DecodeRows(const ChunkView& chunk, RowRange rows, std::span<const Timestamp> times,
                  storage::SampleColumns& out);

// What stands for the samples of a chunk of floats; none where nothing does and they must be
// decoded. Constant chunks have no bytes for it but do have one.
Result<std::optional<ChunkSummary>> SummaryOf(const ChunkView& chunk);

}  // namespace skep::tsdb

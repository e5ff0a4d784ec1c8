#include "evaluator/tsdb/chunk.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "evaluator/tsdb/column_bytes.h"
#include "evaluator/tsdb/histogram_column.h"
#include "evaluator/tsdb/integer_column.h"
#include "evaluator/tsdb/times_column.h"

namespace skep::tsdb {
namespace {

ChunkKind ChunkKindOf(ValueKind kind) { return static_cast<ChunkKind>(kind); }
static_assert(static_cast<int>(ValueKind::kConstant) == static_cast<int>(ChunkKind::kConstant));
static_assert(static_cast<int>(ValueKind::kInteger) == static_cast<int>(ChunkKind::kInteger));
static_assert(static_cast<int>(ValueKind::kDecimal) == static_cast<int>(ChunkKind::kDecimal));
static_assert(static_cast<int>(ValueKind::kFloat) == static_cast<int>(ChunkKind::kFloat));

Chunk Begin(std::span<const Timestamp> times) {
  Chunk chunk;
  chunk.count = static_cast<std::uint32_t>(times.size());
  chunk.min_time = times.front();
  chunk.max_time = times.back();
  EncodeTimes(times, chunk.times);
  return chunk;
}

// Distances from times to starts, or starts themselves: whichever moves less.
enum class StartsBase : std::uint8_t { kZero, kTime };

void EncodeStartsFrom(StartsBase base, std::span<const Timestamp> times,
                      std::span<const Timestamp> starts, std::string& out) {
  std::vector<std::int64_t> numbers(starts.size());
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const bool from_time = base == StartsBase::kTime;
    numbers[i] = Minus(ToMillis(starts[i]), from_time ? ToMillis(times[i]) : 0);
  }
  out.push_back(static_cast<char>(base));
  EncodeIntegers(numbers, out);
}

struct TimedRows {
  RowRange rows;
  std::span<const Timestamp> times;  // theirs
};

bool DecodeStarts(const ChunkView& chunk, const TimedRows& wanted, std::vector<Timestamp>& out) {
  const auto& [rows, times] = wanted;
  ByteReader bytes(chunk.starts);
  const std::uint8_t base = bytes.U8();
  if (base > static_cast<std::uint8_t>(StartsBase::kTime)) return false;
  const bool from_time = base == static_cast<std::uint8_t>(StartsBase::kTime);
  IntegerReader reader(RestOf(bytes), chunk.count);
  reader.SkipTo(rows.begin);
  for (std::size_t i = 0; i < times.size();) {
    const std::size_t skip = rows.begin + i - reader.index();
    const std::span<const std::int64_t> block = reader.Next();
    if (block.empty()) return false;
    for (std::size_t j = skip; j < block.size() && i < times.size(); ++i, ++j) {
      const std::int64_t time = from_time ? ToMillis(times[i]) : 0;
      out.push_back(FromMillis(Plus(block[j], time)));
    }
  }
  return true;
}

// Appends the starts of the rows to a column that had `before` samples.
Status AppendStarts(const ChunkView& chunk, const TimedRows& wanted, std::size_t before,
                    std::vector<Timestamp>& out) {
  if (chunk.starts.empty()) {
    if (!out.empty()) out.resize(before + wanted.rows.size(), kNoStart);
    return {};
  }
  const std::size_t had = out.size();
  out.resize(before, kNoStart);
  if (DecodeStarts(chunk, wanted, out)) return {};
  out.resize(had);
  return Corrupt("starts of a chunk: not a column of integers");
}

Status CheckCount(std::uint32_t count) {
  if (count <= kMaxChunkSamples) return {};
  return Corrupt("chunk of " + std::to_string(count) + " samples, at most " +
                 std::to_string(kMaxChunkSamples) + " are possible");
}

}  // namespace

std::string_view ChunkKindName(ChunkKind kind) {
  if (kind == ChunkKind::kHistogram) return "histogram";
  return ValueKindName(static_cast<ValueKind>(kind));
}

void EncodeStarts(std::span<const Timestamp> times, std::span<const Timestamp> starts,
                  std::string& out) {
  const auto given = [](Timestamp start) { return start != kNoStart; };
  if (std::none_of(starts.begin(), starts.end(), given)) return;
  assert(times.size() == starts.size());
  std::string absolute, relative;
  EncodeStartsFrom(StartsBase::kZero, times, starts, absolute);
  EncodeStartsFrom(StartsBase::kTime, times, starts, relative);
  out += relative.size() < absolute.size() ? relative : absolute;
}

Chunk ChunkEncoder::EncodeFloats(const storage::SampleColumns& samples) {
  assert(samples.times.size() == samples.values.size());
  Chunk chunk = Begin(samples.times);
  chunk.kind = EncodeValues(samples.values, chunk.values);
  EncodeStarts(samples.times, samples.starts, chunk.starts);
  EncodeSummaryOf(samples.values, chunk.values, chunk.summary);
  return chunk;
}

Chunk ChunkEncoder::EncodeHistograms(const storage::SampleColumns::Histograms& samples) {
  assert(samples.times.size() == samples.values.size());
  Chunk chunk = Begin(samples.times);
  chunk.kind = ChunkKind::kHistogram;
  tsdb::EncodeHistograms(samples.values, values_, chunk.values);
  EncodeStarts(samples.times, samples.starts, chunk.starts);
  return chunk;
}

ChunkKind ChunkEncoder::EncodeValues(std::span<const double> values, std::string& out) {
  return ChunkKindOf(values_.Encode(values, out));
}

void ChunkEncoder::EncodeSummaryOf(std::span<const double> values, std::string_view column,
                                   std::string& out) {
  if (KindOf(column) == ValueKind::kConstant) return;
  const std::optional<ChunkSummary> summary = Summarize(values);
  if (summary) EncodeSummary(*summary, ScaleOf(column), out);
}

namespace {

// Appends values (or histograms) and starts of rows whose times are known. `out` is as before on an
// error.
Status AppendColumns(const ChunkView& chunk, RowRange rows, std::span<const Timestamp> times,
                     storage::SampleColumns& out) {
  if (chunk.kind == ChunkKind::kHistogram) {
    auto& to = out.histograms;
    const std::size_t before = to.values.size();
    RETURN_IF_ERROR(DecodeHistograms(chunk.values, chunk.count, rows, to.values));
    Status status = AppendStarts(chunk, {rows, times}, before, to.starts);
    if (!status) to.values.resize(before);
    return status;
  }
  const std::size_t before = out.values.size();
  RETURN_IF_ERROR(DecodeValues(chunk.values, chunk.count, rows, out.values));
  Status status = AppendStarts(chunk, {rows, times}, before, out.starts);
  if (!status) out.values.resize(before);
  return status;
}

std::vector<Timestamp>& TimesOf(const ChunkView& chunk, storage::SampleColumns& out) {
  return chunk.kind == ChunkKind::kHistogram ? out.histograms.times : out.times;
}

}  // namespace

Status DecodeRows(const ChunkView& chunk, RowRange rows, std::span<const Timestamp> times,
                  storage::SampleColumns& out) {
  assert(times.size() == rows.size());
  RETURN_IF_ERROR(CheckCount(chunk.count));
  if (rows.begin > rows.end || rows.end > chunk.count) {
    return Corrupt("chunk of " + std::to_string(chunk.count) + " samples: times of row " +
                   std::to_string(rows.end));
  }
  RETURN_IF_ERROR(AppendColumns(chunk, rows, times, out));
  auto& to = TimesOf(chunk, out);
  to.insert(to.end(), times.begin(), times.end());
  return {};
}

Status DecodeChunk(const ChunkView& chunk, storage::TimeRange range, storage::SampleColumns& out) {
  const Result<TimesReader> reader = TimesReader::Open(chunk.times);
  if (!reader) return reader.error();
  if (reader->count() != chunk.count) {
    return Corrupt("chunk of " + std::to_string(chunk.count) + " samples: times of " +
                   std::to_string(reader->count()));
  }
  const Result<RowRange> rows = reader->Find(range);
  if (!rows) return rows.error();
  auto& times = TimesOf(chunk, out);
  const std::size_t before = times.size();
  RETURN_IF_ERROR(reader->Read(*rows, times));
  Status status = AppendColumns(chunk, *rows, std::span(times).subspan(before), out);
  if (!status) times.resize(before);
  return status;
}

namespace {

// Of `count` times the same value.
std::optional<ChunkSummary> SummaryOfConstant(double value, std::uint32_t count) {
  const double sum = value * count;
  if (!std::isfinite(sum)) return std::nullopt;
  ChunkSummary summary;
  summary.count = count;
  summary.first = summary.last = summary.min = summary.max = value;
  summary.sum = sum;
  return summary;
}

}  // namespace

Result<std::optional<ChunkSummary>> SummaryOf(const ChunkView& chunk) {
  using Answer = std::optional<ChunkSummary>;
  RETURN_IF_ERROR(CheckCount(chunk.count));
  if (chunk.kind == ChunkKind::kConstant && chunk.count > 0) {
    std::vector<double> value;
    RETURN_IF_ERROR(DecodeValues(chunk.values, chunk.count, {0, 1}, value));
    return SummaryOfConstant(value.front(), chunk.count);
  }
  if (chunk.summary.empty()) return Answer();
  const Result<ChunkSummary> summary = DecodeSummary(chunk.summary, chunk.count);
  if (!summary) return summary.error();
  return Answer(*summary);
}

}  // namespace skep::tsdb

#include "evaluator/tsdb/sealed_chunk.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "evaluator/tsdb/chunk.h"
#include "evaluator/tsdb/heap_size.h"
#include "evaluator/tsdb/rows.h"
#include "evaluator/tsdb/times_column.h"
#include "evaluator/tsdb/values_column.h"

namespace skep::tsdb {
namespace {

// A segment of one sample is what takes most.
static_assert(SealedChunk::kMaxSamples * (4 * kMaxVarintBytes + 8) <
              std::numeric_limits<std::uint16_t>::max());
static_assert(SealedChunk::kMaxSamples <= kMaxChunkSamples);

}  // namespace

// What sealing needs and need not allocate each time.
struct SealedChunk::Scratch {
  storage::SampleColumns samples;
  ValuesEncoder encoder;
  std::string values;
  // Series of one target are sealed, and restored, one after the other, and have the same times.
  std::vector<Timestamp> encoded;  // what `shared` has; empty: not known
  SharedTimes shared;
  std::string times;
  std::string summary;
};

SealedChunk::SealedChunk(SharedTimes times, std::string_view values)
    : times_(std::move(times)),
      values_(std::make_unique_for_overwrite<char[]>(kHeader + values.size())) {
  const auto length = static_cast<std::uint32_t>(values.size());
  std::memcpy(values_.get(), &length, sizeof(length));
  values_[kHeader - 1] = 0;
  std::memcpy(values_.get() + kHeader, values.data(), values.size());
}

std::string_view SealedChunk::values() const {
  std::uint32_t length = 0;
  std::memcpy(&length, values_.get(), sizeof(length));
  return {values_.get() + kHeader, length};
}

std::size_t SealedChunk::heap_bytes() const {
  const std::size_t summary = summary_length() == kNoSummary ? 0 : summary_length();
  return times_.heap_bytes() + HeapSize(kHeader + values().size() + summary);
}

SealedChunk::Scratch& SealedChunk::ClearScratch() {
  thread_local Scratch scratch;
  scratch.samples.clear();
  scratch.values.clear();
  return scratch;
}

SealedChunk SealedChunk::Encode(Scratch& scratch) {
  const std::vector<Timestamp>& times = scratch.samples.times;
  assert(!times.empty() && times.size() <= kMaxSamples);
  if (times != scratch.encoded) {
    scratch.times.clear();
    EncodeTimes(times, scratch.times);
    scratch.shared = SharedTimes(
        {times.front(), times.back(), static_cast<std::uint16_t>(times.size())}, scratch.times);
    scratch.encoded = times;
  }
  scratch.encoder.Encode(scratch.samples.values, scratch.values);
  return {scratch.shared, scratch.values};
}

SealedChunk SealedChunk::Of(const XorWriter& run) {
  Scratch& scratch = ClearScratch();
  run.Read(run.samples(), {}, scratch.samples);
  return Encode(scratch);
}

Result<SealedChunk> SealedChunk::Joined(std::span<const SealedChunk> parts) {
  Scratch& scratch = ClearScratch();
  for (const SealedChunk& part : parts) {
    RETURN_IF_ERROR(part.Read(part.samples(), {}, scratch.samples));
  }
  return Encode(scratch);
}

Status SealedChunk::Read(std::uint32_t take, storage::TimeRange range,
                         storage::SampleColumns& out) const {
  const Result<TimesReader> reader = TimesReader::Open(times_.column());
  if (!reader) return reader.error();
  RowRange rows{0, samples()};
  if (range.min > min_time() || range.max < max_time()) {
    const Result<RowRange> found = reader->Find(range);
    if (!found) return found.error();
    rows = *found;
  }
  rows.end = std::min(rows.end, take);
  if (rows.begin >= rows.end) return {};
  const std::size_t before = out.times.size();
  RETURN_IF_ERROR(reader->Read(rows, out.times));
  Status status = DecodeValues(values(), samples(), rows, out.values);
  if (!status) out.times.resize(before);
  return status;
}

Result<std::optional<ChunkSummary>> SealedChunk::Summary() {
  if (KindOf(values()) == ValueKind::kConstant) {
    ChunkView constant;
    constant.count = samples();
    constant.values = values();
    return SummaryOf(constant);
  }
  if (summary_length() == 0) RETURN_IF_ERROR(MakeSummary());
  if (summary_length() == kNoSummary) return std::optional<ChunkSummary>();
  const Result<ChunkSummary> summary = DecodeSummary(this->summary(), samples());
  if (!summary) return summary.error();
  return std::optional(*summary);
}

Status SealedChunk::MakeSummary() {
  Scratch& scratch = ClearScratch();
  std::vector<double>& values = scratch.samples.values;
  RETURN_IF_ERROR(DecodeValues(this->values(), samples(), {0, samples()}, values));
  const std::optional<ChunkSummary> made = Summarize(values);
  if (!made) {
    values_[kHeader - 1] = static_cast<char>(kNoSummary);
    return {};
  }
  scratch.summary.clear();
  EncodeSummary(*made, ScaleOf(this->values()), scratch.summary);
  assert(scratch.summary.size() < kNoSummary);
  const std::size_t before = kHeader + this->values().size();
  auto longer = std::make_unique_for_overwrite<char[]>(before + scratch.summary.size());
  std::memcpy(longer.get(), values_.get(), before);
  std::memcpy(longer.get() + before, scratch.summary.data(), scratch.summary.size());
  longer[kHeader - 1] = static_cast<char>(scratch.summary.size());
  values_ = std::move(longer);
  return {};
}

//   chunk = samples n | first time s | last time s | bytes of times n | bytes of values n |
//           times | values
void SealedChunk::Save(ByteWriter& out) const {
  out.Varint(samples());
  out.Signed(ToMillis(min_time()));
  out.Signed(ToMillis(max_time()));
  out.Varint(times_.column().size());
  out.Varint(values().size());
  out.Bytes(times_.column());
  out.Bytes(values());
}

std::optional<SealedChunk> SealedChunk::Restore(ByteReader& reader) {
  const std::uint64_t samples = reader.Varint();
  const Timestamp first = FromMillis(reader.Signed());
  const Timestamp last = FromMillis(reader.Signed());
  const std::uint64_t times_bytes = reader.Varint();
  const std::uint64_t values_bytes = reader.Varint();
  const std::string_view times = reader.Bytes(times_bytes);
  const std::string_view values = reader.Bytes(values_bytes);
  if (!reader.ok() || samples == 0 || samples > kMaxSamples || first > last ||
      times_bytes > std::numeric_limits<std::uint16_t>::max() || values_bytes == 0 ||
      values_bytes > std::numeric_limits<std::uint32_t>::max()) {
    return std::nullopt;
  }
  const Result<TimesReader> column = TimesReader::Open(times);
  if (!column || column->count() != samples) return std::nullopt;
  const SharedTimes::Span span{first, last, static_cast<std::uint16_t>(samples)};
  Scratch& scratch = ClearScratch();
  if (scratch.shared.empty() || scratch.shared.span() != span || scratch.shared.column() != times) {
    scratch.shared = SharedTimes(span, times);
    scratch.encoded.clear();
  }
  return SealedChunk(scratch.shared, values);
}

}  // namespace skep::tsdb

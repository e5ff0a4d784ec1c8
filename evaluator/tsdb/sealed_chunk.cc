#include "evaluator/tsdb/sealed_chunk.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

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
  // Series of one target are sealed one after the other and have the same times.
  std::vector<Timestamp> encoded;
  std::string times;  // of `encoded`
};

SealedChunk::SealedChunk(std::string_view times, std::string_view values)
    : columns_(std::make_unique_for_overwrite<char[]>(times.size() + values.size())),
      values_bytes_(static_cast<std::uint32_t>(values.size())),
      times_bytes_(static_cast<std::uint16_t>(times.size())) {
  std::memcpy(columns_.get(), times.data(), times.size());
  std::memcpy(columns_.get() + times.size(), values.data(), values.size());
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
    scratch.encoded = times;
    scratch.times.clear();
    EncodeTimes(times, scratch.times);
  }
  scratch.encoder.Encode(scratch.samples.values, scratch.values);
  SealedChunk chunk(scratch.times, scratch.values);
  chunk.samples_ = static_cast<std::uint16_t>(times.size());
  chunk.min_time_ = times.front();
  chunk.max_time_ = times.back();
  return chunk;
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
  const Result<TimesReader> reader = TimesReader::Open(times());
  if (!reader) return reader.error();
  RowRange rows{0, samples_};
  if (range.min > min_time_ || range.max < max_time_) {
    const Result<RowRange> found = reader->Find(range);
    if (!found) return found.error();
    rows = *found;
  }
  rows.end = std::min(rows.end, take);
  if (rows.begin >= rows.end) return {};
  const std::size_t before = out.times.size();
  RETURN_IF_ERROR(reader->Read(rows, out.times));
  Status status = DecodeValues(values(), samples_, rows, out.values);
  if (!status) out.times.resize(before);
  return status;
}

//   chunk = samples n | first time s | last time s | bytes of times n | bytes of values n |
//           times | values
void SealedChunk::Save(ByteWriter& out) const {
  out.Varint(samples_);
  out.Signed(ToMillis(min_time_));
  out.Signed(ToMillis(max_time_));
  out.Varint(times_bytes_);
  out.Varint(values_bytes_);
  out.Bytes({columns_.get(), size_bytes()});
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
      times_bytes > std::numeric_limits<std::uint16_t>::max() ||
      values_bytes > std::numeric_limits<std::uint32_t>::max()) {
    return std::nullopt;
  }
  const Result<TimesReader> column = TimesReader::Open(times);
  if (!column || column->count() != samples) return std::nullopt;
  SealedChunk chunk(times, values);
  chunk.samples_ = static_cast<std::uint16_t>(samples);
  chunk.min_time_ = first;
  chunk.max_time_ = last;
  return chunk;
}

}  // namespace skep::tsdb

#include "evaluator/tsdb/block.h"

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

#include "common/base/crc32c.h"
#include "evaluator/tsdb/chunk_list.h"
#include "evaluator/tsdb/column_sizes.h"
#include "evaluator/tsdb/labels_cursor.h"
#include "evaluator/tsdb/times_column.h"

namespace skep::tsdb {
namespace {

bool Overlap(storage::TimeRange range, Timestamp min, Timestamp max) {
  return min <= range.max && max >= range.min;
}

}  // namespace

Result<std::shared_ptr<const Block>> Block::Open(Disk& disk, std::string path) {
  Result<MappedFilePtr> file = disk.Map(path);
  if (!file) return file.error();
  return Of(*std::move(file), std::move(path));
}

Result<std::shared_ptr<const Block>> Block::Of(MappedFilePtr file, std::string path) {
  auto bytes = std::make_unique<BlockBytes>();
  bytes->path = std::move(path);
  bytes->content = file->bytes();
  bytes->file = std::move(file);
  const Result<BlockFooter> footer = DecodeFooter(bytes->content, bytes->path);
  if (!footer) return footer.error();
  Result<BlockIndex> index = BlockIndex::Open(*bytes, *footer);
  if (!index) return index.error();
  return std::shared_ptr<const Block>(new Block(std::move(bytes), *footer, *std::move(index)));
}

Block::Block(std::unique_ptr<const BlockBytes> bytes, const BlockFooter& footer, BlockIndex index)
    : bytes_(std::move(bytes)),
      footer_(footer),
      index_(std::move(index)),
      samples_(bytes_->content.substr(0, static_cast<std::size_t>(footer.index_offset))) {
  const IndexParts parts(bytes_->content, footer_);
  times_table_ = parts[IndexPart::kTimesTable].data();
  places_ = PackedArray(parts[IndexPart::kPlaces].data(), footer_.place_width);
}

Result<Labels> Block::LabelsOf(std::uint32_t series) const {
  return LabelsCursor(index_).LabelsOf(series);
}

TimesEntry Block::TimesOf(std::uint32_t column) const {
  return DecodeTimesEntry(times_table_ + std::size_t{column} * kTimesEntryBytes);
}

Status Block::ReadChunks(std::uint32_t series, storage::TimeRange range,
                         std::vector<BlockChunk>& out) const {
  assert(series < series_count());
  const std::size_t before = out.size();
  const std::uint64_t place = places_[series];
  const std::string_view from =
      samples_.substr(static_cast<std::size_t>(std::min<std::uint64_t>(place, samples_.size())));
  const auto damaged = [&] {
    out.resize(before);
    return bytes_->Damaged(from.data(), "the list of a series' chunks is damaged");
  };
  std::optional<Timestamp> last_float, last_histogram;
  ChunkListReader list(from);
  while (list.Next()) {
    const ListedChunk& listed = list.chunk();
    if (listed.column >= footer_.columns) return damaged();
    const TimesEntry times = TimesOf(listed.column);
    std::optional<Timestamp>& last =
        listed.parts.kind == ChunkKind::kHistogram ? last_histogram : last_float;
    if (times.offset > samples_.size() || times.size > samples_.size() - times.offset ||
        times.count == 0 || times.count > kMaxChunkSamples || (last && times.min_time <= *last)) {
      return damaged();
    }
    last = times.max_time;
    if (!Overlap(range, times.min_time, times.max_time)) continue;
    BlockChunk chunk{.parts = listed.parts,
                     .min_time = times.min_time,
                     .max_time = times.max_time,
                     .column = listed.column,
                     .crc = listed.crc,
                     .checked = listed.checked};
    chunk.parts.count = times.count;
    chunk.parts.times = samples_.substr(static_cast<std::size_t>(times.offset), times.size);
    out.push_back(chunk);
  }
  if (!list.ok()) return damaged();
  Status there = index_.CheckThere();
  if (!there) out.resize(before);
  return there;
}

Status Block::CheckMapping() const {
  const MappedFile::Lost lost = bytes_->file->lost();
  if (lost.end == 0) return {};
  return bytes_->Damaged(bytes_->content.data() + lost.begin, "a part of the file is gone");
}

Status Block::CheckTimes(const BlockChunk& chunk) const {
  if (Crc32c(chunk.parts.times) == TimesOf(chunk.column).crc) return {};
  return bytes_->Damaged(chunk.parts.times.data(), "a column of times is damaged");
}

Status Block::CheckValues(const BlockChunk& chunk) const {
  const ChunkView& parts = chunk.parts;
  if (chunk.checked || Crc32c(parts.starts, Crc32c(parts.values)) == chunk.crc) return {};
  return bytes_->Damaged(parts.values.data(), "a chunk is damaged");
}

Status Block::Check(const BlockChunk& chunk) const {
  RETURN_IF_ERROR(CheckTimes(chunk));
  return CheckValues(chunk);
}

Status Block::ReadTimes(const BlockChunk& chunk, std::vector<Timestamp>& out) const {
  RETURN_IF_ERROR(CheckTimes(chunk));
  const auto damaged = [&](const Error& error) {
    return bytes_->Damaged(chunk.parts.times.data(), error.message());
  };
  const Result<TimesReader> reader = TimesReader::Open(chunk.parts.times);
  if (!reader) return damaged(reader.error());
  const std::size_t before = out.size();
  const Status status = reader->Read({0, reader->count()}, out);
  if (!status) return damaged(status.error());
  if (out.size() - before == chunk.parts.count && out[before] == chunk.min_time &&
      out.back() == chunk.max_time) {
    return {};
  }
  out.resize(before);
  return bytes_->Damaged(chunk.parts.times.data(), "a column has other times than its entry says");
}

Status Block::DecodeRows(const BlockChunk& chunk, RowRange rows, std::span<const Timestamp> times,
                         storage::SampleColumns& out) const {
  RETURN_IF_ERROR(CheckValues(chunk));
  const Status status = tsdb::DecodeRows(chunk.parts, rows, times, out);
  if (status) return {};
  return bytes_->Damaged(chunk.parts.values.data(), status.error().message());
}

Result<std::optional<ChunkSummary>> Block::SummaryOf(const BlockChunk& chunk) const {
  // The value of a constant is its summary, and may stand among the values (beside starts).
  if (chunk.parts.kind == ChunkKind::kConstant) RETURN_IF_ERROR(Check(chunk));
  auto summary = tsdb::SummaryOf(chunk.parts);
  if (summary) return summary;
  return bytes_->Damaged(chunk.parts.values.data(), summary.error().message());
}

Status Block::Decode(const BlockChunk& chunk, storage::TimeRange range,
                     storage::SampleColumns& out) const {
  RETURN_IF_ERROR(Check(chunk));
  // The chunk's own range as well: so the columns rise over all chunks whatever the bytes are.
  const storage::TimeRange both{std::max(range.min, chunk.min_time),
                                std::min(range.max, chunk.max_time)};
  const Status status = DecodeChunk(chunk.parts, both, out);
  if (status) return {};
  return bytes_->Damaged(chunk.parts.values.data(), status.error().message());
}

Status Block::ReadSamples(std::uint32_t series, storage::TimeRange range,
                          storage::SampleColumns& out) const {
  std::vector<BlockChunk> chunks;
  RETURN_IF_ERROR(ReadChunks(series, range, chunks));
  const ColumnSizes before(out);
  for (const BlockChunk& chunk : chunks) {
    Status status = Decode(chunk, range, out);
    if (status) continue;
    before.Restore(out);
    return status;
  }
  return {};
}

}  // namespace skep::tsdb

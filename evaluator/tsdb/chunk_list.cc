#include "evaluator/tsdb/chunk_list.h"

#include "common/base/crc32c.h"

namespace skep::tsdb {
namespace {

constexpr std::uint8_t kKindMask = 7;
constexpr std::uint8_t kHasStarts = 8;
constexpr std::uint8_t kHasSummary = 16;
constexpr std::uint8_t kInList = 32;
constexpr std::size_t kMostInList = 16;
constexpr std::size_t kMostWithoutSummary = 256;

bool StandsInList(const ChunkView& chunk) {
  const std::size_t most = chunk.summary.empty() ? kMostWithoutSummary : kMostInList;
  return chunk.values.size() + chunk.starts.size() <= most;
}

std::size_t VarintBytes(std::uint64_t n) {
  char bytes[kMaxVarintBytes];
  return static_cast<std::size_t>(StoreVarint(bytes, n) - bytes);
}

}  // namespace

void ChunkListWriter::Clear() {
  entries_.Clear();
  data_.Clear();
  chunks_ = 0;
  last_column_ = ~0U;
  summary_bytes_ = inline_bytes_ = 0;
}

void ChunkListWriter::Add(const ChunkView& chunk, std::uint32_t column) {
  const bool in_list = StandsInList(chunk);
  std::uint8_t head = static_cast<std::uint8_t>(chunk.kind);
  if (!chunk.starts.empty()) head |= kHasStarts;
  if (!chunk.summary.empty()) head |= kHasSummary;
  if (in_list) head |= kInList;
  entries_.U8(head);
  entries_.Signed(static_cast<std::int32_t>(column - (last_column_ + 1)));
  entries_.Varint(chunk.values.size());
  if (!chunk.starts.empty()) entries_.Varint(chunk.starts.size());
  const std::size_t before = entries_.size();
  if (!chunk.summary.empty()) entries_.String(chunk.summary);
  summary_bytes_ += entries_.size() - before;
  if (!in_list) entries_.U32(Crc32c(chunk.starts, Crc32c(chunk.values)));
  ByteWriter& to = in_list ? entries_ : data_;
  to.Bytes(chunk.values);
  to.Bytes(chunk.starts);
  if (in_list) inline_bytes_ += chunk.values.size() + chunk.starts.size();
  last_column_ = column;
  ++chunks_;
}

void ChunkListWriter::Write(ByteWriter& out) const {
  out.U32(Crc32c(entries_.view()));
  out.Varint(entries_.size());
  out.Bytes(entries_.view());
  out.Bytes(data_.view());
}

std::size_t ChunkListWriter::size_bytes() const {
  return sizeof(std::uint32_t) + VarintBytes(entries_.size()) + entries_.size() - summary_bytes_ -
         inline_bytes_;
}

ChunkListReader::ChunkListReader(std::string_view bytes) : list_({}), data_(bytes) {
  const std::uint32_t sum = data_.U32();
  const std::string_view list = data_.String();
  // Every series has a chunk. A page that is lost reads as zeros, whose sum is right.
  ok_ = data_.ok() && !list.empty() && Crc32c(list) == sum;
  if (!ok_) return;
  list_ = ByteReader(list);
  chunk_.column = ~0U;
}

bool ChunkListReader::Next() {
  if (!ok_ || list_.left() == 0) return false;
  ok_ = ReadChunk();
  return ok_;
}

bool ChunkListReader::ReadChunk() {
  const std::uint8_t head = list_.U8();
  if ((head & kKindMask) > static_cast<std::uint8_t>(ChunkKind::kHistogram)) return false;
  ChunkView& parts = chunk_.parts;
  parts.kind = static_cast<ChunkKind>(head & kKindMask);
  chunk_.column += 1 + static_cast<std::uint32_t>(list_.Signed());
  const std::uint64_t values = list_.Varint();
  const std::uint64_t starts = (head & kHasStarts) != 0 ? list_.Varint() : 0;
  parts.summary = (head & kHasSummary) != 0 ? list_.String() : std::string_view();
  chunk_.checked = (head & kInList) != 0;
  chunk_.crc = chunk_.checked ? 0 : list_.U32();
  ByteReader& from = chunk_.checked ? list_ : data_;
  parts.values = from.Bytes(values);
  parts.starts = from.Bytes(starts);
  return list_.ok() && data_.ok() && values > 0;
}

}  // namespace skep::tsdb

#include "evaluator/tsdb/block_format.h"

#include <limits>
#include <numeric>

#include "common/base/crc32c.h"

namespace skep::tsdb {
namespace {

constexpr unsigned kOffsetBits = 48;
constexpr std::uint64_t kMaxSeries = std::numeric_limits<std::uint32_t>::max();

// In the order of the file.
template <typename Parts, typename Visit>
void ForEachPart(Parts& parts, Visit visit) {
  for (auto* part : {&parts.times, &parts.values, &parts.starts, &parts.summaries,
                     &parts.chunk_lists, &parts.times_table, &parts.postings, &parts.label_texts,
                     &parts.series_labels, &parts.places}) {
    visit(*part);
  }
}

BlockFooter ReadFields(ByteReader& in) {
  BlockFooter footer;
  BlockMeta& meta = footer.meta;
  meta.min_time = FromMillis(static_cast<std::int64_t>(in.U64()));
  meta.max_time = FromMillis(static_cast<std::int64_t>(in.U64()));
  meta.series = in.U64();
  meta.chunks = in.U64();
  meta.samples = in.U64();
  ForEachPart(meta.parts, [&](std::uint64_t& part) { part = in.U64(); });
  footer.index_offset = in.U64();
  for (std::uint64_t& bytes : footer.part_bytes) bytes = in.U64();
  footer.columns = in.U64();
  footer.names = in.U64();
  footer.value_groups = in.U64();
  footer.value_width = in.U8();
  footer.series_width = in.U8();
  footer.place_width = in.U8();
  in.Bytes(1);
  footer.index_crc = in.U32();
  return footer;
}

bool IsWidth(std::uint8_t width) { return width >= 1 && width <= 8; }

// Whether `bytes` hold `count` entries of `width` bytes and nothing else.
bool Holds(std::uint64_t bytes, std::uint64_t count, std::uint64_t width) {
  return bytes / width == count && bytes % width == 0;
}

// What is wrong with the numbers; "" where nothing is.
std::string_view Judge(const BlockFooter& footer, std::uint64_t size) {
  const auto bytes = [&](IndexPart part) {
    return footer.part_bytes[static_cast<std::size_t>(part)];
  };
  std::uint64_t at = footer.index_offset;
  const std::uint64_t end = size - kFooterBytes;
  if (at < kMagicBytes || at > end) return "its index begins outside of the file";
  for (const std::uint64_t part : footer.part_bytes) {
    if (part > end - at) return "a part of its index ends outside of the file";
    at += part;
  }
  if (at != end) return "its index is followed by something else";
  if (!IsWidth(footer.value_width) || !IsWidth(footer.series_width) ||
      !IsWidth(footer.place_width)) {
    return "its numbers have no width";
  }
  const std::uint64_t series = footer.meta.series;
  if (series == 0 || series > kMaxSeries) return "its number of series is impossible";
  const std::uint64_t groups = (series + kSeriesPerGroup - 1) / kSeriesPerGroup;
  if (!Holds(bytes(IndexPart::kTimesTable), footer.columns, kTimesEntryBytes) ||
      !Holds(bytes(IndexPart::kValueDirectory), footer.value_groups, 2ULL * footer.value_width) ||
      !Holds(bytes(IndexPart::kSeriesDirectory), groups, footer.series_width) ||
      !Holds(bytes(IndexPart::kPlaces), series, footer.place_width)) {
    return "a table of its index has another size than its entries";
  }
  return {};
}

}  // namespace

std::uint64_t BlockFooter::index_bytes() const {
  return std::accumulate(part_bytes.begin(), part_bytes.end(), std::uint64_t{0});
}

std::string EncodeFooter(const BlockFooter& footer) {
  ByteWriter out;
  const BlockMeta& meta = footer.meta;
  out.U64(static_cast<std::uint64_t>(ToMillis(meta.min_time)));
  out.U64(static_cast<std::uint64_t>(ToMillis(meta.max_time)));
  out.U64(meta.series);
  out.U64(meta.chunks);
  out.U64(meta.samples);
  ForEachPart(meta.parts, [&](std::uint64_t part) { out.U64(part); });
  out.U64(footer.index_offset);
  for (const std::uint64_t bytes : footer.part_bytes) out.U64(bytes);
  out.U64(footer.columns);
  out.U64(footer.names);
  out.U64(footer.value_groups);
  out.U8(footer.value_width);
  out.U8(footer.series_width);
  out.U8(footer.place_width);
  out.U8(0);
  out.U32(footer.index_crc);
  out.U32(Crc32c(out.view()));
  out.Bytes("skep");  // a file that grew by what a power cut left behind is none
  return std::string(out.view());
}

Result<BlockFooter> DecodeFooter(std::string_view content, const std::string& path) {
  RETURN_IF_ERROR(CheckMagic(kBlockMagic, content, path));
  if (content.size() < kMagicBytes + kFooterBytes) {
    return DamagedBlock(path, content.size(),
                        "a block ends with a footer, and this one is cut off");
  }
  const std::uint64_t at = content.size() - kFooterBytes;
  const std::string_view bytes = content.substr(static_cast<std::size_t>(at));
  ByteReader in(bytes);
  BlockFooter footer = ReadFields(in);
  if (in.U32() != Crc32c(bytes.substr(0, kFooterBytes - 8)) || in.Bytes(4) != "skep") {
    return DamagedBlock(path, at, "the footer of the block is damaged or cut off");
  }
  const std::string_view problem = Judge(footer, content.size());
  if (!problem.empty())
    return DamagedBlock(path, at, "the footer of the block: " + std::string(problem));
  footer.meta.size_bytes = content.size();
  return footer;
}

void EncodeTimesEntry(const TimesEntry& entry, ByteWriter& out) {
  out.U64(entry.offset | std::uint64_t{entry.count} << kOffsetBits);
  out.U32(entry.size);
  out.U32(entry.crc);
  out.U64(static_cast<std::uint64_t>(ToMillis(entry.min_time)));
  out.U64(static_cast<std::uint64_t>(ToMillis(entry.max_time)));
}

TimesEntry DecodeTimesEntry(const char* at) {
  ByteReader in({at, kTimesEntryBytes});
  TimesEntry entry;
  const std::uint64_t place = in.U64();
  entry.offset = place & ((std::uint64_t{1} << kOffsetBits) - 1);
  entry.count = static_cast<std::uint32_t>(place >> kOffsetBits);
  entry.size = in.U32();
  entry.crc = in.U32();
  entry.min_time = FromMillis(static_cast<std::int64_t>(in.U64()));
  entry.max_time = FromMillis(static_cast<std::int64_t>(in.U64()));
  return entry;
}

std::uint8_t WidthOf(std::uint64_t largest) {
  std::uint8_t width = 1;
  while (width < 8 && largest >> (8 * width) != 0) ++width;
  return width;
}

IndexParts::IndexParts(std::string_view content, const BlockFooter& footer) {
  std::uint64_t at = footer.index_offset;
  for (std::size_t i = 0; i < kIndexParts; ++i) {
    parts_[i] = content.substr(static_cast<std::size_t>(at),
                               static_cast<std::size_t>(footer.part_bytes[i]));
    at += footer.part_bytes[i];
  }
}

void PackNumbers(std::span<const std::uint64_t> numbers, std::uint8_t width, ByteWriter& out) {
  for (const std::uint64_t number : numbers) {
    char* const at = out.Room(sizeof(number));
    StoreU64(at, number);
    out.SetEnd(at + width);
  }
}

BlockParts& BlockParts::operator+=(const BlockParts& other) {
  times += other.times;
  values += other.values;
  starts += other.starts;
  summaries += other.summaries;
  chunk_lists += other.chunk_lists;
  times_table += other.times_table;
  postings += other.postings;
  label_texts += other.label_texts;
  series_labels += other.series_labels;
  places += other.places;
  return *this;
}

Error BlockBytes::Damaged(const char* at, std::string_view what) const {
  std::string text(what);
  if (const MappedFile::Lost lost = file->lost(); lost.end > 0) {
    text += "; the disk could not give bytes between " + std::to_string(lost.begin) + " and " +
            std::to_string(lost.end);
  }
  Error error = DamagedBlock(path, static_cast<std::uint64_t>(at - content.data()), text);
  first_damage.Note(error.message());
  return error;
}

Error DamagedBlock(const std::string& path, std::uint64_t offset, std::string_view what) {
  return Corrupt(path + " at byte " + std::to_string(offset) + ": " + std::string(what));
}

}  // namespace skep::tsdb

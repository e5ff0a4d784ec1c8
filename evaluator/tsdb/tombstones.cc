#include "evaluator/tsdb/tombstones.h"

#include <algorithm>
#include <cassert>
#include <optional>

#include "common/base/crc32c.h"
#include "evaluator/tsdb/bytes.h"
#include "evaluator/tsdb/unfinished_file.h"

namespace skep::tsdb {
namespace {

constexpr FileMagic kTombstonesMagic{.kind = "skeptmb", .meaning = "list of a block's deletions"};

bool SameSpan(storage::TimeRange a, storage::TimeRange b) {
  return a.min == b.min && a.max == b.max;
}

// Whether `later`, which begins no earlier, begins in `earlier` or right behind it.
bool Reaches(storage::TimeRange earlier, storage::TimeRange later) {
  return earlier.max == kMaxTimestamp || later.min <= earlier.max + Duration(1);
}

std::uint64_t Length(storage::TimeRange span) {
  return static_cast<std::uint64_t>(Minus(ToMillis(span.max), ToMillis(span.min)));
}

}  // namespace

void Tombstones::Append(std::uint32_t series, storage::TimeRange span) {
  if (!series_.empty() && series_.back() == series && Reaches(spans_.back(), span)) {
    spans_.back().max = std::max(spans_.back().max, span.max);
    return;
  }
  series_.push_back(series);
  spans_.push_back(span);
}

void Tombstones::Add(std::span<const std::uint32_t> series, storage::TimeRange span) {
  assert(span.min <= span.max);
  Tombstones merged;
  std::size_t old = 0;
  const auto take_old = [&] { merged.Append(series_[old], spans_[old]), ++old; };
  for (const std::uint32_t one : series) {
    while (old < series_.size() &&
           (series_[old] < one || (series_[old] == one && spans_[old].min <= span.min))) {
      take_old();
    }
    merged.Append(one, span);
  }
  while (old < series_.size()) take_old();
  *this = std::move(merged);
}

Tombstones::Spans Tombstones::Of(std::uint32_t series) const {
  const auto [begin, end] = std::equal_range(series_.begin(), series_.end(), series);
  return Spans(spans_).subspan(static_cast<std::size_t>(begin - series_.begin()),
                               static_cast<std::size_t>(end - begin));
}

std::size_t Tombstones::size_bytes() const {
  return series_.capacity() * sizeof(series_[0]) + spans_.capacity() * sizeof(spans_[0]);
}

bool Tombstones::operator==(const Tombstones& other) const {
  return series_ == other.series_ &&
         std::equal(spans_.begin(), spans_.end(), other.spans_.begin(), SameSpan);
}

Status SaveTombstones(Disk& disk, const std::string& path, const Block& block,
                      const Tombstones& tombstones) {
  ByteWriter body;
  body.U64(block.id());
  body.Varint(tombstones.series_.size());
  std::uint32_t last_series = 0;
  std::optional<storage::TimeRange> last;
  for (std::size_t i = 0; i < tombstones.series_.size(); ++i) {
    const storage::TimeRange span = tombstones.spans_[i];
    const bool same = last && SameSpan(*last, span);
    body.Varint(2 * std::uint64_t{tombstones.series_[i] - last_series} + (same ? 1 : 0));
    if (!same) {
      body.Signed(ToMillis(span.min));
      body.Varint(Length(span));
    }
    last_series = tombstones.series_[i];
    last = span;
  }
  Result<UnfinishedFile> file = UnfinishedFile::Create(disk, path);
  if (!file) return file.error();
  ByteWriter head;
  head.Bytes(kTombstonesMagic.bytes());
  head.U32(Crc32c(body.view()));
  RETURN_IF_ERROR(file->Append(head.view()));
  RETURN_IF_ERROR(file->Append(body.view()));
  return file->Finish();
}

Result<Tombstones> LoadTombstones(Disk& disk, const std::string& path, const Block& block) {
  const Result<MappedFilePtr> file = disk.Map(path);
  if (!file && file.error().kind() == ErrorKind::kNotFound) return Tombstones();
  if (!file) return file.error();
  RETURN_IF_ERROR(CheckMagic(kTombstonesMagic, (*file)->bytes(), path));
  ByteReader in((*file)->bytes().substr(kMagicBytes));
  const std::uint32_t sum = in.U32();
  if (!in.ok() || sum != Crc32c({in.at(), in.left()})) {
    return Corrupt(path + " is damaged or cut off: it has another checksum");
  }
  // Of the block that stood there until it was written anew without what they delete.
  if (in.U64() != block.id()) return Tombstones();
  const auto damaged = [&] {
    const auto offset = (*file)->bytes().size() - in.left();
    return DamagedBlock(path, offset, "a deletion is none");
  };
  Tombstones out;
  std::uint64_t series = 0;
  storage::TimeRange span;
  for (std::uint64_t left = in.Varint(); left > 0; --left) {
    const std::uint64_t head = in.Varint();
    series += head / 2;
    if (head % 2 == 0) {
      span.min = FromMillis(in.Signed());
      span.max = FromMillis(Plus(ToMillis(span.min), static_cast<std::int64_t>(in.Varint())));
    }
    const bool rises = out.series_.empty() || series > out.series_.back() ||
                       (series == out.series_.back() && span.min > out.spans_.back().max);
    if (!in.ok() || !rises || span.min > span.max || series >= block.series_count()) {
      return damaged();
    }
    out.Append(static_cast<std::uint32_t>(series), span);
  }
  if (!in.done()) return damaged();
  return out;
}

bool Touches(Tombstones::Spans deleted, storage::TimeRange range) {
  // The first span that ends in the range or behind it.
  const auto at =
      std::lower_bound(deleted.begin(), deleted.end(), range.min,
                       [](storage::TimeRange span, Timestamp time) { return span.max < time; });
  return at != deleted.end() && at->min <= range.max;
}

void Subtract(storage::TimeRange range, Tombstones::Spans deleted,
              std::vector<storage::TimeRange>& left) {
  for (const storage::TimeRange& span : deleted) {
    if (span.max < range.min) continue;
    if (span.min > range.max) break;
    if (span.min > range.min) left.push_back({range.min, span.min - Duration(1)});
    if (span.max >= range.max) return;
    range.min = span.max + Duration(1);
  }
  if (range.min <= range.max) left.push_back(range);
}

}  // namespace skep::tsdb

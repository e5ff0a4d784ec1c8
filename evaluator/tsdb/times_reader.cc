#include <algorithm>
#include <array>

#include "evaluator/tsdb/bit_packing.h"
#include "evaluator/tsdb/times_column.h"
#include "evaluator/tsdb/times_format.h"

namespace skep::tsdb {

struct TimesReader::Segment {
  std::uint32_t begin = 0;  // row
  std::uint32_t length = 0;
  std::uint64_t origin = 0;
  std::uint64_t slope = 0;
  unsigned width = 0;
  std::string_view residuals;  // and what follows them

  std::uint32_t end() const { return begin + length; }
  std::int64_t At(std::uint32_t i) const {
    return static_cast<std::int64_t>(LineAt(origin, slope, i) + UnpackOne(residuals, width, i));
  }
};

// Walks the segments in order.
class TimesReader::Segments {
 public:
  explicit Segments(const TimesReader& column) : bytes_(column.segments_), count_(column.count_) {
    now_.origin = static_cast<std::uint64_t>(column.first_);
  }

  // False at the end, and where the bytes are no segment (then ok() is false).
  bool Next() {
    if (now_.end() == count_) return false;
    const std::uint64_t expected = LineAt(now_.origin, now_.slope, now_.length);
    now_.begin = now_.end();
    const std::uint64_t length_less_one = bytes_.Varint();
    const std::uint8_t code = bytes_.U8();
    if (code & kOwnSlope) now_.slope = bytes_.Varint();
    now_.width = WidthOf(code);
    now_.origin = expected + static_cast<std::uint64_t>(bytes_.Signed());
    now_.residuals = RestOf(bytes_);
    if (length_less_one >= count_ - now_.begin || !IsWidthCode(code)) return Fail();
    now_.length = static_cast<std::uint32_t>(length_less_one) + 1;
    (void)bytes_.Bytes(PackedBytes(now_.length, now_.width));
    return bytes_.ok() || Fail();
  }

  bool ok() const { return ok_; }
  const Segment& now() const { return now_; }

 private:
  bool Fail() {
    ok_ = false;
    return false;
  }

  ByteReader bytes_;
  const std::uint32_t count_;
  Segment now_;
  bool ok_ = true;
};

namespace {

Error Broken() { return Corrupt("times of a chunk: not a list of segments"); }

}  // namespace

Result<TimesReader> TimesReader::Open(std::string_view bytes) {
  ByteReader reader(bytes);
  const std::uint64_t count = reader.Varint();
  const std::int64_t first = reader.Signed();
  if (!reader.ok() || count == 0) return Corrupt("times of a chunk: too short");
  if (count > kMaxChunkSamples) {
    return Corrupt("times of a chunk: count is " + std::to_string(count) + ", at most " +
                   std::to_string(kMaxChunkSamples) + " are possible");
  }
  return TimesReader(static_cast<std::uint32_t>(count), first, RestOf(reader));
}

Result<std::uint32_t> TimesReader::LowerBound(std::int64_t time) const {
  Segments segments(*this);
  while (segments.Next()) {
    const Segment& segment = segments.now();
    if (segment.At(segment.length - 1) < time) continue;
    std::uint32_t low = 0;
    for (std::uint32_t high = segment.length - 1; low < high;) {
      const std::uint32_t middle = (low + high) / 2;
      if (segment.At(middle) < time) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return segment.begin + low;
  }
  if (!segments.ok()) return Broken();
  return count_;
}

Result<RowRange> TimesReader::Find(storage::TimeRange range) const {
  if (range.max < range.min) return RowRange{};
  const auto begin =
      range.min == kMinTimestamp ? Result<std::uint32_t>(0U) : LowerBound(ToMillis(range.min));
  if (!begin) return begin.error();
  const auto end = range.max == kMaxTimestamp ? Result<std::uint32_t>(count_)
                                              : LowerBound(ToMillis(range.max) + 1);
  if (!end) return end.error();
  return RowRange{*begin, std::max(*begin, *end)};
}

namespace {

// Rows of a segment without residuals.
void ReadLine(std::uint64_t origin, std::uint64_t slope, RowRange rows, Timestamp* out) {
  if (slope % kSlopeUnit == 0) {
    const std::uint64_t step = slope / kSlopeUnit;
    std::uint64_t time = origin + rows.begin * step;
    for (std::uint32_t i = rows.begin; i < rows.end; ++i, time += step) {
      *out++ = FromMillis(static_cast<std::int64_t>(time));
    }
    return;
  }
  for (std::uint32_t i = rows.begin; i < rows.end; ++i) {
    *out++ = FromMillis(static_cast<std::int64_t>(LineAt(origin, slope, i)));
  }
}

// Residuals of the rows, by groups that begin at a whole byte.
void AddResiduals(std::string_view residuals, unsigned width, RowRange rows, Timestamp* out) {
  constexpr std::uint32_t kGroup = 128;
  std::array<std::uint64_t, kGroup> group;
  while (rows.begin < rows.end) {
    const std::uint32_t start = rows.begin / 8 * 8;
    const std::uint32_t size = std::min(kGroup, rows.end - start);
    Unpack(residuals.substr(std::size_t{start} * width / 8), width, {group.data(), size});
    for (std::uint32_t i = rows.begin - start; i < size; ++i) {
      *out = FromMillis(
          static_cast<std::int64_t>(static_cast<std::uint64_t>(ToMillis(*out)) + group[i]));
      ++out;
    }
    rows.begin = start + size;
  }
}

bool Rises(std::span<const Timestamp> times) {
  bool rises = true;
  for (std::size_t i = 1; i < times.size(); ++i) rises &= times[i - 1] < times[i];
  return rises;
}

}  // namespace

Status TimesReader::Read(RowRange rows, std::vector<Timestamp>& out) const {
  rows.end = std::min(rows.end, count_);
  if (rows.begin >= rows.end) return {};
  const std::size_t before = out.size();
  out.resize(before + rows.size());
  Timestamp* to = out.data() + before;
  Segments segments(*this);
  while (rows.begin < rows.end && segments.Next()) {
    const Segment& segment = segments.now();
    if (segment.end() <= rows.begin) continue;
    const RowRange part{rows.begin - segment.begin,
                        std::min(rows.end, segment.end()) - segment.begin};
    ReadLine(segment.origin, segment.slope, part, to);
    if (segment.width > 0) AddResiduals(segment.residuals, segment.width, part, to);
    to += part.size();
    rows.begin += part.size();
  }
  const bool rises = Rises(std::span(out).subspan(before));
  if (rows.begin == rows.end && rises) return {};
  out.resize(before);
  return segments.ok() ? Corrupt("times of a chunk: do not rise") : Broken();
}

}  // namespace skep::tsdb

#include "evaluator/tsdb/histogram_column.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <memory>

#include "evaluator/tsdb/column_bytes.h"
#include "evaluator/tsdb/integer_column.h"

namespace skep::tsdb {
namespace {

using Bounds = std::shared_ptr<const std::vector<double>>;

// Numbers of one segment at most, so that few bytes cannot ask for much memory.
constexpr std::size_t kMaxSegmentNumbers = std::size_t{1} << 18;
constexpr std::size_t kFixedColumns = 3;  // zero count, count, sum

// What all histograms of a segment have in common.
struct Layout {
  int schema = 0;
  double zero_threshold = 0;
  std::vector<BucketSpan> positive, negative;
  std::size_t positive_count = 0;
  std::size_t negative_count = 0;
  Bounds bounds;

  std::size_t columns() const { return kFixedColumns + positive_count + negative_count; }
};

bool SameBounds(const Bounds& a, const Bounds& b) {
  if (a == b) return true;
  return a != nullptr && b != nullptr && *a == *b;
}

bool SameLayout(const Histogram& a, const Histogram& b) {
  return a.schema == b.schema &&
         std::bit_cast<std::uint64_t>(a.zero_threshold) ==
             std::bit_cast<std::uint64_t>(b.zero_threshold) &&
         a.positive.spans == b.positive.spans && a.negative.spans == b.negative.spans &&
         SameBounds(a.bounds, b.bounds);
}

// Column `index` of a histogram whose layout has so many positive buckets.
template <typename AnyHistogram>
auto& NumberOf(AnyHistogram& histogram, std::size_t index, std::size_t positive_count) {
  if (index == 0) return histogram.zero_count;
  if (index == 1) return histogram.count;
  if (index == 2) return histogram.sum;
  index -= kFixedColumns;
  return index < positive_count ? histogram.positive.counts[index]
                                : histogram.negative.counts[index - positive_count];
}

void AppendSpans(const std::vector<BucketSpan>& spans, std::string& out) {
  AppendVarint(out, spans.size());
  std::int64_t end = 0;
  for (const BucketSpan& span : spans) {
    AppendSigned(out, span.first - end);
    AppendVarint(out, span.length);
    end = std::int64_t{span.first} + span.length;
  }
}

void AppendLayout(const Histogram& histogram, std::string& out) {
  AppendSigned(out, histogram.schema);
  AppendU64(out, std::bit_cast<std::uint64_t>(histogram.zero_threshold));
  AppendSpans(histogram.positive.spans, out);
  AppendSpans(histogram.negative.spans, out);
  if (!histogram.custom()) return;
  AppendVarint(out, histogram.custom_bounds().size());
  for (const double bound : histogram.custom_bounds()) {
    AppendU64(out, std::bit_cast<std::uint64_t>(bound));
  }
}

void AppendWithLength(std::string_view bytes, std::string& out) {
  AppendVarint(out, bytes.size());
  out += bytes;
}

void AppendSegment(std::span<const HistogramPtr> histograms, ValuesEncoder& encoder,
                   std::string& out) {
  AppendVarint(out, histograms.size());
  AppendLayout(*histograms.front(), out);
  const std::size_t positive = histograms.front()->positive.counts.size();
  const std::size_t columns = kFixedColumns + positive + histograms.front()->negative.counts.size();
  std::vector<double> values(histograms.size());
  std::string bytes;
  for (std::size_t column = 0; column < columns; ++column) {
    std::transform(histograms.begin(), histograms.end(), values.begin(),
                   [&](const HistogramPtr& h) { return NumberOf(*h, column, positive); });
    bytes.clear();
    encoder.Encode(values, bytes);
    AppendWithLength(bytes, out);
  }
}

// How many histograms from the first on make up a segment.
std::size_t SegmentLength(std::span<const HistogramPtr> histograms) {
  const Histogram& first = *histograms.front();
  const std::size_t columns =
      kFixedColumns + first.positive.counts.size() + first.negative.counts.size();
  const std::size_t most =
      std::clamp<std::size_t>(kMaxSegmentNumbers / columns, 1, histograms.size());
  std::size_t length = 1;
  while (length < most && SameLayout(first, *histograms[length])) ++length;
  return length;
}

}  // namespace

void EncodeHistograms(std::span<const HistogramPtr> histograms, ValuesEncoder& values,
                      std::string& out) {
  assert(!histograms.empty() && histograms.size() <= kMaxChunkSamples);
  std::vector<std::int64_t> hints(histograms.size());
  std::transform(histograms.begin(), histograms.end(), hints.begin(),
                 [](const HistogramPtr& h) { return static_cast<std::int64_t>(h->reset_hint); });
  std::string bytes;
  EncodeIntegers(hints, bytes);
  AppendWithLength(bytes, out);
  while (!histograms.empty()) {
    const std::size_t length = SegmentLength(histograms);
    AppendSegment(histograms.first(length), values, out);
    histograms = histograms.subspan(length);
  }
}

namespace {

// The buckets that the spans have together go to `buckets`, at most one for each byte left.
bool ReadSpans(ByteReader& bytes, std::vector<BucketSpan>& spans, std::size_t& buckets) {
  std::int64_t end = 0;
  std::uint64_t total = 0;
  const std::uint64_t limit = bytes.left();
  const std::uint64_t count = bytes.Varint();
  if (count > limit) return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::int64_t gap = bytes.Signed();
    const std::uint64_t length = bytes.Varint();
    total += length;
    if (!bytes.ok() || length == 0 || length > limit || total > limit) return false;
    if (gap < -(1LL << 31) || gap >= (1LL << 32) || (i > 0 && gap <= 0)) return false;
    const std::int64_t first = end + gap;
    end = first + static_cast<std::int64_t>(length);
    if (first != static_cast<std::int32_t>(first) || end > (1LL << 31)) return false;
    spans.push_back({static_cast<std::int32_t>(first), static_cast<std::uint32_t>(length)});
  }
  buckets = static_cast<std::size_t>(total);
  return bytes.ok();
}

bool ReadBounds(ByteReader& bytes, Bounds& out) {
  const std::uint64_t count = bytes.Varint();
  if (!bytes.ok() || count > bytes.left() / sizeof(double)) return false;
  std::vector<double> bounds;
  for (std::uint64_t i = 0; i < count; ++i) {
    bounds.push_back(std::bit_cast<double>(bytes.U64()));
  }
  out = std::make_shared<const std::vector<double>>(std::move(bounds));
  return true;
}

bool ReadLayout(ByteReader& bytes, Layout& out) {
  const std::int64_t schema = bytes.Signed();
  const bool custom = schema == kCustomBucketsSchema;
  if (!custom && (schema < kMinSchema || schema > kMaxSchema)) return false;
  out.schema = static_cast<int>(schema);
  out.zero_threshold = std::bit_cast<double>(bytes.U64());
  return ReadSpans(bytes, out.positive, out.positive_count) &&
         ReadSpans(bytes, out.negative, out.negative_count) &&
         (!custom || ReadBounds(bytes, out.bounds));
}

Histogram Empty(const Layout& layout) {
  Histogram histogram;
  histogram.schema = layout.schema;
  histogram.zero_threshold = layout.zero_threshold;
  histogram.bounds = layout.bounds;
  histogram.positive.spans = layout.positive;
  histogram.positive.counts.resize(layout.positive_count);
  histogram.negative.spans = layout.negative;
  histogram.negative.counts.resize(layout.negative_count);
  return histogram;
}

// One segment after the other.
class SegmentReader {
 public:
  SegmentReader(ByteReader bytes, std::uint32_t count) : bytes_(bytes), left_(count) {}

  // Reads the next one's layout. False where the bytes are no segment.
  bool Next() {
    layout_ = {};
    const std::uint64_t length = bytes_.Varint();
    if (length == 0 || length > left_ || !ReadLayout(bytes_, layout_)) return false;
    length_ = static_cast<std::uint32_t>(length);
    left_ -= length_;
    if (length_ > 1 && layout_.columns() > kMaxSegmentNumbers / length_) return false;
    return 2 * layout_.columns() <= bytes_.left();
  }
  std::uint32_t length() const { return length_; }

  bool Skip() {
    for (std::size_t i = 0; i < layout_.columns(); ++i) (void)bytes_.String();
    return bytes_.ok();
  }

  // Appends histograms of the rows, which count from the segment's first.
  bool Read(RowRange rows, std::vector<std::shared_ptr<Histogram>>& out) {
    const std::size_t before = out.size();
    const Histogram empty = Empty(layout_);
    for (std::uint32_t i = 0; i < rows.size(); ++i)
      out.push_back(std::make_shared<Histogram>(empty));
    for (std::size_t column = 0; column < layout_.columns(); ++column) {
      numbers_.clear();
      const std::string_view bytes = bytes_.String();
      if (!bytes_.ok() || !DecodeValues(bytes, length_, rows, numbers_)) return false;
      for (std::size_t i = 0; i < numbers_.size(); ++i) {
        NumberOf(*out[before + i], column, layout_.positive_count) = numbers_[i];
      }
    }
    return true;
  }

 private:
  ByteReader bytes_;
  std::uint32_t left_;
  std::uint32_t length_ = 0;
  Layout layout_;
  std::vector<double> numbers_;
};

bool ReadHints(std::string_view bytes, std::uint32_t count, RowRange rows,
               std::span<const std::shared_ptr<Histogram>> histograms) {
  IntegerReader reader(bytes, count);
  reader.SkipTo(rows.begin);
  while (!histograms.empty()) {
    const std::uint32_t index = reader.index();
    auto hints = reader.Next();
    if (hints.empty()) return false;
    hints = hints.subspan(rows.begin - index);
    hints = hints.first(std::min(hints.size(), histograms.size()));
    for (std::size_t i = 0; i < hints.size(); ++i) {
      if (hints[i] < 0 || hints[i] > static_cast<std::int64_t>(CounterResetHint::kGauge))
        return false;
      histograms[i]->reset_hint = static_cast<CounterResetHint>(hints[i]);
    }
    rows.begin += static_cast<std::uint32_t>(hints.size());
    histograms = histograms.subspan(hints.size());
  }
  return true;
}

bool ReadSegments(ByteReader bytes, std::uint32_t count, RowRange rows,
                  std::vector<std::shared_ptr<Histogram>>& out) {
  SegmentReader segments(bytes, count);
  std::uint32_t begin = 0;  // row of the segment's first
  while (begin < rows.end) {
    if (!segments.Next()) return false;
    const std::uint32_t end = begin + segments.length();
    const RowRange part{std::max(rows.begin, begin), std::min(rows.end, end)};
    const bool ok = part.begin >= part.end
                        ? segments.Skip()
                        : segments.Read({part.begin - begin, part.end - begin}, out);
    if (!ok) return false;
    begin = end;
  }
  return true;
}

}  // namespace

Status DecodeHistograms(std::string_view column, std::uint32_t count, RowRange rows,
                        std::vector<HistogramPtr>& out) {
  assert(rows.begin <= rows.end && rows.end <= count && count <= kMaxChunkSamples);
  if (rows.empty()) return {};
  ByteReader bytes(column);
  const std::string_view hints = bytes.String();
  std::vector<std::shared_ptr<Histogram>> read;
  if (!bytes.ok() || !ReadSegments(bytes, count, rows, read) ||
      !ReadHints(hints, count, rows, read)) {
    return Corrupt("histograms of a chunk: not a column of " + std::to_string(count));
  }
  out.insert(out.end(), read.begin(), read.end());
  return {};
}

}  // namespace skep::tsdb

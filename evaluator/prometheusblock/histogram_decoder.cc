#include "evaluator/prometheusblock/histogram_decoder.h"

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/model/sample.h"
#include "evaluator/prometheusblock/bit_reader.h"
#include "evaluator/prometheusblock/chunk_decoder.h"

namespace skep::prometheusblock {
namespace {

constexpr std::uint64_t kGauge = 3;

// What all histograms of a chunk have in common.
struct Layout {
  int schema = 0;
  double zero_threshold = 0;
  std::vector<BucketSpan> positive, negative;
  std::size_t positive_buckets = 0;
  std::size_t negative_buckets = 0;
  std::shared_ptr<const std::vector<double>> bounds;

  std::size_t buckets() const { return positive_buckets + negative_buckets; }
};

double ReadZeroThreshold(BitReader& bits) {
  const std::uint64_t code = bits.Bits(8);
  if (code == 0) return 0;
  if (code == 255) return bits.Double();
  return std::ldexp(0.5, static_cast<int>(code) - 243);
}

// Empty spans say only how far it is to the next one; neighbours become one.
bool AddSpan(std::int64_t first, std::uint64_t length, std::vector<BucketSpan>& spans) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int32_t>::min();
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (first < kLeast || first + static_cast<std::int64_t>(length) > kMost) return false;
  if (length == 0) return true;
  const bool touches =
      !spans.empty() && spans.back().first + std::int64_t{spans.back().length} == first;
  if (touches) {
    spans.back().length += static_cast<std::uint32_t>(length);
  } else {
    spans.push_back({static_cast<std::int32_t>(first), static_cast<std::uint32_t>(length)});
  }
  return true;
}

// False: these are no spans, or more buckets than the bits behind them can hold.
bool ReadSpans(BitReader& bits, std::vector<BucketSpan>& spans, std::size_t& buckets) {
  const std::uint64_t count = bits.PackedUint();
  std::int64_t index = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t length = bits.PackedUint();
    const std::int64_t offset = bits.PackedInt();
    if (!bits.ok() || length > bits.left() || (i > 0 && offset < 0)) return false;
    if (offset > std::numeric_limits<std::int32_t>::max() ||
        offset < std::numeric_limits<std::int32_t>::min()) {
      return false;
    }
    index += offset;
    if (!AddSpan(index, length, spans)) return false;
    index += static_cast<std::int64_t>(length);
    buckets += length;
    if (buckets > bits.left()) return false;
  }
  return true;
}

// Thousandths plus 1, or 0 and a double.
bool ReadBounds(BitReader& bits, std::shared_ptr<const std::vector<double>>& out) {
  const std::uint64_t count = bits.PackedUint();
  std::vector<double> bounds;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t thousandths = bits.PackedUint();
    const double bound =
        thousandths == 0 ? bits.Double() : static_cast<double>(thousandths - 1) / 1000;
    if (!bits.ok() || std::isnan(bound)) return false;
    if (!bounds.empty() && !(bounds.back() < bound)) return false;
    bounds.push_back(bound);
  }
  out = std::make_shared<const std::vector<double>>(std::move(bounds));
  return true;
}

// Custom buckets have no negative side, and one bucket more than bounds.
bool FitsBounds(const Layout& layout) {
  if (!layout.negative.empty()) return false;
  const std::size_t most = layout.bounds->size() + 1;
  for (const BucketSpan& span : layout.positive) {
    if (span.first < 0 || static_cast<std::size_t>(span.first) + span.length > most) return false;
  }
  return true;
}

Status ReadLayout(BitReader& bits, Layout& out) {
  out.zero_threshold = ReadZeroThreshold(bits);
  const std::int64_t schema = bits.PackedInt();
  const bool custom = schema == kCustomBucketsSchema;
  if (!custom && (schema < kMinSchema || schema > kMaxSchema)) {
    return Corrupt("its histograms have the unknown schema " + std::to_string(schema));
  }
  out.schema = static_cast<int>(schema);
  if (!ReadSpans(bits, out.positive, out.positive_buckets) ||
      !ReadSpans(bits, out.negative, out.negative_buckets)) {
    return Corrupt("the spans of its histograms are broken");
  }
  if (custom && !ReadBounds(bits, out.bounds)) {
    return Corrupt("the bounds of its histograms are broken");
  }
  if (custom && !FitsBounds(out)) return Corrupt("its histograms have buckets beyond the bounds");
  if (!bits.ok()) return Corrupt("it ends within the layout of its histograms");
  return {};
}

// A number that is told as the change of its change. Wraps around where a damaged chunk asks for
// it.
struct ChangingRow {
  std::uint64_t value = 0;
  std::uint64_t change = 0;

  void Next(BitReader& bits) {
    change += static_cast<std::uint64_t>(bits.PackedInt());
    value += change;
  }
};

// Histograms of whole numbers, one after another.
class WholeRows {
 public:
  explicit WholeRows(const Layout& layout) : buckets_(layout.buckets()) {}

  void ReadFirst(BitReader& bits) {
    count_.value = bits.PackedUint();
    zero_count_.value = bits.PackedUint();
    sum_.value = bits.Double();
    for (ChangingRow& bucket : buckets_)
      bucket.value = static_cast<std::uint64_t>(bits.PackedInt());
  }
  void ReadNext(BitReader& bits) {
    count_.Next(bits);
    zero_count_.Next(bits);
    sum_.Next(bits);
    if (IsStaleNaN(sum_.value)) return;
    for (ChangingRow& bucket : buckets_) bucket.Next(bits);
  }

  double count() const { return static_cast<double>(count_.value); }
  double zero_count() const { return static_cast<double>(zero_count_.value); }
  double sum() const { return sum_.value; }
  // Of one side: from bucket `begin` on. False where one is negative.
  bool AppendSide(std::size_t begin, std::size_t size, std::vector<double>& out) const {
    std::uint64_t whole = 0;
    for (std::size_t i = begin; i < begin + size; ++i) {
      whole += buckets_[i].value;
      if (static_cast<std::int64_t>(whole) < 0) return false;
      out.push_back(static_cast<double>(whole));
    }
    return true;
  }

 private:
  ChangingRow count_, zero_count_;
  XorRow sum_;
  std::vector<ChangingRow> buckets_;
};

// The same of floats.
class FloatRows {
 public:
  explicit FloatRows(const Layout& layout) : buckets_(layout.buckets()) {}

  void ReadFirst(BitReader& bits) {
    for (XorRow* row : {&count_, &zero_count_, &sum_}) row->value = bits.Double();
    for (XorRow& bucket : buckets_) bucket.value = bits.Double();
  }
  void ReadNext(BitReader& bits) {
    for (XorRow* row : {&count_, &zero_count_, &sum_}) row->Next(bits);
    if (IsStaleNaN(sum_.value)) return;
    for (XorRow& bucket : buckets_) bucket.Next(bits);
  }

  double count() const { return count_.value; }
  double zero_count() const { return zero_count_.value; }
  double sum() const { return sum_.value; }
  bool AppendSide(std::size_t begin, std::size_t size, std::vector<double>& out) const {
    for (std::size_t i = begin; i < begin + size; ++i) {
      if (!(buckets_[i].value >= 0)) return false;
      out.push_back(buckets_[i].value);
    }
    return true;
  }

 private:
  XorRow count_, zero_count_, sum_;
  std::vector<XorRow> buckets_;
};

// Null where a count is negative.
template <typename Rows>
HistogramPtr MakeHistogram(const Layout& layout, const Rows& rows, CounterResetHint hint) {
  auto histogram = std::make_shared<Histogram>();
  histogram->reset_hint = hint;
  histogram->schema = layout.schema;
  histogram->zero_threshold = layout.zero_threshold;
  histogram->zero_count = rows.zero_count();
  histogram->count = rows.count();
  histogram->sum = rows.sum();
  histogram->bounds = layout.bounds;
  histogram->positive.spans = layout.positive;
  histogram->negative.spans = layout.negative;
  const bool good =
      histogram->count >= 0 && histogram->zero_count >= 0 &&
      rows.AppendSide(0, layout.positive_buckets, histogram->positive.counts) &&
      rows.AppendSide(layout.positive_buckets, layout.negative_buckets, histogram->negative.counts);
  return good ? histogram : nullptr;
}

// Only within a chunk is it sure that nothing stands between two samples, and that no counter was
// reset: Prometheus begins a new chunk there. What stands before a chunk may be gone or came late.
CounterResetHint HintOf(std::uint64_t flags, std::uint64_t sample) {
  if (flags == kGauge) return CounterResetHint::kGauge;
  return sample > 0 ? CounterResetHint::kNotReset : CounterResetHint::kUnknown;
}

template <typename Rows>
Status DecodeRows(BitReader& bits, std::uint64_t count, std::uint64_t flags,
                  storage::SampleColumns& out) {
  Layout layout;
  if (count > 0) RETURN_IF_ERROR(ReadLayout(bits, layout));
  Rows rows(layout);
  ChangingRow time;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i == 0) {
      time.value = static_cast<std::uint64_t>(bits.PackedInt());
      rows.ReadFirst(bits);
    } else {
      time.Next(bits);
      rows.ReadNext(bits);
    }
    const std::string place = "sample " + std::to_string(i);
    if (!bits.ok()) return Corrupt("it ends within " + place);
    const Timestamp at = FromMillis(static_cast<std::int64_t>(time.value));
    if (!IsAfter(out, at)) return Corrupt("times do not rise at " + place);
    if (IsStaleNaN(rows.sum())) {
      out.times.push_back(at);
      out.values.push_back(kStaleNaN);
      continue;
    }
    HistogramPtr histogram = MakeHistogram(layout, rows, HintOf(flags, i));
    if (histogram == nullptr) return Corrupt("a count is negative at " + place);
    out.histograms.times.push_back(at);
    out.histograms.values.push_back(std::move(histogram));
  }
  return {};
}

}  // namespace

Status DecodeHistograms(std::string_view data, HistogramCounts counts,
                        storage::SampleColumns& out) {
  BitReader bits(data);
  const std::uint64_t count = bits.Bits(16);
  const std::uint64_t flags = bits.Bits(8) >> 6;
  if (!bits.ok()) return Corrupt("it has no header");
  return counts == HistogramCounts::kWhole ? DecodeRows<WholeRows>(bits, count, flags, out)
                                           : DecodeRows<FloatRows>(bits, count, flags, out);
}

}  // namespace skep::prometheusblock

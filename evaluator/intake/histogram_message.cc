#include "evaluator/intake/histogram_message.h"

#include <cmath>
#include <limits>

#include "common/model/sample.h"
#include "common/protobuf/message.h"

namespace skep::intake {
namespace {

using protobuf::MessageReader;
using protobuf::Tag;
using protobuf::WireType;

// Field numbers are those of the message `prometheus.Histogram` in Prometheus's types.proto.

struct SpanOnWire {
  std::int32_t offset = 0;  // of the first span: its index; else the gap to the span before
  std::uint32_t length = 0;
};

// One side's buckets, with counts either as differences to the bucket before (integers) or as such.
struct SideOnWire {
  std::vector<SpanOnWire> spans;
  std::vector<std::int64_t> deltas;
  std::vector<double> counts;
};

struct HistogramOnWire {
  bool is_float = false;
  double count = 0;
  double zero_count = 0;
  double sum = 0;
  std::int32_t schema = 0;
  double zero_threshold = 0;
  SideOnWire negative, positive;
  CounterResetHint reset_hint = CounterResetHint::kUnknown;
  std::int64_t millis = 0;
  std::vector<double> bounds;
};

// A repeated number stands packed, or each by itself.
template <typename Number, typename Convert>
void AddVarints(std::vector<Number>& out, std::string_view packed, bool& ok, Convert convert) {
  std::vector<std::uint64_t> numbers;
  ok = protobuf::AppendPackedVarint(packed, numbers) && ok;
  for (const std::uint64_t number : numbers) out.push_back(convert(number));
}

std::int64_t Unzigzag(std::uint64_t number) {
  return static_cast<std::int64_t>(number >> 1) ^ -static_cast<std::int64_t>(number & 1);
}

std::optional<SpanOnWire> ReadSpan(std::string_view message) {
  SpanOnWire span;
  MessageReader reader(message);
  while (reader.Next()) {
    switch (reader.tag()) {
      case Tag(1, WireType::kVarint):
        span.offset = static_cast<std::int32_t>(reader.AsSint64());
        break;
      case Tag(2, WireType::kVarint):
        span.length = static_cast<std::uint32_t>(reader.varint());
        break;
    }
  }
  if (!reader.ok()) return std::nullopt;
  return span;
}

// Fields `first` (spans), `first` + 1 (deltas) and `first` + 2 (counts) are one side's.
bool ReadSideField(const MessageReader& reader, std::uint32_t first, SideOnWire& side) {
  bool ok = true;
  if (reader.tag() == Tag(first, WireType::kBytes)) {
    const std::optional<SpanOnWire> span = ReadSpan(reader.bytes());
    if (span) side.spans.push_back(*span);
    ok = span.has_value();
  } else if (reader.tag() == Tag(first + 1, WireType::kBytes)) {
    AddVarints(side.deltas, reader.bytes(), ok, Unzigzag);
  } else if (reader.tag() == Tag(first + 1, WireType::kVarint)) {
    side.deltas.push_back(reader.AsSint64());
  } else if (reader.tag() == Tag(first + 2, WireType::kBytes)) {
    ok = protobuf::AppendPackedDouble(reader.bytes(), side.counts);
  } else if (reader.tag() == Tag(first + 2, WireType::kFixed64)) {
    side.counts.push_back(reader.AsDouble());
  }
  return ok;
}

CounterResetHint HintOf(std::uint64_t number) {
  constexpr CounterResetHint kHints[] = {CounterResetHint::kUnknown, CounterResetHint::kReset,
                                         CounterResetHint::kNotReset, CounterResetHint::kGauge};
  return number < std::size(kHints) ? kHints[number] : CounterResetHint::kUnknown;
}

bool ReadField(const MessageReader& reader, HistogramOnWire& histogram) {
  switch (reader.tag()) {
    case Tag(1, WireType::kVarint):
      histogram.count = static_cast<double>(reader.varint());
      return true;
    case Tag(2, WireType::kFixed64):
      histogram.is_float = true;
      histogram.count = reader.AsDouble();
      return true;
    case Tag(3, WireType::kFixed64):
      histogram.sum = reader.AsDouble();
      return true;
    case Tag(4, WireType::kVarint):
      histogram.schema = static_cast<std::int32_t>(reader.AsSint64());
      return true;
    case Tag(5, WireType::kFixed64):
      histogram.zero_threshold = reader.AsDouble();
      return true;
    case Tag(6, WireType::kVarint):
      histogram.zero_count = static_cast<double>(reader.varint());
      return true;
    case Tag(7, WireType::kFixed64):
      histogram.zero_count = reader.AsDouble();
      return true;
    case Tag(14, WireType::kVarint):
      histogram.reset_hint = HintOf(reader.varint());
      return true;
    case Tag(15, WireType::kVarint):
      histogram.millis = reader.AsInt64();
      return true;
    case Tag(16, WireType::kBytes):
      return protobuf::AppendPackedDouble(reader.bytes(), histogram.bounds);
    case Tag(16, WireType::kFixed64):
      histogram.bounds.push_back(reader.AsDouble());
      return true;
  }
  return ReadSideField(reader, 8, histogram.negative) &&
         ReadSideField(reader, 11, histogram.positive);
}

std::optional<HistogramOnWire> ReadFields(std::string_view message) {
  HistogramOnWire histogram;
  MessageReader reader(message);
  while (reader.Next()) {
    if (!ReadField(reader, histogram)) return std::nullopt;
  }
  if (!reader.ok()) return std::nullopt;
  return histogram;
}

// What is wrong with it, or nullptr.
const char* ConvertSide(const SideOnWire& side, bool is_float, BucketRuns& runs) {
  const std::size_t buckets = is_float ? side.counts.size() : side.deltas.size();
  std::int64_t index = 0;
  std::size_t at = 0;
  std::int64_t whole = 0;
  for (std::size_t s = 0; s < side.spans.size(); ++s) {
    const SpanOnWire& span = side.spans[s];
    if (s > 0 && span.offset < 0) return "spans overlap";
    index += span.offset;
    if (span.length > buckets - at) return "more buckets in spans than counts";
    for (std::uint32_t i = 0; i < span.length; ++i, ++index, ++at) {
      if (index < std::numeric_limits<std::int32_t>::min() ||
          index > std::numeric_limits<std::int32_t>::max()) {
        return "a bucket's index is out of range";
      }
      // Unsigned, as a sum beyond 64 bits must not be undefined: it is refused as negative.
      if (!is_float) {
        whole = static_cast<std::int64_t>(static_cast<std::uint64_t>(whole) +
                                          static_cast<std::uint64_t>(side.deltas[at]));
      }
      const double count = is_float ? side.counts[at] : static_cast<double>(whole);
      if (!(count >= 0)) return "a bucket's count is negative";
      runs.Append(static_cast<std::int32_t>(index), count);
    }
  }
  return at == buckets ? nullptr : "more counts than buckets in spans";
}

const char* CheckBounds(const HistogramOnWire& wire) {
  if (wire.schema != kCustomBucketsSchema) {
    return wire.bounds.empty() ? nullptr : "bounds without the schema of custom buckets";
  }
  if (!wire.negative.spans.empty()) return "custom buckets with negative ones";
  for (std::size_t i = 0; i < wire.bounds.size(); ++i) {
    if (std::isnan(wire.bounds[i]) || (i > 0 && !(wire.bounds[i - 1] < wire.bounds[i]))) {
      return "bounds do not rise";
    }
  }
  return nullptr;
}

// As Prometheus 3: whole numbers have to add up, but observations of NaN are in no bucket.
// Fractions need not: their sum depends on the order.
const char* CheckCount(const HistogramOnWire& wire, const Histogram& histogram) {
  if (wire.is_float) return nullptr;
  double in_buckets = histogram.zero_count;
  for (const double count : histogram.negative.counts) in_buckets += count;
  for (const double count : histogram.positive.counts) in_buckets += count;
  const bool fits =
      std::isnan(histogram.sum) ? in_buckets <= histogram.count : in_buckets == histogram.count;
  return fits ? nullptr : "its count is not that of its buckets";
}

const char* Convert(const HistogramOnWire& wire, Histogram& histogram) {
  const bool known = wire.schema == kCustomBucketsSchema ||
                     (wire.schema >= kMinSchema && wire.schema <= kMaxSchema);
  if (!known) return "unknown schema";
  if (const char* wrong = CheckBounds(wire)) return wrong;
  histogram.reset_hint = wire.reset_hint;
  histogram.schema = wire.schema;
  histogram.zero_threshold = wire.zero_threshold;
  histogram.zero_count = wire.zero_count;
  histogram.count = wire.count;
  histogram.sum = wire.sum;
  if (!(wire.count >= 0) || !(wire.zero_count >= 0)) return "a count is negative";
  if (const char* wrong = ConvertSide(wire.negative, wire.is_float, histogram.negative)) {
    return wrong;
  }
  if (const char* wrong = ConvertSide(wire.positive, wire.is_float, histogram.positive)) {
    return wrong;
  }
  if (wire.schema != kCustomBucketsSchema) return CheckCount(wire, histogram);
  // The last bucket goes up to +Inf: one more than there are bounds.
  for (const BucketSpan& span : histogram.positive.spans) {
    if (span.first < 0 ||
        static_cast<std::uint64_t>(span.first) + span.length > wire.bounds.size() + 1) {
      return "buckets beyond the bounds";
    }
  }
  histogram.bounds = std::make_shared<const std::vector<double>>(wire.bounds);
  return CheckCount(wire, histogram);
}

}  // namespace

std::optional<HistogramMessage> ReadHistogramMessage(std::string_view message) {
  const std::optional<HistogramOnWire> wire = ReadFields(message);
  if (!wire) return std::nullopt;
  HistogramMessage read;
  read.time = FromMillis(wire->millis);
  // The end of a series of histograms is a marker in the sum.
  if (IsStaleNaN(wire->sum)) return read;
  auto histogram = std::make_shared<Histogram>();
  if (const char* wrong = Convert(*wire, *histogram)) {
    read.problem = wrong;
  } else {
    read.histogram = std::move(histogram);
  }
  return read;
}

}  // namespace skep::intake

#include "evaluator/tsdb/histogram_codec.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <vector>

#include "evaluator/tsdb/packed_value.h"

namespace skep::tsdb {
namespace {

void WriteNumber(double value, ByteWriter& out) {
  char* const code = out.Room(9);
  char* at = code + 1;
  *code = static_cast<char>(PackValue(value, at));
  out.SetEnd(at);
}

double ReadNumber(ByteReader& reader) {
  const unsigned code = reader.U8();
  if (code >= kPackedBytes.size()) return reader.Fail(), 0;
  const std::string_view bytes = reader.Bytes(kPackedBytes[code]);
  std::array<char, 8> padded{};
  std::copy(bytes.begin(), bytes.end(), padded.begin());
  return UnpackValue(code, padded.data());
}

void WriteRuns(const BucketRuns& runs, ByteWriter& out) {
  out.Varint(runs.spans.size());
  std::int64_t end = 0;
  for (const BucketSpan& span : runs.spans) {
    out.Signed(span.first - end);
    out.Varint(span.length);
    end = static_cast<std::int64_t>(span.first) + span.length;
  }
  for (const double count : runs.counts) WriteNumber(count, out);
}

// The span behind `end`, to which `end` is moved.
BucketSpan ReadSpan(ByteReader& reader, std::int64_t& end) {
  const std::int64_t first = Plus(end, reader.Signed());
  const std::uint64_t length = reader.Varint();
  using Index = std::numeric_limits<std::int32_t>;
  // A bucket has at least a byte.
  const bool possible = first >= Index::min() && first <= Index::max() && length <= reader.left();
  if (!possible) return reader.Fail(), BucketSpan{};
  end = first + static_cast<std::int64_t>(length);
  if (end > Index::max()) reader.Fail();
  return {static_cast<std::int32_t>(first), static_cast<std::uint32_t>(length)};
}

BucketRuns ReadRuns(ByteReader& reader) {
  BucketRuns runs;
  std::int64_t end = 0;
  std::uint64_t buckets = 0;
  for (std::uint64_t spans = reader.Varint(); spans > 0 && reader.ok(); --spans) {
    const std::int64_t before = end;
    const BucketSpan span = ReadSpan(reader, end);
    if (!runs.spans.empty() && span.first < before) reader.Fail();
    buckets += span.length;
    if (reader.ok()) runs.spans.push_back(span);
  }
  if (buckets > reader.left()) reader.Fail();
  if (!reader.ok()) return {};
  runs.counts.reserve(buckets);
  for (; buckets > 0; --buckets) runs.counts.push_back(ReadNumber(reader));
  return runs;
}

std::shared_ptr<const std::vector<double>> ReadBounds(ByteReader& reader, const Histogram* before) {
  const std::uint64_t size = reader.Varint();
  if (size > reader.left()) reader.Fail();
  if (size == 0 || !reader.ok()) return nullptr;
  std::vector<double> bounds(size);
  for (double& bound : bounds) bound = ReadNumber(reader);
  if (before != nullptr && before->bounds != nullptr && *before->bounds == bounds) {
    return before->bounds;
  }
  return std::make_shared<const std::vector<double>>(std::move(bounds));
}

bool Possible(const Histogram& histogram) {
  if (!histogram.custom()) return histogram.schema >= kMinSchema && histogram.schema <= kMaxSchema;
  const auto& spans = histogram.positive.spans;
  return spans.empty() || spans.front().first >= 0;  // an index into the bounds
}

}  // namespace

void WriteHistogram(const Histogram& histogram, ByteWriter& out) {
  out.U8(static_cast<std::uint8_t>(histogram.reset_hint));
  out.Signed(histogram.schema);
  for (const double value :
       {histogram.zero_threshold, histogram.zero_count, histogram.count, histogram.sum}) {
    WriteNumber(value, out);
  }
  WriteRuns(histogram.positive, out);
  WriteRuns(histogram.negative, out);
  const auto bounds = histogram.custom_bounds();
  out.Varint(bounds.size());
  for (const double bound : bounds) WriteNumber(bound, out);
}

Histogram ReadHistogram(ByteReader& reader, const Histogram* before) {
  Histogram histogram;
  const std::uint8_t hint = reader.U8();
  if (hint > static_cast<std::uint8_t>(CounterResetHint::kGauge)) reader.Fail();
  histogram.reset_hint = static_cast<CounterResetHint>(hint);
  histogram.schema =
      static_cast<int>(std::clamp<std::int64_t>(reader.Signed(), -1000, 1000));  // judged below
  for (double* value :
       {&histogram.zero_threshold, &histogram.zero_count, &histogram.count, &histogram.sum}) {
    *value = ReadNumber(reader);
  }
  histogram.positive = ReadRuns(reader);
  histogram.negative = ReadRuns(reader);
  histogram.bounds = ReadBounds(reader, before);
  if (!Possible(histogram)) reader.Fail();
  return histogram;
}

}  // namespace skep::tsdb

#include "evaluator/tsdb/chunk_summary.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "common/base/compensated_sum.h"
#include "evaluator/tsdb/column_bytes.h"
#include "evaluator/tsdb/decimal.h"

namespace skep::tsdb {
namespace {

// One step of a counter and of a gauge.
void AddStep(double before, double value, ChunkSummary& summary) {
  summary.changes += before != value;
  if (value < before) {
    ++summary.resets;
    summary.before_resets += before;
  }
}

double SquaresAbout(double mean, std::span<const double> values) {
  double squares = 0;
  double distances = 0;
  for (const double value : values) {
    squares += (value - mean) * (value - mean);
    distances += value - mean;
  }
  // What the rounding of the mean added is taken off.
  squares -= distances * distances / static_cast<double>(values.size());
  return squares < 0 ? 0 : squares;
}

}  // namespace

std::optional<ChunkSummary> Summarize(std::span<const double> values) {
  ChunkSummary summary;
  summary.count = static_cast<std::uint32_t>(values.size());
  summary.first = summary.min = summary.max = values.front();
  summary.last = values.back();
  CompensatedSum sum;
  double before = values.front();
  for (const double value : values) {
    if (!std::isfinite(value)) return std::nullopt;
    AddStep(before, value, summary);
    summary.min = std::min(summary.min, value);
    summary.max = std::max(summary.max, value);
    sum.Add(value);
    before = value;
  }
  summary.sum = sum.total();
  summary.squares = SquaresAbout(summary.sum / static_cast<double>(summary.count), values);
  const bool finite = std::isfinite(summary.sum) && std::isfinite(summary.squares) &&
                      std::isfinite(summary.before_resets);
  return finite ? std::optional(summary) : std::nullopt;
}

ChunkSummary Joined(const ChunkSummary& earlier, const ChunkSummary& later) {
  ChunkSummary joined;
  joined.count = earlier.count + later.count;
  joined.resets = earlier.resets + later.resets;
  joined.changes = earlier.changes + later.changes;
  joined.first = earlier.first;
  joined.last = later.last;
  joined.min = std::min(earlier.min, later.min);
  joined.max = std::max(earlier.max, later.max);
  joined.sum = earlier.sum + later.sum;
  const double a = earlier.count;
  const double b = later.count;
  const double apart = later.sum / b - earlier.sum / a;
  joined.squares = earlier.squares + later.squares + apart * apart * (a * b / (a + b));
  joined.before_resets = earlier.before_resets;
  AddStep(earlier.last, later.first, joined);
  joined.before_resets += later.before_resets;
  return joined;
}

namespace {

// The numbers in the order of the bytes, each with one that it is likely to be near to.
struct Field {
  double ChunkSummary::*number;
  double ChunkSummary::*near;
};
constexpr Field kFields[] = {
    {&ChunkSummary::first, nullptr},
    {&ChunkSummary::last, &ChunkSummary::first},
    {&ChunkSummary::min, &ChunkSummary::first},
    {&ChunkSummary::max, &ChunkSummary::last},
    {&ChunkSummary::sum, nullptr},
    {&ChunkSummary::squares, nullptr},
    {&ChunkSummary::before_resets, nullptr},
};

constexpr double kFar = 0x1p48;  // longer varints are no gain

// How many of the fields stand in the bytes: the last one only where it is not 0.
std::size_t FieldsOf(const ChunkSummary& summary) {
  return std::size(kFields) - (summary.resets == 0 ? 1 : 0);
}

// The integer of the number that the field's number is likely to be near to.
bool NearInteger(const Field& field, const ChunkSummary& summary, Scale scale,
                 std::int64_t& integer) {
  integer = 0;
  return field.near == nullptr || ToScaled(summary.*field.near, scale, integer);
}

bool AppendAsInteger(const Field& field, const ChunkSummary& summary, Scale scale,
                     std::string& out) {
  std::int64_t integer = 0;
  std::int64_t near = 0;
  if (!ToScaled(summary.*field.number, scale, integer)) return false;
  if (!NearInteger(field, summary, scale, near)) return false;
  if (std::fabs(static_cast<double>(integer) - static_cast<double>(near)) > kFar) return false;
  AppendSigned(out, integer - near);
  return true;
}

bool ReadAsInteger(const Field& field, Scale scale, ByteReader& bytes, ChunkSummary& summary) {
  std::int64_t near = 0;
  if (!NearInteger(field, summary, scale, near)) return false;
  const auto integer =
      static_cast<std::uint64_t>(bytes.Signed()) + static_cast<std::uint64_t>(near);
  summary.*field.number = FromScaled(static_cast<std::int64_t>(integer), scale);
  return true;
}

bool Decode(ByteReader& bytes, ChunkSummary& summary) {
  const std::optional<Scale> scale = Scale::FromCode(bytes.U8());
  const unsigned raw = bytes.U8();
  summary.resets = static_cast<std::uint32_t>(bytes.Varint());
  summary.changes = static_cast<std::uint32_t>(bytes.Varint());
  if (!scale) return false;
  for (std::size_t i = 0; i < FieldsOf(summary); ++i) {
    if (raw & (1U << i)) {
      summary.*kFields[i].number = std::bit_cast<double>(bytes.U64());
    } else if (!ReadAsInteger(kFields[i], *scale, bytes, summary)) {
      return false;
    }
  }
  return bytes.ok() && bytes.left() == 0;
}

}  // namespace

// scale (1 byte), which numbers are raw (1 byte), resets and changes (varints), then the numbers:
// raw (8 bytes), or integer * 10^-decimals less that of the one near it (signed varint).
void EncodeSummary(const ChunkSummary& summary, Scale scale, std::string& out) {
  unsigned raw = 0;
  std::string numbers;
  for (std::size_t i = 0; i < FieldsOf(summary); ++i) {
    if (AppendAsInteger(kFields[i], summary, scale, numbers)) continue;
    raw |= 1U << i;
    AppendU64(numbers, std::bit_cast<std::uint64_t>(summary.*kFields[i].number));
  }
  out.push_back(static_cast<char>(scale.code()));
  out.push_back(static_cast<char>(raw));
  AppendVarint(out, summary.resets);
  AppendVarint(out, summary.changes);
  out += numbers;
}

Result<ChunkSummary> DecodeSummary(std::string_view bytes, std::uint32_t count) {
  ChunkSummary summary;
  summary.count = count;
  ByteReader reader(bytes);
  if (!Decode(reader, summary)) return Corrupt("summary of a chunk: not a list of its numbers");
  return summary;
}

}  // namespace skep::tsdb

#include <algorithm>
#include <bit>
#include <cassert>

#include "evaluator/tsdb/column_bytes.h"
#include "evaluator/tsdb/integer_column.h"
#include "evaluator/tsdb/values_column.h"
#include "evaluator/tsdb/values_format.h"

namespace skep::tsdb {
namespace {

// Exceptions are walked twice: over them before the numbers, and to put them in afterwards.
class Exceptions {
 public:
  explicit Exceptions(ByteReader bytes) : bytes_(bytes), left_(bytes_.Varint()) {}

  bool Next() {
    if (left_ == 0) return false;
    --left_;
    row_ += bytes_.Varint();
    value_ = std::bit_cast<double>(bytes_.U64());
    return bytes_.ok();  // so a count without bytes ends soon
  }
  std::uint64_t row() const { return row_; }
  double value() const { return value_; }
  const ByteReader& bytes() const { return bytes_; }

 private:
  ByteReader bytes_;
  std::uint64_t left_;
  std::uint64_t row_ = 0;
  double value_ = 0;
};

bool DecodeConstant(std::string_view bytes, std::span<double> out) {
  if (bytes.size() > sizeof(std::uint64_t)) return false;
  std::uint64_t bits = 0;
  unsigned shift = 64;
  for (const char byte : bytes) {
    shift -= 8;
    bits |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(byte)) << shift;
  }
  std::fill(out.begin(), out.end(), std::bit_cast<double>(bits));
  return true;
}

// convert(integer) of each. Whole blocks have a length that the compiler knows, so it uses vectors.
template <typename Convert>
void ConvertBlock(std::span<const std::int64_t> integers, double* out, Convert convert) {
  if (integers.size() == kIntegerBlock) {
    const std::int64_t* const from = integers.data();
    for (std::uint32_t i = 0; i < kIntegerBlock; ++i) out[i] = convert(from[i]);
  } else {
    for (const std::int64_t integer : integers) *out++ = convert(integer);
  }
}

// Decodes the blocks that hold `rows` and converts what lies in them.
template <typename Convert>
bool DecodeIntegers(IntegerReader reader, RowRange rows, double* out, Convert convert) {
  reader.SkipTo(rows.begin);
  while (rows.begin < rows.end) {
    const std::uint32_t index = reader.index();
    std::span<const std::int64_t> block = reader.Next();
    if (block.empty()) return false;
    block = block.subspan(rows.begin - index);
    block = block.first(std::min<std::size_t>(block.size(), rows.size()));
    ConvertBlock(block, out, convert);
    out += block.size();
    rows.begin += static_cast<std::uint32_t>(block.size());
  }
  return true;
}

// What the first byte of a column says.
struct Head {
  ValueKind kind;
  bool exceptions;
  unsigned scale;

  explicit Head(std::uint8_t byte)
      : kind(static_cast<ValueKind>(byte & kKindMask)),
        exceptions((byte & kHasExceptions) != 0),
        scale(byte >> kScaleShift) {}
  bool known() const {
    if (kind == ValueKind::kDecimal) return scale > 0 && scale < Scale::kCodes;
    return scale <= (kind == ValueKind::kInteger ? kLargeIntegers : 0);
  }
};

bool DecodeDecimals(Scale scale, const IntegerReader& reader, RowRange rows, double* out) {
  const double power = kPowersOfTen[scale.decimals()];
  switch (scale.form()) {
    case ScaleForm::kDivided:
      return DecodeIntegers(reader, rows, out,
                            [=](std::int64_t i) { return SmallToDouble(i) / power; });
    case ScaleForm::kMultiplied:
      return DecodeIntegers(reader, rows, out, [tenth = FromScaled(1, scale)](std::int64_t i) {
        return SmallToDouble(i) * tenth;
      });
    case ScaleForm::kDividedTwice:
      return DecodeIntegers(reader, rows, out,
                            [](std::int64_t i) { return SmallToDouble(i) / 1e3 / 1e3; });
  }
  return false;
}

bool DecodeBody(Head head, const IntegerReader& reader, RowRange rows, double* out) {
  switch (head.kind) {
    case ValueKind::kConstant:
      break;
    case ValueKind::kInteger:
      if (head.scale == kLargeIntegers) {
        return DecodeIntegers(reader, rows, out,
                              [](std::int64_t i) { return static_cast<double>(i); });
      }
      return DecodeIntegers(reader, rows, out, [](std::int64_t i) { return SmallToDouble(i); });
    case ValueKind::kDecimal:
      return DecodeDecimals(*Scale::FromCode(head.scale), reader, rows, out);
    case ValueKind::kFloat:
      return DecodeIntegers(reader, rows, out,
                            [](std::int64_t i) { return std::bit_cast<double>(i); });
  }
  return false;
}

bool Decode(std::string_view column, std::uint32_t count, RowRange rows, std::span<double> out) {
  ByteReader bytes(column);
  const Head head(bytes.U8());
  if (!bytes.ok() || !head.known()) return false;
  if (head.kind == ValueKind::kConstant) {
    return !head.exceptions && DecodeConstant(RestOf(bytes), out);
  }
  if (!head.exceptions) return DecodeBody(head, {RestOf(bytes), count}, rows, out.data());
  Exceptions over(bytes);
  while (over.Next()) continue;
  if (!over.bytes().ok()) return false;
  if (!DecodeBody(head, {RestOf(over.bytes()), count}, rows, out.data())) return false;
  for (Exceptions each(bytes); each.Next();) {
    if (each.row() >= count) return false;
    if (each.row() >= rows.begin && each.row() < rows.end)
      out[each.row() - rows.begin] = each.value();
  }
  return true;
}

}  // namespace

ValueKind KindOf(std::string_view column) {
  assert(!column.empty());
  return Head(static_cast<std::uint8_t>(column.front())).kind;
}

Scale ScaleOf(std::string_view column) {
  assert(!column.empty());
  const Head head(static_cast<std::uint8_t>(column.front()));
  return head.kind == ValueKind::kDecimal ? Scale::FromCode(head.scale).value_or(Scale()) : Scale();
}

Status DecodeValues(std::string_view column, std::uint32_t count, RowRange rows,
                    std::vector<double>& out) {
  assert(rows.begin <= rows.end && rows.end <= count && count <= kMaxChunkSamples);
  if (rows.empty()) return {};
  const std::size_t before = out.size();
  out.resize(before + rows.size());
  if (Decode(column, count, rows, std::span(out).subspan(before))) return {};
  out.resize(before);
  return Corrupt("values of a chunk: not a column of " + std::to_string(count) + " values");
}

}  // namespace skep::tsdb

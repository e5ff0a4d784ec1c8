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

// Decodes the blocks that hold `rows`, and hands over to convert(integers, out) what lies in them.
template <typename Convert>
bool DecodeIntegers(IntegerReader reader, RowRange rows, double* out, Convert convert) {
  reader.SkipTo(rows.begin);
  while (rows.begin < rows.end) {
    const std::uint32_t index = reader.index();
    std::span<const std::int64_t> block = reader.Next();
    if (block.empty()) return false;
    block = block.subspan(rows.begin - index);
    block = block.first(std::min<std::size_t>(block.size(), rows.size()));
    convert(block, out);
    out += block.size();
    rows.begin += static_cast<std::uint32_t>(block.size());
  }
  return true;
}

void ConvertIntegers(std::span<const std::int64_t> integers, double* out) {
  for (const std::int64_t integer : integers) *out++ = static_cast<double>(integer);
}

void ConvertBits(std::span<const std::int64_t> integers, double* out) {
  for (const std::int64_t bits : integers) *out++ = std::bit_cast<double>(bits);
}

struct ConvertDecimals {
  double power;

  void operator()(std::span<const std::int64_t> integers, double* out) const {
    for (const std::int64_t integer : integers) *out++ = static_cast<double>(integer) / power;
  }
};

// What the first byte of a column says.
struct Head {
  ValueKind kind;
  bool exceptions;
  unsigned decimals;

  explicit Head(std::uint8_t byte)
      : kind(static_cast<ValueKind>(byte & kKindMask)),
        exceptions((byte & kHasExceptions) != 0),
        decimals(byte >> kDecimalsShift) {}
  bool known() const { return decimals <= (kind == ValueKind::kDecimal ? kMaxDecimals : 0); }
};

bool DecodeBody(Head head, const IntegerReader& reader, RowRange rows, double* out) {
  switch (head.kind) {
    case ValueKind::kConstant:
      break;
    case ValueKind::kInteger:
      return DecodeIntegers(reader, rows, out, ConvertIntegers);
    case ValueKind::kDecimal:
      return DecodeIntegers(reader, rows, out, ConvertDecimals{kPowersOfTen[head.decimals]});
    case ValueKind::kFloat:
      return DecodeIntegers(reader, rows, out, ConvertBits);
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

unsigned DecimalsOf(std::string_view column) {
  assert(!column.empty());
  return Head(static_cast<std::uint8_t>(column.front())).decimals;
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

#include "evaluator/tsdb/values_column.h"

#include <algorithm>
#include <bit>
#include <cassert>

#include "evaluator/tsdb/column_bytes.h"
#include "evaluator/tsdb/integer_column.h"
#include "evaluator/tsdb/values_format.h"

namespace skep::tsdb {
namespace {

// Numbers that cost more bytes a value than this are tried as floats too.
constexpr std::size_t kDenseBytes = 3;

std::uint64_t BitsOf(double value) { return std::bit_cast<std::uint64_t>(value); }

void AppendKind(ValueKind kind, unsigned scale, bool exceptions, std::string& out) {
  out.push_back(static_cast<char>(static_cast<unsigned>(kind) | (exceptions ? kHasExceptions : 0U) |
                                  scale << kScaleShift));
}

void AppendConstant(double value, std::string& out) {
  AppendKind(ValueKind::kConstant, 0, false, out);
  for (std::uint64_t bits = BitsOf(value); bits != 0; bits <<= 8) {
    out.push_back(static_cast<char>(bits >> 56));
  }
}

void AppendExceptions(std::span<const double> values, std::span<const std::uint32_t> rows,
                      std::string& out) {
  if (rows.empty()) return;
  AppendVarint(out, rows.size());
  std::uint32_t before = 0;
  for (const std::uint32_t row : rows) {
    AppendVarint(out, row - before);
    AppendU64(out, BitsOf(values[row]));
    before = row;
  }
}

}  // namespace

std::string_view ValueKindName(ValueKind kind) {
  switch (kind) {
    case ValueKind::kConstant:
      return "constant";
    case ValueKind::kInteger:
      return "integer";
    case ValueKind::kDecimal:
      return "decimal";
    case ValueKind::kFloat:
      return "float";
  }
  return "";
}

void ValuesEncoder::EncodeFloats(std::span<const double> values, std::string& out) {
  AppendKind(ValueKind::kFloat, 0, false, out);
  numbers_.integers.resize(values.size());
  std::transform(values.begin(), values.end(), numbers_.integers.begin(),
                 [](double value) { return std::bit_cast<std::int64_t>(value); });
  EncodeIntegers(numbers_.integers, out);
}

ValueKind ValuesEncoder::EncodeNumbers(std::span<const double> values, std::string& out) {
  const bool integers = numbers_.scale == Scale();
  const ValueKind kind = integers ? ValueKind::kInteger : ValueKind::kDecimal;
  const unsigned integer_scale = numbers_.small ? 0 : kLargeIntegers;
  AppendKind(kind, integers ? integer_scale : numbers_.scale.code(), !numbers_.exceptions.empty(),
             out);
  AppendExceptions(values, numbers_.exceptions, out);
  EncodeIntegers(numbers_.integers, out);
  return kind;
}

ValueKind ValuesEncoder::Encode(std::span<const double> values, std::string& out) {
  assert(!values.empty() && values.size() <= kMaxChunkSamples);
  const std::uint64_t first = BitsOf(values.front());
  if (std::all_of(values.begin(), values.end(), [&](double v) { return BitsOf(v) == first; })) {
    AppendConstant(values.front(), out);
    return ValueKind::kConstant;
  }
  const std::size_t start = out.size();
  ValueKind kind = ValueKind::kFloat;
  if (FindScale(values, numbers_)) {
    kind = EncodeNumbers(values, out);
    if (out.size() - start <= values.size() * kDenseBytes) return kind;
  }
  other_.clear();
  EncodeFloats(values, other_);
  if (kind != ValueKind::kFloat && out.size() - start <= other_.size()) return kind;
  out.replace(start, std::string::npos, other_);
  return ValueKind::kFloat;
}

}  // namespace skep::tsdb

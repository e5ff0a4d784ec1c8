// The values of a chunk as bytes, in the kind that is smallest for them.
//
//   column     kind + 4 * has exceptions + 8 * scale (1 byte)
//              exceptions, if it has some: count (varint), then of each its row less the one before
//              (varint) and its bits (8 bytes)
//   constant   the value's highest bytes, as many as follow; the others are zero
//   integer    the values as an integer column (integer_column.h)
//              scale: 1 where some are beyond 2^51, else 0
//   decimal    the scaled values as an integer column; scale: of decimal.h
//   float      the values' bits as an integer column
//
// A decimal value is its integer divided by 10^decimals (or multiplied with 10^-decimals, where a
// program did that), rounded once, which gives the same double as reading its text does. Exceptions
// are what a column of integers cannot hold: NaN, staleness markers, infinities, -0.0. Bits of
// floats as integers: a value that moves little has neighbouring bits, so their differences are
// packed like any other; common zeros at the end (floats of 32 bits) fall away as a common step.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "evaluator/tsdb/decimal.h"
#include "evaluator/tsdb/rows.h"

namespace skep::tsdb {

enum class ValueKind : std::uint8_t { kConstant, kInteger, kDecimal, kFloat };

// "constant", "integer", ...: stable, for metrics and tools.
std::string_view ValueKindName(ValueKind kind);

// Writes columns, reusing its buffers. Thread-compatible.
class ValuesEncoder {
 public:
  // Appends the column. Every bit comes back. Requires: 1 to kMaxChunkSamples values.
  ValueKind Encode(std::span<const double> values, std::string& out);

 private:
  ValueKind EncodeNumbers(std::span<const double> values, std::string& out);
  void EncodeFloats(std::span<const double> values, std::string& out);

  ScaledRun numbers_;
  std::string other_;
};

// Of a column that is not empty. The scale is that of integers but for kDecimal.
ValueKind KindOf(std::string_view column);
Scale ScaleOf(std::string_view column);

// Appends the values of `rows` of a column of `count`, decoding only blocks that hold some of them.
// Safe on any bytes: kCorrupt, and `out` is as before. Requires: rows lie within `count`.
Status DecodeValues(std::string_view column, std::uint32_t count, RowRange rows,
                    std::vector<double>& out);

}  // namespace skep::tsdb

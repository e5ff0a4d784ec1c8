// A histogram as bytes that stand for themselves.
#pragma once

#include "common/model/histogram.h"
#include "evaluator/tsdb/bytes.h"

namespace skep::tsdb {

// Appends `histogram` to `out`; every number of it comes back bit by bit.
//
//   reset hint u8 | schema s | zero threshold v | zero count v | count v | sum v
//   | positive | negative | bounds: n, then n times v          (s: signed varint, n: varint)
//   positive, negative: number of spans n, of each: distance from the end of the one before s,
//                       length n; then for every bucket its count v
//   v: code of packed_value.h u8, then its bytes
void WriteHistogram(const Histogram& histogram, ByteWriter& out);

// Reads one. Bytes that are none end the reading (reader.ok() is false); what is then in
// the result means nothing. Memory is bounded by the bytes left. Where its bounds equal those of
// `before` (may be null) they are shared with it.
Histogram ReadHistogram(ByteReader& reader, const Histogram* before);

}  // namespace skep::tsdb

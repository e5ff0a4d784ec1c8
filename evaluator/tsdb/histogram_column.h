// A run of histograms as bytes: every bucket is a column of values over time.
//
//   column     reset hints as an integer column, with its length (varint) before it
//              segment...
//   segment    length (varint): histograms with the same layout
//              layout: schema (signed varint), zero threshold (8 bytes),
//                spans of the positive, then of the negative buckets: count (varint), of each its
//                first index less where the one before ended (signed varint) and its length
//                (varint) of custom buckets: bounds, count (varint) and 8 bytes each
//              columns of values (values_column.h), each with its length (varint) before it:
//                zero count, count, sum, each positive bucket, each negative bucket
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/model/histogram.h"
#include "evaluator/tsdb/rows.h"
#include "evaluator/tsdb/values_column.h"

namespace skep::tsdb {

// Appends the column; all comes back bit for bit, reset hints included. Requires: 1 to
// kMaxChunkSamples histograms, none null.
void EncodeHistograms(std::span<const HistogramPtr> histograms, ValuesEncoder& values,
                      std::string& out);

// Appends the histograms of `rows` of a column of `count`. Those of one segment share their custom
// bounds. Safe on any bytes: kCorrupt, and `out` is as before. Requires: rows lie within `count`.
Status DecodeHistograms(std::string_view column, std::uint32_t count, RowRange rows,
                        std::vector<HistogramPtr>& out);

}  // namespace skep::tsdb

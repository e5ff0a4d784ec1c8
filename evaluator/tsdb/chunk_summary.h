// The summary of a chunk's values, and its bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "evaluator/storage/float_summary.h"
#include "evaluator/tsdb/decimal.h"

namespace skep::tsdb {

using ChunkSummary = storage::FloatSummary;

// None where a summary may not stand for the values: some of them, or a sum of them, is no finite
// number. Requires: not empty.
std::optional<ChunkSummary> Summarize(std::span<const double> values);

// The summary of `earlier` and then `later`; the step between them is judged like any other.
ChunkSummary Joined(const ChunkSummary& earlier, const ChunkSummary& later);

// Appends 15 to 25 bytes for numbers with few digits, up to 65 for others; every bit comes back.
// `scale` is a guess which one most of the numbers have, the values' own; it stands in the bytes.
void EncodeSummary(const ChunkSummary& summary, Scale scale, std::string& out);
// `count` is not in the bytes. Safe on any of them: kCorrupt.
Result<ChunkSummary> DecodeSummary(std::string_view bytes, std::uint32_t count);

}  // namespace skep::tsdb

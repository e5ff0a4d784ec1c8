// The bytes of a summary of a chunk's values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "evaluator/storage/float_summary.h"
#include "evaluator/tsdb/decimal.h"

namespace skep::tsdb {

using ChunkSummary = storage::FloatSummary;

using storage::Joined;
using storage::Summarize;

// Appends 15 to 25 bytes for numbers with few digits, up to 65 for others; every bit comes back.
// `scale` is a guess which one most of the numbers have, the values' own; it stands in the bytes.
void EncodeSummary(const ChunkSummary& summary, Scale scale, std::string& out);
// `count` is not in the bytes. Safe on any of them: kCorrupt.
Result<ChunkSummary> DecodeSummary(std::string_view bytes, std::uint32_t count);

}  // namespace skep::tsdb

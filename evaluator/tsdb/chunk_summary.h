// What a run of values comes to, so that functions over a long time need not decode it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "evaluator/tsdb/decimal.h"

namespace skep::tsdb {

struct ChunkSummary {
  std::uint32_t count = 0;
  std::uint32_t resets = 0;   // values below the one before
  std::uint32_t changes = 0;  // values unequal to the one before
  double first = 0;
  double last = 0;
  double min = 0;
  double max = 0;
  double sum = 0;
  double squares = 0;   // sum of squared distances from the mean
  double increase = 0;  // last - first, and the value before each reset once more

  bool operator==(const ChunkSummary&) const = default;
};

// None where a summary may not stand for the values: some of them, or the sum or the sum of
// squares, is no finite number. Requires: not empty.
std::optional<ChunkSummary> Summarize(std::span<const double> values);

// The summary of `earlier` and then `later`; the step between them is judged like any other.
ChunkSummary Joined(const ChunkSummary& earlier, const ChunkSummary& later);

// Appends 15 to 25 bytes for numbers with few digits, up to 65 for others; every bit comes back.
// `scale` is a guess which one most of the numbers have, the values' own; it stands in the bytes.
void EncodeSummary(const ChunkSummary& summary, Scale scale, std::string& out);
// `count` is not in the bytes. Safe on any of them: kCorrupt.
Result<ChunkSummary> DecodeSummary(std::string_view bytes, std::uint32_t count);

}  // namespace skep::tsdb

// The cheapest way to pack some differences: which base, which width, which stand apart.
#pragma once

#include <cstdint>
#include <span>

#include "evaluator/tsdb/bit_packing.h"
#include "evaluator/tsdb/bytes.h"

namespace skep::tsdb {

struct Packing {
  std::int64_t base = 0;
  unsigned width = 0;  // a PackedWidth
  unsigned exceptions = 0;
  std::size_t bits = 0;  // what it costs, about

  // The part of `difference` that is packed, and what is missing then: 0 unless it stands apart.
  std::uint64_t Low(std::int64_t difference) const {
    return static_cast<std::uint64_t>(Minus(difference, base)) & Mask(width);
  }
  std::int64_t High(std::int64_t difference) const {
    return width == 64 ? 0 : Minus(difference, base) >> width;
  }
};

// Requires: not empty.
Packing ChoosePacking(std::span<const std::int64_t> differences);

}  // namespace skep::tsdb

// The cheapest way to pack some differences: which base, which width, which stand apart.
#pragma once

#include <cstdint>
#include <span>

namespace skep::tsdb {

struct Packing {
  std::int64_t base = 0;
  unsigned width = 0;  // a PackedWidth
  unsigned exceptions = 0;
  std::size_t bits = 0;  // what it costs, about

  // Whether `difference` is none of the exceptions.
  bool Holds(std::int64_t difference) const {
    const std::uint64_t offset =
        static_cast<std::uint64_t>(difference) - static_cast<std::uint64_t>(base);
    return width == 64 || offset >> width == 0;
  }
};

// Requires: not empty.
Packing ChoosePacking(std::span<const std::int64_t> differences);

}  // namespace skep::tsdb

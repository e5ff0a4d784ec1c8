#include "evaluator/tsdb/integer_packing.h"

#include <algorithm>
#include <array>
#include <bit>

#include "evaluator/tsdb/bit_packing.h"
#include "evaluator/tsdb/column_bytes.h"
#include "evaluator/tsdb/integer_format.h"

namespace skep::tsdb {
namespace {

constexpr unsigned kLevels = 64;
constexpr std::size_t kLeastExceptionBits = 16;

std::size_t VarintBits(unsigned bits) { return std::size_t{8} * ((std::max(bits, 1U) + 6) / 7); }

// How far the differences lie on one side of the pivot: by the number of bits of that distance.
class Side {
 public:
  void Add(std::uint64_t distance) {
    const unsigned level =
        std::min<unsigned>(64U - static_cast<unsigned>(std::countl_zero(distance)), kLevels - 1);
    ++count_[level];
    farthest_[level] = std::max(farthest_[level], distance);
    used_ |= 1ULL << level;
  }

  // Levels that hold something, as bits. Level 0 (the pivot itself) always does.
  std::uint64_t used() const { return used_ | 1; }
  unsigned count(unsigned level) const { return count_[level]; }
  std::uint64_t farthest(unsigned level) const { return farthest_[level]; }

 private:
  std::array<std::uint8_t, kLevels> count_{};
  std::array<std::uint64_t, kLevels> farthest_{};
  std::uint64_t used_ = 0;
};

// One of the middle ones, most likely: the median of seven.
std::int64_t Pivot(std::span<const std::int64_t> differences) {
  std::array<std::int64_t, 7> some;
  for (std::size_t i = 0; i < some.size(); ++i) {
    some[i] = differences[(2 * i + 1) * differences.size() / (2 * some.size())];
  }
  std::nth_element(some.begin(), some.begin() + 3, some.end());
  return some[3];
}

unsigned HighestLevel(std::uint64_t levels) {
  return 63U - static_cast<unsigned>(std::countl_zero(levels));
}

// What the levels above `kept` cost as exceptions beside a width.
std::size_t ExceptionBits(const Side& side, unsigned kept, unsigned width) {
  std::size_t bits = 0;
  const std::uint64_t above = kept + 1 < kLevels ? ~std::uint64_t{0} << (kept + 1) : 0;
  for (std::uint64_t levels = side.used() & above; levels != 0; levels &= levels - 1) {
    const auto level = static_cast<unsigned>(std::countr_zero(levels));
    const unsigned high = level > width ? level - width : 0;
    bits += side.count(level) * (8 + VarintBits(high + 1));
  }
  return bits;
}

// Visits the ways to leave the farthest levels of one side out: visit(level kept, exceptions).
// Stops where the exceptions are too many.
template <typename Visit>
void ForEachCut(const Side& side, unsigned allowed, Visit visit) {
  unsigned exceptions = 0;
  for (std::uint64_t levels = side.used();;) {
    const unsigned level = HighestLevel(levels);
    visit(level, exceptions);
    if (level == 0) return;
    exceptions += side.count(level);
    if (exceptions > allowed) return;
    levels &= ~(1ULL << level);
  }
}

}  // namespace

Packing ChoosePacking(std::span<const std::int64_t> differences) {
  const std::int64_t pivot = Pivot(differences);
  const auto unsigned_pivot = static_cast<std::uint64_t>(pivot);
  Side below, above;
  for (const std::int64_t difference : differences) {
    const auto number = static_cast<std::uint64_t>(difference);
    if (difference < pivot) {
      below.Add(unsigned_pivot - number);
    } else {
      above.Add(number - unsigned_pivot);
    }
  }
  Packing best;
  best.bits = ~std::size_t{0};
  ForEachCut(below, kMaxExceptions, [&](unsigned low, unsigned low_count) {
    const std::uint64_t under = below.farthest(low);
    ForEachCut(above, kMaxExceptions - low_count, [&](unsigned high, unsigned high_count) {
      const std::uint64_t range = under + above.farthest(high);
      const unsigned width = PackedWidth(static_cast<unsigned>(std::bit_width(range)));
      std::size_t bits =
          width * differences.size() + kLeastExceptionBits * (low_count + high_count);
      if (bits >= best.bits) return;
      bits = width * differences.size() + ExceptionBits(below, low, width) +
             ExceptionBits(above, high, width);
      if (bits >= best.bits) return;
      best = {static_cast<std::int64_t>(unsigned_pivot - under), width, low_count + high_count,
              bits};
    });
  });
  best.bits += VarintBits(static_cast<unsigned>(std::bit_width(ZigZag(best.base))));
  return best;
}

}  // namespace skep::tsdb

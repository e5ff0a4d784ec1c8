#include "evaluator/tsdb/integer_column.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "evaluator/tsdb/bit_packing.h"
#include "evaluator/tsdb/integer_format.h"
#include "evaluator/tsdb/integer_packing.h"

namespace skep::tsdb {
namespace {

using Numbers = std::array<std::int64_t, kIntegerBlock>;

std::uint64_t Magnitude(std::int64_t number) {
  const auto bits = static_cast<std::uint64_t>(number);
  return number < 0 ? 0 - bits : bits;
}

// The greatest number that divides all distances from the first; 1 where there is none to gain.
std::int64_t CommonStep(std::span<const std::int64_t> numbers) {
  std::uint64_t step = 0;
  std::int64_t before = numbers.front();
  for (const std::int64_t number : numbers) {
    if (number == before) continue;
    before = number;
    const std::uint64_t distance = Magnitude(Minus(number, numbers.front()));
    step =
        std::has_single_bit(step) && (distance & (step - 1)) == 0 ? step : std::gcd(step, distance);
    if (step == 1) return 1;
  }
  return step == 0 || step > (1ULL << 62) ? 1 : static_cast<std::int64_t>(step);
}

// Distances from `first` in steps.
void InSteps(std::span<const std::int64_t> numbers, std::int64_t first, std::int64_t step,
             std::int64_t* out) {
  if (step == 1) {
    for (const std::int64_t number : numbers) *out++ = Minus(number, first);
  } else if (std::has_single_bit(static_cast<std::uint64_t>(step))) {
    const int shift = std::countr_zero(static_cast<std::uint64_t>(step));
    for (const std::int64_t number : numbers) *out++ = Minus(number, first) >> shift;
  } else {
    for (const std::int64_t number : numbers) *out++ = Minus(number, first) / step;
  }
}

// The differences of one order, and how to pack them.
struct Candidate {
  unsigned order = 0;
  std::int64_t slope = 0;
  std::size_t count = 0;
  Packing packing;
  Numbers differences;
  std::array<std::uint8_t, kIntegerBlock / 8> changed;  // of kChanges: bits

  std::span<const std::int64_t> span() const { return {differences.data(), count}; }
};

void DropZeros(Candidate& out) {
  out.changed.fill(0);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < out.count; ++i) {
    const bool change = out.differences[i] != 0;
    out.changed[i / 8] = static_cast<std::uint8_t>(out.changed[i / 8] | change << (i % 8));
    out.differences[kept] = out.differences[i];
    kept += change;
  }
  out.count = kept;
}

void DifferencesOf(std::span<const std::int64_t> numbers, Candidate& out) {
  out.count = 0;
  if (out.order == kFromFirst) {
    for (const std::int64_t number : numbers.subspan(1)) {
      out.differences[out.count++] = Minus(number, numbers[0]);
    }
    return;
  }
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    out.differences[out.count++] = Minus(numbers[i], numbers[i - 1]);
  }
  if (out.order == kFromBefore) return;
  if (out.order == kChanges) return DropZeros(out);
  out.slope = out.differences[0];
  --out.count;
  for (std::size_t i = 0; i < out.count; ++i) {
    out.differences[i] = Minus(out.differences[i + 1], out.differences[i]);
  }
}

// What is packed, and the places of those that stand apart.
struct Offsets {
  std::array<std::uint64_t, kIntegerBlock> packed;
  std::array<std::uint8_t, kIntegerBlock> apart;
  std::size_t apart_count = 0;
};

void Separate(const Candidate& chosen, Offsets& out) {
  for (std::size_t i = 0; i < chosen.count; ++i) {
    const std::int64_t difference = chosen.differences[i];
    out.packed[i] = chosen.packing.Low(difference);
    out.apart[out.apart_count] = static_cast<std::uint8_t>(i);
    out.apart_count += chosen.packing.High(difference) != 0;
  }
}

void AppendPacked(const Candidate& chosen, std::size_t numbers, std::string& out) {
  const Packing& packing = chosen.packing;
  Offsets offsets;
  Separate(chosen, offsets);
  out.push_back(static_cast<char>(packing.width == 64 ? kWidthCode64 : packing.width));
  out.push_back(static_cast<char>(chosen.order + 4 * offsets.apart_count));
  if (chosen.order == kTwice) AppendSigned(out, chosen.slope);
  if (chosen.order == kChanges) {
    out.append(chosen.changed.begin(),
               chosen.changed.begin() + (static_cast<std::ptrdiff_t>(numbers) + 6) / 8);
  }
  AppendSigned(out, packing.base);
  Pack({offsets.packed.data(), chosen.count}, packing.width, out);
  for (std::size_t i = 0; i < offsets.apart_count; ++i) {
    const std::uint8_t place = offsets.apart[i];
    out.push_back(static_cast<char>(place));
    AppendSigned(out, packing.High(chosen.differences[place]));
  }
}

// What an order costs beside what is packed.
std::size_t OrderBits(unsigned order, std::size_t numbers) {
  if (order == kTwice) return 16;
  return order == kChanges ? numbers : 0;
}

// What tells which orders are worth a try; each try takes some 5 ns a number.
struct Shape {
  std::size_t rises = 0;
  std::size_t falls = 0;
  std::uint64_t swing = 0;  // of the differences: sum of the distances of neighbours, that is
  std::uint64_t width = 0;  // from their mean

  std::size_t changes() const { return rises + falls; }
};

Shape ShapeOf(std::span<const std::int64_t> numbers) {
  Shape shape;
  const auto steps = static_cast<std::int64_t>(numbers.size()) - 1;
  const std::int64_t mean = Minus(numbers.back(), numbers.front()) / steps;
  std::int64_t before = Minus(numbers[1], numbers[0]);
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    const std::int64_t difference = Minus(numbers[i], numbers[i - 1]);
    shape.rises += difference > 0;
    shape.falls += difference < 0;
    shape.swing += Magnitude(Minus(difference, before));
    shape.width += Magnitude(Minus(difference, mean));
    before = difference;
  }
  return shape;
}

// Noise swings 1.4 times as far as it is wide, what speeds up evenly less. A counter leaves its
// first number behind. Zeros are worth a bit each where there are some.
bool Promises(unsigned order, const Shape& shape, std::size_t numbers) {
  if (order == kFromFirst) return shape.rises > 1 && shape.falls > 1;
  if (order == kTwice) return numbers > 2 && shape.swing < shape.width + shape.width / 4;
  if (order == kChanges) return shape.changes() < numbers - numbers / 8;
  return true;
}

// Writes `numbers`, which are in steps, by the cheapest order.
void AppendBlock(std::span<const std::int64_t> numbers, std::string& out) {
  if (numbers.size() == 1) return;
  const Shape shape = ShapeOf(numbers);
  if (shape.changes() == 0) {
    out.push_back(static_cast<char>(kFlatCode));
    return;
  }
  Candidate candidates[2];
  Candidate* best = &candidates[0];
  Candidate* next = &candidates[1];
  best->packing.bits = ~std::size_t{0};
  for (const unsigned order : {kFromBefore, kFromFirst, kTwice, kChanges}) {
    if (!Promises(order, shape, numbers.size())) continue;
    next->order = order;
    DifferencesOf(numbers, *next);
    next->packing = ChoosePacking(next->span());
    next->packing.bits += OrderBits(order, numbers.size());
    if (next->packing.bits < best->packing.bits) std::swap(best, next);
    if (best->packing.bits < numbers.size()) break;  // a bit each
  }
  AppendPacked(*best, numbers.size(), out);
}

}  // namespace

void EncodeIntegers(std::span<const std::int64_t> numbers, std::string& out) {
  const std::int64_t step = CommonStep(numbers);
  AppendVarint(out, static_cast<std::uint64_t>(step));
  AppendSigned(out, numbers.front());
  std::int64_t first = 0;
  Numbers in_steps;
  for (std::size_t at = 0; at < numbers.size(); at += kIntegerBlock) {
    const auto block =
        numbers.subspan(at, std::min<std::size_t>(kIntegerBlock, numbers.size() - at));
    InSteps(block, numbers.front(), step, in_steps.data());
    if (at > 0) AppendSigned(out, Minus(in_steps[0], first));
    first = in_steps[0];
    AppendBlock({in_steps.data(), block.size()}, out);
  }
}

}  // namespace skep::tsdb

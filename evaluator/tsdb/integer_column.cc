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

  std::span<const std::int64_t> span() const { return {differences.data(), count}; }
};

void DifferencesOf(std::span<const std::int64_t> numbers, Candidate& out) {
  out.count = 0;
  if (out.order == 0) {
    for (const std::int64_t number : numbers.subspan(1)) {
      out.differences[out.count++] = Minus(number, numbers[0]);
    }
    return;
  }
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    out.differences[out.count++] = Minus(numbers[i], numbers[i - 1]);
  }
  if (out.order == 1) return;
  out.slope = out.differences[0];
  --out.count;
  for (std::size_t i = 0; i < out.count; ++i) {
    out.differences[i] = Minus(out.differences[i + 1], out.differences[i]);
  }
}

// What is packed, with zeros for those that stand apart, and the places of these.
struct Offsets {
  std::array<std::uint64_t, kIntegerBlock> packed;
  std::array<std::uint8_t, kIntegerBlock> apart;
  std::size_t apart_count = 0;
};

void Separate(const Candidate& chosen, Offsets& out) {
  for (std::size_t i = 0; i < chosen.count; ++i) {
    const std::int64_t difference = chosen.differences[i];
    if (chosen.packing.Holds(difference)) {
      out.packed[i] = static_cast<std::uint64_t>(Minus(difference, chosen.packing.base));
    } else {
      out.packed[i] = 0;
      out.apart[out.apart_count++] = static_cast<std::uint8_t>(i);
    }
  }
}

void AppendPacked(const Candidate& chosen, std::string& out) {
  const Packing& packing = chosen.packing;
  Offsets offsets;
  Separate(chosen, offsets);
  out.push_back(static_cast<char>(packing.width == 64 ? kWidthCode64 : packing.width));
  out.push_back(static_cast<char>(chosen.order + 4 * offsets.apart_count));
  if (chosen.order == 2) AppendSigned(out, chosen.slope);
  AppendSigned(out, packing.base);
  Pack({offsets.packed.data(), chosen.count}, packing.width, out);
  for (std::size_t i = 0; i < offsets.apart_count; ++i) {
    const std::uint8_t place = offsets.apart[i];
    out.push_back(static_cast<char>(place));
    AppendSigned(out, Minus(chosen.differences[place], packing.base));
  }
}

// Writes `numbers`, which are in steps, by the cheapest order.
void AppendBlock(std::span<const std::int64_t> numbers, std::string& out) {
  const auto differs = [&](std::int64_t number) { return number != numbers[0]; };
  if (numbers.size() == 1) return;
  if (std::none_of(numbers.begin(), numbers.end(), differs)) {
    out.push_back(static_cast<char>(kFlatCode));
    return;
  }
  Candidate candidates[2];
  Candidate* best = &candidates[0];
  Candidate* next = &candidates[1];
  best->packing.bits = ~std::size_t{0};
  for (const unsigned order : {1U, 0U, 2U}) {
    if (order == 2 && numbers.size() < 3) break;
    next->order = order;
    DifferencesOf(numbers, *next);
    next->packing = ChoosePacking(next->span());
    if (order == 2) next->packing.bits += 16;
    if (next->packing.bits < best->packing.bits) std::swap(best, next);
    if (best->packing.width == 0) break;
  }
  AppendPacked(*best, out);
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

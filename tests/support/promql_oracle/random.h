// Choices that a seed decides, the same with every standard library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <random>

namespace skep::oracle {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // In [0, bound). Requires: bound > 0.
  std::uint64_t Below(std::uint64_t bound) { return engine_() % bound; }
  // In [low, high].
  std::int64_t Between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(Below(static_cast<std::uint64_t>(high - low + 1)));
  }
  // One time in `n`.
  bool OneIn(std::uint64_t n) { return Below(n) == 0; }
  // In [0, 1).
  double Fraction() { return static_cast<double>(engine_() >> 11U) * 0x1p-53; }

  template <typename Container>
  const auto& Of(const Container& choices) {
    return *std::next(std::begin(choices), static_cast<std::ptrdiff_t>(Below(std::size(choices))));
  }
  const char* Of(std::initializer_list<const char*> choices) {
    return choices.begin()[Below(choices.size())];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace skep::oracle

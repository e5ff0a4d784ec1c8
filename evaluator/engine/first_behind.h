// A step's place among the times of a series.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "common/base/time.h"

namespace skep::engine {

// The first of the times behind `time`, from `begin` on: mostly a few steps away, and half a day at
// the first step.
inline std::size_t FirstBehind(const std::vector<Timestamp>& times, std::size_t begin,
                               Timestamp time) {
  constexpr std::size_t kNear = 16;
  const std::size_t near = std::min(times.size(), begin + kNear);
  while (begin < near && times[begin] <= time) ++begin;
  if (begin < near || near == times.size()) return begin;
  const auto from = times.begin() + static_cast<std::ptrdiff_t>(begin);
  return static_cast<std::size_t>(std::upper_bound(from, times.end(), time) - times.begin());
}

}  // namespace skep::engine

// Where the time comes from. Only cmd makes a SystemClock; everything else is handed a Clock.
#pragma once

#include <chrono>

#include "common/base/time.h"

namespace skep {

// Thread-safe.
class Clock {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  virtual ~Clock() = default;

  // The wall clock, cut to milliseconds. It may jump.
  virtual Timestamp Now() const = 0;

  // For measuring spans: never goes back.
  virtual Steady SteadyNow() const = 0;
};

class SystemClock final : public Clock {
 public:
  Timestamp Now() const override;
  Steady SteadyNow() const override;
};

}  // namespace skep

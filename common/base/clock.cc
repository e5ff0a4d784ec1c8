#include "common/base/clock.h"

namespace skep {

Timestamp SystemClock::Now() const {
  return std::chrono::floor<Duration>(std::chrono::system_clock::now());
}

Clock::Steady SystemClock::SteadyNow() const { return std::chrono::steady_clock::now(); }

}  // namespace skep

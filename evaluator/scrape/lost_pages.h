// How often a store that takes nothing, as with a full disk, is told of: each target's scrape would
// write a line each time.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include "common/base/clock.h"

namespace skep::scrape {

// Thread-safe.
class LostPages {
 public:
  static constexpr auto kSilence = std::chrono::minutes(1);

  // A page was not stored. Gives how many there were since the last time that somebody was told,
  // this one included; 0: too early to tell again.
  std::uint64_t Add(Clock::Steady now) {
    const std::lock_guard lock(mutex_);
    ++lost_;
    if (told_ && now - *told_ < kSilence) return 0;
    told_ = now;
    return std::exchange(lost_, 0);
  }

 private:
  std::mutex mutex_;
  std::optional<Clock::Steady> told_;  // guarded by mutex_
  std::uint64_t lost_ = 0;             // guarded by mutex_; since then
};

}  // namespace skep::scrape

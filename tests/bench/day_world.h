// The samples of a simulated time: targets of many series, of which some are replaced every hour.
// Every value follows from its place, so that whoever reads it back knows what it must be.
#pragma once

#include <cmath>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/hash.h"
#include "common/base/time.h"
#include "common/model/labels.h"

namespace skep::bench {

inline constexpr Duration kDayStep = std::chrono::seconds(15);
inline constexpr int kStepsOfHour = 240;
inline constexpr int kNames = 25;  // of metrics; a target has several series of each

// One target from its first scrape to its last. Steps count from the start; `died` is the step of
// its staleness markers.
struct Life {
  int slot = 0;
  int generation = 0;
  int born = 0;
  int died = INT32_MAX;

  std::string instance() const {
    return "10.0." + std::to_string(slot) + "." + std::to_string(generation) + ":9100";
  }
};

// By name: most are counters, some gauges of two decimals, some have all digits, some stand still.
inline double DayValue(const Life& life, int series, int step) {
  const std::uint64_t key = static_cast<std::uint64_t>(life.slot) * 1'000'003 +
                            static_cast<std::uint64_t>(life.generation) * 7919 +
                            static_cast<std::uint64_t>(series);
  const std::uint64_t noise = MixHash(key, static_cast<std::uint64_t>(step));
  const int kind = series % kNames % 10;
  const auto growth = static_cast<std::uint64_t>(1 + series % 40);
  if (kind < 5) {
    return static_cast<double>(static_cast<std::uint64_t>(step - life.born) * growth +
                               noise % growth);
  }
  if (kind < 7) {
    return std::round((50 + 40 * std::sin(step / 40.0 + series)) * 100) / 100 +
           static_cast<double>(noise % 100) / 100;
  }
  if (kind == 7) return std::sin(static_cast<double>(key) + step / 10.0);
  return series;
}

// Thread-safe.
class World {
 public:
  // `series` in targets of at most 500, at least 10 of them where there are so many.
  World(Timestamp start, int series)
      : start_(start), per_target_(std::max(kNames, std::min(500, series / 10))) {
    for (int slot = 0; slot < std::max(1, series / per_target_); ++slot) lives_.push_back({slot});
    slots_ = static_cast<int>(lives_.size());
  }

  int slots() const { return slots_; }
  int per_target() const { return per_target_; }
  int series_of_name() const { return per_target_ / kNames; }
  // Of the scrape; targets have theirs spread over the step.
  Timestamp TimeOf(int slot, int step) const {
    return start_ + step * kDayStep + Duration(slot * (kDayStep.count() - 1) / slots_);
  }
  // Behind all scrapes of the step and before those of the next.
  Timestamp EndOf(int step) const { return start_ + (step + 1) * kDayStep - Duration(1); }

  Labels LabelsOf(const Life& life, int series) const {
    return {{"__name__", "day_metric_" + std::to_string(series % kNames)},
            {"cluster", "eu-west-1"},
            {"instance", life.instance()},
            {"job", "service-" + std::to_string(life.slot % 20)},
            {"namespace", "production"},
            {"part", std::to_string(series / kNames)}};
  }

  // Ends the target of the slot at `step`: its follower has its first sample in the same scrape.
  Life Replace(const Life& old, int step) {
    const std::lock_guard lock(mutex_);
    for (Life& life : lives_) {
      if (life.slot == old.slot && life.generation == old.generation) life.died = step;
    }
    lives_.push_back({old.slot, old.generation + 1, step});
    return lives_.back();
  }
  std::vector<Life> lives() const {
    const std::lock_guard lock(mutex_);
    return lives_;
  }

 private:
  const Timestamp start_;
  const int per_target_;
  int slots_ = 0;
  mutable std::mutex mutex_;
  std::vector<Life> lives_;  // guarded by mutex_
};

}  // namespace skep::bench

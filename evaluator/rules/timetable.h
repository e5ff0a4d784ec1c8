// When a rule group's rounds are due, and for which time stamps. No clock, no threads, no rules.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/base/time.h"

namespace skep::rules {

// The group's last slot at or before `now`: its times are those with the same remainder by
// `interval`, which comes from a hash of file and name, so that groups do not all run at once.
// Always after 1970 where `now` is. Requires: interval > 0.
Timestamp LastSlot(std::string_view file, std::string_view group, Duration interval, Timestamp now);

// What follows the slot whose round ended at `now`: the next one or, where later ones have begun
// since, the last of those; slots between are missed, not queued.
struct NextSlot {
  Timestamp slot;
  std::int64_t missed = 0;
};
NextSlot SlotAfter(Timestamp slot, Duration interval, Timestamp now);

enum class RoundCause : std::uint8_t { kInterval, kScrape };
// "interval", "scrape".
std::string_view RoundCauseName(RoundCause cause);

struct Turn {
  Timestamp time;  // of the round
  RoundCause cause = RoundCause::kInterval;
};

// A group has a round at each slot. One that goes by scrapes has it when a scrape is visible:
//
//   commits    |  |        ||||   |                                 at most one round in
//   min_spacing, rounds     s  s        s   s  s                  t              what came
//   meanwhile at its end; slots  ----+-----------+-----------+-----------+-----------+    a tick
//   (t) after an interval
//                                                                   without any round
//
// The time of such a round is that of the newest scrape that it is for; where that is not after the
// last round's (a slow target), it is a millisecond after that one. So times rise, but for a wall
// clock that was set back by more than an interval.
//
// All times are the wall clock's. Thread-compatible.
class Timetable {
 public:
  // `min_spacing` empty: scrapes cause no rounds. Requires: interval > 0.
  Timetable(Timestamp first_slot, Duration interval, std::optional<Duration> min_spacing)
      : slot_(first_slot), interval_(interval), min_spacing_(min_spacing) {}

  std::optional<Duration> min_spacing() const { return min_spacing_; }
  void ChangeSpacing(std::optional<Duration> min_spacing);
  // Goes on behind the rounds of a group that this one replaces.
  void Follow(const Timetable& old);

  // A scrape of `time` is visible. Does nothing where scrapes cause no rounds.
  void AddScrape(Timestamp time);
  // When the next turn is to be taken; at or before `now`: at once. Also finds out that the clock
  // was set back.
  Timestamp NextDue(Timestamp now);
  // What is due at `now`, to be run from there on. Empty: nothing, or a slot whose round a scrape
  // had already. Requires: no other turn is under way.
  std::optional<Turn> Take(Timestamp now);
  // The round of a turn ended. Returns how many slots went by without a round since the last call.
  std::int64_t End(const Turn& turn, Timestamp now);

 private:
  Timestamp ScrapeDue(Timestamp now) const;
  Turn TakeScrape(Timestamp now);
  void Advance(Timestamp now);

  Timestamp slot_;  // the next one
  Duration interval_;
  std::optional<Duration> min_spacing_;
  std::optional<Timestamp> waiting_;     // the newest scrape that had no round yet
  std::optional<Timestamp> last_start_;  // when the last round for a scrape began
  std::optional<Timestamp> last_time_;   // of the last round
  std::int64_t missed_ = 0;
};

}  // namespace skep::rules

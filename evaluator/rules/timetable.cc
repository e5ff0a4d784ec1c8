#include "evaluator/rules/timetable.h"

#include <algorithm>
#include <utility>

#include "common/model/labels.h"

namespace skep::rules {
namespace {

// The last time at or before `now` that is a multiple of `interval` away from `slot`.
Timestamp AlignedBefore(Timestamp slot, Duration interval, Timestamp now) {
  const std::int64_t period = interval.count();
  const std::int64_t rest = ((now - slot).count() % period + period) % period;
  return now - Duration(rest);
}

}  // namespace

Timestamp LastSlot(std::string_view file, std::string_view group, Duration interval,
                   Timestamp now) {
  const std::uint64_t hash = Fingerprint(Labels{{"file", file}, {"name", group}});
  const auto offset =
      static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(interval.count()));
  return AlignedBefore(FromMillis(offset), interval, now);
}

NextSlot SlotAfter(Timestamp slot, Duration interval, Timestamp now) {
  const Timestamp next = slot + interval;
  if (next > now) return {next, 0};
  const std::int64_t missed = (now - next) / interval;
  return {next + missed * interval, missed};
}

std::string_view RoundCauseName(RoundCause cause) {
  switch (cause) {
    case RoundCause::kInterval:
      return "interval";
    case RoundCause::kScrape:
      return "scrape";
  }
  return {};
}

void Timetable::ChangeSpacing(std::optional<Duration> min_spacing) {
  min_spacing_ = min_spacing;
  if (!min_spacing_) waiting_.reset();
}

void Timetable::Follow(const Timetable& old) {
  last_start_ = old.last_start_;
  last_time_ = old.last_time_;
  if (min_spacing_) waiting_ = old.waiting_;
}

void Timetable::AddScrape(Timestamp time) {
  if (min_spacing_) waiting_ = std::max(time, waiting_.value_or(time));
}

Timestamp Timetable::NextDue(Timestamp now) {
  if (slot_ > now + interval_) slot_ = AlignedBefore(slot_, interval_, now) + interval_;
  if (last_time_ && *last_time_ > now + interval_) last_time_.reset();
  if (waiting_ && *waiting_ > now + interval_) waiting_ = now;
  return waiting_ ? std::min(slot_, ScrapeDue(now)) : slot_;
}

// Requires: a scrape is waiting.
Timestamp Timetable::ScrapeDue(Timestamp now) const {
  if (!last_start_ || *last_start_ > now) return now;
  return *last_start_ + *min_spacing_;
}

std::optional<Turn> Timetable::Take(Timestamp now) {
  if (NextDue(now) > now) return std::nullopt;
  if (waiting_ && ScrapeDue(now) <= now) return TakeScrape(now);
  if (min_spacing_ && last_time_ && *last_time_ > slot_ - interval_) {
    Advance(now);
    return std::nullopt;
  }
  waiting_.reset();  // this round sees it
  last_time_ = slot_;
  return Turn{slot_, RoundCause::kInterval};
}

Turn Timetable::TakeScrape(Timestamp now) {
  Timestamp time = *std::exchange(waiting_, std::nullopt);
  if (last_time_) time = std::max(time, *last_time_ + Duration(1));
  last_start_ = now;
  last_time_ = time;
  return {time, RoundCause::kScrape};
}

void Timetable::Advance(Timestamp now) {
  const NextSlot next = SlotAfter(slot_, interval_, now);
  slot_ = next.slot;
  missed_ += next.missed;
}

std::int64_t Timetable::End(const Turn& turn, Timestamp now) {
  if (turn.cause == RoundCause::kInterval) Advance(now);
  return std::exchange(missed_, 0);
}

}  // namespace skep::rules

#include "evaluator/rules/alert_table.h"

#include <algorithm>
#include <utility>

namespace skep::rules {
namespace {

bool IsDue(const AlertEntry& entry, Timestamp time, Duration resend_delay) {
  if (entry.state == AlertState::kPending) return false;
  if (!entry.sent_at) return true;
  if (entry.resolved_at && *entry.resolved_at > *entry.sent_at) return true;
  return *entry.sent_at + resend_delay < time;
}

}  // namespace

Status AlertTable::Update(std::vector<SeenAlert> seen, Timestamp time, const Rules& rules) {
  std::sort(seen.begin(), seen.end(),
            [](const SeenAlert& a, const SeenAlert& b) { return a.labels < b.labels; });
  const auto twin = std::adjacent_find(
      seen.begin(), seen.end(),
      [](const SeenAlert& a, const SeenAlert& b) { return a.labels == b.labels; });
  if (twin != seen.end()) {
    return Invalid("vector contains metrics with the same labelset after applying alert labels");
  }
  for (SeenAlert& alert : seen) {
    const auto [at, is_new] = entries_.try_emplace(alert.labels);
    AlertEntry& entry = at->second;
    if (is_new || entry.state == AlertState::kInactive) {
      entry = AlertEntry();
      entry.active_at = time;
    }
    entry.annotations = std::move(alert.annotations);
    entry.value = alert.value;
  }
  // Both are sorted: walk them side by side.
  std::vector<Labels> gone;
  auto next = seen.begin();
  int active = 0;
  for (auto& [labels, entry] : entries_) {
    const bool is_seen = next != seen.end() && next->labels == labels;
    if (is_seen) ++next;
    Step(labels, entry, is_seen, time, rules, gone);
    const bool left = !gone.empty() && gone.back() == labels;
    if (!left && entry.state != AlertState::kInactive) ++active;
  }
  for (const Labels& labels : gone) entries_.erase(labels);
  if (rules.limit > 0 && active > rules.limit) {
    entries_.clear();
    return Invalid("exceeded limit of " + std::to_string(rules.limit) + " with " +
                   std::to_string(active) + " alerts");
  }
  return {};
}

void AlertTable::Step(const Labels& labels, AlertEntry& entry, bool seen, Timestamp time,
                      const Rules& rules, std::vector<Labels>& gone) {
  if (seen) {
    entry.keep_firing_since.reset();
  } else {
    bool keep = false;
    if (entry.state == AlertState::kFiring && rules.keep_firing > Duration::zero()) {
      if (!entry.keep_firing_since) entry.keep_firing_since = time;
      keep = time - *entry.keep_firing_since < rules.keep_firing;
    }
    const bool forgotten = entry.resolved_at && time - *entry.resolved_at > kResolvedRetention;
    if (entry.state == AlertState::kPending || forgotten) gone.push_back(labels);
    if (!keep) {
      if (entry.state != AlertState::kInactive) {
        entry.state = AlertState::kInactive;
        entry.resolved_at = time;
      }
      return;
    }
  }
  if (entry.state == AlertState::kPending && time - entry.active_at >= rules.hold) {
    entry.state = AlertState::kFiring;
    entry.fired_at = time;
  }
}

std::vector<Alert> AlertTable::TakeDue(Timestamp time, Duration resend_delay, Duration interval,
                                       const std::string& generator_url) {
  // Two rounds or two requests may fail before the alert counts as resolved.
  const Timestamp valid_until = time + 4 * std::max(resend_delay, interval);
  std::vector<Alert> due;
  for (auto& [labels, entry] : entries_) {
    if (!IsDue(entry, time, resend_delay)) continue;
    entry.sent_at = time;
    due.push_back({labels, entry.annotations, entry.fired_at.value_or(entry.active_at),
                   entry.resolved_at.value_or(valid_until), generator_url});
  }
  return due;
}

AlertState AlertTable::state() const {
  AlertState highest = AlertState::kInactive;
  for (const auto& [labels, entry] : entries_) highest = std::max(highest, entry.state);
  return highest;
}

std::vector<AlertStatus> AlertTable::Active() const {
  std::vector<AlertStatus> active;
  for (const auto& [labels, entry] : entries_) {
    if (entry.state == AlertState::kInactive) continue;
    active.push_back({labels, entry.annotations, entry.state, entry.value, entry.active_at,
                      entry.keep_firing_since});
  }
  return active;
}

}  // namespace skep::rules

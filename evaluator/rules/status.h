// What rules tell of themselves: for /api/v1/rules and /api/v1/alerts, the page and tests.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "common/model/labels.h"
#include "evaluator/rules/rule_file.h"
#include "evaluator/rules/timetable.h"

namespace skep::rules {

enum class AlertState : std::uint8_t { kInactive, kPending, kFiring };
// "inactive", "pending", "firing".
std::string_view AlertStateName(AlertState state);

enum class Health : std::uint8_t { kUnknown, kOk, kError };
// "unknown", "ok", "err".
std::string_view HealthName(Health health);

// One pending or firing alert.
struct AlertStatus {
  Labels labels;       // alertname included
  Labels annotations;  // expanded
  AlertState state = AlertState::kPending;
  double value = 0;
  Timestamp active_at;
  std::optional<Timestamp> keep_firing_since;  // set while only keep_firing_for holds it
};

struct RuleStatus {
  RuleDefinition definition;
  Health health = Health::kUnknown;
  std::string last_error;  // "" where there is none
  std::chrono::nanoseconds evaluation_time{0};
  std::optional<Timestamp> last_evaluation;  // wall clock; empty: never
  // Of an alerting rule only.
  AlertState state = AlertState::kInactive;  // the highest of its alerts
  std::vector<AlertStatus> alerts;           // by label set
};

// Rounds so far, by what caused them.
struct RoundCounts {
  std::uint64_t by_interval = 0;
  std::uint64_t by_scrape = 0;

  std::uint64_t& Of(RoundCause cause) {
    return cause == RoundCause::kScrape ? by_scrape : by_interval;
  }
};

struct GroupStatus {
  std::string name;
  std::string file;
  Duration interval{0};
  Duration query_offset{0};
  int limit = 0;
  std::chrono::nanoseconds evaluation_time{0};
  std::optional<Timestamp> last_evaluation;  // wall clock
  RoundCounts rounds;
  std::optional<Duration> min_spacing;  // empty: scrapes cause no rounds
  std::vector<RuleStatus> rules;
};

}  // namespace skep::rules

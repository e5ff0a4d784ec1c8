// The alerts of one rule and how they change: a pure state machine without query, clock or I/O.
//
//              seen                 seen for `hold`
//   (none) ------------> pending -------------------> firing <--+
//      ^                    | not seen                  |  |    | not seen, but keep_firing
//      +--------------------+              not seen     |  +----+ has not passed
//      ^                                                v
//      +----------------- after 15 minutes --------- inactive (resolved; sent until then)
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/model/alert.h"
#include "common/model/labels.h"
#include "evaluator/rules/status.h"

namespace skep::rules {

// How long a resolved alert is kept and told again.
constexpr Duration kResolvedRetention = std::chrono::minutes(15);

struct AlertEntry {
  Labels annotations;
  double value = 0;
  AlertState state = AlertState::kPending;
  Timestamp active_at;
  std::optional<Timestamp> fired_at, resolved_at, sent_at, keep_firing_since;
};

// What a round saw of one alert.
struct SeenAlert {
  Labels labels;  // alertname included
  Labels annotations;
  double value = 0;
};

// Thread-compatible. A copy is independent.
class AlertTable {
 public:
  struct Rules {
    Duration hold{0};
    Duration keep_firing{0};
    int limit = 0;  // most pending and firing alerts; 0: none
  };

  // One round at `time`. Errors, before which nothing changes: two of `seen` have the same labels.
  // Over the limit is an error that forgets every alert, as in Prometheus.
  Status Update(std::vector<SeenAlert> seen, Timestamp time, const Rules& rules);

  // Firing and resolved alerts that are due, marked as sent at `time`.
  std::vector<Alert> TakeDue(Timestamp time, Duration resend_delay, Duration interval,
                             const std::string& generator_url);

  // Keyed by label set; resolved ones among them.
  const std::map<Labels, AlertEntry>& entries() const { return entries_; }
  std::map<Labels, AlertEntry>& entries() { return entries_; }

  // The highest state of all.
  AlertState state() const;
  // Pending and firing ones.
  std::vector<AlertStatus> Active() const;

 private:
  void Step(const Labels& labels, AlertEntry& entry, bool seen, Timestamp time, const Rules& rules,
            std::vector<Labels>& gone);

  std::map<Labels, AlertEntry> entries_;
};

}  // namespace skep::rules

// The budget of AI launches that all claude-flow daemons of one user share: bytes in, records out.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "exporter/stores/reading.h"

namespace skep::stores {

// ai-budget.json. Files of claude-flow hold the paths of workspaces and reasons as text: neither is
// kept.
struct BudgetLedger {
  struct Active {
    Timestamp since;
    std::int64_t pid = 0;
  };
  std::vector<Timestamp> launches;  // of the last day
  std::vector<Active> active;
  // Milliseconds since 1970; a time far away stands for "until somebody resumes".
  std::optional<double> paused_until_millis;
};
Reading<BudgetLedger> ParseBudgetLedger(std::string_view bytes);

// What of a ledger holds at `now`, as claude-flow itself counts it.
struct BudgetUse {
  enum class Pause : std::uint8_t { kNone, kQuota, kManual };
  double launches_last_hour = 0;
  double launches_last_day = 0;
  double active = 0;
  Pause pause = Pause::kNone;
  std::optional<Timestamp> paused_until;  // not of a manual pause
};
// A reservation counts for 30 minutes and while its process lives.
BudgetUse UseOf(const BudgetLedger& ledger, Timestamp now,
                const std::function<bool(std::int64_t pid)>& is_alive);

// One line of ai-budget-receipts.jsonl.
struct BudgetReceipt {
  enum class Event : std::uint8_t {
    kLaunch,
    kUsage,
    kDeny,
    kQuotaPause,
    kManualPause,
    kManualResume
  };
  Event event = Event::kLaunch;
  Timestamp at;
  std::string worker;
  std::string model;
  std::string_view reason;                 // of a denial: a word of swarm::DenialWord
  std::optional<double> duration_seconds;  // of a usage
};
// kSchema: an event of another kind, or without a time.
Reading<BudgetReceipt> ParseBudgetReceipt(std::string_view line);

// One line of .swarm/model-router-trajectories.jsonl.
struct TrajectoryRecord {
  Timestamp at;
  bool success = false;
  std::optional<double> input_tokens;
  std::optional<double> output_tokens;
  std::optional<double> cost_usd;
};
// kSchema: a line of another type, or without a time.
Reading<TrajectoryRecord> ParseTrajectory(std::string_view line);

// One line of .claude-flow/logs/daemon.log that says that a worker waits.
struct DeferralRecord {
  Timestamp at;
  std::string worker;
  std::string_view reason;  // a word of swarm::DeferralWord
};
// Nothing for every other line.
std::optional<DeferralRecord> ParseDeferral(std::string_view line);
// The time that a line of daemon.log begins with.
std::optional<Timestamp> ParseLogTime(std::string_view line);

}  // namespace skep::stores

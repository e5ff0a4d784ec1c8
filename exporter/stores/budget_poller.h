// The AI budget of a user, read round by round and published.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "exporter/stores/ai_budget.h"
#include "exporter/stores/claude_flow_json.h"
#include "exporter/stores/options.h"
#include "exporter/stores/process_census.h"
#include "exporter/stores/sinks.h"
#include "exporter/stores/source_report.h"

namespace skep::stores {

// Thread-compatible. Source `ai_budget`, without a workspace: it is all daemons' together.
class BudgetPoller {
 public:
  BudgetPoller(AiBudgetOptions options, const Sinks& sinks);

  // One round. `is_alive`: whether there is a process of that number.
  void Poll(const Round& round, const std::function<bool(std::int64_t pid)>& is_alive);
  void Forget();

  const AiBudgetOptions& options() const { return options_; }
  // Remembered jobs by worker; null where they cannot be told.
  const std::map<std::string, double>* jobs(const Round& round) const { return jobs_.value(round); }

 private:
  void Publish(const Round& round, const std::function<bool(std::int64_t pid)>& is_alive);
  void Lose();
  swarm::AiBudget BudgetAt(const Round& round,
                           const std::function<bool(std::int64_t pid)>& is_alive) const;
  void CountReceipt(std::string_view line, state::Changes& changes) const;

  const AiBudgetOptions options_;
  const Sinks& sinks_;
  const swarm::SourceKey key_{.workspace = "", .source = "ai_budget"};
  StoreFile<BudgetLedger> ledger_;
  StoreFile<std::map<std::string, double>> jobs_;
  SourceReport report_;
  bool known_ = false;  // it was there in an earlier round
};

}  // namespace skep::stores

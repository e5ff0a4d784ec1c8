// Counters of claude-flow's stores that no other source has.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "common/base/result.h"
#include "exporter/state/store.h"
#include "exporter/swarm/words.h"

namespace skep::stores {

// Immutable; all functions are called inside Store::Update.
class StoreFamilies {
 public:
  // Defines all families.
  static Result<StoreFamilies> Define(state::Store& store);

  // component_check_failures_total{component,reason}.
  void CheckFailed(state::Changes& changes, std::string_view workspace, std::string_view component,
                   std::string_view reason) const;
  // swarm_mcp_check_failures_total{reason}.
  void McpFailed(state::Changes& changes, std::string_view workspace,
                 std::string_view reason) const;
  // swarm_task_outcomes_total{outcome}, swarm_task_quality_ratio.
  void TaskOutcome(state::Changes& changes, std::string_view workspace, swarm::Outcome outcome,
                   std::optional<double> quality) const;
  // swarm_policy_decisions_total{outcome}: allowed, denied, approval_required, or other.
  void PolicyDecision(state::Changes& changes, std::string_view workspace, std::string_view outcome,
                      double times) const;
  // swarm_router_outcomes_total{outcome}, swarm_router_tokens_total{token_type},
  // swarm_router_cost_usd_total.
  struct Routed {
    bool ok = false;
    std::optional<double> input_tokens;
    std::optional<double> output_tokens;
    std::optional<double> cost_usd;
  };
  void RouterOutcome(state::Changes& changes, std::string_view workspace,
                     const Routed& routed) const;

 private:
  StoreFamilies() = default;

  state::FamilyId check_failures_ = 0;
  state::FamilyId mcp_failures_ = 0;
  state::FamilyId outcomes_ = 0;
  state::FamilyId quality_ = 0;
  state::FamilyId decisions_ = 0;
  state::FamilyId router_outcomes_ = 0;
  state::FamilyId router_tokens_ = 0;
  state::FamilyId router_cost_ = 0;
};

}  // namespace skep::stores

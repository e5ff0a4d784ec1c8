#include "exporter/stores/store_families.h"

#include <array>
#include <utility>

namespace skep::stores {
namespace {

using exposition::MetricType;
using state::LabelView;

state::FamilySpec Counter(std::string name, std::string help,
                          std::vector<std::string> closed_labels) {
  return {.name = std::move(name),
          .help = std::move(help),
          .type = MetricType::kCounter,
          .closed_labels = std::move(closed_labels)};
}

state::FamilySpec Quality() {
  return {.name = "swarm_task_quality_ratio",
          .help = "Quality of finished tasks as hooks told it, 0 to 1.",
          .type = MetricType::kHistogram,
          .bounds = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1}};
}

std::string_view DecisionWord(std::string_view outcome) {
  for (std::string_view known : {"allowed", "approval_required", "denied"}) {
    if (outcome == known) return known;
  }
  return "other";
}

}  // namespace

Result<StoreFamilies> StoreFamilies::Define(state::Store& store) {
  StoreFamilies families;
  const std::array<std::pair<state::FamilyId*, state::FamilySpec>, 8> specs{
      {{&families.check_failures_,
        Counter("component_check_failures_total",
                "Checks of a component of claude-flow that failed.", {"component", "reason"})},
       {&families.mcp_failures_,
        Counter("swarm_mcp_check_failures_total",
                "Questions to an MCP server that it did not answer in order.", {"reason"})},
       {&families.outcomes_,
        Counter("swarm_task_outcomes_total", "Tasks that hooks told the outcome of.", {"outcome"})},
       {&families.quality_, Quality()},
       {&families.decisions_, Counter("swarm_policy_decisions_total",
                                      "Tool calls by what the policy decided.", {"outcome"})},
       {&families.router_outcomes_,
        Counter("swarm_router_outcomes_total", "Calls of routed models by how they ended.",
                {"outcome"})},
       {&families.router_tokens_,
        Counter("swarm_router_tokens_total", "Tokens of routed calls.", {"token_type"})},
       {&families.router_cost_,
        Counter("swarm_router_cost_usd_total", "Cost of routed calls in US dollars.", {})}}};
  for (const auto& [id, spec] : specs) {
    Result<state::FamilyId> defined = store.Define(spec);
    if (!defined) return defined.error();
    *id = *defined;
  }
  return families;
}

void StoreFamilies::CheckFailed(state::Changes& changes, std::string_view workspace,
                                std::string_view component, std::string_view reason) const {
  const std::array<LabelView, 3> labels{
      {{"component", component}, {"reason", reason}, {"workspace", workspace}}};
  changes.Add(check_failures_, labels, 1);
}

void StoreFamilies::McpFailed(state::Changes& changes, std::string_view workspace,
                              std::string_view reason) const {
  const std::array<LabelView, 2> labels{{{"reason", reason}, {"workspace", workspace}}};
  changes.Add(mcp_failures_, labels, 1);
}

void StoreFamilies::TaskOutcome(state::Changes& changes, std::string_view workspace,
                                swarm::Outcome outcome, std::optional<double> quality) const {
  const std::array<LabelView, 2> labels{
      {{"outcome", outcome == swarm::Outcome::kOk ? "success" : "failure"},
       {"workspace", workspace}}};
  changes.Add(outcomes_, labels, 1);
  const std::array<LabelView, 1> place{{{"workspace", workspace}}};
  if (quality) changes.Observe(quality_, place, *quality);
}

void StoreFamilies::PolicyDecision(state::Changes& changes, std::string_view workspace,
                                   std::string_view outcome, double times) const {
  const std::array<LabelView, 2> labels{
      {{"outcome", DecisionWord(outcome)}, {"workspace", workspace}}};
  changes.Add(decisions_, labels, times);
}

void StoreFamilies::RouterOutcome(state::Changes& changes, std::string_view workspace,
                                  const Routed& routed) const {
  const std::array<LabelView, 2> labels{
      {{"outcome", routed.ok ? "success" : "failure"}, {"workspace", workspace}}};
  changes.Add(router_outcomes_, labels, 1);
  for (const auto& [type, tokens] :
       {std::pair("input", routed.input_tokens), std::pair("output", routed.output_tokens)}) {
    const std::array<LabelView, 2> token{{{"token_type", type}, {"workspace", workspace}}};
    if (tokens) changes.Add(router_tokens_, token, *tokens);
  }
  const std::array<LabelView, 1> place{{{"workspace", workspace}}};
  if (routed.cost_usd) changes.Add(router_cost_, place, *routed.cost_usd);
}

}  // namespace skep::stores

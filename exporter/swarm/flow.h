// What happens in swarms, as counters and histograms of the state store. Who knows that something
// happened (OTLP, hooks, events, stores of files) tells it here once; names, labels, buckets and
// caps are nobody else's knowledge.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "common/base/result.h"
#include "exporter/state/store.h"
#include "exporter/swarm/words.h"

namespace skep::swarm {

// So many values of a label; further ones are counted as "other".
struct FlowLimits {
  std::size_t agent_types = 50;
  std::size_t tools = 100;
  std::size_t models = 30;
  std::size_t query_sources = 20;
  std::size_t task_types = 50;
  std::size_t workers = 30;
  std::size_t workspaces = 100;
  std::size_t components = 50;
};

// Whose it is. "" leaves the label out.
struct Place {
  std::string_view workspace = {};  // the configured short name; never a path or an id
  std::string_view
      source;  // claude_flow_v3, claude_flow_v2, ruv_swarm, novice, claude_code, events
};

// One request to a model, with all its tries. Absent means not known, and is not counted as 0. Of
// errors neither time is counted: a refusal is fast and would hide how slow answers are.
struct LlmRequest {
  std::string_view model = {};         // "": "unknown"
  std::string_view agent_type = {};    // "": "unknown"; the session itself, no subagent: "main"
  std::string_view query_source = {};  // "": left out
  bool ok = true;
  // Of an error: "429"; "" where none was told ("none").
  std::string_view status_code = {};
  std::optional<double> seconds = {};
  std::optional<double> first_token_seconds = {};
};

struct LlmTokens {
  std::string_view model = {};
  std::string_view agent_type = {};
  // As the provider bills: none of them holds another.
  double input = 0;
  double output = 0;
  double cache_read = 0;
  double cache_creation = 0;
};

struct ToolCall {
  std::string_view tool = {};
  std::string_view agent_type = {};
  bool ok = true;
  std::optional<double> seconds = {};
};

struct SubagentRun {
  std::string_view agent_type = {};
  bool ok = true;
  std::optional<double> seconds = {};
  std::optional<double> tokens = {};
};

struct WorkerRuns {
  std::string_view worker = {};
  Outcome outcome = Outcome::kOk;
  double times = 1;
};

// A task that has ended; `seconds` from its start to its end.
struct TaskEnd {
  std::string_view task_type = {};
  std::string_view outcome = {};  // completed, failed or cancelled
  std::optional<double> seconds = {};
};

enum class BreakerState : std::uint8_t { kClosed, kOpen };

// Immutable; all functions are called inside Store::Update. Texts become labels as they are:
// callers pass types, never ids or texts of users. Values that are no measurement (negative, NaN)
// are refused and counted by the store.
class Flow {
 public:
  // Defines all families.
  static Result<std::unique_ptr<Flow>> Define(state::Store& store, const FlowLimits& limits = {});
  ~Flow();

  // swarm_llm_requests_total, swarm_llm_errors_total, swarm_llm_request_duration_seconds,
  // swarm_llm_time_to_first_token_seconds.
  void Record(state::Changes& changes, const LlmRequest& request) const;
  // swarm_llm_tokens_total; zeros make no series.
  void Record(state::Changes& changes, const LlmTokens& tokens) const;
  // swarm_llm_cost_usd_total.
  void LlmCost(state::Changes& changes, std::string_view model, std::string_view agent_type,
               double usd) const;
  // swarm_llm_retries_exhausted_total.
  void LlmRetriesExhausted(state::Changes& changes, std::string_view model,
                           std::string_view status_code) const;
  // retries_total{component,outcome="success|failure"}: tries after the first, by what came of
  // them in the end.
  void Retries(state::Changes& changes, std::string_view component, Outcome outcome,
               double times) const;

  // swarm_tool_calls_total{outcome="ok|error"}, swarm_tool_duration_seconds.
  void Record(state::Changes& changes, const ToolCall& call) const;
  // swarm_tool_decisions_total{tool,decision}.
  void ToolDecision(state::Changes& changes, std::string_view tool,
                    std::string_view decision) const;
  // swarm_tool_loops_total{tool}: an agent went into a loop.
  void ToolLoop(state::Changes& changes, std::string_view tool) const;

  // swarm_subagent_runs_total, swarm_subagent_duration_seconds, swarm_subagent_tokens.
  void Record(state::Changes& changes, const SubagentRun& run) const;
  // swarm_subagent_tokens alone, where the run is counted otherwise.
  void SubagentTokens(state::Changes& changes, std::string_view agent_type, double tokens) const;
  // swarm_agent_spawn_duration_seconds: from the request for an agent until it runs.
  void AgentSpawnTook(state::Changes& changes, std::string_view agent_type, double seconds) const;
  // swarm_compactions_total{trigger,outcome}.
  void Compaction(state::Changes& changes, std::string_view trigger, Outcome outcome) const;
  // swarm_mcp_connections_total{transport,outcome}.
  void McpConnection(state::Changes& changes, std::string_view transport, Outcome outcome) const;
  // swarm_session_events_total{event}: session_start, prompt, stop, stop_failure, session_end,
  // teammate_idle, permission_denied, pre_compact, refusal, internal_error; another word is
  // "other".
  void SessionEvent(state::Changes& changes, std::string_view event) const;

  // swarm_task_transitions_total{to}: a word of TaskStatusWord.
  void TaskTransition(state::Changes& changes, Place place, std::string_view task_type,
                      std::string_view to) const;
  // swarm_tasks_finished_total{outcome}, and with `seconds`
  // swarm_task_duration_seconds.
  void Record(state::Changes& changes, Place place, const TaskEnd& task) const;
  // swarm_task_queue_seconds: creation to start.
  void TaskQueued(state::Changes& changes, Place place, std::string_view task_type,
                  double seconds) const;
  // swarm_agent_spawns_total, swarm_agent_terminations_total.
  void AgentSpawned(state::Changes& changes, Place place, std::string_view agent_type) const;
  void AgentTerminated(state::Changes& changes, Place place, std::string_view agent_type) const;

  // swarm_worker_runs_total{outcome="success|failure"}.
  void Record(state::Changes& changes, Place place, const WorkerRuns& runs) const;
  // swarm_worker_deferrals_total{reason}: a word of DeferralWord.
  void WorkerDeferred(state::Changes& changes, Place place, std::string_view worker,
                      std::string_view reason) const;
  // swarm_ai_launches_total{worker,model}, swarm_ai_launch_denials_total{reason} (a word of
  // DenialWord), swarm_ai_quota_pauses_total, swarm_ai_launch_duration_seconds{worker}.
  void AiLaunch(state::Changes& changes, Place place, std::string_view worker,
                std::string_view model) const;
  void AiLaunchDenied(state::Changes& changes, Place place, std::string_view reason) const;
  void AiQuotaPause(state::Changes& changes, Place place) const;
  void AiLaunchTook(state::Changes& changes, Place place, std::string_view worker,
                    double seconds) const;

  // circuit_breaker_open{component}, circuit_breaker_trips_total{component}.
  void CircuitBreaker(state::Changes& changes, std::string_view component,
                      BreakerState state) const;
  void CircuitBreakerGone(state::Changes& changes, std::string_view component) const;
  void CircuitBreakerTrips(state::Changes& changes, std::string_view component, double times) const;

  // swarm_pushed_evictions_total{kind="agent|task"}: there was no room for all that is reported.
  void PushedEvictions(state::Changes& changes, std::string_view kind, double times) const;

  // swarm_source_read_errors_total{reason}: missing, empty, truncated, schema, permission, locked,
  // encrypted, corrupt, too_large, timeout, io; another word is "other".
  void ReadError(state::Changes& changes, Place place, std::string_view reason) const;

 private:
  struct Families;
  explicit Flow(std::unique_ptr<const Families> families);
  std::unique_ptr<const Families> families_;
};

}  // namespace skep::swarm

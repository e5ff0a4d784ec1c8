#include "exporter/swarm/flow.h"

#include <array>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "exporter/swarm/words.h"

namespace skep::swarm {
namespace {

using exposition::MetricType;
using state::FamilyId;
using state::FamilySpec;

// Of GenAI conventions: 10 ms, doubled thirteen times.
std::vector<double> LlmBounds() {
  return {0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92};
}
std::vector<double> TaskBounds() { return {1, 5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600}; }
// 3 s is the target for the start of an agent.
std::vector<double> SpawnBounds() { return {0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 30, 60}; }
std::vector<double> ToolBounds() {
  return {0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600};
}
std::vector<double> TokenBounds() {
  return {256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304};
}

// Labels of one series, at most six, kept in order of their names; empty values are left out.
class Labels {
 public:
  Labels(std::initializer_list<state::LabelView> labels) {
    for (const state::LabelView& label : labels) {
      if (!label.second.empty()) Insert(label);
    }
  }

  // Valid as long as this and the texts.
  operator state::LabelsView() const { return {labels_.data(), size_}; }  // NOLINT: implicit

 private:
  void Insert(const state::LabelView& label) {
    std::size_t at = size_++;
    for (; at > 0 && labels_[at - 1].first > label.first; --at) labels_[at] = labels_[at - 1];
    labels_[at] = label;
  }

  std::array<state::LabelView, 6> labels_;
  std::size_t size_ = 0;
};

std::string_view OrNone(std::string_view text) { return text.empty() ? "none" : text; }
std::string_view RunOutcome(Outcome outcome) {
  return outcome == Outcome::kOk ? "success" : "failure";
}

std::string_view SessionEventWord(std::string_view event) {
  static constexpr std::array<std::string_view, 10> kWords = {
      "pre_compact",  "session_start", "prompt",        "stop",
      "stop_failure", "session_end",   "teammate_idle", "permission_denied",
      "refusal",      "internal_error"};
  for (const std::string_view word : kWords) {
    if (word == event) return word;
  }
  return "other";
}

std::string_view ReadErrorWord(std::string_view reason) {
  static constexpr std::array<std::string_view, 11> kWords = {
      "missing",   "empty",   "truncated", "schema",  "permission", "locked",
      "encrypted", "corrupt", "too_large", "timeout", "io"};
  for (const std::string_view word : kWords) {
    if (word == reason) return word;
  }
  return "other";
}

// Three digits as they are; anything else would be a label of the sender's fancy.
std::string_view StatusCodeWord(std::string_view code) {
  if (code.empty()) return "none";
  if (code.size() != 3) return "other";
  for (const char c : code) {
    if (c < '0' || c > '9') return "other";
  }
  return code;
}

}  // namespace

struct Flow::Families {
  FamilyId llm_requests = 0;
  FamilyId llm_errors = 0;
  FamilyId llm_seconds = 0;
  FamilyId llm_first_token = 0;
  FamilyId llm_tokens = 0;
  FamilyId llm_cost = 0;
  FamilyId llm_exhausted = 0;
  FamilyId retries = 0;
  FamilyId tool_calls = 0;
  FamilyId tool_seconds = 0;
  FamilyId tool_decisions = 0;
  FamilyId tool_loops = 0;
  FamilyId subagent_runs = 0;
  FamilyId subagent_seconds = 0;
  FamilyId subagent_tokens = 0;
  FamilyId spawn_seconds = 0;
  FamilyId compactions = 0;
  FamilyId mcp_connections = 0;
  FamilyId session_events = 0;
  FamilyId task_transitions = 0;
  FamilyId tasks_finished = 0;
  FamilyId task_seconds = 0;
  FamilyId task_queue = 0;
  FamilyId agent_spawns = 0;
  FamilyId agent_terminations = 0;
  FamilyId worker_runs = 0;
  FamilyId worker_deferrals = 0;
  FamilyId ai_launches = 0;
  FamilyId ai_denials = 0;
  FamilyId ai_quota_pauses = 0;
  FamilyId ai_seconds = 0;
  FamilyId breaker_open = 0;
  FamilyId breaker_trips = 0;
  FamilyId pushed_evictions = 0;
  FamilyId read_errors = 0;
};

namespace {

// Defines one family after the other and keeps the first error.
// More tokens or dollars at once, or more seconds, nobody can mean.
constexpr double kMaxCounted = 1e12;
constexpr double kMaxObserved = 1e9;

class Definer {
 public:
  Definer(state::Store& store, const FlowLimits& limits) : store_(store), limits_(limits) {}

  void Counter(FamilyId& id, std::string name, std::string help, std::size_t max_series = 1000) {
    Define(id, {.name = std::move(name),
                .help = std::move(help),
                .max_series = max_series,
                .max_change = kMaxCounted});
  }

  void Histogram(FamilyId& id, std::string name, std::string help, std::vector<double> bounds) {
    Define(id, {.name = std::move(name),
                .help = std::move(help),
                .type = MetricType::kHistogram,
                .bounds = std::move(bounds),
                .max_change = kMaxObserved});
  }

  void Gauge(FamilyId& id, std::string name, std::string help) {
    Define(id, {.name = std::move(name), .help = std::move(help), .type = MetricType::kGauge});
  }

  Status status() const { return error_ ? Status(*error_) : Status(); }

 private:
  void Define(FamilyId& id, FamilySpec spec) {
    spec.closed_labels = {"outcome", "token_type", "to",    "reason",     "decision",
                          "source",  "trigger",    "event", "status_code"};
    spec.max_values = {{"agent_type", limits_.agent_types}, {"tool", limits_.tools},
                       {"model", limits_.models},           {"query_source", limits_.query_sources},
                       {"task_type", limits_.task_types},   {"worker", limits_.workers},
                       {"workspace", limits_.workspaces},   {"component", limits_.components}};
    Result<FamilyId> defined = store_.Define(std::move(spec));
    if (defined) {
      id = *defined;
    } else if (!error_) {
      error_ = defined.error();
    }
  }

  state::Store& store_;
  const FlowLimits& limits_;
  std::optional<Error> error_;
};

}  // namespace

Flow::Flow(std::unique_ptr<const Families> families) : families_(std::move(families)) {}
Flow::~Flow() = default;

namespace {

template <typename Families>
void DefineLlm(Definer& define, Families& f) {
  define.Counter(f.llm_requests, "swarm_llm_requests_total",
                 "Requests to models that have ended, with all their tries.", 4000);
  define.Counter(f.llm_errors, "swarm_llm_errors_total",
                 "Requests to models that ended in an error, by HTTP status.");
  define.Histogram(f.llm_seconds, "swarm_llm_request_duration_seconds",
                   "Duration of requests to models that succeeded.", LlmBounds());
  define.Histogram(f.llm_first_token, "swarm_llm_time_to_first_token_seconds",
                   "Time from a request until the first token of the answer.", LlmBounds());
  define.Counter(f.llm_tokens, "swarm_llm_tokens_total",
                 "Tokens by kind; input does not hold what was read from or put into the cache.",
                 4000);
  define.Counter(f.llm_cost, "swarm_llm_cost_usd_total",
                 "Cost of requests to models in US dollars, as the client reckons it.", 2000);
  define.Counter(f.llm_exhausted, "swarm_llm_retries_exhausted_total",
                 "Requests to models that were given up after several tries.");
  define.Counter(f.retries, "retries_total", "What was tried again.");
}

template <typename Families>
void DefineTools(Definer& define, Families& f) {
  define.Counter(f.tool_calls, "swarm_tool_calls_total", "Calls of tools by agents.", 5000);
  define.Histogram(f.tool_seconds, "swarm_tool_duration_seconds", "Duration of calls of tools.",
                   ToolBounds());
  define.Counter(f.tool_decisions, "swarm_tool_decisions_total",
                 "Whether calls of tools were allowed.");
  define.Counter(f.tool_loops, "swarm_tool_loops_total",
                 "Agents that called the same tool with the same outcome again and again.");
  define.Counter(f.subagent_runs, "swarm_subagent_runs_total", "Subagents that have ended.");
  define.Histogram(f.subagent_seconds, "swarm_subagent_duration_seconds", "How long subagents ran.",
                   TaskBounds());
  define.Histogram(f.subagent_tokens, "swarm_subagent_tokens", "Tokens that a subagent used.",
                   TokenBounds());
  define.Histogram(f.spawn_seconds, "swarm_agent_spawn_duration_seconds",
                   "Time from the request for an agent until it runs.", SpawnBounds());
  define.Counter(f.compactions, "swarm_compactions_total", "Compactions of an agent's context.");
  define.Counter(f.mcp_connections, "swarm_mcp_connections_total",
                 "Connections of agents to MCP servers.");
  define.Counter(f.session_events, "swarm_session_events_total",
                 "What happened in sessions of agents.");
}

template <typename Families>
void DefineWork(Definer& define, Families& f) {
  define.Counter(f.task_transitions, "swarm_task_transitions_total",
                 "Tasks that came into a status.", 4000);
  define.Counter(f.tasks_finished, "swarm_tasks_finished_total", "Tasks that have ended.", 4000);
  define.Histogram(f.task_seconds, "swarm_task_duration_seconds",
                   "Time from a task's start to its end, where its source tells both.",
                   TaskBounds());
  define.Histogram(f.task_queue, "swarm_task_queue_seconds",
                   "Time from a task's creation to its start.", TaskBounds());
  define.Counter(f.agent_spawns, "swarm_agent_spawns_total", "Agents that were created.", 2000);
  define.Counter(f.agent_terminations, "swarm_agent_terminations_total", "Agents that ended.",
                 2000);
  define.Counter(f.worker_runs, "swarm_worker_runs_total", "Runs of a daemon's workers.");
  define.Counter(f.worker_deferrals, "swarm_worker_deferrals_total",
                 "Runs of a daemon's workers that were put off.");
}

template <typename Families>
void DefineBudget(Definer& define, Families& f) {
  define.Counter(f.ai_launches, "swarm_ai_launches_total", "Launches of AI by a daemon.");
  define.Counter(f.ai_denials, "swarm_ai_launch_denials_total",
                 "Launches of AI that the budget did not allow.");
  define.Counter(f.ai_quota_pauses, "swarm_ai_quota_pauses_total",
                 "Pauses of launches because the provider's quota was used up.");
  define.Histogram(f.ai_seconds, "swarm_ai_launch_duration_seconds",
                   "How long AI runs of a daemon took.", TaskBounds());
  define.Gauge(f.breaker_open, "circuit_breaker_open", "Whether the circuit breaker is open.");
  define.Counter(f.breaker_trips, "circuit_breaker_trips_total",
                 "How often the circuit breaker has opened.");
  define.Counter(f.pushed_evictions, "swarm_pushed_evictions_total",
                 "Agents and tasks forgotten before their time since too many were reported.");
  define.Counter(f.read_errors, "swarm_source_read_errors_total",
                 "Reads of a source that failed, by reason.", 4000);
}

}  // namespace

Result<std::unique_ptr<Flow>> Flow::Define(state::Store& store, const FlowLimits& limits) {
  auto families = std::make_unique<Families>();
  Definer define(store, limits);
  DefineLlm(define, *families);
  DefineTools(define, *families);
  DefineWork(define, *families);
  DefineBudget(define, *families);
  RETURN_IF_ERROR(define.status());
  return std::unique_ptr<Flow>(new Flow(std::move(families)));
}

void Flow::Record(state::Changes& changes, const LlmRequest& request) const {
  const std::string_view model = OrUnknown(request.model);
  const std::string_view agent = OrUnknown(request.agent_type);
  changes.Add(families_->llm_requests,
              Labels{{"agent_type", agent},
                     {"model", model},
                     {"outcome", OutcomeWord(OutcomeOf(request.ok))},
                     {"query_source", request.query_source}},
              1);
  if (!request.ok) {
    changes.Add(families_->llm_errors,
                Labels{{"model", model}, {"status_code", StatusCodeWord(request.status_code)}}, 1);
    return;
  }
  if (request.seconds) {
    changes.Observe(families_->llm_seconds, Labels{{"agent_type", agent}, {"model", model}},
                    *request.seconds);
  }
  if (request.first_token_seconds) {
    changes.Observe(families_->llm_first_token, Labels{{"model", model}},
                    *request.first_token_seconds);
  }
}

void Flow::Record(state::Changes& changes, const LlmTokens& tokens) const {
  const auto add = [&](std::string_view kind, double value) {
    if (value == 0) return;
    changes.Add(families_->llm_tokens,
                Labels{{"agent_type", OrUnknown(tokens.agent_type)},
                       {"model", OrUnknown(tokens.model)},
                       {"token_type", kind}},
                value);
  };
  add("input", tokens.input);
  add("output", tokens.output);
  add("cache_read", tokens.cache_read);
  add("cache_creation", tokens.cache_creation);
}

void Flow::LlmCost(state::Changes& changes, std::string_view model, std::string_view agent_type,
                   double usd) const {
  changes.Add(families_->llm_cost,
              Labels{{"agent_type", OrUnknown(agent_type)}, {"model", OrUnknown(model)}}, usd);
}

void Flow::LlmRetriesExhausted(state::Changes& changes, std::string_view model,
                               std::string_view status_code) const {
  changes.Add(families_->llm_exhausted,
              Labels{{"model", OrUnknown(model)}, {"status_code", StatusCodeWord(status_code)}}, 1);
}

void Flow::Retries(state::Changes& changes, std::string_view component, Outcome outcome,
                   double times) const {
  changes.Add(families_->retries,
              Labels{{"component", component}, {"outcome", RunOutcome(outcome)}}, times);
}

void Flow::Record(state::Changes& changes, const ToolCall& call) const {
  changes.Add(families_->tool_calls,
              Labels{{"agent_type", OrUnknown(call.agent_type)},
                     {"outcome", OutcomeWord(OutcomeOf(call.ok))},
                     {"tool", OrUnknown(call.tool)}},
              1);
  if (call.seconds) {
    changes.Observe(families_->tool_seconds, Labels{{"tool", OrUnknown(call.tool)}}, *call.seconds);
  }
}

void Flow::ToolDecision(state::Changes& changes, std::string_view tool,
                        std::string_view decision) const {
  const bool known = decision == "accept" || decision == "reject" || decision.empty();
  changes.Add(families_->tool_decisions,
              Labels{{"decision", known ? OrNone(decision) : "other"}, {"tool", OrUnknown(tool)}},
              1);
}

void Flow::ToolLoop(state::Changes& changes, std::string_view tool) const {
  changes.Add(families_->tool_loops, Labels{{"tool", OrUnknown(tool)}}, 1);
}

void Flow::Record(state::Changes& changes, const SubagentRun& run) const {
  const std::string_view agent = OrUnknown(run.agent_type);
  changes.Add(families_->subagent_runs,
              Labels{{"agent_type", agent}, {"outcome", OutcomeWord(OutcomeOf(run.ok))}}, 1);
  const Labels labels{{"agent_type", agent}};
  if (run.seconds) changes.Observe(families_->subagent_seconds, labels, *run.seconds);
  if (run.tokens) changes.Observe(families_->subagent_tokens, labels, *run.tokens);
}

void Flow::SubagentTokens(state::Changes& changes, std::string_view agent_type,
                          double tokens) const {
  changes.Observe(families_->subagent_tokens, Labels{{"agent_type", OrUnknown(agent_type)}},
                  tokens);
}

void Flow::AgentSpawnTook(state::Changes& changes, std::string_view agent_type,
                          double seconds) const {
  changes.Observe(families_->spawn_seconds, Labels{{"agent_type", OrUnknown(agent_type)}}, seconds);
}

void Flow::Compaction(state::Changes& changes, std::string_view trigger, Outcome outcome) const {
  const bool known = trigger == "auto" || trigger == "manual" || trigger.empty();
  changes.Add(
      families_->compactions,
      Labels{{"outcome", OutcomeWord(outcome)}, {"trigger", known ? OrUnknown(trigger) : "other"}},
      1);
}

void Flow::McpConnection(state::Changes& changes, std::string_view transport,
                         Outcome outcome) const {
  const bool known = transport == "stdio" || transport == "http" || transport == "sse" ||
                     transport == "ws" || transport.empty();
  changes.Add(families_->mcp_connections,
              Labels{{"outcome", OutcomeWord(outcome)},
                     {"transport", known ? OrUnknown(transport) : "other"}},
              1);
}

void Flow::SessionEvent(state::Changes& changes, std::string_view event) const {
  changes.Add(families_->session_events, Labels{{"event", SessionEventWord(event)}}, 1);
}

void Flow::TaskTransition(state::Changes& changes, Place place, std::string_view task_type,
                          std::string_view to) const {
  changes.Add(families_->task_transitions,
              Labels{{"source", place.source},
                     {"task_type", OrUnknown(task_type)},
                     {"to", TaskStatusWord(to)},
                     {"workspace", place.workspace}},
              1);
}

void Flow::Record(state::Changes& changes, Place place, const TaskEnd& task) const {
  const std::string_view word = TaskStatusWord(task.outcome);
  const std::string_view type = OrUnknown(task.task_type);
  changes.Add(families_->tasks_finished,
              Labels{{"outcome", word},
                     {"source", place.source},
                     {"task_type", type},
                     {"workspace", place.workspace}},
              1);
  if (!task.seconds) return;
  changes.Observe(families_->task_seconds,
                  Labels{{"outcome", word}, {"task_type", type}, {"workspace", place.workspace}},
                  *task.seconds);
}

void Flow::TaskQueued(state::Changes& changes, Place place, std::string_view task_type,
                      double seconds) const {
  changes.Observe(families_->task_queue,
                  Labels{{"task_type", OrUnknown(task_type)}, {"workspace", place.workspace}},
                  seconds);
}

void Flow::AgentSpawned(state::Changes& changes, Place place, std::string_view agent_type) const {
  changes.Add(families_->agent_spawns,
              Labels{{"agent_type", OrUnknown(agent_type)},
                     {"source", place.source},
                     {"workspace", place.workspace}},
              1);
}

void Flow::AgentTerminated(state::Changes& changes, Place place,
                           std::string_view agent_type) const {
  changes.Add(families_->agent_terminations,
              Labels{{"agent_type", OrUnknown(agent_type)},
                     {"source", place.source},
                     {"workspace", place.workspace}},
              1);
}

void Flow::Record(state::Changes& changes, Place place, const WorkerRuns& runs) const {
  changes.Add(families_->worker_runs,
              Labels{{"outcome", RunOutcome(runs.outcome)},
                     {"worker", OrUnknown(runs.worker)},
                     {"workspace", place.workspace}},
              runs.times);
}

void Flow::WorkerDeferred(state::Changes& changes, Place place, std::string_view worker,
                          std::string_view reason) const {
  changes.Add(families_->worker_deferrals,
              Labels{{"reason", reason.empty() ? "other" : DeferralWord(reason)},
                     {"worker", OrUnknown(worker)},
                     {"workspace", place.workspace}},
              1);
}

void Flow::AiLaunch(state::Changes& changes, Place place, std::string_view worker,
                    std::string_view model) const {
  changes.Add(families_->ai_launches,
              Labels{{"model", OrUnknown(model)},
                     {"worker", OrUnknown(worker)},
                     {"workspace", place.workspace}},
              1);
}

void Flow::AiLaunchDenied(state::Changes& changes, Place place, std::string_view reason) const {
  changes.Add(families_->ai_denials,
              Labels{{"reason", reason.empty() ? "other" : DenialWord(reason)},
                     {"workspace", place.workspace}},
              1);
}

void Flow::AiQuotaPause(state::Changes& changes, Place place) const {
  changes.Add(families_->ai_quota_pauses, Labels{{"workspace", place.workspace}}, 1);
}

void Flow::AiLaunchTook(state::Changes& changes, Place place, std::string_view worker,
                        double seconds) const {
  changes.Observe(families_->ai_seconds,
                  Labels{{"worker", OrUnknown(worker)}, {"workspace", place.workspace}}, seconds);
}

void Flow::CircuitBreaker(state::Changes& changes, std::string_view component,
                          BreakerState state) const {
  changes.Set(families_->breaker_open, Labels{{"component", component}},
              state == BreakerState::kOpen ? 1 : 0);
}

void Flow::CircuitBreakerGone(state::Changes& changes, std::string_view component) const {
  changes.Remove(families_->breaker_open, Labels{{"component", component}});
}

void Flow::CircuitBreakerTrips(state::Changes& changes, std::string_view component,
                               double times) const {
  changes.Add(families_->breaker_trips, Labels{{"component", component}}, times);
}

void Flow::PushedEvictions(state::Changes& changes, std::string_view kind, double times) const {
  changes.Add(families_->pushed_evictions, Labels{{"kind", kind}}, times);
}

void Flow::ReadError(state::Changes& changes, Place place, std::string_view reason) const {
  changes.Add(families_->read_errors,
              Labels{{"reason", ReadErrorWord(reason)},
                     {"source", place.source},
                     {"workspace", place.workspace}},
              1);
}

}  // namespace skep::swarm

#include "exporter/ingest/claude_code_hooks.h"

#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/json/reader.h"

namespace skep::ingest {
namespace {

using Topic = swarm::Sessions::Topic;
using Way = swarm::Sessions::Way;

constexpr swarm::Place kPlace{.workspace = {}, .source = "claude_code"};

// One hook's body with what its handlers need.
struct Hook {
  const json::Element& body;
  const HookSinks& sinks;
  state::Changes& changes;
  swarm::Sessions::Unit& unit;
  Timestamp now;

  std::string_view Text(std::string_view key) const { return body[key].text(); }
  std::string_view session() const { return Text("session_id"); }
  std::string_view agent() const { return Text("agent_id"); }

  // Of who runs in the hook's context.
  std::string AgentType() const {
    const std::string_view told = Text("agent_type");
    if (told.empty()) {
      std::string known = unit.AgentType(session(), agent());
      return known;
    }
    unit.NoteAgentType(session(), agent(), told);
    return std::string(told);
  }

  std::optional<double> Seconds(std::string_view key_ms) const {
    const json::Element ms = body[key_ms];
    if (!ms.IsNumber() || ms.number() < 0) return std::nullopt;
    return ms.number() / 1e3;
  }
};

// The tool that starts a subagent; its older name is Task.
bool StartsAgent(std::string_view tool) { return tool == "Agent" || tool == "Task"; }

std::string_view WantedType(const Hook& hook) {
  const std::string_view type = hook.body["tool_input"]["subagent_type"].text();
  return type.empty() ? "general-purpose" : type;
}

void PreToolUse(const Hook& hook) {
  if (!StartsAgent(hook.Text("tool_name"))) return;
  hook.unit.AgentWanted(hook.session(), hook.Text("tool_use_id"), WantedType(hook));
}

void AgentCallEnded(const Hook& hook) {
  hook.unit.AgentNotWanted(hook.session(), hook.Text("tool_use_id"), WantedType(hook));
  const json::Element response = hook.body["tool_response"];
  const json::Element tokens = response["totalTokens"];
  if (!tokens.IsNumber()) return;
  const std::string id = std::string(response["agentId"].text()) + ":" + std::string(tokens.text());
  if (hook.unit.IsFirst(hook.session(), Topic::kSubagentTokens, id)) {
    const std::string_view type = response["agentType"].text();
    hook.sinks.flow.SubagentTokens(hook.changes, type.empty() ? WantedType(hook) : type,
                                   tokens.number());
  }
}

void ToolEnded(const Hook& hook, swarm::Outcome outcome) {
  const std::string_view tool = hook.Text("tool_name");
  const std::string_view call = hook.Text("tool_use_id");
  const std::string type = hook.AgentType();
  if (StartsAgent(tool)) AgentCallEnded(hook);
  const bool is_first = call.empty() ? hook.unit.Claim(hook.session(), Topic::kTool, Way::kHooks)
                                     : hook.unit.IsFirst(hook.session(), Topic::kTool, call);
  if (!is_first) return;
  hook.sinks.flow.Record(hook.changes, swarm::ToolCall{.tool = tool,
                                                       .agent_type = type,
                                                       .ok = outcome == swarm::Outcome::kOk,
                                                       .seconds = hook.Seconds("duration_ms")});
  if (hook.unit.ToolEnded(hook.session(), hook.agent(), tool, outcome)) {
    hook.sinks.flow.ToolLoop(hook.changes, tool);
  }
}

void PostToolUse(const Hook& hook) { ToolEnded(hook, swarm::Outcome::kOk); }
void PostToolUseFailure(const Hook& hook) { ToolEnded(hook, swarm::Outcome::kError); }

void SubagentStart(const Hook& hook) {
  const std::string type = hook.AgentType();
  const std::optional<Duration> took = hook.unit.AgentStarted(hook.session(), hook.agent(), type);
  hook.sinks.flow.AgentSpawned(hook.changes, kPlace, type);
  if (took) hook.sinks.flow.AgentSpawnTook(hook.changes, type, ToSeconds(*took));
}

void SubagentStop(const Hook& hook) {
  const auto stopped = hook.unit.AgentStopped(hook.session(), hook.agent());
  const std::string type = stopped ? stopped->first : hook.AgentType();
  hook.sinks.flow.AgentTerminated(hook.changes, kPlace, type);
  if (!hook.unit.Claim(hook.session(), Topic::kSubagent, Way::kHooks)) return;
  swarm::SubagentRun run{.agent_type = type};
  if (stopped) run.seconds = ToSeconds(stopped->second);
  hook.sinks.flow.Record(hook.changes, run);
}

// Tasks of a team are named within it, others within their session.
void ReportTask(const Hook& hook, std::string_view status) {
  const std::string_view task = hook.Text("task_id");
  if (task.empty()) return;
  const std::string_view team = hook.Text("team_name");
  const std::string id =
      std::string(team.empty() ? hook.session() : team) + ":" + std::string(task);
  swarm::PushedSwarm::Unit unit(hook.sinks.pushed, hook.sinks.flow, hook.changes, hook.now);
  unit.Report(swarm::TaskReport{.place = kPlace, .id = id, .status = status}, hook.now);
}

void TaskCreated(const Hook& hook) { ReportTask(hook, "pending"); }
void TaskCompleted(const Hook& hook) { ReportTask(hook, "completed"); }

void PostCompact(const Hook& hook) {
  if (!hook.unit.Claim(hook.session(), Topic::kCompaction, Way::kHooks)) return;
  hook.sinks.flow.Compaction(hook.changes, hook.Text("trigger"), swarm::Outcome::kOk);
}

void UserPrompt(const Hook& hook) {
  if (!hook.unit.Claim(hook.session(), Topic::kEvent, Way::kHooks)) return;
  hook.sinks.flow.SessionEvent(hook.changes, "prompt");
}

void PermissionDenied(const Hook& hook) {
  hook.sinks.flow.SessionEvent(hook.changes, "permission_denied");
  const std::string_view tool = hook.Text("tool_name");
  if (StartsAgent(tool)) {
    hook.unit.AgentNotWanted(hook.session(), hook.Text("tool_use_id"), WantedType(hook));
  }
  if (hook.unit.Claim(hook.session(), Topic::kDecision, Way::kHooks)) {
    hook.sinks.flow.ToolDecision(hook.changes, tool, "reject");
  }
}

void SessionEnd(const Hook& hook) {
  hook.unit.SessionEnded(hook.session());
  hook.sinks.flow.SessionEvent(hook.changes, "session_end");
}

// Counted as something that happened in a session, nothing else.
template <const char* kEvent>
void OnlyEvent(const Hook& hook) {
  hook.sinks.flow.SessionEvent(hook.changes, kEvent);
}

constexpr char kSessionStart[] = "session_start";
constexpr char kStop[] = "stop";
constexpr char kStopFailure[] = "stop_failure";
constexpr char kTeammateIdle[] = "teammate_idle";
constexpr char kPreCompact[] = "pre_compact";

struct HookKind {
  std::string_view name;
  void (*handle)(const Hook& hook);
};

constexpr std::array kKinds = {
    HookKind{"PermissionDenied", PermissionDenied},
    HookKind{"PostCompact", PostCompact},
    HookKind{"PostToolUse", PostToolUse},
    HookKind{"PostToolUseFailure", PostToolUseFailure},
    HookKind{"PreCompact", OnlyEvent<kPreCompact>},
    HookKind{"PreToolUse", PreToolUse},
    HookKind{"SessionEnd", SessionEnd},
    HookKind{"SessionStart", OnlyEvent<kSessionStart>},
    HookKind{"Stop", OnlyEvent<kStop>},
    HookKind{"StopFailure", OnlyEvent<kStopFailure>},
    HookKind{"SubagentStart", SubagentStart},
    HookKind{"SubagentStop", SubagentStop},
    HookKind{"TaskCompleted", TaskCompleted},
    HookKind{"TaskCreated", TaskCreated},
    HookKind{"TeammateIdle", OnlyEvent<kTeammateIdle>},
    HookKind{"UserPromptSubmit", UserPrompt},
};

// Null: none that we know.
const HookKind* FindKind(std::string_view name) {
  for (const HookKind& kind : kKinds) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

using Counts = std::map<std::pair<std::string_view, bool>, double>;

class HookCollector final : public exporter::Collector {
 public:
  explicit HookCollector(std::function<Counts()> counts) : counts_(std::move(counts)) {}

  std::string_view name() const override { return "claude_code_hooks"; }

  Status Collect(exporter::CollectContext& context) override {
    const Counts counts = counts_();
    if (counts.empty()) return {};
    context.page.Family("skep_exporter_hook_events_total",
                        "Hooks of Claude Code that were posted; error: not taken.",
                        exposition::MetricType::kCounter);
    for (const auto& [key, count] : counts) {
      context.page.Sample({{"event", key.first}, {"outcome", key.second ? "ok" : "error"}}, count);
    }
    return {};
  }

 private:
  std::function<Counts()> counts_;
};

}  // namespace

struct ClaudeCodeHooks::Impl {
  Impl(HookOptions o, AccessOptions a, HookSinks s, const Clock& c, Logger l)
      : options(o), access(std::move(a)), sinks(s), clock(c), log(std::move(l)) {}

  net::HttpResponse Take(const net::HttpRequest& request);
  Status Count(const HookKind& kind, const json::Element& body);
  void NoteOutcome(std::string_view event, bool ok) {
    const std::lock_guard lock(mutex);
    counts[{event, ok}] += 1;
  }
  // Counted, and logged once a minute.
  void NoteRefused(std::string_view event, std::string_view why);
  std::optional<net::HttpResponse> Refuse(const net::HttpRequest& request);

  std::mutex mutex;
  HookOptions options;                       // guarded by mutex
  AccessOptions access;                      // guarded by mutex
  Counts counts;                             // guarded by mutex; names are literals
  std::optional<Clock::Steady> last_logged;  // guarded by mutex

  const HookSinks sinks;
  const Clock& clock;
  const Logger log;
};

void ClaudeCodeHooks::Impl::NoteRefused(std::string_view event, std::string_view why) {
  NoteOutcome(event, false);
  {
    const std::lock_guard lock(mutex);
    const Clock::Steady now = clock.SteadyNow();
    if (last_logged && now - *last_logged < std::chrono::minutes(1)) return;
    last_logged = now;
  }
  log.Warn("a hook of Claude Code was not taken", {{"event", event}, {"reason", why}});
}

Status ClaudeCodeHooks::Impl::Count(const HookKind& kind, const json::Element& body) {
  const Timestamp now = clock.Now();
  return sinks.store.Update([&](state::Changes& changes) -> Status {
    swarm::Sessions::Unit unit(sinks.sessions, changes, now);
    kind.handle(Hook{body, sinks, changes, unit, now});
    unit.Finish();
    return {};
  });
}

net::HttpResponse ClaudeCodeHooks::Impl::Take(const net::HttpRequest& request) {
  json::Document document;
  const Status parsed = document.Parse(request.body);
  if (!parsed || !document.root()["hook_event_name"].IsString()) {
    const std::string why =
        parsed ? "expected an object with hook_event_name" : parsed.error().message();
    NoteRefused("none", why);
    return net::HttpResponse::Text(400, why + "\n");
  }
  const json::Element body = document.root();
  const HookKind* const kind = FindKind(body["hook_event_name"].text());
  if (kind == nullptr) {
    NoteOutcome("other", true);
    return net::HttpResponse::Json(200, "{}");
  }
  const Status counted = Count(*kind, body);
  if (counted) {
    NoteOutcome(kind->name, true);
    return net::HttpResponse::Json(200, "{}");
  }
  NoteRefused(kind->name, counted.error().message());
  return net::HttpResponse::Text(503, counted.error().message() + "\n");
}

ClaudeCodeHooks::ClaudeCodeHooks(HookOptions options, AccessOptions access, HookSinks sinks,
                                 const Clock& clock, Logger log)
    : impl_(std::make_unique<Impl>(options, std::move(access), sinks, clock, std::move(log))) {}
ClaudeCodeHooks::~ClaudeCodeHooks() = default;

void ClaudeCodeHooks::Apply(HookOptions options, AccessOptions access) {
  const std::lock_guard lock(impl_->mutex);
  impl_->options = options;
  impl_->access = std::move(access);
}

// Nothing: the body may be looked at.
std::optional<net::HttpResponse> ClaudeCodeHooks::Impl::Refuse(const net::HttpRequest& request) {
  std::optional<Refusal> refusal;
  {
    const std::lock_guard lock(mutex);
    if (!options.enabled) return net::HttpResponse::Text(404, "not found\n");
    refusal = CheckAccess(access, request);
  }
  if (request.method != "POST") {
    net::HttpResponse response = net::HttpResponse::Text(405, "use POST\n");
    response.headers.emplace_back("Allow", "POST");
    return response;
  }
  // Agents send none. A page that somebody looks at could post here without asking first, since any
  // Content-Type is taken.
  if (!request.Header("Origin").empty()) {
    refusal = Refusal{403, "hooks from scripts of web pages are not wanted"};
  }
  if (!refusal) return std::nullopt;
  NoteRefused("none", refusal->message);
  return PlainRefusal(*refusal);
}

net::HttpResponse ClaudeCodeHooks::Handle(const net::HttpRequest& request) {
  if (std::optional<net::HttpResponse> refusal = impl_->Refuse(request)) return *refusal;
  return impl_->Take(request);
}

net::HttpResponse ClaudeCodeHooks::AnswerUnreadable(const net::HttpRequest& request,
                                                    net::HttpResponse plain) {
  if (std::optional<net::HttpResponse> refusal = impl_->Refuse(request)) return *refusal;
  impl_->NoteRefused("none", "the body could not be read");
  return plain;
}

std::unique_ptr<exporter::Collector> ClaudeCodeHooks::MakeCollector() {
  return std::make_unique<HookCollector>([impl = impl_.get()] {
    const std::lock_guard lock(impl->mutex);
    return impl->counts;
  });
}

Result<HookOptions> ReadHookOptions(const yaml::Node& node) {
  HookOptions options;
  yaml::MapReader map(node);
  map.Read("enabled", options.enabled);
  RETURN_IF_ERROR(map.Finish("hooks"));
  return options;
}

namespace {

// How many calls are a loop; 1 would be every call.
void ReadLoop(yaml::MapReader& map, const yaml::Node& node, std::string_view key,
              std::size_t& out) {
  auto value = static_cast<std::int64_t>(out);
  map.Read(key, value);
  if (value < 0 || value == 1 || value > 1'000'000) {
    map.Fail(node.Get(key).Complain(std::string(key) + " must be 0 or between 2 and 1000000"));
    return;
  }
  out = static_cast<std::size_t>(value);
}

}  // namespace

Result<swarm::SessionOptions> ReadSessionOptions(const yaml::Node& node) {
  swarm::SessionOptions options;
  yaml::MapReader map(node);
  map.Read("subagent_ttl", options.subagent_ttl);
  if (options.subagent_ttl < std::chrono::seconds(1)) {
    map.Fail(node.Get("subagent_ttl").Complain("subagent_ttl must be at least 1s"));
  }
  ReadLoop(map, node, "failures_are_loop", options.failures_are_loop);
  ReadLoop(map, node, "successes_are_loop", options.successes_are_loop);
  RETURN_IF_ERROR(map.Finish("sessions"));
  return options;
}

}  // namespace skep::ingest

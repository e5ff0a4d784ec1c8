#include "exporter/ingest/claude_code.h"

#include <utility>

#include "exporter/swarm/words.h"

namespace skep::ingest {
namespace {

using Topic = swarm::Sessions::Topic;
using Way = swarm::Sessions::Way;

// Attributes of one item under the names that several kinds of items share.
class Item {
 public:
  explicit Item(Attributes attributes) : attributes_(attributes) {}

  std::string_view Text(std::string_view key) const { return AttributeText(attributes_, key); }
  std::optional<double> Number(std::string_view key) const {
    const AttributeValue* value = FindAttribute(attributes_, key);
    return value == nullptr ? std::nullopt : value->AsNumber();
  }
  std::optional<double> Seconds(std::string_view key_ms) const {
    const std::optional<double> ms = Number(key_ms);
    return ms && *ms >= 0 ? std::optional(*ms / 1e3) : std::nullopt;
  }
  std::optional<bool> Bool(std::string_view key) const {
    const AttributeValue* value = FindAttribute(attributes_, key);
    return value == nullptr ? std::nullopt : value->AsBool();
  }
  // Of a number or a text: "429".
  std::string AsText(std::string_view key) const {
    std::string text;
    const AttributeValue* value = FindAttribute(attributes_, key);
    if (value != nullptr) value->AppendTo(text);
    return text;
  }

 private:
  Attributes attributes_;
};

// What events and spans of a request say alike.
struct Request {
  Way way;
  std::string session;
  std::string id;  // "": not told
  std::string model;
  std::string agent_type;
  std::string_view query_source;
};

// The name that the item has, the one that was told of the agent before, the one in the query's
// source; no agent at all is the session itself.
std::string AgentType(const AgentSink& sink, const Item& item, std::string_view session,
                      std::string_view query_source) {
  const std::string_view agent = item.Text("agent_id");
  if (const std::string_view name = item.Text("agent.name"); !name.empty()) {
    sink.unit.NoteAgentType(session, agent, name);
    return std::string(name);
  }
  if (std::string known = sink.unit.AgentType(session, agent); !agent.empty() && !known.empty()) {
    return known;
  }
  const std::string_view named = AgentOfQuerySource(query_source);
  if (!named.empty()) {
    sink.unit.NoteAgentType(session, agent, named);
    return std::string(named);
  }
  return agent.empty() ? "main" : "unknown";
}

Request ReadRequest(const AgentSink& sink, const Item& item, Way way, std::string_view source) {
  Request request;
  request.way = way;
  request.session = item.Text("session.id");
  request.id = item.Text("request_id");
  request.model = item.Text("model");
  request.agent_type = AgentType(sink, item, request.session, source);
  request.query_source = AgentOfQuerySource(source).empty() ? source : "subagent";
  return request;
}

// By its id, where it has one; else the way that told the session's first request without one.
bool IsFirst(const AgentSink& sink, const Request& request, Topic topic) {
  if (!request.id.empty()) return sink.unit.IsFirst(request.session, topic, request.id);
  return sink.unit.Claim(request.session, topic, request.way);
}

// Metrics tell tokens and cost of a session without saying of which requests: a session has them
// either from metrics or request by request (claimed as kEvents), and so have sessions that metrics
// do not name.
bool CountsByRequest(const AgentSink& sink, const Request& request, Topic topic) {
  sink.unit.Claim({}, topic, Way::kEvents);
  return sink.unit.Claim(request.session, topic, Way::kEvents);
}

void CountTokens(const AgentSink& sink, const Item& item, const Request& request) {
  if (!CountsByRequest(sink, request, Topic::kTokens)) return;
  if (!request.id.empty() && !sink.unit.IsFirst(request.session, Topic::kTokens, request.id)) {
    return;
  }
  sink.flow.Record(
      sink.changes,
      swarm::LlmTokens{.model = request.model,
                       .agent_type = request.agent_type,
                       .input = item.Number("input_tokens").value_or(0),
                       .output = item.Number("output_tokens").value_or(0),
                       .cache_read = item.Number("cache_read_tokens").value_or(0),
                       .cache_creation = item.Number("cache_creation_tokens").value_or(0)});
}

void CountCost(const AgentSink& sink, const Item& item, const Request& request) {
  const std::optional<double> usd = item.Number("cost_usd");
  if (!usd || !CountsByRequest(sink, request, Topic::kCost)) return;
  if (!request.id.empty() && !sink.unit.IsFirst(request.session, Topic::kCost, request.id)) return;
  sink.flow.LlmCost(sink.changes, request.model, request.agent_type, *usd);
}

// `attempt` of the last try. Only spans tell it of requests that succeeded in the end.
void CountRetries(const AgentSink& sink, const Item& item, const Request& request, bool ok) {
  const double attempts = item.Number("attempt").value_or(1);
  if (attempts <= 1 || !IsFirst(sink, request, Topic::kRetries)) return;
  sink.flow.Retries(sink.changes, "llm", swarm::OutcomeOf(ok), attempts - 1);
}

void GoodRequest(const AgentSink& sink, const Item& item, const Request& request) {
  const bool has_id = !request.id.empty();
  const bool is_first = IsFirst(sink, request, Topic::kRequest);
  if (is_first) {
    sink.flow.Record(sink.changes,
                     swarm::LlmRequest{.model = request.model,
                                       .agent_type = request.agent_type,
                                       .query_source = request.query_source,
                                       .ok = true,
                                       .seconds = item.Seconds("duration_ms"),
                                       .first_token_seconds = item.Seconds("ttft_ms")});
  }
  // Without an id tokens go with the request that counts.
  if (has_id || is_first) CountTokens(sink, item, request);
  CountCost(sink, item, request);
}

void FailedRequest(const AgentSink& sink, const Item& item, const Request& request) {
  if (!IsFirst(sink, request, Topic::kRequest)) return;
  const std::string code = item.AsText("status_code");
  sink.flow.Record(sink.changes, swarm::LlmRequest{.model = request.model,
                                                   .agent_type = request.agent_type,
                                                   .query_source = request.query_source,
                                                   .ok = false,
                                                   .status_code = code});
}

void ApiRequest(const AgentSink& sink, const Item& item) {
  GoodRequest(sink, item, ReadRequest(sink, item, Way::kEvents, item.Text("query_source")));
}

void ApiError(const AgentSink& sink, const Item& item) {
  const Request request = ReadRequest(sink, item, Way::kEvents, item.Text("query_source"));
  FailedRequest(sink, item, request);
  CountRetries(sink, item, request, false);
}

void RetriesExhausted(const AgentSink& sink, const Item& item) {
  sink.flow.LlmRetriesExhausted(sink.changes, item.Text("model"), item.AsText("status_code"));
}

// A call of a tool that has ended, whoever tells it.
void CountTool(const AgentSink& sink, std::string_view session, std::string_view agent,
               const swarm::ToolCall& call) {
  sink.flow.Record(sink.changes, call);
  if (sink.unit.ToolEnded(session, agent, call.tool, swarm::OutcomeOf(call.ok))) {
    sink.flow.ToolLoop(sink.changes, call.tool);
  }
}

bool IsFirstTool(const AgentSink& sink, std::string_view session, std::string_view call, Way way) {
  if (!call.empty()) return sink.unit.IsFirst(session, Topic::kTool, call);
  return sink.unit.Claim(session, Topic::kTool, way);
}

void ToolResult(const AgentSink& sink, const Item& item) {
  const std::string_view session = item.Text("session.id");
  if (!IsFirstTool(sink, session, item.Text("tool_use_id"), Way::kEvents)) return;
  const std::string type = AgentType(sink, item, session, {});
  CountTool(sink, session, item.Text("agent_id"),
            {.tool = item.Text("tool_name"),
             .agent_type = type,
             .ok = item.Bool("success").value_or(true),
             .seconds = item.Seconds("duration_ms")});
}

void ToolDecision(const AgentSink& sink, const Item& item) {
  if (!sink.unit.Claim(item.Text("session.id"), Topic::kDecision, Way::kEvents)) return;
  sink.flow.ToolDecision(sink.changes, item.Text("tool_name"), item.Text("decision"));
}

void SubagentCompleted(const AgentSink& sink, const Item& item) {
  const std::string_view session = item.Text("session.id");
  const std::string_view agent = item.Text("agent_id");
  const std::string_view type = item.Text("agent_type");
  sink.unit.NoteAgentType(session, agent, type);
  if (sink.unit.Claim(session, Topic::kSubagent, Way::kEvents)) {
    sink.flow.Record(sink.changes, swarm::SubagentRun{.agent_type = type,
                                                      .ok = item.Bool("success").value_or(true),
                                                      .seconds = item.Seconds("duration_ms")});
  }
  const std::optional<double> tokens = item.Number("total_tokens");
  const std::string id = std::string(agent) + ":" + item.AsText("total_tokens");
  if (tokens && sink.unit.IsFirst(session, Topic::kSubagentTokens, id)) {
    sink.flow.SubagentTokens(sink.changes, type, *tokens);
  }
}

void Compaction(const AgentSink& sink, const Item& item) {
  if (!sink.unit.Claim(item.Text("session.id"), Topic::kCompaction, Way::kEvents)) return;
  sink.flow.Compaction(sink.changes, item.Text("trigger"),
                       swarm::OutcomeOf(item.Bool("success").value_or(true)));
}

void McpConnection(const AgentSink& sink, const Item& item) {
  const std::string_view status = item.Text("status");
  const bool ok = status == "connected" || status == "success" || status == "ok";
  sink.flow.McpConnection(sink.changes, item.Text("transport_type"), swarm::OutcomeOf(ok));
}

void Prompt(const AgentSink& sink, const Item& item) {
  if (!sink.unit.Claim(item.Text("session.id"), Topic::kEvent, Way::kEvents)) return;
  sink.flow.SessionEvent(sink.changes, "prompt");
}

void Refusal(const AgentSink& sink, const Item&) {
  sink.flow.SessionEvent(sink.changes, "refusal");
}

void InternalError(const AgentSink& sink, const Item&) {
  sink.flow.SessionEvent(sink.changes, "internal_error");
}

struct EventHandler {
  std::string_view name;
  void (*handle)(const AgentSink& sink, const Item& item);
};

constexpr EventHandler kEvents[] = {
    {"api_request", ApiRequest},
    {"api_error", ApiError},
    {"api_retries_exhausted", RetriesExhausted},
    {"tool_result", ToolResult},
    {"tool_decision", ToolDecision},
    {"subagent_completed", SubagentCompleted},
    {"compaction", Compaction},
    {"mcp_server_connection", McpConnection},
    {"user_prompt", Prompt},
    {"api_refusal", Refusal},
    {"internal_error", InternalError},
};

std::string_view WithoutPrefix(std::string_view name) {
  constexpr std::string_view kPrefix = "claude_code.";
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
}

void LlmSpan(const AgentSink& sink, const Span& span) {
  const Item item(span.attributes);
  const Request request = ReadRequest(sink, item, Way::kSpans, item.Text("query_source_safe"));
  const bool ok = item.Bool("success").value_or(span.status != SpanStatus::kError);
  if (ok) {
    GoodRequest(sink, item, request);
  } else {
    FailedRequest(sink, item, request);
  }
  CountRetries(sink, item, request, ok);
}

void CompactionSpan(const AgentSink& sink, const Span& span) {
  const Item item(span.attributes);
  if (!sink.unit.Claim(item.Text("session.id"), Topic::kCompaction, Way::kSpans)) return;
  sink.flow.Compaction(sink.changes, item.Text("trigger"),
                       swarm::OutcomeOf(span.status != SpanStatus::kError));
}

// Tokens of metrics by the words of ours.
double* TokenField(std::string_view type, swarm::LlmTokens& tokens) {
  if (type == "input") return &tokens.input;
  if (type == "output") return &tokens.output;
  if (type == "cacheRead") return &tokens.cache_read;
  if (type == "cacheCreation") return &tokens.cache_creation;
  return nullptr;
}

// Metrics say main or subagent, and the agent's name where there is one.
std::string_view AgentOfMetric(const Item& item) {
  const std::string_view name = item.Text("agent.name");
  if (!name.empty()) return name;
  return item.Text("query_source") == "subagent" ? "unknown" : "main";
}

}  // namespace

std::string_view AgentOfQuerySource(std::string_view source) {
  if (!source.starts_with("agent:") && !source.starts_with("agent.")) return {};
  const std::size_t last = source.find_last_of(source[5]);
  return source.substr(last + 1);
}

void ClaudeCode::Metric(const AgentSink& sink, const MetricSample& sample) {
  const std::string_view name = WithoutPrefix(sample.metric.name);
  const bool is_tokens = name == "token.usage";
  if (!is_tokens && name != "cost.usage") return;
  if (!(sample.value > 0)) return;
  const Item item(sample.attributes);
  const Topic topic = is_tokens ? Topic::kTokens : Topic::kCost;
  if (!sink.unit.Claim(item.Text("session.id"), topic, Way::kMetrics)) return;
  if (!is_tokens) {
    sink.flow.LlmCost(sink.changes, item.Text("model"), AgentOfMetric(item), sample.value);
    return;
  }
  swarm::LlmTokens tokens{.model = item.Text("model"), .agent_type = AgentOfMetric(item)};
  double* const field = TokenField(item.Text("type"), tokens);
  if (field == nullptr) return;
  *field = sample.value;
  sink.flow.Record(sink.changes, tokens);
}

void ClaudeCode::Log(const AgentSink& sink, const LogRecord& record) {
  const std::string_view told = record.event_name.empty() ? record.body.text() : record.event_name;
  const std::string_view name = WithoutPrefix(told);
  for (const EventHandler& event : kEvents) {
    if (event.name == name) return event.handle(sink, Item(record.attributes));
  }
}

void ClaudeCode::Span(const AgentSink& sink, const ingest::Span& span) {
  const std::string_view name = WithoutPrefix(span.name);
  if (name == "llm_request") return LlmSpan(sink, span);
  if (name == "compaction") return CompactionSpan(sink, span);
  if (!name.starts_with("tool")) return;
  const Item item(span.attributes);
  const std::string_view session = item.Text("session.id");
  if (name == "tool.execution") {
    const std::uint64_t call =
        swarm::StableHash(item.Text("tool_use_id"), swarm::StableHash(session));
    tools_.NoteExecution(call, {item.Bool("success").value_or(span.status != SpanStatus::kError),
                                item.Seconds("duration_ms")});
  } else if (name == "tool.blocked_on_user") {
    const std::string_view decision = item.Text("decision");
    if (!decision.empty() && decision != "accept") {
      tools_.NoteRefused(swarm::StableHash(span.parent_span_id));
    }
  } else if (name == "tool") {
    ToolSpan(sink, span, session);
  }
}

// The span of the tool holds its name, that of its execution how it went and how long it took
// without the wait for a person.
void ClaudeCode::ToolSpan(const AgentSink& sink, const ingest::Span& span,
                          std::string_view session) {
  if (tools_.TakeRefused(swarm::StableHash(span.span_id))) return;
  const Item item(span.attributes);
  const std::string_view call = item.Text("tool_use_id");
  const ToolSpans::Execution execution =
      tools_.TakeExecution(swarm::StableHash(call, swarm::StableHash(session)))
          .value_or(ToolSpans::Execution{span.status != SpanStatus::kError, std::nullopt});
  if (!IsFirstTool(sink, session, call, Way::kSpans)) return;
  const std::string type = AgentType(sink, item, session, {});
  CountTool(sink, session, item.Text("agent_id"),
            {.tool = item.Text("tool_name"),
             .agent_type = type,
             .ok = execution.ok,
             .seconds = execution.seconds});
}

}  // namespace skep::ingest

#include "exporter/ingest/gen_ai.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

namespace skep::ingest {
namespace {

using Topic = swarm::Sessions::Topic;

std::optional<double> Number(Attributes attributes, std::string_view key) {
  const AttributeValue* value = FindAttribute(attributes, key);
  return value == nullptr ? std::nullopt : value->AsNumber();
}

// The newer name, else the older one, else 0.
double FirstNumber(Attributes attributes, std::string_view first, std::string_view second) {
  const std::optional<double> number = Number(attributes, first);
  return number ? *number : Number(attributes, second).value_or(0);
}

std::string_view FirstText(Attributes attributes, std::string_view first, std::string_view second) {
  const std::string_view text = AttributeText(attributes, first);
  return text.empty() ? AttributeText(attributes, second) : text;
}

std::optional<double> SecondsOf(const Span& span) {
  const double seconds = span.DurationSeconds();
  return seconds > 0 ? std::optional(seconds) : std::nullopt;
}

bool Failed(const Span& span) {
  return span.status == SpanStatus::kError || !AttributeText(span.attributes, "error.type").empty();
}

// error.type is a status code, or the name of an exception.
std::string_view StatusCode(Attributes attributes) {
  const std::string_view type = AttributeText(attributes, "error.type");
  const bool is_code = type.size() == 3 && std::all_of(type.begin(), type.end(),
                                                       [](char c) { return c >= '0' && c <= '9'; });
  return is_code || type.empty() ? type : "other";
}

// input_tokens holds what came from the cache and what went into it; ours do not hold each other.
swarm::LlmTokens TokensOf(Attributes attributes) {
  swarm::LlmTokens tokens;
  tokens.cache_read = Number(attributes, "gen_ai.usage.cache_read.input_tokens").value_or(0);
  tokens.cache_creation =
      Number(attributes, "gen_ai.usage.cache_creation.input_tokens").value_or(0);
  const double all =
      FirstNumber(attributes, "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens");
  tokens.input = std::max(0.0, all - tokens.cache_read - tokens.cache_creation);
  tokens.output =
      FirstNumber(attributes, "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens");
  return tokens;
}

void Request(const AgentSink& sink, std::string_view service, const Span& span) {
  const Attributes attributes = span.attributes;
  const std::string_view id = AttributeText(attributes, "gen_ai.response.id");
  if (!id.empty() && !sink.unit.IsFirst(service, Topic::kRequest, id)) return;
  const std::string_view model =
      FirstText(attributes, "gen_ai.response.model", "gen_ai.request.model");
  const std::string_view agent = AttributeText(attributes, "gen_ai.agent.name");
  const bool ok = !Failed(span);
  std::optional<double> first_token = Number(attributes, "gen_ai.response.time_to_first_chunk");
  sink.flow.Record(sink.changes, swarm::LlmRequest{.model = model,
                                                   .agent_type = agent,
                                                   .ok = ok,
                                                   .status_code = StatusCode(attributes),
                                                   .seconds = SecondsOf(span),
                                                   .first_token_seconds = first_token});
  swarm::LlmTokens tokens = TokensOf(attributes);
  tokens.model = model;
  tokens.agent_type = agent;
  sink.flow.Record(sink.changes, tokens);
}

void Tool(const AgentSink& sink, std::string_view service, const Span& span) {
  const std::string_view call = AttributeText(span.attributes, "gen_ai.tool.call.id");
  if (!call.empty() && !sink.unit.IsFirst(service, Topic::kTool, call)) return;
  const std::string_view tool = AttributeText(span.attributes, "gen_ai.tool.name");
  const std::string_view agent = AttributeText(span.attributes, "gen_ai.agent.name");
  const bool ok = !Failed(span);
  sink.flow.Record(
      sink.changes,
      swarm::ToolCall{.tool = tool, .agent_type = agent, .ok = ok, .seconds = SecondsOf(span)});
  // One agent is told from another by the trace it works in.
  if (sink.unit.ToolEnded(service, span.trace_id, tool, swarm::OutcomeOf(ok))) {
    sink.flow.ToolLoop(sink.changes, tool);
  }
}

}  // namespace

void GenAiSpan(const AgentSink& sink, const Resource& resource, const Span& span) {
  const std::string_view operation = AttributeText(span.attributes, "gen_ai.operation.name");
  if (operation.empty()) return;
  const std::string_view conversation = AttributeText(span.attributes, "gen_ai.conversation.id");
  const std::string_view session =
      conversation.empty() ? AttributeText(resource.attributes, "service.name") : conversation;
  if (operation == "chat" || operation == "generate_content" || operation == "text_completion" ||
      operation == "embeddings") {
    Request(sink, session, span);
  } else if (operation == "execute_tool") {
    Tool(sink, session, span);
  } else if (operation == "invoke_agent" && !span.parent_span_id.empty()) {
    sink.flow.Record(sink.changes, swarm::SubagentRun{.agent_type = AttributeText(
                                                          span.attributes, "gen_ai.agent.name"),
                                                      .ok = !Failed(span),
                                                      .seconds = SecondsOf(span)});
  }
}

}  // namespace skep::ingest

// What one item of Claude Code's OTLP data means for swarms. Claude Code exports no latency and no
// errors as metrics: they are in its events and spans only.
#pragma once

#include <string>
#include <string_view>

#include "exporter/ingest/otlp_consumer.h"
#include "exporter/ingest/tool_spans.h"
#include "exporter/swarm/flow.h"
#include "exporter/swarm/sessions.h"

namespace skep::ingest {

// Where one item goes.
struct AgentSink {
  const swarm::Flow& flow;
  state::Changes& changes;
  swarm::Sessions::Unit& unit;
};

// Thread-compatible. Keeps what spans of one tool say until the span of the tool itself has come,
// which may be a request later.
class ClaudeCode {
 public:
  // Whether a scope is Claude Code's.
  static bool Owns(std::string_view scope) {
    return scope.starts_with("com.anthropic.claude_code");
  }

  // Around the items of one request, as OtlpConsumer has it.
  void BeginRequest() { tools_.Begin(); }
  void EndRequest(state::Changes& changes) {
    changes.OnCommitted([this] { tools_.Commit(); });
  }

  // token.usage and cost.usage; others are only passed through.
  void Metric(const AgentSink& sink, const MetricSample& sample);
  void Log(const AgentSink& sink, const LogRecord& record);
  void Span(const AgentSink& sink, const ingest::Span& span);

 private:
  void ToolSpan(const AgentSink& sink, const ingest::Span& span, std::string_view session);

  ToolSpans tools_;
};

// "agent:builtin:reviewer", "agent.builtin.reviewer": "reviewer"; "" of others.
std::string_view AgentOfQuerySource(std::string_view source);

}  // namespace skep::ingest

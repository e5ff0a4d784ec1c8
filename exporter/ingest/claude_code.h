// What one item of Claude Code's OTLP data means for swarms. Claude Code exports no latency and no
// errors as metrics: they are in its events and spans only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "exporter/ingest/otlp_consumer.h"
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

  // token.usage and cost.usage; others are only passed through.
  void Metric(const AgentSink& sink, const MetricSample& sample);
  void Log(const AgentSink& sink, const LogRecord& record);
  void Span(const AgentSink& sink, const ingest::Span& span);

 private:
  struct Execution {
    bool ok = true;
    std::optional<double> seconds;
  };

  void ToolSpan(const AgentSink& sink, const ingest::Span& span, std::string_view session);

  // By session and call; forgotten all at once when there are too many.
  std::unordered_map<std::uint64_t, Execution> executions_;
  std::unordered_set<std::uint64_t> refused_;  // ids of spans of tools that were not allowed
};

// "agent:builtin:reviewer", "agent.builtin.reviewer": "reviewer"; "" of others.
std::string_view AgentOfQuerySource(std::string_view source);

}  // namespace skep::ingest

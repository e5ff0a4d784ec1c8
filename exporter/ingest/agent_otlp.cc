#include "exporter/ingest/agent_otlp.h"

#include <optional>

#include "exporter/ingest/claude_code.h"
#include "exporter/ingest/gen_ai.h"

namespace skep::ingest {

struct AgentOtlp::Impl {
  // The unit of this request, made when the first item comes that needs it.
  AgentSink Sink(state::Changes& changes) {
    if (!unit) unit.emplace(sessions, changes, clock.Now());
    return {flow, changes, *unit};
  }

  swarm::Sessions& sessions;
  const swarm::Flow& flow;
  const Clock& clock;
  ClaudeCode claude_code{};
  std::optional<swarm::Sessions::Unit> unit{};
};

AgentOtlp::AgentOtlp(swarm::Sessions& sessions, const swarm::Flow& flow, const Clock& clock)
    : impl_(new Impl{sessions, flow, clock}) {}
AgentOtlp::~AgentOtlp() = default;

// One that was given up in the middle has left its unit behind.
void AgentOtlp::OnRequestBegin() {
  impl_->unit.reset();
  impl_->claude_code.BeginRequest();
}

void AgentOtlp::OnMetric(state::Changes& changes, const MetricSample& sample) {
  if (!ClaudeCode::Owns(sample.scope.name)) return;
  impl_->claude_code.Metric(impl_->Sink(changes), sample);
}

void AgentOtlp::OnLog(state::Changes& changes, const Resource&, const Scope& scope,
                      const LogRecord& record) {
  if (!ClaudeCode::Owns(scope.name)) return;
  impl_->claude_code.Log(impl_->Sink(changes), record);
}

void AgentOtlp::OnSpan(state::Changes& changes, const Resource& resource, const Scope& scope,
                       const Span& span) {
  if (ClaudeCode::Owns(scope.name)) {
    impl_->claude_code.Span(impl_->Sink(changes), span);
  } else if (FindAttribute(span.attributes, "gen_ai.operation.name") != nullptr) {
    GenAiSpan(impl_->Sink(changes), resource, span);
  }
}

void AgentOtlp::OnRequestEnd(state::Changes& changes) {
  impl_->claude_code.EndRequest(changes);
  if (impl_->unit) impl_->unit->Finish();
  impl_->unit.reset();
}

}  // namespace skep::ingest

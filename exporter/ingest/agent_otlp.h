// The consumer of OTLP data: what agents' own telemetry says about requests to models, tools and
// subagents. Who tells what, and what counts where several tell the same, is in README.md.
#pragma once

#include <memory>

#include "common/base/clock.h"
#include "exporter/ingest/otlp_consumer.h"
#include "exporter/swarm/flow.h"
#include "exporter/swarm/sessions.h"

namespace skep::ingest {

// Claude Code by its scopes (com.anthropic.claude_code...); of others the spans that follow the
// GenAI semantic conventions. Texts of people and models in the data are not looked at. Called
// under the store's lock only.
class AgentOtlp final : public OtlpConsumer {
 public:
  // All outlive it.
  AgentOtlp(swarm::Sessions& sessions, const swarm::Flow& flow, const Clock& clock);
  ~AgentOtlp() override;

  void OnRequestBegin() override;
  void OnMetric(state::Changes& changes, const MetricSample& sample) override;
  void OnLog(state::Changes& changes, const Resource& resource, const Scope& scope,
             const LogRecord& record) override;
  void OnSpan(state::Changes& changes, const Resource& resource, const Scope& scope,
              const Span& span) override;
  void OnRequestEnd(state::Changes& changes) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skep::ingest

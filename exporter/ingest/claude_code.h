// What Claude Code's own OTLP data mean for swarms: requests to models, tools, subagents,
// compactions. Claude Code exports no latency and no errors as metrics: they are in its events and
// spans only. Which of the three counts what is in README.md.
#pragma once

#include <memory>

#include "common/base/clock.h"
#include "exporter/ingest/otlp_consumer.h"
#include "exporter/swarm/flow.h"
#include "exporter/swarm/sessions.h"

namespace skep::ingest {

// Looks at scopes that begin with "com.anthropic.claude_code" and ignores others. Texts of people
// and models in the data are not looked at. Called under the store's lock only.
class ClaudeCode final : public OtlpConsumer {
 public:
  // All outlive it.
  ClaudeCode(swarm::Sessions& sessions, const swarm::Flow& flow, const Clock& clock);
  ~ClaudeCode() override;

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

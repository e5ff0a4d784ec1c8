// Claude Code's HTTP hooks: what happens in a session, told while it happens, without any set-up of
// OpenTelemetry.
#pragma once

#include <cstddef>
#include <memory>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "common/net/http_message.h"
#include "common/yaml/node.h"
#include "exporter/ingest/access.h"
#include "exporter/registry/collector.h"
#include "exporter/state/store.h"
#include "exporter/swarm/flow.h"
#include "exporter/swarm/pushed.h"
#include "exporter/swarm/sessions.h"

namespace skep::ingest {

//   ingest:
//     hooks: {enabled: true}
//     sessions:
//       subagent_ttl: 1h
//       failures_are_loop: 5          # calls of one tool in a row; 0: never
//       successes_are_loop: 50
struct HookOptions {
  bool enabled = true;
};

// Of the nodes `hooks` and `sessions` of the map `ingest`; null nodes are the defaults.
Result<HookOptions> ReadHookOptions(const yaml::Node& node);
Result<swarm::SessionOptions> ReadSessionOptions(const yaml::Node& node);

// Where hooks go.
struct HookSinks {
  swarm::Sessions& sessions;
  swarm::PushedSwarm& pushed;
  const swarm::Flow& flow;
  state::Store& store;
};

// Thread-safe. No threads of its own.
class ClaudeCodeHooks {
 public:
  // All but the options outlive it.
  ClaudeCodeHooks(HookOptions options, AccessOptions access, HookSinks sinks, const Clock& clock,
                  Logger log);
  ~ClaudeCodeHooks();

  void Apply(HookOptions options, AccessOptions access);

  // POST /v1/hooks/claude-code. The agent waits for the answer and would act on one that says
  // something: 200 {} for every event that could be read, whatever we make of it, also for kinds
  // that we do not know; 400 for what is no JSON object with a hook_event_name; 401, 405, 413; 403
  // for scripts of web pages; 404 while disabled; 503 where the state file cannot be written (the
  // agent goes on, the event is lost and counted).
  net::HttpResponse Handle(const net::HttpRequest& request);

  // For the server: the body of a hook could not be read (broken chunks, too late, too large).
  // Counted as one that was not taken; the answer is `plain`, or 401 without a token.
  net::HttpResponse AnswerUnreadable(const net::HttpRequest& request, net::HttpResponse plain);

  // skep_exporter_hook_events_total{event,outcome="ok|error"}. Must not outlive this.
  std::unique_ptr<exporter::Collector> MakeCollector();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skep::ingest

#include "exporter/cmd/modules.h"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "exporter/cmd/state_collector.h"
#include "exporter/ingest/agent_otlp.h"
#include "exporter/ingest/claude_code_hooks.h"
#include "exporter/ingest/event_ingest.h"
#include "exporter/ingest/otlp.h"
#include "exporter/logs/logs.h"
#include "exporter/stores/positions.h"
#include "exporter/stores/stores.h"
#include "exporter/swarm/board.h"
#include "exporter/swarm/flow.h"
#include "exporter/swarm/history.h"
#include "exporter/swarm/pushed.h"
#include "exporter/swarm/sessions.h"

namespace skep::exporter {
namespace {

// What must be there before the store is opened, and outlives it.
struct Memory {
  explicit Memory(const ModuleOptions& options) : sessions(options.ingest.sessions) {}

  std::vector<state::Section*> Sections() {
    std::vector<state::Section*> all = {&history, &pushed, &sessions, &positions, &transcripts};
    for (state::Section* section : otlp.sections()) all.push_back(section);
    for (state::Section* section : events.sections()) all.push_back(section);
    for (state::Section* section : logs.all()) all.push_back(section);
    return all;
  }

  swarm::History history;
  swarm::PushedSwarm pushed;
  swarm::Sessions sessions;
  stores::Positions positions;
  stores::TranscriptOffsets transcripts;
  ingest::OtlpMemory otlp;
  ingest::EventMemory events;
  logs::Sections logs;
};

swarm::BoardOptions BoardOptionsOf(const ModuleOptions& options) {
  return options.swarm ? options.swarm->board : swarm::BoardOptions{};
}

// What is left where a reload took `swarm` out of the file.
stores::Options NothingOfSwarms() {
  stores::Options nothing;
  nothing.processes = false;
  nothing.ai_budget.enabled = false;
  return nothing;
}

// Of the largest body that any endpoint takes, twice: so that one a little larger gets the answer
// of its protocol, and a huge one is refused before it is in memory.
std::size_t MaxBody(const ModuleOptions& options) {
  return 2 * options.ingest.access.max_body_bytes;
}

bool IsSame(const state::StoreOptions& a, const state::StoreOptions& b) {
  return a.path == b.path && a.max_series == b.max_series && a.max_families == b.max_families &&
         a.checkpoint_bytes == b.checkpoint_bytes;
}

}  // namespace

// In the order in which each needs those above it.
struct Modules::Impl {
  Impl(const ModuleOptions& options, const Paths& p, const Clock& c, const Logger& l)
      : paths(p),
        clock(c),
        log(l),
        state_options(options.state),
        max_body(MaxBody(options)),
        request_bounds(options.ingest.events.request_bounds),
        memory(options) {}

  Status Create(const ModuleOptions& options);
  Status CreateIngest(const ModuleOptions& options);
  Status CreateLogs(const ModuleOptions& options);
  Status CreateSwarm(const ModuleOptions& options);
  void ApplyLogs(const ModuleOptions& options);
  void ApplySwarm(const ModuleOptions& options);
  void ApplyTranscripts(const ModuleOptions& options);
  void OnDeployment(Timestamp at);

  const Paths& paths;
  const Clock& clock;
  const Logger log;
  const state::StoreOptions state_options;
  const std::size_t max_body;
  const std::vector<double> request_bounds;
  Memory memory;
  std::unique_ptr<state::Store> store;
  std::unique_ptr<swarm::Flow> flow;
  std::unique_ptr<swarm::Board> board;
  std::unique_ptr<ingest::AgentOtlp> consumer;
  std::unique_ptr<ingest::Otlp> otlp;

  std::mutex mutex;                        // one start, stop or reload at a time
  bool started = false;                    // guarded by mutex
  bool has_swarm = false;                  // guarded by mutex; the options in force have it
  std::unique_ptr<logs::Logs> logs;        // made once, guarded by mutex; null: never configured
  std::unique_ptr<stores::Stores> stores;  // the same
  std::unique_ptr<stores::Transcripts> transcripts;  // the same

  // For OnDeployment, which comes from requests that a reload may wait for.
  std::mutex deployment_mutex;
  std::optional<Timestamp> last_deployment;  // guarded by deployment_mutex
  logs::Logs* told_logs = nullptr;           // guarded by deployment_mutex; logs.get()

  std::unique_ptr<ingest::EventIngest> events;
  std::unique_ptr<ingest::ClaudeCodeHooks> hooks;
};

Status Modules::Impl::Create(const ModuleOptions& options) {
  if (options.state.path.empty()) {
    log.Warn(
        "no folder for the state is set: what is counted from pushes and logs begins anew at "
        "each start",
        {{"flag", "--state.path"}});
  }
  Result<std::unique_ptr<state::Store>> opened =
      state::Store::Open(options.state, memory.Sections(), clock, log.For("state"));
  if (!opened) return opened.error();
  store = std::move(*opened);
  Result<std::unique_ptr<swarm::Flow>> defined = swarm::Flow::Define(*store);
  if (!defined) return defined.error().Wrap("swarm");
  flow = std::move(*defined);
  board = std::make_unique<swarm::Board>(BoardOptionsOf(options), memory.history, *flow, *store,
                                         clock, log.For("swarm"));
  board->AddSource(memory.pushed);
  RETURN_IF_ERROR(CreateLogs(options));
  RETURN_IF_ERROR(CreateSwarm(options));
  return CreateIngest(options);
}

Status Modules::Impl::CreateIngest(const ModuleOptions& options) {
  const ingest::IngestOptions& ingest = options.ingest;
  consumer = std::make_unique<ingest::AgentOtlp>(memory.sessions, *flow, clock);
  Result<std::unique_ptr<ingest::Otlp>> made_otlp = ingest::Otlp::Create(
      ingest.otlp, ingest.access, memory.otlp, *store, consumer.get(), clock, log.For("otlp"));
  if (!made_otlp) return made_otlp.error().Wrap("otlp");
  otlp = std::move(*made_otlp);
  Result<std::unique_ptr<ingest::EventIngest>> made_events =
      ingest::EventIngest::Create(ingest.events, ingest.access,
                                  {*store, memory.events, memory.pushed, *flow, clock,
                                   [this](Timestamp at) { OnDeployment(at); }},
                                  log.For("events"));
  if (!made_events) return made_events.error().Wrap("events");
  events = std::move(*made_events);
  hooks = std::make_unique<ingest::ClaudeCodeHooks>(
      ingest.hooks, ingest.access, ingest::HookSinks{memory.sessions, memory.pushed, *flow, *store},
      clock, log.For("hooks"));
  return {};
}

Status Modules::Impl::CreateLogs(const ModuleOptions& options) {
  if (!options.logs || logs) return {};
  logs = std::make_unique<logs::Logs>(*options.logs, memory.logs, *store, clock, log.For("logs"));
  std::optional<Timestamp> deployment;
  {
    const std::lock_guard lock(deployment_mutex);
    told_logs = logs.get();
    deployment = last_deployment;
  }
  if (deployment) logs->OnDeployment(*deployment);
  if (started) logs->Start();
  return {};
}

Status Modules::Impl::CreateSwarm(const ModuleOptions& options) {
  has_swarm = options.swarm.has_value();
  if (!options.swarm) return {};
  if (!stores) {
    Result<std::unique_ptr<stores::Stores>> made = stores::Stores::Create(
        *options.swarm, {*board, *flow, *store, memory.positions, paths, clock, log.For("swarm")});
    if (!made) return made.error().Wrap("swarm");
    stores = std::move(*made);
    if (started) stores->Start();
  }
  if (!transcripts && !options.transcripts.folders.empty()) {
    transcripts = std::make_unique<stores::Transcripts>(
        options.transcripts, memory.transcripts,
        stores::TranscriptSinks{memory.sessions, *flow, *board, *store}, clock,
        log.For("transcripts"));
    if (started) transcripts->Start();
  }
  return {};
}

// What a reload takes away keeps no threads; it is not destroyed, since a page may be in the
// making.
void Modules::Impl::ApplyLogs(const ModuleOptions& options) {
  logs->Apply(options.logs.value_or(logs::Options{}));
  if (!options.logs) {
    logs->Stop();
  } else if (started) {
    logs->Start();
  }
}

void Modules::Impl::ApplySwarm(const ModuleOptions& options) {
  if (!options.swarm) stores->Stop();
  stores->Apply(options.swarm.value_or(NothingOfSwarms()));
  if (!options.swarm) {
    stores->Poll();  // the last round: what was shown leaves the page
  } else if (started) {
    stores->Start();
  }
}

void Modules::Impl::ApplyTranscripts(const ModuleOptions& options) {
  const bool is_on = !options.transcripts.folders.empty();
  if (!is_on) transcripts->Stop();  // before what it has shown leaves the page
  transcripts->Apply(options.transcripts);
  if (is_on && started) transcripts->Start();
}

void Modules::Impl::OnDeployment(Timestamp at) {
  logs::Logs* now = nullptr;
  {
    const std::lock_guard lock(deployment_mutex);
    last_deployment = at;
    now = told_logs;
  }
  if (now != nullptr) now->OnDeployment(at);
}

Modules::Modules(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Modules::~Modules() { Stop(); }

Result<std::unique_ptr<Modules>> Modules::Create(const ModuleOptions& options, const Paths& paths,
                                                 const Clock& clock, const Logger& log) {
  auto impl = std::make_unique<Impl>(options, paths, clock, log);
  RETURN_IF_ERROR(impl->Create(options));
  return std::unique_ptr<Modules>(new Modules(std::move(impl)));
}

void Modules::Start() {
  const std::lock_guard lock(impl_->mutex);
  impl_->started = true;
  if (impl_->logs) impl_->logs->Start();
  if (impl_->stores) impl_->stores->Start();
  if (impl_->transcripts) impl_->transcripts->Start();
}

void Modules::Stop() {
  const std::lock_guard lock(impl_->mutex);
  if (!std::exchange(impl_->started, false)) return;
  if (impl_->logs) impl_->logs->Stop();
  if (impl_->stores) impl_->stores->Stop();
  if (impl_->transcripts) impl_->transcripts->Stop();
}

// What may fail comes first.
Status Modules::Apply(const ModuleOptions& options) {
  Impl& impl = *impl_;
  if (!IsSame(options.state, impl.state_options)) {
    return Invalid("state: a change takes a restart of the program");
  }
  if (MaxBody(options) > impl.max_body) {
    return Invalid("ingest: a larger max_body takes a restart of the program");
  }
  // Events hold the histogram that logs would have to define anew.
  if (options.logs && options.ingest.events.request_bounds != impl.request_bounds) {
    return Invalid("logs: other request_buckets take a restart of the program");
  }
  const std::lock_guard lock(impl.mutex);
  const bool had_logs = impl.logs != nullptr;
  const bool had_transcripts = impl.transcripts != nullptr;
  const bool had_stores = impl.stores != nullptr;
  RETURN_IF_ERROR(impl.CreateSwarm(options));
  RETURN_IF_ERROR(impl.CreateLogs(options));
  impl.board->Apply(BoardOptionsOf(options));
  impl.memory.sessions.Apply(options.ingest.sessions);
  impl.otlp->Apply(options.ingest.otlp, options.ingest.access);
  impl.hooks->Apply(options.ingest.hooks, options.ingest.access);
  if (had_logs) impl.ApplyLogs(options);
  // Behind logs as at the start: caps and help of a metric that both fill are those of the last.
  impl.events->Apply(options.ingest.events, options.ingest.access);
  if (had_stores) impl.ApplySwarm(options);
  if (had_transcripts) impl.ApplyTranscripts(options);
  return {};
}

Status Modules::AddCollectors(Registry& registry) {
  Impl& impl = *impl_;
  const std::lock_guard lock(impl.mutex);
  RETURN_IF_ERROR(registry.Add(std::make_unique<StateCollector>(*impl.store)));
  RETURN_IF_ERROR(registry.Add(impl.board->MakeCollector()));
  RETURN_IF_ERROR(registry.Add(impl.memory.sessions.MakeCollector(impl.clock)));
  RETURN_IF_ERROR(registry.Add(impl.otlp->MakeCollector()));
  RETURN_IF_ERROR(registry.Add(impl.events->MakeCollector()));
  RETURN_IF_ERROR(registry.Add(impl.hooks->MakeCollector()));
  if (impl.logs) RETURN_IF_ERROR(registry.Add(impl.logs->MakeCollector()));
  if (impl.has_swarm) RETURN_IF_ERROR(registry.Add(impl.stores->MakeCollector()));
  if (impl.transcripts) RETURN_IF_ERROR(registry.Add(impl.transcripts->MakeCollector()));
  return {};
}

std::size_t Modules::max_body_bytes() const { return impl_->max_body; }

void Modules::AddRoutes(net::HttpServer& server) {
  using net::HttpRequest;
  Impl* const impl = impl_.get();
  server.Handle({"POST"}, "/v1/metrics",
                [impl](const HttpRequest& request) { return impl->otlp->HandleMetrics(request); });
  server.Handle({"POST"}, "/v1/logs",
                [impl](const HttpRequest& request) { return impl->otlp->HandleLogs(request); });
  server.Handle({"POST"}, "/v1/traces",
                [impl](const HttpRequest& request) { return impl->otlp->HandleTraces(request); });
  server.Handle({"POST", "OPTIONS"}, "/v1/events",
                [impl](const HttpRequest& request) { return impl->events->HandleEvents(request); });
  server.Handle({"POST", "OPTIONS"}, "/v1/beacons", [impl](const HttpRequest& request) {
    return impl->events->HandleBeacons(request);
  });
  server.Handle({"GET"}, "/v1/events/schema.json",
                [impl](const HttpRequest& request) { return impl->events->HandleSchema(request); });
  server.Handle({"GET"}, "/v1/deployments", [impl](const HttpRequest& request) {
    return impl->events->HandleDeployments(request);
  });
  server.Handle({"POST"}, "/v1/hooks/claude-code",
                [impl](const HttpRequest& request) { return impl->hooks->Handle(request); });
  for (const char* path : {"/v1/metrics", "/v1/logs", "/v1/traces"}) {
    server.OnUnreadable(path, [impl](const HttpRequest& request, net::HttpResponse plain) {
      return impl->otlp->AnswerUnreadable(request, std::move(plain));
    });
  }
  for (const char* path : {"/v1/events", "/v1/beacons"}) {
    server.OnUnreadable(path, [impl](const HttpRequest& request, net::HttpResponse plain) {
      return impl->events->AnswerUnreadable(request, std::move(plain));
    });
  }
  server.OnUnreadable("/v1/hooks/claude-code",
                      [impl](const HttpRequest& request, net::HttpResponse plain) {
                        return impl->hooks->AnswerUnreadable(request, std::move(plain));
                      });
  server.OnHttp2([impl](const std::string& peer) { impl->otlp->NoteHttp2(peer); });
}

}  // namespace skep::exporter

// What runs beside the collectors: the state of what is counted, the endpoints that are pushed to,
// followed logs, and what is read of swarms.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "common/net/http_server.h"
#include "exporter/collectors/proc_files.h"
#include "exporter/ingest/options.h"
#include "exporter/logs/options.h"
#include "exporter/registry/registry.h"
#include "exporter/state/store.h"
#include "exporter/stores/options.h"
#include "exporter/stores/transcripts.h"

namespace skep::exporter {

struct ModuleOptions {
  state::StoreOptions state;
  ingest::IngestOptions ingest;
  std::optional<logs::Options> logs;      // not set: no logs
  std::optional<stores::Options> swarm;   // not set: nothing of swarms is read
  stores::TranscriptOptions transcripts;  // part of `swarm`
};

// A line for each thing that would run, for people.
std::string DescribeModules(const ModuleOptions& options);

// Thread-safe but for Create, Start and Stop. What is not configured costs neither threads nor
// metrics.
class Modules {
 public:
  // Opens the state and defines all metrics. `paths` and `clock` must outlive it. kUnavailable:
  // another process has the state's folder; kIo: it cannot be used; kInvalid: two things would
  // have the same metric.
  static Result<std::unique_ptr<Modules>> Create(const ModuleOptions& options, const Paths& paths,
                                                 const Clock& clock, const Logger& log);
  // Stops; the last changes are synced.
  ~Modules();

  void Start();
  // Ends all that runs by itself. Requests may still come and are answered.
  void Stop();

  // A reload. kInvalid, and nothing has changed: `state` is another, bodies may be larger than the
  // server takes, or `logs` has other buckets for requests, which all need a restart, or two things
  // would have the same metric.
  Status Apply(const ModuleOptions& options);

  // Those of the options in force. The collectors must not outlive this.
  Status AddCollectors(Registry& registry);
  // What the server needs to let through.
  std::size_t max_body_bytes() const;
  // All endpoints; one that is off answers 404. The server must not outlive this.
  void AddRoutes(net::HttpServer& server);

 private:
  struct Impl;
  explicit Modules(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace skep::exporter

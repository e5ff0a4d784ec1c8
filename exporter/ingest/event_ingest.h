// /v1/events: one JSON object or NDJSON for everything that has no protocol of its own, counted
// into the Store. /v1/beacons: the same for browsers, web vitals only.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

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

namespace skep::ingest {

//   ingest:
//     events:
//       max_measures: 200                  # families of kind "measure"
//       origins: ["https://ci.example"]    # pages whose scripts may post events; none by default
//       deployment_windows:                # UTC; none: always
//         - {days: [mon, tue, wed], from: "09:00", to: "16:00"}
//     beacons:
//       origins: ["https://app.example"]   # switches /v1/beacons on
//       max_page_groups: 50
//       max_per_second: 500
struct EventOptions {
  // When deployments are welcome: one outside of all counts in deployment_outside_window_total.
  struct Window {
    std::array<bool, 7> days{};  // from Sunday
    std::chrono::minutes from{0};
    std::chrono::minutes to{24 * 60};  // not included
  };
  std::size_t max_measures = 200;
  std::vector<std::string> origins;
  std::vector<Window> deployment_windows;

  std::vector<std::string> beacon_origins;  // none: beacons are off
  std::size_t max_page_groups = 50;
  double max_beacons_per_second = 500;

  // Of http_request_duration_seconds, which logs fill as well: not in the file, but what `logs:`
  // has. A change takes a restart.
  std::vector<double> request_bounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2,
                                        0.25,  0.3,    0.4,   0.5,  0.75,  1,    1.5, 2,
                                        3,     4,      5,     7.5,  10,    30};
};

// `events` and `beacons` of the map `ingest`; null nodes are the defaults.
Result<EventOptions> ReadEventOptions(const yaml::Node& events, const yaml::Node& beacons);

// What events keep beside the metrics: ids seen within 24 hours, and what is deployed. Made before
// the Store, given to Store::Open, and outlives both.
class EventMemory {
 public:
  EventMemory();
  ~EventMemory();
  EventMemory(const EventMemory&) = delete;
  EventMemory& operator=(const EventMemory&) = delete;

  std::vector<state::Section*> sections();

 private:
  friend class EventIngest;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Whom events talk to. All of it outlives the EventIngest.
struct EventPorts {
  state::Store& store;
  EventMemory& memory;
  swarm::PushedSwarm& swarm;
  const swarm::Flow& flow;
  const Clock& clock;
  // Told of each deployment that is in the state file, with the time of it; also of the last one
  // when the program starts. May be empty.
  std::function<void(Timestamp at)> on_deployment = {};
};

// Thread-safe. No threads of its own. A request with an Origin header, as scripts of web pages
// send it, is refused unless the list names it: a page must not count what it likes on the machine
// of who looks at it.
class EventIngest {
 public:
  // Defines the families of all kinds. An error is that of Store::Define.
  static Result<std::unique_ptr<EventIngest>> Create(EventOptions options, AccessOptions access,
                                                     EventPorts ports, Logger log);
  ~EventIngest();

  void Apply(EventOptions options, AccessOptions access);

  // POST, OPTIONS /v1/events. 200 {"accepted":N,"duplicates":N,"refused":0}; 207 where some events
  // were refused, 400 where all were, with "errors":[{"line","field","message"}] of the first 20;
  // 401, 413, 415; 503 with Retry-After where the state file cannot be written: nothing of the
  // request has counted then.
  net::HttpResponse HandleEvents(const net::HttpRequest& request);
  // POST, OPTIONS /v1/beacons: 204; 404 while it is off, 403 for other pages, 429 over the rate.
  net::HttpResponse HandleBeacons(const net::HttpRequest& request);
  // GET /v1/events/schema.json.
  net::HttpResponse HandleSchema(const net::HttpRequest& request) const;
  // GET /v1/deployments: the last 100, newest first, with commit and URL; 401 without a token,
  // where pushes need one.
  net::HttpResponse HandleDeployments(const net::HttpRequest& request) const;

  // For the server: the body of a request to /v1/events or /v1/beacons could not be read (broken
  // gzip or chunks, too late, too large). Counted; the answer has the status of `plain`.
  net::HttpResponse AnswerUnreadable(const net::HttpRequest& request, net::HttpResponse plain);

  // skep_exporter_event_*, deployment_environment_age_seconds. Must not outlive this.
  std::unique_ptr<exporter::Collector> MakeCollector();

 private:
  struct Impl;
  explicit EventIngest(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace skep::ingest

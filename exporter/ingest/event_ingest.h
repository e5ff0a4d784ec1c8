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
#include "exporter/registry/collector.h"
#include "exporter/state/store.h"

namespace skep::ingest {

//   ingest:
//     events:
//       max_body: 16MB
//       max_measures: 200            # families of kind "measure"
//       origins: [https://ci.example]   # pages whose scripts may post events; none by default
//       deployment_window: {days: [mon, tue, wed], from: "09:00", to: "16:00"}   # UTC
//     beacons:
//       origins: [https://app.example]   # switches /v1/beacons on
//       max_page_groups: 50
//       max_per_second: 500
struct EventOptions {
  // When deployments are welcome; one outside counts in deployment_outside_window_total.
  struct Window {
    std::array<bool, 7> days{};  // from Sunday
    std::chrono::minutes from{0};
    std::chrono::minutes to{24 * 60};
  };
  std::size_t max_body_bytes = 16UL << 20;
  std::size_t max_measures = 200;
  std::vector<std::string> origins;
  std::vector<Window> deployment_windows;  // none: always welcome

  std::vector<std::string> beacon_origins;  // none: beacons are off
  std::size_t max_page_groups = 50;
  double max_beacons_per_second = 500;
};

// `events` and `beacons` of the map `ingest`; null nodes are the defaults.
Result<EventOptions> ReadEventOptions(const yaml::Node& events, const yaml::Node& beacons);

// A deployment as others are told of it, inside the unit that counts it: the listener may add to
// `changes` and must not do I/O.
struct DeploymentMark {
  std::string_view service;
  std::string_view version;
  std::string_view outcome;  // success, failure, rolled_back or cancelled
  Timestamp time;
};
using DeploymentListener =
    std::function<void(state::Changes& changes, const DeploymentMark& deployment)>;

// What events keep beside the metrics: ids seen within 24 hours, and the present deployment of each
// service. Made before the Store, given to Store::Open, and outlives both.
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

// Thread-safe. No threads of its own. Who may post is the caller's affair, but for browsers: a
// request with an Origin header that no list names is refused.
class EventIngest {
 public:
  // Defines its families. All but the options must outlive it. `on_deployment` may be empty.
  static Result<std::unique_ptr<EventIngest>> Create(EventOptions options, EventMemory& memory,
                                                     state::Store& store, const Clock& clock,
                                                     Logger log, DeploymentListener on_deployment);
  ~EventIngest();

  void Apply(EventOptions options);

  // POST, OPTIONS /v1/events. 200 {"accepted":N,"duplicates":N,"refused":0}; 207 where some events
  // were refused, 400 where all were, with "errors":[{"line","field","message"}] of the first 20;
  // 413, 415; 503 with Retry-After where the state file cannot be written: nothing has counted.
  net::HttpResponse HandleEvents(const net::HttpRequest& request);
  // POST, OPTIONS /v1/beacons: 204; 404 while it is off, 429 over the rate.
  net::HttpResponse HandleBeacons(const net::HttpRequest& request);
  // GET /v1/events/schema.json.
  net::HttpResponse HandleSchema(const net::HttpRequest& request) const;
  // GET /v1/deployments: the last 100, newest first, with commit and URL.
  net::HttpResponse HandleDeployments(const net::HttpRequest& request);

  // skep_exporter_events_*, ages of deployment environments. Must not outlive this.
  std::unique_ptr<exporter::Collector> MakeCollector();

 private:
  struct Impl;
  explicit EventIngest(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace skep::ingest

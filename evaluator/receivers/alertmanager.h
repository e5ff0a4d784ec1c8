// Alerts handed to Alertmanagers (API v2), ungrouped, as Prometheus does it: the rules say each
// alert again and again, so a post that fails is counted and forgotten.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "common/model/alert.h"
#include "common/net/http_client.h"

namespace skep::receivers {

// The body of POST /api/v2/alerts, byte for byte as Prometheus writes it.
std::string PostableAlerts(const std::vector<Alert>& alerts);

// One entry of `alerting: alertmanagers:`.
struct AlertmanagerGroup {
  net::HttpClientOptions http;
  Duration timeout{10'000};
  // `alert_relabel_configs` of the entry: changes the labels; false drops the alert. Null: none.
  std::function<bool(Labels& labels)> relabel;
};

// What has been seen of one Alertmanager since it was found.
struct AlertmanagerCounts {
  std::string url;
  std::uint64_t sent = 0;     // alerts that it was sent
  std::uint64_t errors = 0;   // of those, alerts in posts that failed
  std::uint64_t dropped = 0;  // alerts that were not or not well sent: queue full, post failed
  std::size_t queue_length = 0;
  std::uint64_t posts = 0;
  double post_seconds = 0;
};

// Thread-safe. Each Alertmanager has a queue and a thread of its own: one that hangs costs the
// others nothing.
class AlertmanagerSender {
 public:
  struct Options {
    std::size_t queue_capacity = 10'000;  // alerts per Alertmanager; the oldest give way
    std::size_t batch = 256;              // alerts per post
    std::string user_agent;
  };

  AlertmanagerSender(const Clock& clock, Logger log, Options options);
  // Stops without grace.
  ~AlertmanagerSender();

  // Puts the list of groups into force. Targets of before are gone until SetTargets, and with them
  // what was queued: the rules say it again.
  void Configure(std::vector<AlertmanagerGroup> groups);

  // The present Alertmanagers of one group, as URLs of the posts; duplicates count once. Queues of
  // those that stay are kept. Out of range: ignored (an old discovery's last word).
  void SetTargets(std::size_t group, const std::vector<std::string>& urls);

  // Queues `alerts` for every Alertmanager. Never waits.
  void Send(const std::vector<Alert>& alerts);

  // Posts what is queued within `grace`, then ends.
  void Stop(std::chrono::milliseconds grace);

  // By group, then URL.
  std::vector<AlertmanagerCounts> counts() const;

 private:
  class Endpoint;
  struct Group;

  const Clock& clock_;
  const Logger log_;
  const Options options_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Group>> groups_;  // guarded by mutex_
  bool stopped_ = false;                        // guarded by mutex_
};

}  // namespace skep::receivers

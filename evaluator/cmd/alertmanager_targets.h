// Which Alertmanagers there are: static ones and those that files list.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "evaluator/config/alerting.h"
#include "evaluator/receivers/alertmanager.h"
#include "evaluator/scrape/file_discovery.h"

namespace skep::evaluator {

// Where alerts are posted: "http://HOST:PORT/PREFIX/api/v2/alerts".
struct AlertmanagerUrls {
  std::vector<std::string> active;
  std::vector<std::string> dropped;  // by relabel_configs
  std::vector<Error> refused;        // addresses that are none; each costs itself alone
};

// What the target groups come to after relabelling.
AlertmanagerUrls ResolveAlertmanagers(const config::AlertmanagerOptions& options,
                                      const std::vector<scrape::TargetGroup>& groups);

// Thread-safe. `sender` and `clock` outlive it.
class AlertmanagerTargets {
 public:
  struct Status {
    std::vector<std::string> active;   // URLs of the posts
    std::vector<std::string> dropped;  // by relabelling
  };

  AlertmanagerTargets(receivers::AlertmanagerSender& sender, const Clock& clock, Logger log)
      : sender_(sender), clock_(clock), log_(std::move(log)) {}

  // Everything about `alerting` that can be wrong before it is in force: addresses after
  // relabelling, client certificates.
  static skep::Status Check(const config::AlertingOptions& alerting);

  // Takes a checked configuration into force. One that says the same as before changes nothing.
  void Configure(const config::AlertingOptions& alerting);

  // Looks at discovery files; see scrape::FileDiscovery.
  void Refresh();

  Status CurrentStatus() const;

 private:
  // One entry of `alertmanagers:`.
  struct Entry {
    config::AlertmanagerOptions options;
    scrape::FileDiscovery files;
    AlertmanagerUrls urls;
  };

  void Resolve(std::size_t number);
  void ShowStatus();

  receivers::AlertmanagerSender& sender_;
  const Clock& clock_;
  const Logger log_;

  // Held while files are read: only the next change waits for it, never who asks for the status.
  std::mutex change_mutex_;
  std::string fingerprint_;     // guarded by change_mutex_
  std::vector<Entry> entries_;  // guarded by change_mutex_

  mutable std::mutex status_mutex_;
  Status status_;  // guarded by status_mutex_
};

}  // namespace skep::evaluator

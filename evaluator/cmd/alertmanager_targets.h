// Which Alertmanagers there are: static ones and those that files list.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/log.h"
#include "common/base/result.h"
#include "evaluator/config/alerting.h"
#include "evaluator/receivers/alertmanager.h"

namespace skep::evaluator {

// Thread-safe. `sender` outlives it.
class AlertmanagerTargets {
 public:
  struct Status {
    std::vector<std::string> active;   // URLs of the posts
    std::vector<std::string> dropped;  // by relabelling
  };

  AlertmanagerTargets(receivers::AlertmanagerSender& sender, Logger log)
      : sender_(sender), log_(std::move(log)) {}

  // Everything about `alerting` that can be wrong before it is in force: addresses after
  // relabelling, client certificates.
  static skep::Status Check(const config::AlertingOptions& alerting);

  // Takes a checked configuration into force. One that says the same as before changes nothing.
  void Configure(const config::AlertingOptions& alerting);

  // Reads discovery files again. A file that cannot be read keeps what it listed before.
  void Refresh();

  Status CurrentStatus() const;

 private:
  // What a discovery file listed last.
  struct File {
    std::string content;
    std::vector<scrape::TargetGroup> groups;
  };

  void ReadFiles(const config::AlertmanagerOptions& options,
                 std::vector<scrape::TargetGroup>& groups);
  void RefreshLocked();

  receivers::AlertmanagerSender& sender_;
  const Logger log_;
  mutable std::mutex mutex_;
  config::AlertingOptions alerting_;   // guarded by mutex_
  std::map<std::string, File> files_;  // guarded by mutex_
  Status status_;                      // guarded by mutex_
};

}  // namespace skep::evaluator

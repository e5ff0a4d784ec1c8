// Loading a configuration and putting it into force, all or nothing, now and at each reload.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/file_stamp.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "evaluator/cmd/alert_path.h"
#include "evaluator/cmd/alertmanager_targets.h"
#include "evaluator/config/configuration.h"
#include "evaluator/engine/engine.h"
#include "evaluator/notifier/notifier.h"
#include "evaluator/rules/manager.h"
#include "evaluator/scrape/manager.h"
#include "evaluator/tsdb/store.h"

namespace skep::evaluator {

// Who is configured; all outlive the Configurator. Thread-safe, all of them.
struct Configured {
  engine::Engine& engine;
  scrape::Manager& scrape;
  rules::Manager& rules;
  notifier::Notifier& notifier;
  AlertPath& alerts;
  AlertmanagerTargets& alertmanagers;
  tsdb::Store& store;
};

struct ConfiguratorOptions {
  std::string file;          // "": `default_text` instead
  std::string default_text;  // the built-in configuration
  bool ignore_unsupported = false;
  std::string external_url;  // no slash at its end
  std::string user_agent;
};

// Thread-safe: one reload at a time, others wait.
class Configurator {
 public:
  struct Status {
    bool successful = false;  // the last try
    Timestamp last_success;
    std::string echo;                       // of what is in force
    std::vector<scrape::LeftOut> left_out;  // of what is in force
  };

  Configurator(Configured parts, const Clock& clock, Logger log);

  // The first load. `options` hold from then on.
  skep::Status Start(ConfiguratorOptions options);

  // Reads and checks everything: configuration, notification file, rule files. Only then all parts
  // get their new options. On error everything stays as it was. kUnavailable before Start.
  skep::Status Reload();

  // Reload, if one of the files (configuration, notification file, rule files) changed since it was
  // read (FileStamp), or if the last try failed. The same failure is logged once.
  void ReloadIfChanged();

  Status CurrentStatus() const;

 private:
  // Everything that is needed to go on without further ways to fail.
  struct Loaded {
    config::Configuration config;
    rules::Ruleset rules;
    notifier::Notifier::Setup notifications;
    bool notifications_changed = false;
    FileStamps files;  // that it was read from
  };

  Result<Loaded> Load() const;
  Result<config::Configuration> LoadFile() const;
  skep::Status MakeReceivers(Loaded& loaded) const;
  void Apply(Loaded loaded);
  skep::Status ReloadLocked();
  void LogFailure(const Error& error) const;
  FileStamps StampNow() const;

  const Configured parts_;
  const Clock& clock_;
  const Logger log_;

  std::mutex reload_mutex_;            // held during a whole reload
  bool started_ = false;               // guarded by reload_mutex_
  ConfiguratorOptions options_;        // guarded by reload_mutex_
  std::vector<NamedFile> rule_files_;  // guarded by reload_mutex_: patterns in force
  std::string notifications_file_;     // guarded by reload_mutex_
  std::string notifications_text_;     // guarded by reload_mutex_: fingerprint in force
  FileStamps files_;                   // guarded by reload_mutex_: of what is in force
  std::string failure_;                // guarded by reload_mutex_: of the last try, or ""

  mutable std::mutex status_mutex_;
  Status status_;  // guarded by status_mutex_
};

}  // namespace skep::evaluator

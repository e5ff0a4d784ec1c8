// Loading a configuration and putting it into force, all or nothing, now and at each reload.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "evaluator/cmd/alert_path.h"
#include "evaluator/cmd/alertmanager_targets.h"
#include "evaluator/config/configuration.h"
#include "evaluator/engine/engine.h"
#include "evaluator/notifier/notifier.h"
#include "evaluator/rules/manager.h"
#include "evaluator/scrape/manager.h"

namespace skep::evaluator {

// Who is configured; all outlive the Configurator. Thread-safe, all of them.
struct Configured {
  engine::Engine& engine;
  scrape::Manager& scrape;
  rules::Manager& rules;
  notifier::Notifier& notifier;
  AlertPath& alerts;
  AlertmanagerTargets& alertmanagers;
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

  // Reload, if the content of one of the files (configuration, notification file, rule files) is
  // not what the last try saw, or if that try failed. The same failure is logged once.
  void ReloadIfChanged();

  Status CurrentStatus() const;

 private:
  // Everything that is needed to go on without further ways to fail.
  struct Loaded {
    config::Configuration config;
    rules::Ruleset rules;
    notifier::Notifier::Setup notifications;
    bool notifications_changed = false;
    std::uint64_t files_hash = 0;  // of the files that it was read from
  };

  Result<Loaded> Load() const;
  Result<config::Configuration> LoadFile() const;
  skep::Status MakeReceivers(Loaded& loaded) const;
  void Apply(Loaded loaded);
  skep::Status ReloadLocked();
  void LogFailure(const Error& error) const;
  std::uint64_t FilesHash() const;

  const Configured parts_;
  const Clock& clock_;
  const Logger log_;

  std::mutex reload_mutex_;              // held during a whole reload
  bool started_ = false;                 // guarded by reload_mutex_
  ConfiguratorOptions options_;          // guarded by reload_mutex_
  std::vector<std::string> rule_files_;  // guarded by reload_mutex_: patterns in force
  std::string notifications_file_;       // guarded by reload_mutex_
  std::string notifications_text_;       // guarded by reload_mutex_: fingerprint in force
  std::uint64_t files_hash_ = 0;         // guarded by reload_mutex_: at the last try
  std::string failure_;                  // guarded by reload_mutex_: of the last try, or ""

  mutable std::mutex status_mutex_;
  Status status_;  // guarded by status_mutex_
};

}  // namespace skep::evaluator

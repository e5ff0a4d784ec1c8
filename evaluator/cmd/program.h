// skep-evaluator as a whole: its parts, their order, its signals.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "common/base/thread.h"
#include "common/instrument/instruments.h"
#include "common/net/http_server.h"
#include "evaluator/api/api.h"
#include "evaluator/cmd/alert_path.h"
#include "evaluator/cmd/alertmanager_targets.h"
#include "evaluator/cmd/configurator.h"
#include "evaluator/cmd/flags.h"
#include "evaluator/cmd/store_admin.h"
#include "evaluator/cmd/web.h"
#include "evaluator/engine/engine.h"
#include "evaluator/intake/receiver.h"
#include "evaluator/notifier/notifier.h"
#include "evaluator/receivers/alertmanager.h"
#include "evaluator/rulequery/query_runner.h"
#include "evaluator/rules/manager.h"
#include "evaluator/scrape/manager.h"
#include "evaluator/tsdb/posix_disk.h"
#include "evaluator/tsdb/store.h"

namespace skep::evaluator {

// Parts are made in the order of the members: whoever is used comes before whoever uses it. The end
// goes the other way, but for alerts, which may still leave after the rules have stopped.
class Program {
 public:
  // `clock` and what `log` writes to outlive it.
  static Result<std::unique_ptr<Program>> Create(Flags flags, const Clock& clock, Logger log);

  // Serves until SIGTERM or SIGINT. Requires: these and SIGHUP are blocked in all threads. An error
  // is one of the start: address, web configuration, configuration.
  Status Run();

 private:
  // What the samples stand on, opened before anything else.
  struct Storage {
    std::unique_ptr<tsdb::PosixDisk> disk;
    std::unique_ptr<tsdb::Store> store;
  };

  Program(Flags flags, const Clock& clock, Logger log, Storage storage);
  static Result<Storage> OpenStorage(const Flags& flags, const Clock& clock, const Logger& log);

  Status CreateScrape();
  void AddRoutes();
  void AddReceiver(const WrapHandler& wrap);
  void AddMetrics();
  api::Sources ApiSources();
  Status Start();
  void StartMaintenance();
  void Stop();
  void WaitForEnd();

  std::string ExternalUrl() const;
  std::string OwnAddress() const;
  ConfiguratorOptions MakeConfiguratorOptions() const;

  const Flags flags_;
  const Clock& clock_;
  const Logger log_;
  const Timestamp start_time_;
  const std::string share_folder_;
  const std::string prefix_;  // of all routes: "" or "/x"
  std::atomic<bool> ready_ = false;

  instrument::Instruments instruments_;
  const Storage storage_;
  engine::Engine engine_;
  rulequery::EngineQueryRunner queries_;
  receivers::AlertmanagerSender alertmanager_sender_;
  notifier::Notifier notifier_;
  AlertPath alerts_;
  AlertmanagerTargets alertmanagers_;
  rules::Manager rules_;
  std::unique_ptr<scrape::Manager> scrape_;
  StoreAdmin admin_;
  intake::Receiver receiver_;
  std::unique_ptr<Configurator> configurator_;
  std::unique_ptr<api::Api> api_;
  net::HttpServer server_;
  Wakeup maintenance_end_;
  std::jthread maintenance_;  // of the store
  std::jthread tending_;      // of its blocks
};

}  // namespace skep::evaluator

// The exporter without the web side of its page: what is in force, replacing it, and making pages.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "common/exposition/format.h"
#include "common/instrument/instruments.h"
#include "common/net/http_server.h"
#include "exporter/cmd/configuration.h"
#include "exporter/cmd/flags.h"
#include "exporter/cmd/modules.h"
#include "exporter/registry/registry.h"

namespace skep::exporter {

// What one scrape asked for.
struct PageRequest {
  exposition::Format format = exposition::Format::kText;
  exposition::NameEscaping escaping = exposition::NameEscaping::kUnderscores;
  std::chrono::steady_clock::time_point deadline;
  // Names of collectors; empty: all but `exclude`.
  std::set<std::string, std::less<>> collect;
  std::set<std::string, std::less<>> exclude;
};

// Thread-safe.
class Exporter {
 public:
  // Loads the configuration, opens the state and makes collectors and modules. `flags` and `clock`
  // must outlive it.
  static Result<std::unique_ptr<Exporter>> Create(const Flags& flags, const Clock& clock,
                                                  Logger log);

  // What runs by itself: following logs, reading stores.
  void Start();
  void Stop();

  // All or nothing: on an error what was in force stays. Logged and counted either way.
  Status Reload();

  // Endpoints of the modules, and the largest body that the server must take for them.
  void AddRoutes(net::HttpServer& server) { modules_->AddRoutes(server); }
  std::size_t max_body_bytes() const { return modules_->max_body_bytes(); }

  // The page. kInvalid: a collector that does not exist, or is not enabled.
  Result<std::string> MakePage(const PageRequest& request);

  // The configuration in force, secrets removed.
  std::string ConfigYaml() const;

  // For what the web side counts.
  instrument::Instruments& instruments() { return instruments_; }

 private:
  // What a reload replaces. Pages that are being made keep the old one alive.
  struct State {
    Configuration configuration;
    std::unique_ptr<Registry> registry;
  };

  Exporter(const Flags& flags, const Clock& clock, Logger log);

  Result<std::shared_ptr<State>> Load();
  std::shared_ptr<State> state() const;
  // process_*, skep_exporter_* and the build, where they are not switched off.
  void WriteOwn(exposition::PageWriter& page) const;
  std::vector<std::string> OwnFamilies() const;

  const Flags& flags_;
  const Clock& clock_;
  Logger log_;
  instrument::Instruments instruments_;
  instrument::Gauge reload_successful_;
  instrument::Gauge reload_time_;
  std::atomic<std::size_t> last_page_bytes_{0};  // how much to reserve for the next one
  std::mutex reload_mutex_;                      // one reload at a time
  std::unique_ptr<Modules> modules_;             // set by Create; outlives the registries
  mutable std::mutex mutex_;
  std::shared_ptr<State> state_;  // guarded by mutex_
};

}  // namespace skep::exporter

// What is deployed: the present version of each service, its environments, and the last deployments
// as people read them.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/time.h"
#include "common/exposition/writer.h"
#include "exporter/state/store.h"

namespace skep::ingest {

struct Deployment {
  std::string service;
  std::string version;
  std::string strategy;
  std::string outcome;           // success, failure, rolled_back, cancelled
  std::string commit;            // "": not told
  std::string url;               // "": not told
  std::string rollback_version;  // "": not known
  Timestamp time;
};

// Where the series of deployments are.
struct DeploymentFamilies {
  state::FamilyId info;           // deployment_info
  state::FamilyId rollback_info;  // deployment_rollback_info
  state::FamilyId timestamp;      // deployment_timestamp_seconds
  state::FamilyId ready;          // deployment_ready_seconds
};

// A Section of the state file. Thread-safe: the store's lock orders its writers, and what pages
// read is behind a lock of its own.
class Deployments : public state::Section {
 public:
  // Beyond these the service that was deployed longest ago, the oldest environment and the oldest
  // of the history give way.
  static constexpr std::size_t kMaxServices = 200;
  static constexpr std::size_t kMaxEnvironments = 400;
  static constexpr std::size_t kMaxHistory = 100;

  // All changes of one unit: made inside Store::Update and ends there. Later ones see earlier ones;
  // nothing is kept if the unit does not come to be.
  class Unit {
   public:
    Unit(Deployments& deployments, const DeploymentFamilies& families, state::Changes& changes);

    // Shows it and takes the version before it off the page, unless what is shown is younger. One
    // that failed or was taken back changes the time only, a cancelled one the history alone.
    void Put(Deployment deployment);
    // The environment of `color` was made at `created`, or is gone.
    void PutEnvironment(std::string_view service, std::string_view color,
                        std::optional<Timestamp> created);
    // A rollback ended well: `version` runs again.
    void RolledBack(std::string_view service, std::string_view version, std::string_view strategy,
                    Timestamp time);

   private:
    struct Copy;
    Copy& copy();
    void Show(const Deployment& deployment);
    void Hide(const Deployment& deployment);

    Deployments& deployments_;
    const DeploymentFamilies& families_;
    state::Changes& changes_;
    std::shared_ptr<Copy> copy_;  // null until something changes
  };

  Deployments();
  ~Deployments() override;

  // deployment_environment_age_seconds; no family where there is none.
  void WriteAges(exposition::PageWriter& page, Timestamp now) const;
  // {"deployments":[{"service":..,"version":..,..}]}, newest first.
  std::string HistoryJson() const;
  // When anything was deployed last.
  std::optional<Timestamp> last() const;

  std::string_view name() const override { return "deployments"; }
  Status Restore(std::string_view record) override;
  void Save(const std::function<void(std::string_view record)>& write) const override;

 private:
  struct Data;

  mutable std::mutex mutex_;
  std::unique_ptr<Data> data_;  // guarded by mutex_
};

}  // namespace skep::ingest

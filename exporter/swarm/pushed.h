// Agents and tasks that are told one report at a time (events, hooks) instead of by a store that
// can be read: the same counters and gauges come of them.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "common/base/result.h"
#include "common/base/time.h"
#include "exporter/state/store.h"
#include "exporter/swarm/board.h"
#include "exporter/swarm/flow.h"

namespace skep::swarm {

struct PushedLimits {
  std::size_t agents = 10'000;
  std::size_t tasks = 10'000;
  // What was not reported for so long is gone: an agent counts as terminated, a task is forgotten.
  Duration ttl{std::chrono::hours(1)};
};

// Absent and "" mean not told: what was told before stays.
struct AgentReport {
  Place place = {};
  std::string_view id = {};  // at most 256 bytes are kept
  std::string_view type = {};
  std::string_view status = {};
  std::string_view task = {};
  std::optional<double> health = {};  // these three 0 to 1
  std::optional<double> confidence = {};
  std::optional<double> quality = {};
  std::span<const std::string_view> waits_for = {};  // ids of agents or tasks; at most 16 are kept
};

struct TaskReport {
  Place place = {};
  std::string_view id = {};
  std::string_view type = {};
  std::string_view status = {};
  std::string_view priority = {};
  std::optional<double> progress = {};  // 0 to 1
  std::string_view agent = {};          // id of who works on it
  std::span<const std::string_view> depends_on = {};
  // Where the reporter knows it; otherwise from the reports of start and end.
  std::optional<double> seconds = {};
};

// Rules: an id that is new is a spawn (agents), and counts a transition to its status (tasks); a
// status that was told before counts nothing. A finished task is counted once; its memory goes with
// the ttl. When the table is full the id that was not told of for longest gives way, which is
// counted in swarm_pushed_evictions_total{kind}.
//
// Writes gauges through the Board only: swarm_agents, swarm_tasks, swarm_agents_stuck,
// swarm_confidence_ratio, swarm_agent_quality_ratio, ... must not be defined in the store.
//
// A Section: made before the store. Thread-safe.
class PushedSwarm : public state::Section, public SnapshotSource {
 public:
  explicit PushedSwarm(PushedLimits limits = {});
  ~PushedSwarm() override;

  // All reports of one unit. Made inside Store::Update and ends there; later reports of the unit
  // see earlier ones, and nothing is kept if the unit does not come to be.
  class Unit {
   public:
    // `time`: when the reports came; expired ids go.
    Unit(PushedSwarm& swarm, const Flow& flow, state::Changes& changes, Timestamp time);
    ~Unit();
    Unit(const Unit&) = delete;
    Unit& operator=(const Unit&) = delete;

    // `at`: when it happened; durations are differences of these.
    void Report(const AgentReport& report, Timestamp at);
    void Report(const TaskReport& report, Timestamp at);

   private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
  };

  void Visit(Timestamp now,
             const std::function<void(const Snapshot& snapshot)>& visit) const override;

  std::string_view name() const override { return "swarm_pushed"; }
  Status Restore(std::string_view record) override;
  void Save(const std::function<void(std::string_view record)>& write) const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skep::swarm

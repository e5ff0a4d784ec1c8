// What was last seen of each source's tasks, agents and workers, so that two snapshots become
// transitions: each is counted once, also over restarts, and what was there before the exporter
// first looked is never counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "exporter/state/store.h"
#include "exporter/swarm/flow.h"
#include "exporter/swarm/snapshot.h"

namespace skep::swarm {

struct HistoryLimits {
  // Ids that are remembered, of all sources together; about 80 bytes each. What does not fit is
  // not counted when it changes (swarm_history_untracked).
  std::size_t tasks = 100'000;
  std::size_t agents = 50'000;
  std::size_t sources = 1'000;
};

// Rules:
//   - The first snapshot of a source is the beginning: nothing of it is counted.
//   - A task that comes later counts a transition to its status, and to in_progress where it says
//     when it started; so does each change of a status. A status that comes and goes between two
//     snapshots is not seen.
//   - completed, failed, cancelled count as finished, with a duration where the source tells both
//     times (claude-flow 3 tells no end of a failed task: that has none). A task that finished
//     before the beginning is not counted.
//   - What leaves the store keeps its place here until room is needed, so that a store that is
//     empty for a moment, or comes back from a backup, does not count again.
//   - An agent that comes is a spawn; one that becomes terminated, or leaves, a termination.
//   - Runs of workers and trips of the router grow by the difference; where they fell, their store
//     began anew and the present value is the difference.
//
// A Section: made before the store. Thread-safe: its memory changes under the store's lock and
// a lock of its own, which readers take.
class History : public state::Section {
 public:
  explicit History(HistoryLimits limits = {});
  ~History() override;

  // Counts what changed since the last snapshot of its source. Inside Store::Update; at most one
  // snapshot of a source per unit.
  void Advance(const Snapshot& snapshot, const Flow& flow, state::Changes& changes, Timestamp now);

  // The source cannot be read any more, or is none any more: what it said of circuit breakers goes.
  // Inside Store::Update.
  void Lost(const SourceKey& key, const Flow& flow, state::Changes& changes);

  // The source is configured no more: should it come again, that is its beginning. Inside
  // Store::Update.
  void Forget(const SourceKey& key, const Flow& flow, state::Changes& changes);

  // Of a source at its last snapshot.
  struct Progress {
    std::optional<Timestamp> last;  // when a task last changed its status or progress
    std::size_t stalled = 0;        // tasks in progress that did so before `stalled_before`
    std::size_t untracked = 0;      // tasks and agents for which there was no room
  };
  Progress ProgressOf(const SourceKey& key, Timestamp stalled_before) const;

  std::string_view name() const override { return "swarm_history"; }
  Status Restore(std::string_view record) override;
  void Save(const std::function<void(std::string_view record)>& write) const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skep::swarm

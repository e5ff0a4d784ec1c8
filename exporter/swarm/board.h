// The present state of all swarms: the last snapshot of each source, what follows from it, and how
// well the source itself can be read.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "exporter/registry/collector.h"
#include "exporter/state/store.h"
#include "exporter/swarm/flow.h"
#include "exporter/swarm/history.h"
#include "exporter/swarm/snapshot.h"

namespace skep::swarm {

struct BoardOptions {
  // So long after the last success the last good value is shown; then it is absent.
  Duration max_age{std::chrono::minutes(1)};
  // An agent is stuck when its task runs for longer, or when it gave no sign of life for so long.
  Duration task_timeout{std::chrono::minutes(5)};
  Duration heartbeat_timeout{std::chrono::minutes(5)};
  // A task in progress without change for so long is stalled.
  Duration stall_timeout{std::chrono::minutes(5)};
  // Series of one family; what is more is left out, and shown by
  // skep_exporter_swarm_series_dropped. Beyond the bounds of single labels below it is added up in
  // "other".
  std::size_t max_series = 1'000;
  std::size_t max_agent_types = 50;
  std::size_t max_namespaces = 50;
  std::size_t max_sources = 500;
  // swarm_agent_info{agent_id,...} for so many agents; 0: off.
  std::size_t max_agent_info = 0;
};

// Somebody who has snapshots of his own at the time of a scrape instead of publishing them.
class SnapshotSource {
 public:
  virtual ~SnapshotSource() = default;
  // Called by scrapes, one at a time; no I/O. The snapshot need live for the call only.
  virtual void Visit(Timestamp now,
                     const std::function<void(const Snapshot& snapshot)>& visit) const = 0;
};

// Thread-safe. A source has one writer at a time.
class Board {
 public:
  // All outlive the board.
  Board(BoardOptions options, History& history, const Flow& flow, state::Store& store,
        const Clock& clock, Logger log);
  ~Board();

  void Apply(BoardOptions options);

  // The source was read, all of it where the snapshot is complete (only then is it a success of
  // swarm_source_last_success_timestamp_seconds). Counts what changed since its last snapshot and
  // what `also` adds, in one unit (offsets of files that were read along with it), then shows it.
  // kIo, or kInvalid where there are max_sources already: nothing happened; the source keeps what
  // it showed and is read again later.
  Status Publish(Snapshot snapshot,
                 const std::function<Status(state::Changes& changes)>& also = {});
  // The source could not be read: counted by reason, up is 0, the last good value is shown until it
  // is too old. Logged once per source and minute. `reason` as in Flow::ReadError; `detail` is for
  // the log (no content of the source).
  void Failed(const SourceKey& key, std::string_view reason, std::string_view detail);
  // A part of the source could not be read, and its last good value is in the snapshot instead:
  // counted and logged, nothing else.
  void PartFailed(const SourceKey& key, std::string_view reason, std::string_view detail);
  // The source is configured no more: its gauges leave the page, its counters stay.
  void Forget(const SourceKey& key);

  // Must outlive the board's collector.
  void AddSource(const SnapshotSource& source);

  // Gauges of metrics.md section 1 and the self-checks of section 3: no other part of the page may
  // have them. Must not outlive the board.
  std::unique_ptr<exporter::Collector> MakeCollector();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skep::swarm

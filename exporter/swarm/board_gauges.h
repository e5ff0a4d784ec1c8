// The gauges that follow from one snapshot: pure functions, without clock and lock.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "common/base/time.h"
#include "exporter/swarm/board.h"
#include "exporter/swarm/gauge_sheet.h"
#include "exporter/swarm/snapshot.h"

namespace skep::swarm {

// Values of open labels that may appear; those that came first stay. Thread-compatible.
class ValueCaps {
 public:
  // `value`, or "other" where the label has its `max` values already.
  std::string_view Cap(std::string_view label, std::string_view value, std::size_t max);

 private:
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> values_;
};

// Label sets of one source that were on a page: they stay with 0 when what they counted is gone,
// as long as the source says that it knows.
struct ShownSeries {
  std::set<std::string> agents;
  std::set<std::string> tasks;
  std::set<std::string> swarms;
};

// Everything that follows from one snapshot alone.
void AddGauges(const Snapshot& snapshot, const BoardOptions& options, Timestamp now,
               ValueCaps& caps, ShownSeries& shown, GaugeSheet& sheet);

inline constexpr GaugeFamily kStalledTasks{
    "swarm_tasks_stalled",
    "Tasks in progress whose status and progress have not changed for long."};

// Label sets of a source, rendered: workspace and source, workspace alone.
std::string SourceLabels(const SourceKey& key);
std::string WorkspaceLabels(const SourceKey& key);

struct StuckAgents {
  std::size_t task_finished = 0;
  std::size_t task_timeout = 0;
  std::size_t heartbeat = 0;
};
// Among the agents that work: their task has ended, runs for too long, or they show no sign of
// life. The first of these reasons counts. The task is the one that the agent names, else the last
// one that was assigned to it.
StuckAgents FindStuckAgents(const Snapshot& snapshot, const BoardOptions& options, Timestamp now);

// Groups of tasks and agents that wait for each other in a circle: strongly connected parts of the
// graph of unfinished tasks and those they depend on, tasks and the agents they are assigned to,
// agents and what they wait for.
std::size_t CountDeadlocks(const Snapshot& snapshot);

}  // namespace skep::swarm

// What one source says about its swarms at one moment, as plain values. What it does not tell is
// absent and gets no series: absent is never 0. Statuses and the like are given as the source has
// them; words.h maps them. Texts are types and ids; nothing that people or models wrote.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "common/base/time.h"

namespace skep::swarm {

// Label `workspace` (the configured short name; "" leaves it out) and label `source`.
struct SourceKey {
  std::string workspace = {};
  std::string source =
      {};  // claude_flow_v3, claude_flow_v2, ruv_swarm, novice, claude_code, events

  bool operator==(const SourceKey&) const = default;
  bool operator<(const SourceKey& other) const {
    return std::tie(workspace, source) < std::tie(other.workspace, other.source);
  }
};

struct Agent {
  std::string id = {};
  std::string type = {};
  std::string status = {};
  std::string task = {};                  // id of what it works on
  std::optional<double> health = {};      // 0 to 1
  std::optional<double> confidence = {};  // 0 to 1
  std::optional<double> quality = {};     // 0 to 1
  std::optional<Timestamp> created = {};
  std::optional<Timestamp> last_seen = {};  // a sign of life, where the source has such
  std::vector<std::string> waits_for = {};  // ids of agents or tasks
};

struct Task {
  std::string id = {};
  std::string type = {};
  std::string status = {};
  std::string priority = {};
  std::optional<double> progress = {};        // 0 to 1
  std::vector<std::string> assigned_to = {};  // ids of agents
  std::vector<std::string> depends_on = {};   // ids of tasks
  std::optional<Timestamp> created = {};
  std::optional<Timestamp> started = {};
  std::optional<Timestamp> finished = {};
  // When its status or progress last changed. Left out by sources that are published to the Board,
  // which sees it for itself.
  std::optional<Timestamp> changed = {};
};

struct Swarm {
  std::string topology = {};
  std::string status = {};
  std::optional<double> max_agents = {};
};

struct Hive {
  std::vector<std::string> worker_statuses = {};
  std::optional<double> consensus_pending = {};
  std::optional<bool> queen_up = {};
  std::optional<double> queen_term = {};
};

struct MemoryStore {
  std::string store = {};            // short name of the file: memory, agentdb
  std::optional<double> bytes = {};  // database and write-ahead log
  std::vector<std::pair<std::string, double>> entries = {};  // by namespace
};

struct Daemon {
  std::optional<bool> up = {};           // the process of the pid file lives and is a daemon
  std::optional<bool> stale_state = {};  // the file says running, the process is not there
  std::optional<double> processes = {};  // daemons of this workspace by /proc
  std::optional<Timestamp> started = {};
};

struct Worker {
  std::string name = {};
  std::optional<bool> running = {};
  std::optional<bool> enabled = {};
  std::optional<double> interval_seconds = {};
  std::optional<Timestamp> last_run = {};
  // Since the daemon's state began. Their growth becomes swarm_worker_runs_total.
  std::optional<double> successes = {};
  std::optional<double> failures = {};
  // Mean of all runs.
  std::optional<double> mean_seconds = {};
};

enum class PauseReason : std::uint8_t { kNone, kManual, kQuota };

struct AiBudget {
  std::optional<double> launches_1h = {};
  std::optional<double> launches_24h = {};
  std::optional<double> limit_1h = {};
  std::optional<double> limit_24h = {};
  std::optional<double> active = {};
  std::optional<double> limit_active = {};
  std::optional<PauseReason> pause = {};
  std::optional<Timestamp> paused_until = {};  // absent with a pause without end
};

struct Router {
  std::vector<std::pair<std::string, double>> decisions = {};  // by model
  // Since the router's state began. Growth becomes circuit_breaker_trips_total{model_router}.
  std::optional<double> circuit_breaker_trips = {};
};

struct McpServer {
  std::optional<bool> up = {};
  // Since the server started.
  std::optional<double> requests_ok = {};
  std::optional<double> requests_failed = {};
  std::optional<double> requests = {};
  std::optional<double> mean_seconds = {};  // of all requests
};

struct ProcessKind {
  std::string kind = {};  // claude, daemon, mcp, cli
  double processes = 0;
  std::optional<double> cpu_seconds = {};  // never falls while the exporter runs
  std::optional<double> resident_bytes = {};
  std::optional<double> open_files = {};
};

struct Snapshot {
  SourceKey key = {};
  // mtime or savedAt of the youngest file: how old the data is.
  std::optional<Timestamp> data_time = {};
  // False: something that the source has can neither be read nor be shown from before; what it
  // would tell is absent here, and swarm_source_up is 0.
  bool is_complete = true;

  // Absent: not known at present (no series). Empty: known to be none (series that were there
  // become 0).
  std::optional<std::vector<Agent>> agents = {};
  std::optional<std::vector<Task>> tasks = {};
  std::optional<std::vector<Swarm>> swarms = {};

  std::optional<Hive> hive = {};
  std::vector<MemoryStore> memory = {};
  std::optional<Timestamp> memory_backup = {};
  std::optional<Daemon> daemon = {};
  std::vector<Worker> workers = {};
  std::optional<AiBudget> budget = {};
  std::optional<Router> router = {};
  std::optional<McpServer> mcp = {};
  std::vector<ProcessKind> processes = {};
};

}  // namespace skep::swarm

// The JSON stores that claude-flow 3 keeps in .claude-flow and .swarm, as plain values: bytes in,
// records out, no I/O. What is private in them (descriptions, objectives, broadcasts, tokens) is
// dropped here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "exporter/stores/reading.h"

namespace skep::stores {

struct AgentRecord {
  std::string id;
  std::string type;
  std::string status;
  std::string task;  // id of the task it works at, or ""
  bool is_hive_worker = false;
  std::optional<double> health;  // 0 to 1; some stores have none
  std::optional<double> confidence;
  std::optional<Timestamp> created;
};

struct TaskRecord {
  std::string id;
  std::string type;
  std::string status;
  std::string priority;
  std::vector<std::string> agents;  // ids it is assigned to
  std::optional<double> progress;   // 0 to 1
  std::optional<Timestamp> created;
  std::optional<Timestamp> started;
  std::optional<Timestamp> completed;
};

struct SwarmRecord {
  std::string id;
  std::string topology;
  std::string status;
  std::optional<double> max_agents;
};

// Items of a store; those that are no such item are left out and counted.
template <typename T>
struct Records {
  std::vector<T> items;
  std::size_t refused = 0;
};

// .claude-flow/agents/store.json and .claude-flow/agents.json.
Reading<Records<AgentRecord>> ParseAgents(std::string_view bytes);
// .claude-flow/tasks/store.json.
Reading<Records<TaskRecord>> ParseTasks(std::string_view bytes);
// .claude-flow/swarm/swarm-state.json.
Reading<Records<SwarmRecord>> ParseSwarms(std::string_view bytes);
// .swarm/state.json: one swarm, told by `swarm init`.
Reading<SwarmRecord> ParseSwarmInit(std::string_view bytes);

// .claude-flow/hive-mind/state.json.
struct HiveRecord {
  bool initialized = false;
  bool has_queen = false;
  std::string topology;
  std::vector<std::string> workers;  // ids
  double consensus_pending = 0;
  std::optional<double> queen_term;
};
Reading<HiveRecord> ParseHive(std::string_view bytes);

// .claude-flow/daemon-state.json.
struct WorkerRecord {
  double successes = 0;
  double failures = 0;
  double runs = 0;
  std::optional<double> average_seconds;  // nothing before the first run
  std::optional<Timestamp> last_run;
  bool running = false;
  std::optional<bool> enabled;             // from its configuration
  std::optional<double> interval_seconds;  // likewise
};
struct DaemonRecord {
  bool running = false;  // as the file claims: stays true after a crash
  std::optional<Timestamp> started;
  std::map<std::string, WorkerRecord> workers;
};
Reading<DaemonRecord> ParseDaemonState(std::string_view bytes);

// .claude-flow/daemon.pid: a decimal number and nothing else.
Reading<std::int64_t> ParsePid(std::string_view bytes);

// .swarm/model-router-state.json.
struct RouterRecord {
  std::map<std::string, double> decisions;  // by model
  double breaker_trips = 0;
};
Reading<RouterRecord> ParseRouterState(std::string_view bytes);

// .claude-flow/data/auto-memory-store.json: outcomes of tasks as hooks told them, in their order.
struct OutcomeRecord {
  bool success = false;
  std::optional<double> quality;  // 0 to 1
  Timestamp created;
};
Reading<Records<OutcomeRecord>> ParseOutcomes(std::string_view bytes);

// .claude-flow/data/autopilot-state.json.
struct AutopilotRecord {
  bool enabled = false;
  double iterations = 0;
  std::optional<double> max_iterations;
  std::optional<double> timeout_seconds;
  std::optional<Timestamp> started;
};
Reading<AutopilotRecord> ParseAutopilot(std::string_view bytes);

// .claude-flow/metrics/backup.json; `time` only where the backup was made.
struct BackupRecord {
  std::optional<Timestamp> time;
  std::optional<double> size_bytes;
};
Reading<BackupRecord> ParseBackup(std::string_view bytes);

// .claude-flow/metrics/consolidation.json.
struct ConsolidationRecord {
  std::optional<Timestamp> time;
  std::optional<double> patterns;
  std::optional<double> duplicates_removed;
  std::optional<double> episodes;
  std::optional<bool> corrupt;
};
Reading<ConsolidationRecord> ParseConsolidation(std::string_view bytes);

// .claude-flow/sessions/session-*.json: when it was saved.
Reading<Timestamp> ParseSession(std::string_view bytes);

// .claude-flow/policy/state.json: the receipts of tool calls, in their order.
struct ReceiptRecord {
  std::int64_t sequence = 0;
  std::string outcome;  // "allowed", "denied", ...
};
Reading<Records<ReceiptRecord>> ParsePolicyReceipts(std::string_view bytes);

// ai-jobs.json: remembered jobs of each worker.
Reading<std::map<std::string, double>> ParseAiJobs(std::string_view bytes);

// claude-flow 2.7: .claude-flow/agents/ID.json and .claude-flow/tasks/queue.json.
Reading<AgentRecord> ParseAgentFile(std::string_view bytes);
Reading<Records<TaskRecord>> ParseTaskQueue(std::string_view bytes);

}  // namespace skep::stores

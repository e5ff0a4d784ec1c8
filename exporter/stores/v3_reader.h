// Everything that claude-flow 3 keeps in one workspace, read round by round.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "exporter/stores/claude_flow_json.h"
#include "exporter/stores/database_file.h"
#include "exporter/stores/process_census.h"
#include "exporter/stores/source_report.h"
#include "exporter/stores/sqlite_stores.h"
#include "exporter/stores/store_file.h"

namespace skep::stores {

// What a round needs beside the files.
struct WorkspaceContext {
  const Round& round;
  const DatabaseOptions& databases;
  Duration task_timeout{0};
  const ProcessCensus* census = nullptr;  // null: no census is made
};

// A database of memories: `store` is its short name.
struct MemoryRows {
  std::string store;
  std::vector<std::pair<std::string, double>> rows;  // by kind
  std::optional<double> vectors;
};

// What only our own collector shows.
struct WorkspaceExtras {
  std::optional<BackupRecord> backup;
  std::optional<ConsolidationRecord> consolidation;
  std::optional<AutopilotRecord> autopilot;
  std::optional<double> sessions;
  std::optional<Timestamp> session_saved;
  std::vector<MemoryRows> memory;
};

// Thread-compatible.
class V3Reader {
 public:
  explicit V3Reader(const std::string& workspace);

  // Reads what has changed.
  void Refresh(const WorkspaceContext& context);

  // Of the last Refresh. The key's workspace is the caller's to fill in.
  const SourceReport& report() const { return report_; }
  const WorkspaceExtras& extras() const { return extras_; }
  const std::vector<ComponentCheck>& components() const { return components_; }
  // Outcomes of tasks and receipts of tool calls, to be counted from where they were counted to;
  // null where there is no such store.
  const StoreFile<Records<OutcomeRecord>>& outcomes() const { return outcomes_; }
  const StoreFile<Records<ReceiptRecord>>& receipts() const { return receipts_; }
  std::string daemon_log() const { return flow_ + "/logs/daemon.log"; }
  std::string trajectories() const { return root_ + "/.swarm/model-router-trajectories.jsonl"; }

 private:
  // Refreshes one part and notes how it went.
  template <typename T>
  void Take(StoreFile<T>& file, const Round& round);
  void Take(DatabaseFile<MemoryTables>& file, const WorkspaceContext& context);
  void TakeAll(const WorkspaceContext& context);
  void RefreshSession(const Round& round);

  void AddAgents(const Round& round);
  void AddTasks(const Round& round);
  void AddSwarms(const Round& round);
  void AddHive(const Round& round);
  void AddMemory(const Round& round);
  void AddDaemon(const WorkspaceContext& context);
  void AddWorkers(const Round& round);
  void AddRouter(const Round& round);
  void AddExtras(const Round& round);
  void AddDataTime();

  std::optional<bool> IsDaemonAlive(const WorkspaceContext& context) const;
  std::optional<ReadFailure> FailureOf(std::string_view part) const;
  void CheckComponents(const WorkspaceContext& context);
  void CheckOrchestrator(const WorkspaceContext& context);
  void CheckConfig(const Round& round);
  void CheckMemory();
  void CheckAgents();
  void CheckSwarms(const Round& round);
  void CheckTasks(const WorkspaceContext& context);
  void AddCheck(std::string_view component, std::string_view reason, std::chrono::nanoseconds cost);

  const std::string root_;
  const std::string flow_;  // root_/.claude-flow
  StoreFile<Records<AgentRecord>> agents_;
  StoreFile<Records<AgentRecord>> hive_agents_;
  StoreFile<Records<TaskRecord>> tasks_;
  StoreFile<Records<SwarmRecord>> swarms_;
  StoreFile<SwarmRecord> swarm_init_;
  StoreFile<HiveRecord> hive_;
  StoreFile<DaemonRecord> daemon_;
  StoreFile<std::int64_t> pid_;
  StoreFile<RouterRecord> router_;
  StoreFile<Records<OutcomeRecord>> outcomes_;
  StoreFile<AutopilotRecord> autopilot_;
  StoreFile<BackupRecord> backup_;
  StoreFile<ConsolidationRecord> consolidation_;
  StoreFile<Records<ReceiptRecord>> receipts_;
  StoreFile<bool> config_yaml_;
  StoreFile<bool> config_json_;
  std::optional<StoreFile<Timestamp>> session_;  // the newest one
  std::size_t session_count_ = 0;
  DatabaseFile<MemoryTables> memory_;
  DatabaseFile<MemoryTables> agentdb_;

  SourceReport report_;
  WorkspaceExtras extras_;
  std::vector<ComponentCheck> components_;
};

}  // namespace skep::stores

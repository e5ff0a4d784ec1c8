// Everything that claude-flow 2 (2.0 and 2.7), ruv-swarm and claude-flow-novice keep in one
// workspace, read round by round.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "exporter/stores/claude_flow_json.h"
#include "exporter/stores/database_file.h"
#include "exporter/stores/source_report.h"
#include "exporter/stores/sqlite_stores.h"
#include "exporter/stores/store_file.h"
#include "exporter/stores/v3_reader.h"

namespace skep::stores {

// .hive-mind/hive.db, .hive-mind/memory.db, .swarm/memory.db of version 2, and the agents and tasks
// that 2.7 keeps as JSON. Thread-compatible.
class V2Reader {
 public:
  explicit V2Reader(const std::string& workspace);
  void Refresh(const WorkspaceContext& context);
  const SourceReport& report() const { return report_; }

 private:
  void RefreshAgentFiles(const Round& round);
  void AddTables(const Round& round);
  void AddFiles(const Round& round);
  void AddMemory(const Round& round);

  const std::string root_;
  DatabaseFile<SwarmTables> hive_;
  DatabaseFile<MemoryTables> hive_memory_;
  DatabaseFile<MemoryTables> memory_;
  StoreFile<Records<TaskRecord>> queue_;
  std::map<std::string, StoreFile<AgentRecord>> agent_files_;  // by path
  SourceReport report_;
};

// A database of swarms, agents and tasks of ruv-swarm. Thread-compatible.
class RuvSwarmReader {
 public:
  // `database` "": where npm puts the package.
  RuvSwarmReader(const std::string& workspace, const std::string& database);
  void Refresh(const WorkspaceContext& context);
  const SourceReport& report() const { return report_; }

 private:
  DatabaseFile<SwarmTables> tables_;
  SourceReport report_;
};

// Agents of claude-flow-novice with their confidence. Thread-compatible.
class NoviceReader {
 public:
  // `database` "": data/agent-lifecycle.db.
  NoviceReader(const std::string& workspace, const std::string& database);
  void Refresh(const WorkspaceContext& context);
  const SourceReport& report() const { return report_; }

 private:
  DatabaseFile<std::vector<AgentRecord>> agents_;
  SourceReport report_;
};

}  // namespace skep::stores

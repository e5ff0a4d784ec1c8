// What the databases of claude-flow 2 and 3, ruv-swarm and claude-flow-novice say, as plain values.
// Their schemas differ from version to version: only columns that exist are asked for, and what
// they would have told is absent. Contents (objectives, descriptions, values) are never selected.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exporter/stores/claude_flow_json.h"
#include "exporter/stores/database.h"
#include "exporter/stores/reading.h"

namespace skep::stores {

// .hive-mind/hive.db, ruv-swarm.db.
struct SwarmTables {
  std::vector<SwarmRecord> swarms;
  std::vector<AgentRecord> agents;  // those of a swarm that ended are "terminated"
  std::vector<TaskRecord> tasks;
  // Of swarms that did not end. Nothing where the schema knows no roles.
  std::optional<bool> has_queen;
  std::vector<std::pair<std::string, double>> memory;  // collective memory by type
};
// kSchema: tables swarms, agents or tasks are missing.
Reading<SwarmTables> ReadSwarmTables(Database& database);

// .swarm/memory.db of 2 and 3, .swarm/agentdb-memory.db, .hive-mind/memory.db.
struct MemoryTables {
  bool is_version_2 = false;                            // key and value in clear columns
  std::vector<std::pair<std::string, double>> entries;  // by namespace, without deleted ones
  std::vector<std::pair<std::string, double>> rows;     // by table: episodes, patterns, ...
  std::optional<double> vectors;
};
// kSchema: no table of memory entries, though others may be there.
Reading<MemoryTables> ReadMemoryTables(Database& database);

// data/agent-lifecycle.db of claude-flow-novice.
Reading<std::vector<AgentRecord>> ReadLifecycle(Database& database);

}  // namespace skep::stores

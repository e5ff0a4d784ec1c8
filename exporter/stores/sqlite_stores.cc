#include "exporter/stores/sqlite_stores.h"

#include <array>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "exporter/stores/fields.h"
#include "exporter/swarm/words.h"

namespace skep::stores {
namespace {

using Columns = std::set<std::string, std::less<>>;
using Counts = std::vector<std::pair<std::string, double>>;

// A namespace is a word of its user; ids that stand in for one make thousands.
constexpr std::string_view kMostGroups = " ORDER BY 2 DESC LIMIT 1000";

// The SELECT list for `wanted`, with NULL for what the table does not have, so that places stay.
std::string SelectList(const Columns& columns, std::initializer_list<std::string_view> wanted) {
  std::string list;
  for (std::string_view column : wanted) {
    if (!list.empty()) list += ", ";
    list += columns.contains(column) ? column : "NULL";
  }
  return list;
}

bool HasAll(const Columns& columns, std::initializer_list<std::string_view> wanted) {
  for (std::string_view column : wanted) {
    if (!columns.contains(column)) return false;
  }
  return true;
}

bool HasEnded(std::string_view swarm_status) {
  const std::string_view word = swarm::SwarmStatusWord(swarm_status);
  return word == "stopped" || word == "completed" || word == "failed" || word == "terminated";
}

std::optional<double> Ratio(std::optional<double> number) {
  if (!number || *number < 0 || *number > 1) return {};
  return number;
}

// Reads the three tables, swarms first: what an agent's status means depends on its swarm's.
class SwarmTableReader {
 public:
  explicit SwarmTableReader(Database& database) : database_(database) {}

  Reading<SwarmTables> Read() {
    for (auto step : {&SwarmTableReader::ReadSwarms, &SwarmTableReader::ReadAgents,
                      &SwarmTableReader::ReadTasks, &SwarmTableReader::ReadMemory}) {
      if (std::optional<ReadFailure> failure = (this->*step)()) return *failure;
    }
    if (std::optional<ReadFailure> failure = database_.CheckUnchanged()) return *failure;
    return std::move(tables_);
  }

 private:
  std::optional<ReadFailure> ReadSwarms() {
    const Columns columns = database_.Columns("swarms");
    if (!HasAll(columns, {"id", "status"})) return ReadFailure::kSchema;
    return database_.Query("SELECT " +
                               SelectList(columns, {"id", "topology", "status", "max_agents"}) +
                               " FROM swarms",
                           [this](const DatabaseRow& row) {
                             SwarmRecord swarm{.id = std::string(row.Text(0)),
                                               .topology = std::string(row.Text(1)),
                                               .status = std::string(row.Text(2)),
                                               .max_agents = row.Number(3)};
                             statuses_[swarm.id] = swarm.status;
                             tables_.swarms.push_back(std::move(swarm));
                           });
  }

  std::optional<ReadFailure> ReadAgents() {
    const Columns columns = database_.Columns("agents");
    if (!HasAll(columns, {"id", "type", "status"})) return ReadFailure::kSchema;
    if (columns.contains("role")) tables_.has_queen = false;
    return database_.Query(
        "SELECT " +
            SelectList(columns, {"id", "type", "status", "swarm_id", "role", "created_at"}) +
            " FROM agents",
        [this](const DatabaseRow& row) { TakeAgent(row); });
  }

  // The queen of a stopped swarm stays "active" in its row.
  void TakeAgent(const DatabaseRow& row) {
    AgentRecord agent;
    agent.id = row.Text(0);
    agent.type = row.Text(1);
    agent.status = row.Text(2);
    agent.created = ParseSqlTime(row.Text(5));
    auto swarm = statuses_.find(row.Text(3));
    const bool ended = swarm != statuses_.end() && HasEnded(swarm->second);
    if (ended) agent.status = "terminated";
    if (!ended && row.Text(4) == "queen") tables_.has_queen = true;
    agent.is_hive_worker = !ended && row.Text(4) == "worker";
    tables_.agents.push_back(std::move(agent));
  }

  std::optional<ReadFailure> ReadTasks() {
    const Columns columns = database_.Columns("tasks");
    if (!HasAll(columns, {"id", "status"})) return ReadFailure::kSchema;
    return database_.Query(
        "SELECT " +
            SelectList(columns, {"id", "status", "priority", "agent_id", "created_at", "started_at",
                                 "completed_at", "execution_time_ms"}) +
            " FROM tasks",
        [this](const DatabaseRow& row) { TakeTask(row); });
  }

  void TakeTask(const DatabaseRow& row) {
    TaskRecord task;
    task.id = row.Text(0);
    task.status = row.Text(1);
    task.priority = row.Text(2);
    if (!row.Text(3).empty()) task.agents.emplace_back(row.Text(3));
    task.created = ParseSqlTime(row.Text(4));
    task.started = ParseSqlTime(row.Text(5));
    task.completed = ParseSqlTime(row.Text(6));
    // ruv-swarm tells no start, but how long it took.
    const std::optional<double> millis = row.Number(7);
    const bool plausible = millis && *millis >= 0 && *millis < 1e12;
    if (!task.started && task.completed && plausible) {
      task.started = *task.completed - Duration(static_cast<std::int64_t>(*millis));
    }
    tables_.tasks.push_back(std::move(task));
  }

  std::optional<ReadFailure> ReadMemory() {
    if (!HasAll(database_.Columns("collective_memory"), {"type"})) return {};
    return database_.Query(
        "SELECT type, count(*) FROM collective_memory GROUP BY 1" + std::string(kMostGroups),
        [this](const DatabaseRow& row) {
          tables_.memory.emplace_back(row.Text(0), row.Number(1).value_or(0));
        });
  }

  Database& database_;
  SwarmTables tables_;
  std::map<std::string, std::string, std::less<>> statuses_;  // of swarms by id
};

std::optional<ReadFailure> CountEntries(Database& database, std::string_view table,
                                        const Columns& columns, Counts& counts) {
  std::string sql = "SELECT namespace, count(*) FROM " + std::string(table);
  if (columns.contains("status")) sql += " WHERE status <> 'deleted'";
  return database.Query(
      sql + " GROUP BY 1" + std::string(kMostGroups),
      [&](const DatabaseRow& row) { counts.emplace_back(row.Text(0), row.Number(1).value_or(0)); });
}

std::optional<ReadFailure> CountRows(Database& database, Counts& counts) {
  for (std::string_view table : {"causal_edges", "consolidation_runs", "episodes", "patterns",
                                 "reasoning_patterns", "sessions", "skills", "trajectories"}) {
    if (database.Columns(table).empty()) continue;
    std::optional<ReadFailure> failure = database.Query(
        "SELECT count(*) FROM " + std::string(table),
        [&](const DatabaseRow& row) { counts.emplace_back(table, row.Number(0).value_or(0)); });
    if (failure) return failure;
  }
  return {};
}

}  // namespace

Reading<SwarmTables> ReadSwarmTables(Database& database) {
  return SwarmTableReader(database).Read();
}

Reading<MemoryTables> ReadMemoryTables(Database& database) {
  MemoryTables tables;
  std::string_view table = "memory_entries";
  Columns columns = database.Columns(table);
  if (columns.empty()) columns = database.Columns(table = "memories");
  if (!HasAll(columns, {"namespace"})) return ReadFailure::kSchema;
  tables.is_version_2 = columns.contains("value") && !columns.contains("content");
  if (auto failure = CountEntries(database, table, columns, tables.entries)) return *failure;
  if (auto failure = CountRows(database, tables.rows)) return *failure;
  if (HasAll(database.Columns("vector_indexes"), {"total_vectors"})) {
    auto failure = database.Query("SELECT sum(total_vectors) FROM vector_indexes",
                                  [&](const DatabaseRow& row) { tables.vectors = row.Number(0); });
    if (failure) return *failure;
  }
  if (std::optional<ReadFailure> failure = database.CheckUnchanged()) return *failure;
  return tables;
}

Reading<std::vector<AgentRecord>> ReadLifecycle(Database& database) {
  const Columns columns = database.Columns("agents");
  if (!HasAll(columns, {"id", "type", "status"})) return ReadFailure::kSchema;
  std::vector<AgentRecord> agents;
  std::optional<ReadFailure> failure = database.Query(
      "SELECT " + SelectList(columns, {"id", "type", "status", "confidence", "spawned_at"}) +
          " FROM agents",
      [&](const DatabaseRow& row) {
        AgentRecord agent;
        agent.id = row.Text(0);
        agent.type = row.Text(1);
        agent.status = row.Text(2);
        agent.confidence = Ratio(row.Number(3));
        agent.created = ParseSqlTime(row.Text(4));
        agents.push_back(std::move(agent));
      });
  if (failure) return *failure;
  if (std::optional<ReadFailure> changed = database.CheckUnchanged()) return *changed;
  return agents;
}

}  // namespace skep::stores

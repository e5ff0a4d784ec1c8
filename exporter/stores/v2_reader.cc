#include "exporter/stores/v2_reader.h"

#include <algorithm>
#include <utility>

#include "common/base/file.h"

namespace skep::stores {
namespace {

// Each command of 2.7 leaves one for good.
constexpr std::size_t kMaxAgentFiles = 2'000;

void AddSwarmTables(const SwarmTables& tables, swarm::Snapshot& snapshot) {
  snapshot.agents.emplace();
  snapshot.tasks.emplace();
  snapshot.swarms.emplace();
  for (const AgentRecord& agent : tables.agents) snapshot.agents->push_back(ToAgent(agent));
  for (const TaskRecord& task : tables.tasks) snapshot.tasks->push_back(ToTask(task));
  for (const SwarmRecord& swarm : tables.swarms) snapshot.swarms->push_back(ToSwarm(swarm));
}

void AddHive(const SwarmTables& tables, swarm::Snapshot& snapshot) {
  if (!tables.has_queen) return;
  swarm::Hive& hive = snapshot.hive.emplace();
  hive.queen_up = tables.has_queen;
  for (const AgentRecord& agent : tables.agents) {
    if (agent.is_hive_worker) hive.worker_statuses.push_back(agent.status);
  }
}

}  // namespace

V2Reader::V2Reader(const std::string& workspace)
    : root_(workspace),
      hive_("hive", root_ + "/.hive-mind/hive.db", ReadSwarmTables),
      hive_memory_("hive_memory", root_ + "/.hive-mind/memory.db", ReadMemoryTables),
      memory_("memory", root_ + "/.swarm/memory.db", ReadMemoryTables),
      queue_("task_queue", root_ + "/.claude-flow/tasks/queue.json", ParseTaskQueue) {}

void V2Reader::Refresh(const WorkspaceContext& context) {
  const Round& round = context.round;
  report_ = {};
  report_.snapshot.key.source = "claude_flow_v2";
  TakePart(hive_, round, context.databases, report_);
  TakePart(hive_memory_, round, context.databases, report_);
  TakePart(queue_, round, report_);
  RefreshAgentFiles(round);
  // Version 3 has a file of the same name, whose failures it tells itself.
  if (!memory_.Refresh(round, context.databases)) {
    const MemoryTables* tables = memory_.value(round);
    report_.present |= tables != nullptr && tables->is_version_2;
  }
  AddTables(round);
  AddFiles(round);
  AddMemory(round);
}

// agents/store.json beside them is version 3's.
void V2Reader::RefreshAgentFiles(const Round& round) {
  Result<std::vector<std::string>> paths = Glob(root_ + "/.claude-flow/agents/*-*.json");
  if (!paths) return;
  if (paths->size() > kMaxAgentFiles) {
    paths->resize(kMaxAgentFiles);
    report_.failures.push_back(
        {.part = "agent_files", .failure = ReadFailure::kTooLarge, .is_shown = true});
  }
  std::erase_if(agent_files_, [&](const auto& entry) {
    return !std::ranges::binary_search(*paths, entry.first);
  });
  for (const std::string& path : *paths) {
    auto entry = agent_files_.try_emplace(path, "agent_files", path, ParseAgentFile).first;
    TakePart(entry->second, round, report_);
  }
}

void V2Reader::AddTables(const Round& round) {
  const SwarmTables* tables = hive_.value(round);
  if (tables == nullptr) return;
  AddSwarmTables(*tables, report_.snapshot);
  AddHive(*tables, report_.snapshot);
  report_.snapshot.memory.push_back(
      {.store = "hive", .bytes = DatabaseBytes(hive_.path()), .entries = tables->memory});
}

// What stands in files is of other commands than what stands in the database.
void V2Reader::AddFiles(const Round& round) {
  swarm::Snapshot& snapshot = report_.snapshot;
  const bool has_database = hive_.value(round) != nullptr || !hive_.exists();
  if (const auto* queue = queue_.value(round); queue != nullptr && has_database) {
    if (!snapshot.tasks) snapshot.tasks.emplace();
    for (const TaskRecord& task : queue->items) snapshot.tasks->push_back(ToTask(task));
  }
  if (agent_files_.empty() || !has_database) return;
  if (!snapshot.agents) snapshot.agents.emplace();
  for (const auto& [path, file] : agent_files_) {
    if (const AgentRecord* agent = file.value(round)) snapshot.agents->push_back(ToAgent(*agent));
  }
}

void V2Reader::AddMemory(const Round& round) {
  for (const auto* file : {&hive_memory_, &memory_}) {
    const MemoryTables* tables = file->value(round);
    if (tables == nullptr || (file == &memory_ && !tables->is_version_2)) continue;
    report_.snapshot.memory.push_back({.store = std::string(file->part()),
                                       .bytes = DatabaseBytes(file->path()),
                                       .entries = tables->entries});
  }
}

RuvSwarmReader::RuvSwarmReader(const std::string& workspace, const std::string& database)
    : tables_("ruv_swarm",
              database.empty() ? workspace + "/node_modules/ruv-swarm/data/ruv-swarm.db" : database,
              ReadSwarmTables) {}

void RuvSwarmReader::Refresh(const WorkspaceContext& context) {
  report_ = {};
  report_.snapshot.key.source = "ruv_swarm";
  TakePart(tables_, context.round, context.databases, report_);
  const SwarmTables* tables = tables_.value(context.round);
  if (tables != nullptr) AddSwarmTables(*tables, report_.snapshot);
}

NoviceReader::NoviceReader(const std::string& workspace, const std::string& database)
    : agents_("lifecycle", database.empty() ? workspace + "/data/agent-lifecycle.db" : database,
              ReadLifecycle) {}

void NoviceReader::Refresh(const WorkspaceContext& context) {
  report_ = {};
  report_.snapshot.key.source = "novice";
  TakePart(agents_, context.round, context.databases, report_);
  const auto* agents = agents_.value(context.round);
  if (agents == nullptr) return;
  report_.snapshot.agents.emplace();
  for (const AgentRecord& agent : *agents) report_.snapshot.agents->push_back(ToAgent(agent));
}

}  // namespace skep::stores

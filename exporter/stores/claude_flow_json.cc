#include "exporter/stores/claude_flow_json.h"

#include <cmath>
#include <utility>

#include "common/base/number.h"
#include "exporter/stores/fields.h"

namespace skep::stores {
namespace {

using json::Value;

std::optional<double> RatioField(const Value& object, std::string_view key, double whole) {
  std::optional<double> number = NumberField(object, key);
  if (!number || *number < 0 || *number > whole) return {};
  return *number / whole;
}

std::optional<double> MillisAsSeconds(const Value& object, std::string_view key) {
  std::optional<double> number = CountField(object, key);
  if (!number) return {};
  return *number / 1e3;
}

// The member `key`, which must be an object of objects by id; each goes through `read`.
template <typename T, typename Read>
Reading<Records<T>> ReadById(std::string_view bytes, std::string_view key, const Read& read) {
  Reading<Value> root = ParseStore(bytes);
  if (!root) return root.failure();
  const Value* items = root->Find(key);
  if (items == nullptr || !items->IsObject()) return ReadFailure::kSchema;
  Records<T> records;
  for (const auto& [id, item] : items->members()) {
    std::optional<T> record = item.IsObject() ? read(id, item) : std::nullopt;
    if (record) records.items.push_back(std::move(*record));
    if (!record) ++records.refused;
  }
  return records;
}

// An array of objects, each through `read`.
template <typename T, typename Read>
Reading<Records<T>> ReadList(const Value& list, const Read& read) {
  if (!list.IsArray()) return ReadFailure::kSchema;
  Records<T> records;
  for (const Value& item : list.items()) {
    std::optional<T> record = item.IsObject() ? read(item) : std::nullopt;
    if (record) records.items.push_back(std::move(*record));
    if (!record) ++records.refused;
  }
  return records;
}

Reading<Value> ParseObject(std::string_view bytes) {
  Reading<Value> root = ParseStore(bytes);
  if (root && !root->IsObject()) return ReadFailure::kSchema;
  return root;
}

std::optional<AgentRecord> ReadAgent(const std::string& id, const Value& item) {
  AgentRecord agent{.id = id,
                    .type = TextField(item, "agentType"),
                    .status = TextField(item, "status"),
                    .task = TextField(item, "currentTask"),
                    .is_hive_worker = TextField(item, "domain") == "hive-mind",
                    .health = RatioField(item, "health", 1),
                    .confidence = {},
                    .created = TimeField(item, "createdAt")};
  if (agent.type.empty() || agent.status.empty()) return {};
  return agent;
}

std::vector<std::string> ReadIds(const Value& list) {
  std::vector<std::string> ids;
  for (const Value& id : list.items()) {
    if (id.IsString()) ids.push_back(id.text());
  }
  return ids;
}

std::optional<TaskRecord> ReadTask(const std::string& id, const Value& item) {
  TaskRecord task{.id = id,
                  .type = TextField(item, "type"),
                  .status = TextField(item, "status"),
                  .priority = TextField(item, "priority"),
                  .agents = ReadIds(item["assignedTo"]),
                  .progress = RatioField(item, "progress", 100),
                  .created = TimeField(item, "createdAt"),
                  .started = TimeField(item, "startedAt"),
                  .completed = TimeField(item, "completedAt")};
  if (task.id.empty() || task.status.empty()) return {};
  return task;
}

std::optional<SwarmRecord> ReadSwarm(const std::string& id, const Value& item) {
  SwarmRecord swarm{.id = id,
                    .topology = TextField(item, "topology"),
                    .status = TextField(item, "status"),
                    .max_agents = CountField(item, "maxAgents")};
  if (swarm.status.empty()) return {};
  return swarm;
}

WorkerRecord ReadWorker(const Value& item) {
  WorkerRecord worker;
  worker.runs = CountField(item, "runCount").value_or(0);
  worker.successes = CountField(item, "successCount").value_or(0);
  worker.failures = CountField(item, "failureCount").value_or(0);
  if (worker.runs > 0) worker.average_seconds = MillisAsSeconds(item, "averageDurationMs");
  worker.last_run = TimeField(item, "lastRun");
  worker.running = item["isRunning"].boolean();
  return worker;
}

void ReadWorkerSettings(const Value& list, std::map<std::string, WorkerRecord>& workers) {
  for (const Value& item : list.items()) {
    auto worker = workers.find(TextField(item, "type"));
    if (worker == workers.end()) continue;
    if (item["enabled"].IsBool()) worker->second.enabled = item["enabled"].boolean();
    worker->second.interval_seconds = MillisAsSeconds(item, "intervalMs");
  }
}

std::optional<OutcomeRecord> ReadOutcome(const Value& item) {
  const Value& metadata = item["metadata"];
  std::optional<Timestamp> created = TimeField(item, "createdAt");
  if (!created || !metadata["success"].IsBool()) return {};
  return OutcomeRecord{.success = metadata["success"].boolean(),
                       .quality = RatioField(metadata, "quality", 1),
                       .created = *created};
}

std::optional<ReceiptRecord> ReadReceipt(const Value& item) {
  const Value& payload = item["payload"];
  std::optional<std::int64_t> sequence = payload["sequence"].AsInt();
  const std::string& outcome = TextField(payload["decision"], "outcome");
  if (!sequence || *sequence < 0 || outcome.empty()) return {};
  return ReceiptRecord{.sequence = *sequence, .outcome = outcome};
}

std::optional<TaskRecord> ReadQueuedTask(const Value& item) {
  std::optional<TaskRecord> task = ReadTask(TextField(item, "id"), item);
  if (!task) return {};
  if (item["assignedTo"].IsString()) task->agents = {item["assignedTo"].text()};
  if (item["priority"].IsNumber()) task->priority = item["priority"].text();
  return task;
}

}  // namespace

Reading<Records<AgentRecord>> ParseAgents(std::string_view bytes) {
  return ReadById<AgentRecord>(bytes, "agents", ReadAgent);
}

Reading<Records<TaskRecord>> ParseTasks(std::string_view bytes) {
  return ReadById<TaskRecord>(bytes, "tasks", ReadTask);
}

Reading<Records<SwarmRecord>> ParseSwarms(std::string_view bytes) {
  return ReadById<SwarmRecord>(bytes, "swarms", ReadSwarm);
}

Reading<SwarmRecord> ParseSwarmInit(std::string_view bytes) {
  Reading<Value> root = ParseObject(bytes);
  if (!root) return root.failure();
  std::string id = TextField(*root, "id");
  if (id.empty()) id = TextField(*root, "swarmId");
  std::optional<SwarmRecord> swarm = ReadSwarm(id, *root);
  if (!swarm || id.empty()) return ReadFailure::kSchema;
  return std::move(*swarm);
}

Reading<HiveRecord> ParseHive(std::string_view bytes) {
  Reading<Value> root = ParseObject(bytes);
  if (!root) return root.failure();
  const Value& queen = (*root)["queen"];
  const Value& pending = (*root)["consensus"]["pending"];
  if (!(*root)["initialized"].IsBool()) return ReadFailure::kSchema;
  return HiveRecord{.initialized = (*root)["initialized"].boolean(),
                    .has_queen = !TextField(queen, "agentId").empty(),
                    .topology = TextField(*root, "topology"),
                    .workers = ReadIds((*root)["workers"]),
                    .consensus_pending = static_cast<double>(pending.items().size()),
                    .queen_term = CountField(queen, "term")};
}

Reading<DaemonRecord> ParseDaemonState(std::string_view bytes) {
  Reading<Value> root = ParseObject(bytes);
  if (!root) return root.failure();
  const Value& workers = (*root)["workers"];
  if (!(*root)["running"].IsBool() || !workers.IsObject()) return ReadFailure::kSchema;
  DaemonRecord daemon{.running = (*root)["running"].boolean(),
                      .started = TimeField(*root, "startedAt"),
                      .workers = {}};
  for (const auto& [name, item] : workers.members()) {
    if (item.IsObject()) daemon.workers[name] = ReadWorker(item);
  }
  ReadWorkerSettings((*root)["config"]["workers"], daemon.workers);
  return daemon;
}

Reading<std::int64_t> ParsePid(std::string_view bytes) {
  if (bytes.ends_with('\n')) bytes.remove_suffix(1);
  if (bytes.empty()) return ReadFailure::kEmpty;
  std::optional<std::int64_t> pid = ParseInt(bytes);
  if (!pid || *pid <= 0) return ReadFailure::kSchema;
  return *pid;
}

Reading<RouterRecord> ParseRouterState(std::string_view bytes) {
  Reading<Value> root = ParseObject(bytes);
  if (!root) return root.failure();
  const Value& models = (*root)["modelDistribution"];
  std::optional<double> trips = CountField(*root, "circuitBreakerTrips");
  if (!models.IsObject() || !trips) return ReadFailure::kSchema;
  RouterRecord router;
  router.breaker_trips = *trips;
  for (const auto& [model, ignored] : models.members()) {
    if (std::optional<double> count = CountField(models, model)) router.decisions[model] = *count;
  }
  return router;
}

Reading<Records<OutcomeRecord>> ParseOutcomes(std::string_view bytes) {
  Reading<Value> root = ParseStore(bytes);
  if (!root) return root.failure();
  if (!root->IsArray()) return ReadFailure::kSchema;
  Records<OutcomeRecord> records;
  for (const Value& item : root->items()) {
    if (TextField(item, "type") != "task-outcome") continue;
    std::optional<OutcomeRecord> record = ReadOutcome(item);
    if (record) records.items.push_back(*record);
    if (!record) ++records.refused;
  }
  return records;
}

Reading<AutopilotRecord> ParseAutopilot(std::string_view bytes) {
  Reading<Value> root = ParseObject(bytes);
  if (!root) return root.failure();
  if (!(*root)["enabled"].IsBool()) return ReadFailure::kSchema;
  AutopilotRecord autopilot{.enabled = (*root)["enabled"].boolean(),
                            .iterations = CountField(*root, "iterations").value_or(0),
                            .max_iterations = CountField(*root, "maxIterations"),
                            .timeout_seconds = CountField(*root, "timeoutMinutes"),
                            .started = TimeField(*root, "startTime")};
  if (autopilot.timeout_seconds) *autopilot.timeout_seconds *= 60;
  return autopilot;
}

Reading<BackupRecord> ParseBackup(std::string_view bytes) {
  Reading<Value> root = ParseObject(bytes);
  if (!root) return root.failure();
  if (!(*root)["backedUp"].IsBool()) return ReadFailure::kSchema;
  if (!(*root)["backedUp"].boolean()) return BackupRecord{};
  return BackupRecord{.time = TimeField(*root, "timestamp"),
                      .size_bytes = CountField(*root, "sizeBytes")};
}

Reading<ConsolidationRecord> ParseConsolidation(std::string_view bytes) {
  Reading<Value> root = ParseObject(bytes);
  if (!root) return root.failure();
  ConsolidationRecord record{.time = TimeField(*root, "timestamp"),
                             .patterns = CountField(*root, "patternsConsolidated"),
                             .duplicates_removed = CountField(*root, "duplicatesRemoved"),
                             .episodes = CountField(*root, "episodes"),
                             .corrupt = {}};
  if ((*root)["corrupt"].IsBool()) record.corrupt = (*root)["corrupt"].boolean();
  if (!record.time) return ReadFailure::kSchema;
  return record;
}

Reading<Timestamp> ParseSession(std::string_view bytes) {
  Reading<Value> root = ParseObject(bytes);
  if (!root) return root.failure();
  std::optional<Timestamp> saved = TimeField(*root, "savedAt");
  if (!saved) return ReadFailure::kSchema;
  return *saved;
}

Reading<Records<ReceiptRecord>> ParsePolicyReceipts(std::string_view bytes) {
  Reading<Value> root = ParseObject(bytes);
  if (!root) return root.failure();
  return ReadList<ReceiptRecord>((*root)["receipts"], ReadReceipt);
}

Reading<std::map<std::string, double>> ParseAiJobs(std::string_view bytes) {
  Reading<Value> root = ParseObject(bytes);
  if (!root) return root.failure();
  std::map<std::string, double> jobs;
  for (const auto& [hash, job] : root->members()) {
    const std::string& worker = TextField(job, "workerType");
    if (!worker.empty()) jobs[worker] += 1;
  }
  return jobs;
}

Reading<AgentRecord> ParseAgentFile(std::string_view bytes) {
  Reading<Value> root = ParseObject(bytes);
  if (!root) return root.failure();
  AgentRecord agent;
  agent.id = TextField(*root, "id");
  agent.type = TextField(*root, "type");
  agent.status = TextField(*root, "status");
  agent.created = TimeField(*root, "createdAt");
  if (agent.id.empty() || agent.type.empty() || agent.status.empty()) return ReadFailure::kSchema;
  return agent;
}

Reading<Records<TaskRecord>> ParseTaskQueue(std::string_view bytes) {
  Reading<Value> root = ParseStore(bytes);
  if (!root) return root.failure();
  return ReadList<TaskRecord>(*root, ReadQueuedTask);
}

}  // namespace skep::stores

#include "exporter/stores/v3_reader.h"

#include <algorithm>
#include <utility>

#include "common/base/file.h"
#include "common/yaml/node.h"
#include "exporter/stores/fields.h"
#include "exporter/swarm/words.h"

namespace skep::stores {
namespace {

// Whether it is a configuration at all; what it says is not ours to judge.
Reading<bool> ParseYamlConfig(std::string_view bytes) {
  Result<yaml::Node> node = yaml::Node::Parse(bytes, "config.yaml");
  if (!node) return ReadFailure::kSchema;
  if (node->IsNull()) return ReadFailure::kEmpty;
  return true;
}

Reading<bool> ParseJsonConfig(std::string_view bytes) {
  Reading<json::Value> root = ParseStore(bytes);
  if (!root) return root.failure();
  if (!root->IsObject()) return ReadFailure::kSchema;
  return true;
}

bool IsLive(const SwarmRecord& swarm) {
  const std::string_view word = swarm::SwarmStatusWord(swarm.status);
  return word == "running" || word == "starting";
}

}  // namespace

V3Reader::V3Reader(const std::string& workspace)
    : root_(workspace),
      flow_(workspace + "/.claude-flow"),
      agents_("agents", flow_ + "/agents/store.json", ParseAgents),
      hive_agents_("hive_agents", flow_ + "/agents.json", ParseAgents),
      tasks_("tasks", flow_ + "/tasks/store.json", ParseTasks),
      swarms_("swarms", flow_ + "/swarm/swarm-state.json", ParseSwarms),
      swarm_init_("swarm_init", root_ + "/.swarm/state.json", ParseSwarmInit),
      hive_("hive", flow_ + "/hive-mind/state.json", ParseHive),
      daemon_("daemon_state", flow_ + "/daemon-state.json", ParseDaemonState),
      pid_("daemon_pid", flow_ + "/daemon.pid", ParsePid),
      router_("router", root_ + "/.swarm/model-router-state.json", ParseRouterState),
      outcomes_("outcomes", flow_ + "/data/auto-memory-store.json", ParseOutcomes),
      autopilot_("autopilot", flow_ + "/data/autopilot-state.json", ParseAutopilot),
      backup_("backup", flow_ + "/metrics/backup.json", ParseBackup),
      consolidation_("consolidation", flow_ + "/metrics/consolidation.json", ParseConsolidation),
      receipts_("policy", flow_ + "/policy/state.json", ParsePolicyReceipts),
      config_yaml_("config", flow_ + "/config.yaml", ParseYamlConfig),
      config_json_("config", root_ + "/claude-flow.config.json", ParseJsonConfig),
      memory_("memory", root_ + "/.swarm/memory.db", ReadMemoryTables),
      agentdb_("agentdb", root_ + "/.swarm/agentdb-memory.db", ReadMemoryTables) {}

void V3Reader::Refresh(const WorkspaceContext& context) {
  report_ = {};
  extras_ = {};
  report_.snapshot.key.source = "claude_flow_v3";
  TakeAll(context);
  AddAgents(context.round);
  AddTasks(context.round);
  AddSwarms(context.round);
  AddHive(context.round);
  AddMemory(context.round);
  AddDaemon(context);
  AddWorkers(context.round);
  AddRouter(context.round);
  AddExtras(context.round);
  AddDataTime();
  CheckComponents(context);
}

template <typename T>
void V3Reader::Take(StoreFile<T>& file, const Round& round) {
  TakePart(file, round, report_);
}

void V3Reader::Take(DatabaseFile<MemoryTables>& file, const WorkspaceContext& context) {
  std::optional<ReadFailure> failure = file.Refresh(context.round, context.databases);
  // A database alone may be one of version 2.
  const MemoryTables* tables = file.value(context.round);
  if (tables != nullptr && tables->is_version_2) return;
  report_.present |= tables != nullptr;
  report_.readable += tables == nullptr ? 0 : 1;
  if (!failure) return;
  report_.failures.push_back(
      {.part = file.part(), .failure = *failure, .is_shown = tables != nullptr});
}

// The rest of this class only looks at what was read here.
void V3Reader::TakeAll(const WorkspaceContext& context) {
  const Round& round = context.round;
  Take(agents_, round);
  Take(hive_agents_, round);
  Take(tasks_, round);
  Take(swarms_, round);
  Take(swarm_init_, round);
  Take(hive_, round);
  Take(daemon_, round);
  Take(pid_, round);
  Take(router_, round);
  Take(outcomes_, round);
  Take(autopilot_, round);
  Take(backup_, round);
  Take(consolidation_, round);
  Take(receipts_, round);
  RefreshSession(round);
  Take(memory_, context);
  Take(agentdb_, context);
}

// Only the newest session is opened; names begin with their time.
void V3Reader::RefreshSession(const Round& round) {
  Result<std::vector<std::string>> files = Glob(flow_ + "/sessions/session-*.json");
  session_count_ = files ? files->size() : 0;
  if (session_count_ == 0) {
    session_.reset();
    return;
  }
  const std::string& newest = *std::ranges::max_element(*files);
  if (!session_ || session_->path() != newest) session_.emplace("session", newest, ParseSession);
  Take(*session_, round);
}

// The same id in both stores is the same agent, and the first store is the newer one.
void V3Reader::AddAgents(const Round& round) {
  const auto* store = agents_.value(round);
  const auto* hive = hive_agents_.value(round);
  // Half of what there is would be a wrong number.
  const bool is_whole =
      (store != nullptr || !agents_.exists()) && (hive != nullptr || !hive_agents_.exists());
  if (!is_whole || (store == nullptr && hive == nullptr)) return;
  std::map<std::string_view, const AgentRecord*> by_id;
  for (const auto* records : {store, hive}) {
    if (records == nullptr) continue;
    for (const AgentRecord& agent : records->items) by_id.try_emplace(agent.id, &agent);
  }
  report_.snapshot.agents.emplace();
  for (const auto& [id, agent] : by_id) report_.snapshot.agents->push_back(ToAgent(*agent));
}

void V3Reader::AddTasks(const Round& round) {
  const auto* tasks = tasks_.value(round);
  if (tasks == nullptr) return;
  report_.snapshot.tasks.emplace();
  for (const TaskRecord& task : tasks->items) report_.snapshot.tasks->push_back(ToTask(task));
}

// `swarm init` writes the same swarm into both files.
void V3Reader::AddSwarms(const Round& round) {
  if (const auto* swarms = swarms_.value(round)) {
    report_.snapshot.swarms.emplace();
    for (const SwarmRecord& swarm : swarms->items) {
      report_.snapshot.swarms->push_back(ToSwarm(swarm));
    }
    return;
  }
  const SwarmRecord* init = swarm_init_.value(round);
  if (init != nullptr && !swarms_.exists()) report_.snapshot.swarms = {ToSwarm(*init)};
}

void V3Reader::AddHive(const Round& round) {
  const HiveRecord* hive = hive_.value(round);
  if (hive == nullptr || !hive->initialized) return;
  swarm::Hive& out = report_.snapshot.hive.emplace();
  out.consensus_pending = hive->consensus_pending;
  out.queen_up = hive->has_queen;
  out.queen_term = hive->queen_term;
  if (!report_.snapshot.agents) return;
  std::map<std::string_view, std::string_view> statuses;
  for (const swarm::Agent& agent : *report_.snapshot.agents) statuses[agent.id] = agent.status;
  for (const std::string& worker : hive->workers) {
    auto status = statuses.find(worker);
    out.worker_statuses.emplace_back(status == statuses.end() ? "other" : status->second);
  }
}

void V3Reader::AddMemory(const Round& round) {
  for (const auto* file : {&memory_, &agentdb_}) {
    const MemoryTables* tables = file->value(round);
    if (tables == nullptr || tables->is_version_2) continue;
    const std::string name(file->part());
    report_.snapshot.memory.push_back(
        {.store = name, .bytes = DatabaseBytes(file->path()), .entries = tables->entries});
    extras_.memory.push_back({.store = name, .rows = tables->rows, .vectors = tables->vectors});
  }
  const BackupRecord* backup = backup_.value(round);
  if (backup != nullptr) report_.snapshot.memory_backup = backup->time;
}

// Of the process that the pid file names. Nothing where there is no daemon to speak of.
std::optional<bool> V3Reader::IsDaemonAlive(const WorkspaceContext& context) const {
  if (context.census == nullptr || (!pid_.exists() && !daemon_.exists())) return {};
  const std::int64_t* pid = pid_.value(context.round);
  if (pid == nullptr && pid_.exists()) return {};
  return pid != nullptr && context.census->IsDaemon(*pid, root_);
}

// daemon.pid stays after a crash, and the state says running for ever.
void V3Reader::AddDaemon(const WorkspaceContext& context) {
  if (context.census == nullptr) return;
  swarm::Daemon& out = report_.snapshot.daemon.emplace();
  out.processes = static_cast<double>(context.census->Daemons(root_));
  out.up = IsDaemonAlive(context);
  const DaemonRecord* daemon = daemon_.value(context.round);
  if (daemon == nullptr) return;
  out.stale_state = daemon->running && *out.processes == 0;
  if (out.up.value_or(false)) out.started = daemon->started;
}

void V3Reader::AddWorkers(const Round& round) {
  const DaemonRecord* daemon = daemon_.value(round);
  if (daemon == nullptr) return;
  for (const auto& [name, worker] : daemon->workers) {
    report_.snapshot.workers.push_back({.name = name,
                                        .running = worker.running,
                                        .enabled = worker.enabled,
                                        .interval_seconds = worker.interval_seconds,
                                        .last_run = worker.last_run,
                                        .successes = worker.successes,
                                        .failures = worker.failures,
                                        .mean_seconds = worker.average_seconds});
  }
}

void V3Reader::AddRouter(const Round& round) {
  const RouterRecord* router = router_.value(round);
  if (router == nullptr) return;
  swarm::Router& out = report_.snapshot.router.emplace();
  out.decisions.assign(router->decisions.begin(), router->decisions.end());
  out.circuit_breaker_trips = router->breaker_trips;
}

void V3Reader::AddExtras(const Round& round) {
  if (const auto* backup = backup_.value(round)) extras_.backup = *backup;
  if (const auto* run = consolidation_.value(round)) extras_.consolidation = *run;
  if (const auto* autopilot = autopilot_.value(round)) extras_.autopilot = *autopilot;
  if (!session_) return;
  extras_.sessions = static_cast<double>(session_count_);
  if (const Timestamp* saved = session_->value(round)) extras_.session_saved = *saved;
}

void V3Reader::AddDataTime() {
  std::optional<Timestamp>& newest = report_.snapshot.data_time;
  for (std::optional<Timestamp> time :
       {agents_.modified(), hive_agents_.modified(), tasks_.modified(), swarms_.modified(),
        swarm_init_.modified(), hive_.modified(), daemon_.modified(), router_.modified()}) {
    if (time && (!newest || *time > *newest)) newest = time;
  }
}

std::optional<ReadFailure> V3Reader::FailureOf(std::string_view part) const {
  for (const PartFailure& failure : report_.failures) {
    if (failure.part == part && failure.failure != ReadFailure::kMissing) return failure.failure;
  }
  return {};
}

void V3Reader::AddCheck(std::string_view component, std::string_view reason,
                        std::chrono::nanoseconds cost) {
  components_.push_back({.component = component,
                         .up = reason.empty(),
                         .reason = reason,
                         .seconds = std::chrono::duration<double>(cost).count()});
}

// A component of which nothing is to be seen is not checked.
void V3Reader::CheckComponents(const WorkspaceContext& context) {
  components_.clear();
  if (!report_.present) return;
  CheckOrchestrator(context);
  CheckConfig(context.round);
  CheckMemory();
  CheckAgents();
  CheckSwarms(context.round);
  CheckTasks(context);
}

void V3Reader::CheckOrchestrator(const WorkspaceContext& context) {
  if (context.census == nullptr) return;
  double processes = 0;
  for (const swarm::ProcessKind& kind : context.census->Kinds(root_)) {
    if (kind.kind == "daemon" || kind.kind == "mcp") processes += kind.processes;
  }
  AddCheck("orchestrator", processes > 0 ? "" : "no_process", daemon_.cost() + pid_.cost());
}

// A configuration that does not parse makes no metric wrong, so it fails its component only.
void V3Reader::CheckConfig(const Round& round) {
  std::optional<ReadFailure> failure = config_yaml_.Refresh(round);
  if (!failure) failure = config_json_.Refresh(round);
  if (!config_yaml_.exists() && !config_json_.exists()) return;
  AddCheck("configManager", failure ? ReadFailureName(*failure) : "",
           config_yaml_.cost() + config_json_.cost());
}

void V3Reader::CheckMemory() {
  if (!memory_.exists()) return;
  std::optional<ReadFailure> failure = FailureOf("memory");
  AddCheck("memoryManager", failure ? ReadFailureName(*failure) : "", memory_.cost());
}

void V3Reader::CheckAgents() {
  if (!agents_.exists()) return;
  std::optional<ReadFailure> failure = FailureOf("agents");
  AddCheck("agentManager", failure ? ReadFailureName(*failure) : "", agents_.cost());
}

void V3Reader::CheckSwarms(const Round& round) {
  if (!swarms_.exists()) return;
  std::optional<ReadFailure> failure = FailureOf("swarms");
  std::string_view reason = failure ? ReadFailureName(*failure) : "";
  const auto* swarms = swarms_.value(round);
  const bool is_running = swarms != nullptr && std::ranges::any_of(swarms->items, IsLive);
  if (!failure && !is_running) reason = "no_running_swarm";
  AddCheck("swarmCoordinator", reason, swarms_.cost());
}

void V3Reader::CheckTasks(const WorkspaceContext& context) {
  if (!tasks_.exists()) return;
  std::optional<ReadFailure> failure = FailureOf("tasks");
  std::string_view reason = failure ? ReadFailureName(*failure) : "";
  const auto* tasks = tasks_.value(context.round);
  const bool is_late = tasks != nullptr && std::ranges::any_of(tasks->items, [&](const auto& task) {
                         return swarm::TaskStatusWord(task.status) == "in_progress" &&
                                task.started &&
                                context.round.now - *task.started > context.task_timeout;
                       });
  if (!failure && is_late) reason = "task_timeout";
  AddCheck("taskEngine", reason, tasks_.cost());
}

}  // namespace skep::stores

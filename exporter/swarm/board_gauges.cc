#include "exporter/swarm/board_gauges.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <utility>

#include "exporter/swarm/words.h"

namespace skep::swarm {
namespace {

using exposition::AppendRenderedLabel;
using exposition::MetricType;

constexpr GaugeFamily kAgents{"swarm_agents", "Agents by type and status."};
constexpr GaugeFamily kAgentsMax{"swarm_agents_max",
                                 "Agents that the live swarms may have at most."};
constexpr GaugeFamily kSwarms{"swarm_swarms", "Swarms by topology and status."};
constexpr GaugeFamily kHealthMin{"swarm_agent_health_ratio_min",
                                 "Health of the agent that is worst off, of those that live.",
                                 Combine::kMin};
constexpr GaugeFamily kStuck{
    "swarm_agents_stuck",
    "Agents that count as working although their task has ended or runs for too long, or that "
    "give no sign of life."};
constexpr GaugeFamily kConfidence{"swarm_confidence_ratio",
                                  "Mean confidence of the agents that live, as they tell it.",
                                  Combine::kMean};
constexpr GaugeFamily kQuality{"swarm_agent_quality_ratio",
                               "Mean quality of the agents that live, as it is told.",
                               Combine::kMean};
constexpr GaugeFamily kAgentInfo{"swarm_agent_info", "1 for each agent that lives.", Combine::kMax};
constexpr GaugeFamily kTasks{"swarm_tasks", "Tasks by status and priority."};
constexpr GaugeFamily kOldest{
    "swarm_task_oldest_seconds",
    "Age of the oldest task that is pending (since its creation) or in progress (since its start).",
    Combine::kMax};
constexpr GaugeFamily kProgress{"swarm_task_progress_ratio_avg",
                                "Mean progress of the tasks in progress.", Combine::kMean};
constexpr GaugeFamily kDeadlocks{"swarm_deadlocks",
                                 "Groups of tasks and agents that wait for each other."};
constexpr GaugeFamily kHiveWorkers{"swarm_hive_workers", "Workers of the hive mind by status."};
constexpr GaugeFamily kHivePending{"swarm_hive_consensus_pending",
                                   "Votes of the hive mind that are open."};
constexpr GaugeFamily kQueenUp{"swarm_hive_queen_up", "Whether the hive mind has a queen.",
                               Combine::kMax};
constexpr GaugeFamily kQueenTerm{"swarm_hive_queen_term", "Term of the queen.", Combine::kMax};
constexpr GaugeFamily kMemoryEntries{"swarm_memory_entries",
                                     "Entries of a memory store by namespace."};
constexpr GaugeFamily kMemoryBytes{"swarm_memory_store_bytes",
                                   "Size of a memory store with its write-ahead log."};
constexpr GaugeFamily kMemoryBackup{"swarm_memory_backup_last_success_timestamp_seconds",
                                    "When the memory was last backed up.", Combine::kMax};
constexpr GaugeFamily kDaemonUp{
    "swarm_daemon_up", "Whether the process of the daemon's pid file lives and is a daemon.",
    Combine::kMax};
constexpr GaugeFamily kDaemonStale{
    "swarm_daemon_stale_state",
    "Whether the daemon's state says that it runs, but there is no such process.", Combine::kMax};
constexpr GaugeFamily kDaemons{"swarm_daemons", "Daemons of the workspace among the processes."};
constexpr GaugeFamily kDaemonStart{"swarm_daemon_start_time_seconds", "When the daemon started.",
                                   Combine::kMax};
constexpr GaugeFamily kWorkerRunning{"swarm_worker_running",
                                     "Whether the daemon's worker runs at present.", Combine::kMax};
constexpr GaugeFamily kWorkerEnabled{"swarm_worker_enabled",
                                     "Whether the daemon's worker is switched on.", Combine::kMax};
constexpr GaugeFamily kWorkerInterval{"swarm_worker_interval_seconds",
                                      "How often the daemon's worker is meant to run.",
                                      Combine::kMax};
constexpr GaugeFamily kWorkerLast{"swarm_worker_last_run_timestamp_seconds",
                                  "When the daemon's worker last ran.", Combine::kMax};
constexpr GaugeFamily kWorkerSeconds{
    "swarm_worker_run_duration_seconds",
    "Runs of the daemon's worker since its state began: their number, and that times their mean "
    "duration.",
    Combine::kSum, MetricType::kSummary};
constexpr GaugeFamily kLaunches{"swarm_ai_budget_launches",
                                "Launches of AI within the window, of all workspaces."};
constexpr GaugeFamily kLaunchLimit{"swarm_ai_budget_limit",
                                   "Launches of AI that the budget allows within the window."};
constexpr GaugeFamily kActive{"swarm_ai_active_launches", "AI runs of daemons at present."};
constexpr GaugeFamily kActiveLimit{"swarm_ai_active_limit",
                                   "AI runs of daemons that are allowed at a time."};
constexpr GaugeFamily kPaused{"swarm_ai_paused",
                              "1 for the reason why launches of AI are paused, 0 for others.",
                              Combine::kMax};
constexpr GaugeFamily kPausedUntil{"swarm_ai_paused_until_timestamp_seconds",
                                   "When the pause of launches of AI ends.", Combine::kMax};
constexpr GaugeFamily kRouted{"swarm_router_decisions",
                              "Decisions of the model router since its state began."};
constexpr GaugeFamily kRouterTrips{"swarm_router_circuit_breaker_trips",
                                   "Trips of the model router's circuit breaker since its state "
                                   "began."};
constexpr GaugeFamily kMcpUp{"swarm_mcp_up", "Whether the MCP server answers.", Combine::kMin};
constexpr GaugeFamily kMcpRequests{"swarm_mcp_requests_total",
                                   "Requests to the MCP server since it started.", Combine::kSum,
                                   MetricType::kCounter};
constexpr GaugeFamily kMcpSeconds{
    "swarm_mcp_request_duration_seconds",
    "Requests to the MCP server since it started: their number, and that times their mean "
    "duration.",
    Combine::kSum, MetricType::kSummary};
constexpr GaugeFamily kProcesses{"swarm_processes", "Processes of the swarm by kind."};
constexpr GaugeFamily kProcessCpu{"swarm_process_cpu_seconds_total",
                                  "Processor time of the swarm's processes.", Combine::kSum,
                                  MetricType::kCounter};
constexpr GaugeFamily kProcessMemory{"swarm_process_resident_memory_bytes",
                                     "Resident memory of the swarm's processes."};
constexpr GaugeFamily kProcessFiles{"swarm_process_open_fds",
                                    "Open files of the swarm's processes."};

// Rendered labels with one more; "" leaves it out.
std::string With(std::string labels, std::string_view name, std::string_view value) {
  if (!value.empty()) AppendRenderedLabel(labels, name, value);
  return labels;
}

// What one snapshot adds to the sheet, one part after the other.
class Adder {
 public:
  Adder(const Snapshot& snapshot, const BoardOptions& options, Timestamp now, ValueCaps& caps,
        ShownSeries& shown, GaugeSheet& sheet)
      : snapshot_(snapshot),
        options_(options),
        now_(now),
        caps_(caps),
        shown_(shown),
        sheet_(sheet),
        source_(SourceLabels(snapshot.key)),
        workspace_(WorkspaceLabels(snapshot.key)) {}

  void Run() {
    if (snapshot_.agents) Agents(*snapshot_.agents);
    if (snapshot_.tasks) Tasks(*snapshot_.tasks);
    if (snapshot_.swarms) Swarms(*snapshot_.swarms);
    Waits();
    if (snapshot_.hive) HiveMind(*snapshot_.hive);
    for (const MemoryStore& store : snapshot_.memory) Memory(store);
    Put(kMemoryBackup, workspace_, snapshot_.memory_backup);
    if (snapshot_.daemon) TheDaemon(*snapshot_.daemon);
    for (const Worker& worker : snapshot_.workers) OneWorker(worker);
    if (snapshot_.budget) Budget(*snapshot_.budget);
    if (snapshot_.router) TheRouter(*snapshot_.router);
    if (snapshot_.mcp) Mcp(*snapshot_.mcp);
    for (const ProcessKind& kind : snapshot_.processes) Processes(kind);
  }

 private:
  void Put(const GaugeFamily& family, const std::string& labels, std::optional<double> value) {
    if (value) sheet_.Add(family, labels, *value);
  }
  void Put(const GaugeFamily& family, const std::string& labels, std::optional<bool> value) {
    if (value) sheet_.Add(family, labels, *value ? 1 : 0);
  }
  void Put(const GaugeFamily& family, const std::string& labels, std::optional<Timestamp> value) {
    if (value) sheet_.Add(family, labels, ToSeconds(*value));
  }

  // One more under these labels, which stay on the page from now on.
  void CountShown(const GaugeFamily& family, std::set<std::string>& shown,
                  const std::string& labels) {
    if (shown.size() < options_.max_series) shown.insert(labels);
    sheet_.Add(family, labels, 1);
  }
  void KeepShown(const GaugeFamily& family, const std::set<std::string>& shown) {
    for (const std::string& labels : shown) sheet_.Add(family, labels, 0);
  }

  std::string_view AgentType(const Agent& agent) {
    return caps_.Cap("agent_type", OrUnknown(agent.type), options_.max_agent_types);
  }

  void Agents(const std::vector<Agent>& agents) {
    KeepShown(kAgents, shown_.agents);
    for (const Agent& agent : agents) OneAgent(agent);
    const StuckAgents stuck = FindStuckAgents(snapshot_, options_, now_);
    const auto put = [&](std::string_view reason, std::size_t value) {
      sheet_.Add(kStuck, With(workspace_, "reason", reason), static_cast<double>(value));
    };
    if (snapshot_.tasks) {
      put("task_finished", stuck.task_finished);
      put("task_timeout", stuck.task_timeout);
    }
    const bool has_heartbeats = std::any_of(agents.begin(), agents.end(), [](const Agent& agent) {
      return agent.last_seen.has_value();
    });
    if (has_heartbeats) put("heartbeat", stuck.heartbeat);
  }

  void OneAgent(const Agent& agent) {
    const std::string_view status = AgentStatusWord(agent.status);
    const std::string type = With(source_, "agent_type", AgentType(agent));
    CountShown(kAgents, shown_.agents, With(type, "status", OrUnknown(status)));
    if (IsGone(status)) return;
    Put(kHealthMin, workspace_, agent.health);
    Put(kConfidence, type, agent.confidence);
    Put(kQuality, type, agent.quality);
    if (infos_ < options_.max_agent_info) {
      ++infos_;
      sheet_.Add(kAgentInfo, With(With(type, "agent_id", agent.id), "status", status), 1);
    }
  }

  void Tasks(const std::vector<Task>& tasks) {
    KeepShown(kTasks, shown_.tasks);
    PutNoAge("pending", tasks);
    PutNoAge("in_progress", tasks);
    for (const Task& task : tasks) OneTask(task);
  }

  // 0 where there is no such task; where there are some and none tells its time, nothing is known.
  void PutNoAge(std::string_view status, const std::vector<Task>& tasks) {
    const bool is_there = std::any_of(tasks.begin(), tasks.end(), [status](const Task& task) {
      return TaskStatusWord(task.status) == status;
    });
    if (!is_there) sheet_.Add(kOldest, With(workspace_, "status", status), 0);
  }

  void OneTask(const Task& task) {
    const std::string_view status = TaskStatusWord(task.status);
    CountShown(
        kTasks, shown_.tasks,
        With(With(source_, "status", OrUnknown(status)), "priority", PriorityWord(task.priority)));
    if (status == "pending") PutAge(status, task.created);
    if (status != "in_progress") return;
    PutAge(status, task.started ? task.started : task.created);
    Put(kProgress, workspace_, task.progress);
    if (task.changed) {
      sheet_.Add(kStalledTasks, source_, now_ - *task.changed > options_.stall_timeout ? 1 : 0);
    }
  }

  void PutAge(std::string_view status, std::optional<Timestamp> since) {
    if (!since) return;
    const double age = std::max(0.0, ToSeconds(now_ - *since));
    sheet_.Add(kOldest, With(workspace_, "status", status), age);
  }

  void Swarms(const std::vector<Swarm>& swarms) {
    KeepShown(kSwarms, shown_.swarms);
    for (const Swarm& swarm : swarms) {
      const std::string_view status = SwarmStatusWord(swarm.status);
      CountShown(kSwarms, shown_.swarms,
                 With(With(source_, "topology", TopologyWord(swarm.topology)), "status",
                      OrUnknown(status)));
      const bool lives = status == "running" || status == "starting" || status == "paused";
      if (lives) Put(kAgentsMax, source_, swarm.max_agents);
    }
  }

  // Only where the source tells who waits for whom.
  void Waits() {
    bool told = false;
    if (snapshot_.tasks) {
      for (const Task& task : *snapshot_.tasks) told = told || !task.depends_on.empty();
    }
    if (snapshot_.agents) {
      for (const Agent& agent : *snapshot_.agents) told = told || !agent.waits_for.empty();
    }
    if (told) sheet_.Add(kDeadlocks, source_, static_cast<double>(CountDeadlocks(snapshot_)));
  }

  void HiveMind(const Hive& hive) {
    for (const std::string& status : hive.worker_statuses) {
      sheet_.Add(kHiveWorkers, With(workspace_, "status", OrUnknown(AgentStatusWord(status))), 1);
    }
    Put(kHivePending, workspace_, hive.consensus_pending);
    Put(kQueenUp, workspace_, hive.queen_up);
    Put(kQueenTerm, workspace_, hive.queen_term);
  }

  void Memory(const MemoryStore& store) {
    const std::string labels = With(workspace_, "store", OrUnknown(store.store));
    Put(kMemoryBytes, labels, store.bytes);
    for (const auto& [name, entries] : store.entries) {
      const std::string_view capped =
          caps_.Cap("namespace", OrUnknown(name), options_.max_namespaces);
      sheet_.Add(kMemoryEntries, With(labels, "namespace", capped), entries);
    }
  }

  void TheDaemon(const Daemon& daemon) {
    Put(kDaemonUp, workspace_, daemon.up);
    Put(kDaemonStale, workspace_, daemon.stale_state);
    Put(kDaemons, workspace_, daemon.processes);
    Put(kDaemonStart, workspace_, daemon.started);
  }

  void OneWorker(const Worker& worker) {
    const std::string labels = With(workspace_, "worker", OrUnknown(worker.name));
    Put(kWorkerRunning, labels, worker.running);
    Put(kWorkerEnabled, labels, worker.enabled);
    Put(kWorkerInterval, labels, worker.interval_seconds);
    Put(kWorkerLast, labels, worker.last_run);
    if (!worker.mean_seconds || !worker.successes || !worker.failures) return;
    const double runs = *worker.successes + *worker.failures;
    sheet_.AddSummary(kWorkerSeconds, labels, *worker.mean_seconds * runs, runs);
  }

  void Budget(const AiBudget& budget) {
    Put(kLaunches, With(workspace_, "window", "1h"), budget.launches_1h);
    Put(kLaunches, With(workspace_, "window", "24h"), budget.launches_24h);
    Put(kLaunchLimit, With(workspace_, "window", "1h"), budget.limit_1h);
    Put(kLaunchLimit, With(workspace_, "window", "24h"), budget.limit_24h);
    Put(kActive, workspace_, budget.active);
    Put(kActiveLimit, workspace_, budget.limit_active);
    Put(kPausedUntil, workspace_, budget.paused_until);
    if (!budget.pause) return;
    static constexpr std::array kReasons = {std::pair{PauseReason::kNone, "none"},
                                            std::pair{PauseReason::kManual, "manual"},
                                            std::pair{PauseReason::kQuota, "quota"}};
    for (const auto& [reason, word] : kReasons) {
      sheet_.Add(kPaused, With(workspace_, "reason", word), *budget.pause == reason ? 1 : 0);
    }
  }

  void TheRouter(const Router& router) {
    for (const auto& [model, decisions] : router.decisions) {
      const std::string_view capped = caps_.Cap("model", OrUnknown(model), kMaxModels);
      sheet_.Add(kRouted, With(workspace_, "model", capped), decisions);
    }
    Put(kRouterTrips, workspace_, router.circuit_breaker_trips);
  }

  void Mcp(const McpServer& mcp) {
    Put(kMcpUp, workspace_, mcp.up);
    Put(kMcpRequests, With(workspace_, "outcome", "ok"), mcp.requests_ok);
    Put(kMcpRequests, With(workspace_, "outcome", "error"), mcp.requests_failed);
    if (!mcp.requests || !mcp.mean_seconds) return;
    sheet_.AddSummary(kMcpSeconds, workspace_, *mcp.mean_seconds * *mcp.requests, *mcp.requests);
  }

  void Processes(const ProcessKind& kind) {
    const std::string labels = With(workspace_, "kind", OrUnknown(kind.kind));
    sheet_.Add(kProcesses, labels, kind.processes);
    Put(kProcessCpu, labels, kind.cpu_seconds);
    Put(kProcessMemory, labels, kind.resident_bytes);
    Put(kProcessFiles, labels, kind.open_files);
  }

  static constexpr std::size_t kMaxModels = 30;

  const Snapshot& snapshot_;
  const BoardOptions& options_;
  const Timestamp now_;
  ValueCaps& caps_;
  ShownSeries& shown_;
  GaugeSheet& sheet_;
  const std::string source_;
  const std::string workspace_;
  std::size_t infos_ = 0;
};

// The task of each agent: the one it names, else the last one assigned to it.
class TaskFinder {
 public:
  explicit TaskFinder(const std::vector<Task>& tasks) {
    for (const Task& task : tasks) {
      by_id_[task.id] = &task;
      for (const std::string& agent : task.assigned_to) {
        const Task*& last = by_agent_[agent];
        if (last == nullptr || Begin(task) >= Begin(*last)) last = &task;
      }
    }
  }

  const Task* Of(const Agent& agent) const {
    if (!agent.task.empty()) return Find(by_id_, agent.task);
    return Find(by_agent_, agent.id);
  }

 private:
  using Table = std::unordered_map<std::string_view, const Task*>;

  static Timestamp Begin(const Task& task) {
    return task.started.value_or(task.created.value_or(kMinTimestamp));
  }
  static const Task* Find(const Table& table, std::string_view id) {
    const auto at = table.find(id);
    return at == table.end() ? nullptr : at->second;
  }

  Table by_id_;
  Table by_agent_;
};

bool RunsTooLong(const Task& task, Duration timeout, Timestamp now) {
  return TaskStatusWord(task.status) == "in_progress" && task.started &&
         now - *task.started > timeout;
}

}  // namespace

std::string_view ValueCaps::Cap(std::string_view label, std::string_view value, std::size_t max) {
  auto at = values_.find(label);
  if (at == values_.end()) at = values_.emplace(label, std::set<std::string, std::less<>>()).first;
  auto& known = at->second;
  if (known.contains(value)) return value;
  if (known.size() >= max) return "other";
  known.emplace(value);
  return value;
}

std::string WorkspaceLabels(const SourceKey& key) { return With({}, "workspace", key.workspace); }

std::string SourceLabels(const SourceKey& key) {
  return With(WorkspaceLabels(key), "source", key.source);
}

void AddGauges(const Snapshot& snapshot, const BoardOptions& options, Timestamp now,
               ValueCaps& caps, ShownSeries& shown, GaugeSheet& sheet) {
  Adder(snapshot, options, now, caps, shown, sheet).Run();
}

StuckAgents FindStuckAgents(const Snapshot& snapshot, const BoardOptions& options, Timestamp now) {
  StuckAgents stuck;
  if (!snapshot.agents) return stuck;
  static const std::vector<Task> kNoTasks;
  const TaskFinder finder(snapshot.tasks ? *snapshot.tasks : kNoTasks);
  for (const Agent& agent : *snapshot.agents) {
    if (!IsBusy(AgentStatusWord(agent.status))) continue;
    const Task* task = finder.Of(agent);
    if (task != nullptr && IsFinished(TaskStatusWord(task->status))) {
      ++stuck.task_finished;
    } else if (task != nullptr && RunsTooLong(*task, options.task_timeout, now)) {
      ++stuck.task_timeout;
    } else if (agent.last_seen && now - *agent.last_seen > options.heartbeat_timeout) {
      ++stuck.heartbeat;
    }
  }
  return stuck;
}

}  // namespace skep::swarm

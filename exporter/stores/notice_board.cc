#include "exporter/stores/notice_board.h"

#include <algorithm>
#include <set>

#include "exporter/collectors/family_set.h"

namespace skep::stores {
namespace {

using exporter::FamilySet;
using exposition::LabelPairs;
using exposition::MetricType;

constexpr std::string_view kMcpServer = "mcpServer";
constexpr std::string_view kMonitor = "monitor";

void Gauge(FamilySet& families, std::string_view name, std::string_view help, LabelPairs labels,
           std::optional<double> value) {
  if (value) families.Add(name, help, MetricType::kGauge, labels, *value);
}

std::optional<double> Seconds(std::optional<Timestamp> time) {
  if (!time) return {};
  return ToSeconds(*time);
}

void AddAutopilot(FamilySet& families, std::string_view workspace,
                  const AutopilotRecord& autopilot) {
  const LabelPairs labels{{"workspace", workspace}};
  Gauge(families, "swarm_autopilot_enabled", "Whether the autopilot is on.", labels,
        autopilot.enabled ? 1 : 0);
  Gauge(families, "swarm_autopilot_iterations", "Rounds of the autopilot since it was switched on.",
        labels, autopilot.iterations);
  Gauge(families, "swarm_autopilot_max_iterations", "Rounds after which the autopilot stops.",
        labels, autopilot.max_iterations);
  Gauge(families, "swarm_autopilot_timeout_seconds", "Time after which the autopilot stops.",
        labels, autopilot.timeout_seconds);
  Gauge(families, "swarm_autopilot_start_time_seconds", "When the autopilot was switched on.",
        labels, Seconds(autopilot.started));
}

void AddConsolidation(FamilySet& families, std::string_view workspace,
                      const ConsolidationRecord& run) {
  const LabelPairs labels{{"workspace", workspace}};
  Gauge(families, "swarm_memory_consolidation_timestamp_seconds",
        "When memories were consolidated last.", labels, Seconds(run.time));
  Gauge(families, "swarm_memory_consolidation_patterns",
        "Patterns that the last consolidation made.", labels, run.patterns);
  Gauge(families, "swarm_memory_consolidation_duplicates_removed",
        "Duplicates that the last consolidation removed.", labels, run.duplicates_removed);
  Gauge(families, "swarm_memory_consolidation_episodes",
        "Episodes that the last consolidation made.", labels, run.episodes);
  if (!run.corrupt) return;
  Gauge(families, "swarm_memory_corrupt", "Whether the last consolidation found damage.", labels,
        *run.corrupt ? 1 : 0);
}

void AddMemory(FamilySet& families, std::string_view workspace, const MemoryRows& memory) {
  for (const auto& [kind, rows] : memory.rows) {
    Gauge(families, "swarm_memory_rows", "Rows of the memory store by kind.",
          {{"kind", kind}, {"store", memory.store}, {"workspace", workspace}}, rows);
  }
  Gauge(families, "swarm_memory_vectors", "Vectors that the memory store's indexes hold.",
        {{"store", memory.store}, {"workspace", workspace}}, memory.vectors);
}

void AddExtras(FamilySet& families, std::string_view workspace, const WorkspaceExtras& extras) {
  const LabelPairs labels{{"workspace", workspace}};
  if (extras.autopilot) AddAutopilot(families, workspace, *extras.autopilot);
  if (extras.consolidation) AddConsolidation(families, workspace, *extras.consolidation);
  for (const MemoryRows& memory : extras.memory) AddMemory(families, workspace, memory);
  if (extras.backup) {
    Gauge(families, "swarm_memory_backup_size_bytes", "Size of the last backup of memories.",
          labels, extras.backup->size_bytes);
  }
  Gauge(families, "swarm_saved_sessions", "Sessions saved in the workspace.", labels,
        extras.sessions);
  Gauge(families, "swarm_session_saved_timestamp_seconds", "When a session was saved last.", labels,
        Seconds(extras.session_saved));
}

}  // namespace

void NoticeBoard::Note(const std::string& workspace, const ComponentCheck& check, Timestamp now) {
  Component& component = components_[{workspace, check.component}];
  component.check = check;
  if (check.up) component.last_success = now;
}

void NoticeBoard::Show(Round round) {
  const Timestamp now = clock_.Now();
  const std::lock_guard lock(mutex_);
  std::set<Key> seen;
  for (const auto& [workspace, checks] : round.components) {
    for (const ComponentCheck& check : checks) {
      Note(workspace, check, now);
      seen.emplace(workspace, check.component);
    }
  }
  std::erase_if(components_, [&](const auto& entry) {
    return entry.first.second != kMcpServer && !seen.contains(entry.first);
  });
  round_ = std::move(round);
  round_time_ = now;
  round_steady_ = clock_.SteadyNow();
}

void NoticeBoard::ShowMcp(const std::string& workspace, const ComponentCheck& check) {
  const std::lock_guard lock(mutex_);
  Note(workspace, check, clock_.Now());
}

void NoticeBoard::ForgetMcp(const std::string& workspace) {
  const std::lock_guard lock(mutex_);
  components_.erase({workspace, kMcpServer});
}

Status NoticeBoard::Collect(exporter::CollectContext& context) {
  FamilySet families;
  const std::lock_guard lock(mutex_);
  auto add_component = [&](const std::string& workspace, const Component& component) {
    const ComponentCheck& check = component.check;
    const LabelPairs labels{{"component", check.component}, {"workspace", workspace}};
    Gauge(families, "component_up", "Whether the component of claude-flow looks healthy.", labels,
          check.up ? 1 : 0);
    Gauge(families, "component_check_duration_seconds", "What the last check took.", labels,
          check.seconds);
    Gauge(families, "component_last_success_timestamp_seconds",
          "When the component looked healthy last.", labels, Seconds(component.last_success));
  };
  for (const auto& [key, component] : components_) add_component(key.first, component);
  for (const auto& [workspace, extras] : round_.extras) AddExtras(families, workspace, extras);
  if (round_.jobs) {
    for (const auto& [worker, jobs] : *round_.jobs) {
      Gauge(families, "swarm_ai_jobs", "AI jobs that are remembered so as not to run them twice.",
            {{"worker", worker}}, jobs);
    }
  }
  if (round_time_) {
    // What the daemon calls its monitor is this exporter from outside: it works while its rounds
    // come.
    const Duration late = std::max<Duration>(3 * round_.interval, std::chrono::seconds(30));
    const bool is_fresh = clock_.SteadyNow() - *round_steady_ <= late;
    ComponentCheck monitor{.component = kMonitor, .up = is_fresh, .seconds = round_.seconds};
    if (round_.workspaces > 0) {
      for (const auto& [workspace, checks] : round_.components) {
        if (!checks.empty()) add_component(workspace, {monitor, round_time_});
      }
    }
    Gauge(families, "swarm_poll_duration_seconds", "What the last round of reading stores took.",
          {}, round_.seconds);
    Gauge(families, "swarm_poll_last_timestamp_seconds",
          "When stores were read last; gauges of swarms are as of then.", {}, Seconds(round_time_));
    Gauge(families, "swarm_workspaces", "Workspaces that are read.", {},
          static_cast<double>(round_.workspaces));
    Gauge(families, "swarm_workspaces_skipped",
          "Workspaces that are not read: too many, or without a name of their own.", {},
          static_cast<double>(round_.skipped));
  }
  families.Write(context.page);
  return {};
}

std::unique_ptr<exporter::Collector> NoticeBoard::MakeCollector() {
  return exporter::MakeFunctionCollector(
      "swarm_stores", [this](exporter::CollectContext& context) { return Collect(context); });
}

}  // namespace skep::stores

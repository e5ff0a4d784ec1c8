// The JSON that claude-flow keeps, and the answers of its MCP server: the first byte picks the
// parser. Whatever comes, values are in their ranges and times plausible.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "exporter/stores/ai_budget.h"
#include "exporter/stores/claude_flow_json.h"
#include "exporter/stores/mcp_probe.h"

namespace {

using namespace skep;          // NOLINT: a test
using namespace skep::stores;  // NOLINT: a test

void Check(bool good) {
  if (!good) std::abort();
}

void CheckRatio(std::optional<double> value) { Check(!value || (*value >= 0 && *value <= 1)); }
void CheckCount(std::optional<double> value) { Check(!value || *value >= 0); }
void CheckTime(std::optional<Timestamp> time) {
  Check(!time || (ToMillis(*time) > 900'000'000'000 && ToMillis(*time) < 5'000'000'000'000));
}

void CheckAgents(std::string_view bytes) {
  Reading<Records<AgentRecord>> agents = ParseAgents(bytes);
  if (!agents) return;
  for (const AgentRecord& agent : agents->items) {
    CheckRatio(agent.health);
    CheckTime(agent.created);
    Check(!agent.type.empty() && !agent.status.empty());
  }
}

void CheckTasks(Reading<Records<TaskRecord>> tasks) {
  if (!tasks) return;
  for (const TaskRecord& task : tasks->items) {
    CheckRatio(task.progress);
    CheckTime(task.started);
    CheckTime(task.completed);
  }
}

void CheckDaemon(std::string_view bytes) {
  Reading<DaemonRecord> daemon = ParseDaemonState(bytes);
  if (!daemon) return;
  for (const auto& [name, worker] : daemon->workers) {
    CheckCount(worker.average_seconds);
    CheckCount(worker.interval_seconds);
    Check(worker.successes >= 0 && worker.failures >= 0);
  }
}

void CheckBudget(std::string_view bytes) {
  Reading<BudgetLedger> ledger = ParseBudgetLedger(bytes);
  if (!ledger) return;
  const BudgetUse use =
      UseOf(*ledger, FromMillis(1'795'295'830'744), [](std::int64_t) { return true; });
  Check(use.launches_last_hour <= use.launches_last_day);
  CheckTime(use.paused_until);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 16) {
    case 0:
      CheckAgents(bytes);
      break;
    case 1:
      CheckTasks(ParseTasks(bytes));
      break;
    case 2:
      CheckTasks(ParseTaskQueue(bytes));
      break;
    case 3:
      CheckDaemon(bytes);
      break;
    case 4:
      CheckBudget(bytes);
      break;
    case 5:
      (void)ParseSwarms(bytes);
      break;
    case 6:
      (void)ParseSwarmInit(bytes);
      break;
    case 7:
      (void)ParseHive(bytes);
      break;
    case 8:
      (void)ParseRouterState(bytes);
      break;
    case 9:
      (void)ParseOutcomes(bytes);
      break;
    case 10:
      (void)ParseAutopilot(bytes);
      break;
    case 11:
      (void)ParseConsolidation(bytes);
      (void)ParseBackup(bytes);
      break;
    case 12:
      (void)ParseSession(bytes);
      (void)ParsePid(bytes);
      break;
    case 13:
      (void)ParsePolicyReceipts(bytes);
      break;
    case 14:
      (void)ParseAiJobs(bytes);
      (void)ParseAgentFile(bytes);
      break;
    default:
      CheckCount(ParseMcpMetrics(bytes).server.mean_seconds);
  }
  return 0;
}

#include "exporter/stores/stores.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/exporter/stores/fixture.h"

namespace skep::stores::test {
namespace {

namespace fs = std::filesystem;

std::string TaskText(std::string_view id, std::string_view status, std::string_view times) {
  return "\"" + std::string(id) + R"(":{"type":"testing","priority":"high","status":")" +
         std::string(status) + R"(","description":"SECRET-WORDS",)" + std::string(times) + "}";
}

constexpr const char* kUp = R"(swarm_source_up{workspace="shop",source="claude_flow_v3"})";

std::string ReadErrors(std::string_view source, std::string_view reason,
                       std::string_view workspace = "shop") {
  std::string labels =
      R"(reason=")" + std::string(reason) + R"(",source=")" + std::string(source) + "\"";
  if (!workspace.empty()) labels += R"(,workspace=")" + std::string(workspace) + "\"";
  return "swarm_source_read_errors_total{" + labels + "}";
}

}  // namespace

TEST_CASE("Recorded stores of version 3 give exactly these series", "[stores]") {
  skep::test::TempFolder folder;
  MakeV3Workspace(folder.path());
  World world(OnlyWorkspace(folder.path()));
  world.Poll();
  const std::vector<std::pair<std::string, std::string>> series{
      {R"(swarm_agents{workspace="shop",source="claude_flow_v3",agent_type="coder",status="idle"})",
       "1"},
      {R"(swarm_agents{workspace="shop",source="claude_flow_v3",agent_type="tester",status="terminated"})",
       "1"},
      {R"(swarm_agents{workspace="shop",source="claude_flow_v3",agent_type="worker",status="idle"})",
       "3"},
      {R"(swarm_agents_max{workspace="shop",source="claude_flow_v3"})", "6"},
      {R"(swarm_agents_stuck{workspace="shop",reason="task_finished"})", "1"},
      {R"(swarm_swarms{workspace="shop",source="claude_flow_v3",topology="hierarchical",status="running"})",
       "1"},
      {R"(swarm_tasks{workspace="shop",source="claude_flow_v3",status="failed",priority="normal"})",
       "1"},
      {R"(swarm_task_oldest_seconds{workspace="shop",status="pending"})", "355.32"},
      {R"(swarm_hive_workers{workspace="shop",status="idle"})", "3"},
      {R"(swarm_hive_queen_up{workspace="shop"})", "1"},
      {R"(swarm_worker_interval_seconds{workspace="shop",worker="audit"})", "600"},
      {R"(swarm_worker_run_duration_seconds_count{workspace="shop",worker="audit"})", "5"},
      {R"(swarm_router_decisions{workspace="shop",model="sonnet"})", "1"},
      {R"(swarm_memory_entries{workspace="shop",store="agentdb",namespace="feedback"})", "3"},
      {R"(swarm_memory_store_bytes{workspace="shop",store="memory"})", "643072"},
      {R"(swarm_memory_rows{kind="episodes",store="memory",workspace="shop"})", "2"},
      {R"(swarm_memory_vectors{store="memory",workspace="shop"})", "2"},
      {R"(swarm_memory_backup_size_bytes{workspace="shop"})", "643072"},
      {R"(swarm_memory_consolidation_patterns{workspace="shop"})", "2"},
      {R"(swarm_memory_corrupt{workspace="shop"})", "0"},
      {R"(swarm_autopilot_enabled{workspace="shop"})", "1"},
      {R"(swarm_autopilot_timeout_seconds{workspace="shop"})", "14400"},
      {R"(swarm_saved_sessions{workspace="shop"})", "1"},
      {R"(component_up{component="configManager",workspace="shop"})", "1"},
      {R"(component_up{component="memoryManager",workspace="shop"})", "1"},
      {R"(component_up{component="swarmCoordinator",workspace="shop"})", "1"},
      {R"(component_up{component="taskEngine",workspace="shop"})", "1"},
      {R"(component_up{component="monitor",workspace="shop"})", "1"},
      {kUp, "1"}};
  for (const auto& [name, value] : series) {
    CAPTURE(name);
    CHECK(world.Value(name) == value);
  }
  // What was there before we looked counts nothing.
  for (const std::string& line : world.Samples()) {
    CAPTURE(line);
    CHECK(line.find("swarm_tasks_finished_total") == std::string::npos);
    CHECK(line.find("swarm_worker_runs_total") == std::string::npos);
    CHECK(line.find("swarm_worker_deferrals_total") == std::string::npos);
    CHECK(line.find("swarm_policy_decisions_total") == std::string::npos);
  }
}

TEST_CASE("Numbers that must not be trusted are not on the page", "[stores]") {
  skep::test::TempFolder folder;
  MakeV3Workspace(folder.path());
  // What each of the files claims, made unmistakable.
  Write(folder.File(".claude-flow/metrics/performance.json"),
        R"({"optimizations":{"cacheHitRate":0.780078,"avgResponseTime":45.00045}})");
  Write(folder.File(".claude-flow/metrics/swarm-activity.json"),
        R"({"swarm":{"active":true,"agent_count":31337}})");
  Write(folder.File(".claude-flow/system/metrics.json"),
        R"({"cpu":35035,"agents":{"total":31337,"active":31337},"uptime":31337})");
  Write(folder.File(".claude-flow/metrics/learning.json"), R"({"patternsLearned":31337})");
  Write(folder.File(".claude-flow/metrics/task-metrics.json"), Sample("v2.7/task-metrics.json"));
  Write(folder.File(".claude-flow/metrics/system-metrics.json"),
        Sample("v2.7/system-metrics.json"));
  World world(OnlyWorkspace(folder.path()));
  world.Poll();
  for (const std::string& line : world.Samples()) {
    CAPTURE(line);
    for (const char* value : {"31337", "35035", "0.780078", "45.00045", "0.0450004"}) {
      CHECK(line.find(value) == std::string::npos);
    }
    CHECK(line.find("cache_hit") == std::string::npos);
  }
}

TEST_CASE("Private words never leave the readers", "[stores]") {
  skep::test::TempFolder folder;
  MakeV3Workspace(folder.path());
  Write(folder.File(".hive-mind/hive.db"), Sample("v2.7/hive.db.gz"));
  World world(OnlyWorkspace(folder.path()));
  world.Poll();
  const std::string page = world.Text();
  for (const char* words :
       {"Add user auth", "Write tests", "Build a REST API", "hello workers", "REDACTED", "Fix typo",
        "ok done", "argon2id", "agent-1795", "task-1795", "swarm-1795", "session-1795",
        "hive-worker-", folder.path().c_str()}) {
    CAPTURE(words);
    CHECK(page.find(words) == std::string::npos);
  }
}

TEST_CASE("Tasks that change between two rounds are counted once, over a restart too", "[stores]") {
  skep::test::TempFolder folder;
  const std::string tasks = folder.File(".claude-flow/tasks/store.json");
  const std::string created = R"("createdAt":"2026-11-21T21:20:00.000Z")";
  const std::string started = created + R"(,"startedAt":"2026-11-21T21:20:02.000Z")";
  const std::string ended = started + R"(,"completedAt":"2026-11-21T21:20:09.000Z")";
  const std::string finished =
      R"(swarm_tasks_finished_total{outcome="completed",source="claude_flow_v3",task_type="testing",workspace="shop"})";
  const std::string duration =
      R"(swarm_task_duration_seconds_sum{outcome="completed",task_type="testing"})";
  {
    World world(OnlyWorkspace(folder.path()), folder.File("state"));
    Write(tasks, R"({"tasks":{)" + TaskText("a", "pending", created) + "}}");
    world.Poll();
    Write(tasks, R"({"tasks":{)" + TaskText("a", "in_progress", started) + "}}");
    world.Poll();
    Write(tasks, R"({"tasks":{)" + TaskText("a", "completed", ended) + "}}");
    world.Poll();
    world.Poll();
    CHECK(world.Value(finished) == "1");
    CAPTURE(world.Text());
    CHECK(world.Text().find("SECRET-WORDS") == std::string::npos);
  }
  World world(OnlyWorkspace(folder.path()), folder.File("state"));
  world.Poll();
  CHECK(world.Value(finished) == "1");
}

TEST_CASE("A part that cannot be read keeps its last value, then is absent with up 0", "[stores]") {
  skep::test::TempFolder folder;
  MakeV3Workspace(folder.path());
  World world(OnlyWorkspace(folder.path()));
  world.Poll();
  const std::string coder =
      R"(swarm_agents{workspace="shop",source="claude_flow_v3",agent_type="coder",status="idle"})";
  Write(folder.File(".claude-flow/agents/store.json"), R"({"agents":{"a":)");
  world.Poll();
  CHECK(world.Value(coder) == "1");
  CHECK(world.Value(kUp) == "1");
  CHECK(world.Value(ReadErrors("claude_flow_v3", "truncated")) == "1");
  CHECK(world.Value(R"(component_up{component="agentManager",workspace="shop"})") == "0");
  CHECK(
      world.Value(
          R"(component_check_failures_total{component="agentManager",reason="truncated",workspace="shop"})") ==
      "1");
  world.clock.Advance(std::chrono::minutes(2));
  world.Poll();
  CHECK(world.Value(coder).empty());
  CHECK(world.Value(kUp) == "0");
  // The rest of the source is as fresh as ever.
  CHECK_FALSE(
      world.Value(R"(swarm_task_oldest_seconds{workspace="shop",status="pending"})").empty());
  Write(folder.File(".claude-flow/agents/store.json"), Sample("v3/agents_store.json"));
  world.Poll();
  CHECK(world.Value(coder) == "1");
  CHECK(world.Value(kUp) == "1");
}

TEST_CASE("A workspace that is not there is down; one of a pattern is not spoken of", "[stores]") {
  skep::test::TempFolder folder;
  Options options = OnlyWorkspace(folder.File("gone"));
  options.workspaces.push_back({.name = "", .path = folder.File("*")});
  fs::create_directories(folder.File("plain/folder"));
  World world(options);
  world.Poll();
  CHECK(world.Value(kUp) == "0");
  CHECK(world.Value(ReadErrors("claude_flow_v3", "missing")) == "1");
  CHECK(world.Text().find("plain") == std::string::npos);
  CHECK(world.Text().find("swarm_agents{") == std::string::npos);
  // It comes, and goes again.
  MakeV3Workspace(folder.File("plain"));
  world.Poll();
  CHECK(world.Value(R"(swarm_source_up{workspace="plain",source="claude_flow_v3"})") == "1");
  fs::remove_all(folder.File("plain"));
  world.Poll();
  CHECK(world.Value(R"(swarm_source_up{workspace="plain",source="claude_flow_v3"})").empty());
}

TEST_CASE("An encrypted store is counted, and nothing is down for it", "[stores]") {
  skep::test::TempFolder folder;
  MakeV3Workspace(folder.path());
  Write(folder.File(".swarm/memory.db"), "RFE1" + std::string(5000, 'x'));
  World world(OnlyWorkspace(folder.path()));
  world.Poll();
  CHECK(world.Value(kUp) == "1");
  CHECK(world.Value(ReadErrors("claude_flow_v3", "encrypted")) == "1");
  CHECK(world.Value(R"(component_up{component="memoryManager",workspace="shop"})") == "0");
  CHECK(world.Value(R"(swarm_memory_entries{workspace="shop",store="memory",namespace="default"})")
            .empty());
}

TEST_CASE("Databases of the older programs give agents, tasks and swarms", "[stores]") {
  skep::test::TempFolder folder;
  Options options = OnlyWorkspace(folder.path());
  options.workspaces[0].ruv_swarm_db = folder.File("elsewhere/ruv.db");
  Write(folder.File(".hive-mind/hive.db"), Sample("v2.7/hive.db.gz"));
  Write(folder.File(".swarm/memory.db"), Sample("v2.7/swarm_memory.db.gz"));
  Write(folder.File(".claude-flow/tasks/queue.json"), Sample("v2.7/tasks_queue.json"));
  Write(folder.File(".claude-flow/agents/coder-1795297259890.json"),
        Sample("v2.7/coder-1795297259890.json"));
  Write(folder.File("elsewhere/ruv.db"), Sample("ruv-swarm/ruv-swarm.db.gz"));
  {
    Writer novice(folder.File("data/agent-lifecycle.db"));
    novice.Run(
        "CREATE TABLE agents(id, name, type, status, confidence REAL, spawned_at);"
        "INSERT INTO agents VALUES('1','n','reviewer','spawned',0.9,'2026-11-21 21:00:00')");
  }
  World world(options);
  world.Poll();
  const std::vector<std::pair<std::string, std::string>> series{
      {R"(swarm_swarms{workspace="shop",source="claude_flow_v2",status="stopped"})", "1"},
      {R"(swarm_agents{workspace="shop",source="claude_flow_v2",agent_type="coordinator",status="terminated"})",
       "1"},
      {R"(swarm_agents{workspace="shop",source="claude_flow_v2",agent_type="coder",status="active"})",
       "1"},
      {R"(swarm_agents{workspace="shop",source="ruv_swarm",agent_type="coder",status="idle"})",
       "2"},
      {R"(swarm_agents_max{workspace="shop",source="ruv_swarm"})", "9"},
      {R"(swarm_tasks{workspace="shop",source="ruv_swarm",status="pending",priority="high"})", "1"},
      {R"(swarm_hive_queen_up{workspace="shop"})", "0"},
      {R"(swarm_memory_entries{workspace="shop",store="memory",namespace="hooks:pre-task"})", "1"},
      {R"(swarm_source_up{workspace="shop",source="claude_flow_v2"})", "1"},
      {R"(swarm_source_up{workspace="shop",source="ruv_swarm"})", "1"},
      {R"(swarm_source_up{workspace="shop",source="novice"})", "1"}};
  for (const auto& [name, value] : series) {
    CAPTURE(name);
    CHECK(world.Value(name) == value);
  }
  CHECK(world.Text().find("swarm_confidence_ratio") != std::string::npos);
  CHECK(world.Value(kUp).empty());  // no version 3 here
  Write(folder.File("elsewhere/ruv.db"), "SQLite format 3");
  world.Poll();
  CHECK(world.Value(ReadErrors("ruv_swarm", "corrupt")) == "1");
  world.clock.Advance(std::chrono::minutes(2));
  world.Poll();
  CHECK(world.Value(R"(swarm_source_up{workspace="shop",source="ruv_swarm"})") == "0");
  CHECK(world.Value(series[3].first).empty());
}

TEST_CASE("The daemon is up by its process, not by what its files claim", "[stores]") {
  skep::test::TempFolder folder;
  const std::string root = fs::canonical(folder.path()).string();
  Options options = OnlyWorkspace(root);
  options.processes = true;
  World world(options);
  Write(root + "/.claude-flow/daemon-state.json", Sample("v3/daemon-state.running.json"));
  Write(root + "/.claude-flow/daemon.pid", "3258");
  const auto run = [&](int pid, const std::string& command, char state) {
    const std::string here = world.procfs.File(std::to_string(pid));
    Write(here + "/stat", std::to_string(pid) + " (node) " + state +
                              " 1 1 1 0 -1 0 0 0 0 0 5 0 0 0 20 0 7 0 1000 1000 50 99 0 0\n");
    std::string text =
        "/usr/bin/node /x/node_modules/claude-flow/bin/cli.js " + command + " --workspace " + root;
    for (char& c : text) c = c == ' ' ? '\0' : c;
    Write(here + "/cmdline", text);
    fs::create_directories(here + "/fd");
  };
  const char* up = R"(swarm_daemon_up{workspace="shop"})";
  const char* stale = R"(swarm_daemon_stale_state{workspace="shop"})";
  const char* daemons = R"(swarm_daemons{workspace="shop"})";
  const char* orchestrator = R"(component_up{component="orchestrator",workspace="shop"})";
  world.Poll();
  CHECK(world.Value(up) == "0");
  CHECK(world.Value(stale) == "1");
  CHECK(world.Value(orchestrator) == "0");
  run(3258, "daemon start --foreground", 'S');
  run(4000, "daemon start --foreground", 'S');
  world.Poll();
  CHECK(world.Value(up) == "1");
  CHECK(world.Value(stale) == "0");
  CHECK(world.Value(daemons) == "2");
  CHECK(world.Value(orchestrator) == "1");
  CHECK(world.Value(R"(swarm_processes{workspace="shop",kind="daemon"})") == "2");
  CHECK_FALSE(world.Value(R"(swarm_daemon_start_time_seconds{workspace="shop"})").empty());
  fs::remove_all(world.procfs.File("4000"));
  run(3258, "daemon start --foreground", 'Z');  // killed, and not yet waited for
  world.Poll();
  CHECK(world.Value(up) == "0");
  CHECK(world.Value(stale) == "1");
  fs::remove_all(world.procfs.File("3258"));
  run(3258, "swarm status", 'S');  // the number is another program's now
  world.Poll();
  CHECK(world.Value(up) == "0");
}

TEST_CASE("What is written to logs and stores after the first look is counted", "[stores]") {
  skep::test::TempFolder folder;
  MakeV3Workspace(folder.path());
  const std::string state = folder.File("state");
  const auto check = [&](World& world, const std::string& times) {
    CHECK(world.Value(
              R"(swarm_worker_deferrals_total{reason="cpu",worker="map",workspace="shop"})") ==
          times);
    CHECK(world.Value(R"(swarm_router_outcomes_total{outcome="failure",workspace="shop"})") ==
          times);
    CHECK(world.Value(R"(swarm_router_tokens_total{token_type="input",workspace="shop"})") ==
          "100");
    CHECK(world.Value(R"(swarm_router_cost_usd_total{workspace="shop"})") == "0.5");
    CHECK(world.Value(R"(swarm_task_outcomes_total{outcome="success",workspace="shop"})") == "1");
    CHECK(world.Value(R"(swarm_task_quality_ratio_sum{workspace="shop"})") == "0.7");
    CHECK(world.Value(R"(swarm_policy_decisions_total{outcome="denied",workspace="shop"})") == "1");
    CHECK(world.Value(
              R"(swarm_worker_runs_total{outcome="success",worker="audit",workspace="shop"})") ==
          "2");
  };
  const std::string deferral =
      "[2026-11-21T21:57:16.973Z] [INFO] Worker map deferred: CPU load too high: 3.77\n";
  {
    World world(OnlyWorkspace(folder.path()), state);
    world.Poll();
    Append(folder.File(".claude-flow/logs/daemon.log"), deferral + "no line of a log\n");
    Append(
        folder.File(".swarm/model-router-trajectories.jsonl"),
        R"({"type":"outcome","ts":"2026-11-21T22:00:00.000Z","quality":0})"
        "\n"
        R"({"type":"outcome","ts":"2026-11-21T22:00:01.000Z","quality":1,"tokens":{"input":100},"cost_usd":0.5})"
        "\n{\"half\":");
    std::string outcomes = Sample("v3/data_auto-memory-store.json");
    outcomes.resize(outcomes.rfind(']'));
    Write(folder.File(".claude-flow/data/auto-memory-store.json"),
          outcomes + R"(,{"type":"task-outcome","metadata":{"success":true,"quality":0.7},)" +
              R"("createdAt":1795295673112}])");
    std::string policy = Sample("v3/policy_state.first2receipts.json");
    policy.replace(policy.rfind("\"sequence\": 1"), 13, "\"sequence\": 2");
    policy.replace(policy.rfind("\"outcome\": \"allowed\""), 20, "\"outcome\": \"denied\"");
    Write(folder.File(".claude-flow/policy/state.json"), policy);
    std::string daemon = Sample("v3/daemon-state.json");
    daemon.replace(daemon.find("\"successCount\": 5"), 17, "\"successCount\": 7");
    Write(folder.File(".claude-flow/daemon-state.json"), daemon);
    world.Poll();
    check(world, "1");
    world.Poll();
    check(world, "1");
  }
  // After a restart nothing counts again, and what came meanwhile counts.
  Append(folder.File(".claude-flow/logs/daemon.log"), deferral);
  Append(folder.File(".swarm/model-router-trajectories.jsonl"),
         "1}\n"
         R"({"type":"outcome","ts":"2026-11-21T22:01:00.000Z","quality":0})"
         "\n");
  World world(OnlyWorkspace(folder.path()), state);
  world.Poll();
  check(world, "2");
  CHECK(world.Value(ReadErrors("claude_flow_v3", "schema")) == "1");  // the line {"half":1}
}

TEST_CASE("The AI budget shows its use, limits, pauses and receipts", "[stores]") {
  skep::test::TempFolder folder;
  MakeBudgetFolder(folder.path());
  Options options;
  options.processes = false;
  options.ai_budget.folder = folder.path();
  const std::string receipts = folder.File("ai-budget-receipts.jsonl");
  World world(options, folder.File("state"));
  world.Poll();
  CHECK(world.Value(R"(swarm_ai_budget_launches{window="1h"})") == "1");
  CHECK(world.Value(R"(swarm_ai_budget_limit{window="24h"})") == "12");
  CHECK(world.Value(R"(swarm_ai_paused{reason="none"})") == "1");
  CHECK(world.Value(R"(swarm_ai_jobs{worker="audit"})") == "1");
  Write(folder.File("ai-budget.json"), Sample("v3/home_ai-budget.paused.json"));
  const std::string denial =
      R"json({"event":"deny","at":1795296100000,"reason":"circuit-open until x"})json"
      "\n";
  Append(receipts, R"({"event":"launch","at":1795296000000,"workerType":"audit","model":"haiku"})"
                   "\n"
                   R"({"event":"usage","at":1795296000070,"workerType":"audit","durationMs":70})"
                   "\n" +
                       denial);
  world.Poll();
  CHECK(world.Value(R"(swarm_ai_paused{reason="manual"})") == "1");
  CHECK(world.Value(R"(circuit_breaker_open{component="ai_budget"})") == "1");
  const std::string launches =
      R"(swarm_ai_launches_total{model="haiku",source="ai_budget",worker="audit"})";
  const std::string denials =
      R"(swarm_ai_launch_denials_total{reason="circuit_open",source="ai_budget"})";
  CAPTURE(world.Text());
  CHECK(world.Text().find("swarm_ai_launches_total{") != std::string::npos);
  const auto value_of = [&](std::string_view name) {
    for (const std::string& line : world.Samples()) {
      if (line.starts_with(name)) return line.substr(line.rfind(' ') + 1);
    }
    return std::string();
  };
  CHECK(value_of("swarm_ai_launches_total{") == "1");
  CHECK(value_of("swarm_ai_launch_denials_total{") == "1");
  CHECK(value_of("swarm_ai_launch_duration_seconds_sum{") == "0.07");
  // Rewritten in place to its last lines, as beyond 512 KiB, with a new line at the end.
  const std::string later =
      R"json({"event":"deny","at":1795296200000,"reason":"daily-budget (12/12)"})json"
      "\n";
  Write(receipts, denial + later);
  world.Poll();
  CHECK(world.Text().find(R"(reason="daily_budget")") != std::string::npos);
  CHECK(value_of("swarm_ai_launches_total{") == "1");
  CHECK(value_of("swarm_ai_launch_denials_total{") == "1");
}

TEST_CASE("A budget folder that is configured and missing is down", "[stores]") {
  skep::test::TempFolder folder;
  Options options;
  options.processes = false;
  options.ai_budget.folder = folder.File("none");
  {
    World world(options);
    world.Poll();
    CHECK(world.Text().find("swarm_source_up") == std::string::npos);
    CHECK(world.Text().find("swarm_ai_") == std::string::npos);
  }
  options.ai_budget.folder_is_configured = true;
  World world(options);
  world.Poll();
  CHECK(world.Value(R"(swarm_source_up{source="ai_budget"})") == "0");
  CHECK(world.Text().find("swarm_ai_budget_limit") == std::string::npos);
}

TEST_CASE("A new configuration takes workspaces in and lets others go", "[stores]") {
  skep::test::TempFolder folder;
  MakeV3Workspace(folder.path());
  World world(OnlyWorkspace(folder.path()));
  world.Poll();
  CHECK(world.Value(kUp) == "1");
  Options other = OnlyWorkspace(folder.path());
  other.workspaces[0].name = "market";
  world.stores->Apply(other);
  world.Poll();
  CHECK(world.Value(kUp).empty());
  CHECK(world.Value(R"(swarm_source_up{workspace="market",source="claude_flow_v3"})") == "1");
  CHECK(world.Text().find(R"(component_up{component="taskEngine",workspace="shop"})") ==
        std::string::npos);
}

TEST_CASE("The thread reads in its rhythm and ends at once", "[stores]") {
  skep::test::TempFolder folder;
  MakeV3Workspace(folder.path());
  Options options = OnlyWorkspace(folder.path());
  options.interval = std::chrono::hours(1);
  World world(options);
  world.stores->Start();
  world.stores->Apply(options);
  world.stores->Stop();
  world.stores->Stop();
  SUCCEED();
}

}  // namespace skep::stores::test

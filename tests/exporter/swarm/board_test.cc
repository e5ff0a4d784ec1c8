#include "exporter/swarm/board.h"

#include <catch2/catch.hpp>
#include <thread>

#include "common/exposition/validator.h"
#include "exporter/swarm/board_gauges.h"
#include "tests/exporter/swarm/rig.h"

namespace skep::swarm {
namespace {

using Lines = std::set<std::string>;
using test::Rig;
using namespace std::chrono_literals;

const SourceKey kShop{"shop", "claude_flow_v3"};

// Everything a source can tell.
Snapshot FullSnapshot(Timestamp now) {
  Snapshot s{.key = kShop, .data_time = now - 3s};
  s.agents = {{.id = "a",
               .type = "coder",
               .status = "idle",
               .health = 1,
               .confidence = 0.75,
               .quality = 0.5},
              {.id = "b", .type = "coder", .status = "active", .health = 0.25, .confidence = 0.25},
              {.id = "c", .type = "tester", .status = "terminated", .health = 0}};
  s.tasks = {
      {.id = "1", .type = "review", .status = "pending", .priority = "high", .created = now - 90s},
      {.id = "2",
       .type = "review",
       .status = "in_progress",
       .priority = "normal",
       .progress = 0.5,
       .created = now - 80s,
       .started = now - 70s},
      {.id = "3", .type = "review", .status = "completed"}};
  s.swarms = {{.topology = "mesh", .status = "running", .max_agents = 6},
              {.topology = "mesh", .status = "terminated", .max_agents = 9}};
  s.hive = Hive{.worker_statuses = {"idle", "idle", "active"},
                .consensus_pending = 2,
                .queen_up = true,
                .queen_term = 3};
  s.memory = {{.store = "memory", .bytes = 4096, .entries = {{"patterns", 2}, {"", 1}}}};
  s.memory_backup = now - 60s;
  s.daemon = Daemon{.up = false, .stale_state = true, .processes = 2, .started = now - 10s};
  s.workers = {{.name = "audit",
                .running = true,
                .enabled = false,
                .interval_seconds = 600,
                .last_run = now - 5s,
                .successes = 3,
                .failures = 1,
                .mean_seconds = 0.5}};
  s.budget = AiBudget{.launches_1h = 1,
                      .launches_24h = 5,
                      .limit_1h = 2,
                      .limit_24h = 12,
                      .active = 1,
                      .limit_active = 1,
                      .pause = PauseReason::kManual,
                      .paused_until = now + 600s};
  s.router = Router{.decisions = {{"haiku", 7}}, .circuit_breaker_trips = 4};
  s.mcp = McpServer{
      .up = true, .requests_ok = 2, .requests_failed = 1, .requests = 4, .mean_seconds = 0.25};
  s.processes = {{.kind = "claude",
                  .processes = 2,
                  .cpu_seconds = 12.5,
                  .resident_bytes = 1e6,
                  .open_files = 30}};
  return s;
}

TEST_CASE("The board shows all that a source tells", "[swarm]") {
  Rig rig;
  const Timestamp now = rig.clock.Now();
  REQUIRE(rig.board->Publish(FullSnapshot(now)));
  const double t = ToSeconds(now);
  const auto time = [](double seconds) { return std::to_string(static_cast<long>(seconds)); };
  const Lines page = rig.Page();
  for (
      const std::string& line : Lines{
          R"(swarm_agents{workspace="shop",source="claude_flow_v3",agent_type="coder",status="active"} 1)",
          R"(swarm_agents{workspace="shop",source="claude_flow_v3",agent_type="coder",status="idle"} 1)",
          R"(swarm_agents{workspace="shop",source="claude_flow_v3",agent_type="tester",status="terminated"} 1)",
          R"(swarm_agents_max{workspace="shop",source="claude_flow_v3"} 6)",
          R"(swarm_swarms{workspace="shop",source="claude_flow_v3",topology="mesh",status="running"} 1)",
          R"(swarm_swarms{workspace="shop",source="claude_flow_v3",topology="mesh",status="terminated"} 1)",
          R"(swarm_agent_health_ratio_min{workspace="shop"} 0.25)",
          R"(swarm_confidence_ratio{workspace="shop",source="claude_flow_v3",agent_type="coder"} 0.5)",
          R"(swarm_agent_quality_ratio{workspace="shop",source="claude_flow_v3",agent_type="coder"} 0.5)",
          R"(swarm_tasks{workspace="shop",source="claude_flow_v3",status="pending",priority="high"} 1)",
          R"(swarm_tasks{workspace="shop",source="claude_flow_v3",status="in_progress",priority="normal"} 1)",
          R"(swarm_tasks{workspace="shop",source="claude_flow_v3",status="completed"} 1)",
          R"(swarm_task_oldest_seconds{workspace="shop",status="pending"} 90)",
          R"(swarm_task_oldest_seconds{workspace="shop",status="in_progress"} 70)",
          R"(swarm_task_progress_ratio_avg{workspace="shop"} 0.5)",
          R"(swarm_hive_workers{workspace="shop",status="idle"} 2)",
          R"(swarm_hive_workers{workspace="shop",status="active"} 1)",
          R"(swarm_hive_consensus_pending{workspace="shop"} 2)",
          R"(swarm_hive_queen_up{workspace="shop"} 1)",
          R"(swarm_hive_queen_term{workspace="shop"} 3)",
          R"(swarm_memory_entries{workspace="shop",store="memory",namespace="patterns"} 2)",
          R"(swarm_memory_entries{workspace="shop",store="memory",namespace="unknown"} 1)",
          R"(swarm_memory_store_bytes{workspace="shop",store="memory"} 4096)",
          R"(swarm_memory_backup_last_success_timestamp_seconds{workspace="shop"} )" + time(t - 60),
          R"(swarm_daemon_up{workspace="shop"} 0)",
          R"(swarm_daemon_stale_state{workspace="shop"} 1)",
          R"(swarm_daemons{workspace="shop"} 2)",
          R"(swarm_daemon_start_time_seconds{workspace="shop"} )" + time(t - 10),
          R"(swarm_worker_running{workspace="shop",worker="audit"} 1)",
          R"(swarm_worker_enabled{workspace="shop",worker="audit"} 0)",
          R"(swarm_worker_interval_seconds{workspace="shop",worker="audit"} 600)",
          R"(swarm_worker_last_run_timestamp_seconds{workspace="shop",worker="audit"} )" +
              time(t - 5),
          R"(swarm_worker_run_duration_seconds_sum{workspace="shop",worker="audit"} 2)",
          R"(swarm_worker_run_duration_seconds_count{workspace="shop",worker="audit"} 4)",
          R"(swarm_ai_budget_launches{workspace="shop",window="1h"} 1)",
          R"(swarm_ai_budget_launches{workspace="shop",window="24h"} 5)",
          R"(swarm_ai_budget_limit{workspace="shop",window="1h"} 2)",
          R"(swarm_ai_budget_limit{workspace="shop",window="24h"} 12)",
          R"(swarm_ai_active_launches{workspace="shop"} 1)",
          R"(swarm_ai_active_limit{workspace="shop"} 1)",
          R"(swarm_ai_paused{workspace="shop",reason="none"} 0)",
          R"(swarm_ai_paused{workspace="shop",reason="manual"} 1)",
          R"(swarm_ai_paused{workspace="shop",reason="quota"} 0)",
          R"(swarm_ai_paused_until_timestamp_seconds{workspace="shop"} )" + time(t + 600),
          R"(swarm_router_decisions{workspace="shop",model="haiku"} 7)",
          R"(swarm_router_circuit_breaker_trips{workspace="shop"} 4)",
          R"(swarm_mcp_up{workspace="shop"} 1)",
          R"(swarm_mcp_requests_total{workspace="shop",outcome="ok"} 2)",
          R"(swarm_mcp_requests_total{workspace="shop",outcome="error"} 1)",
          R"(swarm_mcp_request_duration_seconds_sum{workspace="shop"} 1)",
          R"(swarm_mcp_request_duration_seconds_count{workspace="shop"} 4)",
          R"(swarm_processes{workspace="shop",kind="claude"} 2)",
          R"(swarm_process_cpu_seconds_total{workspace="shop",kind="claude"} 12.5)",
          R"(swarm_process_resident_memory_bytes{workspace="shop",kind="claude"} 1e+06)",
          R"(swarm_process_open_fds{workspace="shop",kind="claude"} 30)",
          R"(swarm_source_up{workspace="shop",source="claude_flow_v3"} 1)",
          R"(swarm_source_last_success_timestamp_seconds{workspace="shop",source="claude_flow_v3"} )" +
              time(t),
          R"(swarm_source_data_timestamp_seconds{workspace="shop",source="claude_flow_v3"} )" +
              time(t - 3)}) {
    CAPTURE(line);
    // Times are written with an exponent: compared as numbers.
    const std::size_t space = line.rfind(' ');
    CHECK(rig.Value(line.substr(0, space)) == std::stod(line.substr(space + 1)));
  }
  CHECK(rig.Of("swarm_agent_info").empty());
}

TEST_CASE("What a source does not tell has no series", "[swarm]") {
  Rig rig;
  REQUIRE(rig.board->Publish({.key = kShop}));
  for (const std::string& line : rig.Page()) {
    CAPTURE(line);
    const bool is_own = line.starts_with("swarm_source_") || line.starts_with("skep_exporter_");
    CHECK(is_own);
  }
  CHECK(rig.Value(R"(swarm_source_up{workspace="shop",source="claude_flow_v3"})") == 1);
}

TEST_CASE("The last good value is shown until it is too old; up is 0 at once", "[swarm]") {
  Rig rig;
  const std::string up = R"(swarm_source_up{workspace="shop",source="claude_flow_v3"})";
  const std::string max = R"(swarm_agents_max{workspace="shop",source="claude_flow_v3"})";
  REQUIRE(rig.board->Publish(FullSnapshot(rig.clock.Now())));
  rig.board->Failed(kShop, "truncated", "agents/store.json");
  CHECK(rig.Value(up) == 0);
  CHECK(rig.Value(max) == 6);
  CHECK(rig.Value(R"(swarm_source_read_errors_total{reason="truncated",source="claude_flow_v3",)"
                  R"(workspace="shop"})") == 1);
  rig.clock.Advance(61s);
  CHECK(rig.Value(up) == 0);
  CHECK(rig.Value(max) == -1);
  rig.board->Failed(kShop, "truncated", "agents/store.json");
  REQUIRE(rig.board->Publish(FullSnapshot(rig.clock.Now())));
  CHECK(rig.Value(up) == 1);
  CHECK(rig.Value(max) == 6);
}

TEST_CASE("A part that failed costs nothing else", "[swarm]") {
  Rig rig;
  REQUIRE(rig.board->Publish(FullSnapshot(rig.clock.Now())));
  rig.board->PartFailed(kShop, "empty", "tasks/store.json");
  CHECK(rig.Value(R"(swarm_source_up{workspace="shop",source="claude_flow_v3"})") == 1);
  CHECK(rig.Value(R"(swarm_source_read_errors_total{reason="empty",source="claude_flow_v3",)"
                  R"(workspace="shop"})") == 1);
}

TEST_CASE("A source that is read in part only is no success, and its rest is shown", "[swarm]") {
  Rig rig;
  const std::string time =
      R"(swarm_source_last_success_timestamp_seconds{workspace="shop",source="claude_flow_v3"})";
  Snapshot part{.key = kShop, .is_complete = false, .mcp = McpServer{.up = false}};
  REQUIRE(rig.board->Publish(part));
  CHECK(rig.Value(R"(swarm_source_up{workspace="shop",source="claude_flow_v3"})") == 0);
  CHECK(rig.Value(R"(swarm_mcp_up{workspace="shop"})") == 0);
  CHECK(rig.Of("swarm_source_last_success_timestamp_seconds").empty());
  REQUIRE(rig.board->Publish({.key = kShop}));
  const double success = rig.Value(time);
  CHECK(success == ToSeconds(rig.clock.Now()));
  rig.clock.Advance(100s);
  REQUIRE(rig.board->Publish(part));
  CHECK(rig.Value(time) == success);
  CHECK(rig.Value(R"(swarm_mcp_up{workspace="shop"})") == 0);
}

TEST_CASE("The age of the oldest task is 0 without one, and absent where none tells its time",
          "[swarm]") {
  Rig rig;
  Snapshot s{.key = kShop};
  s.tasks = std::vector<Task>{{.id = "1", .status = "pending"}};
  REQUIRE(rig.board->Publish(s));
  CHECK(rig.Of("swarm_task_oldest_seconds") ==
        Lines{R"(swarm_task_oldest_seconds{workspace="shop",status="in_progress"} 0)"});
}

TEST_CASE("A source that never could be read is there with up 0", "[swarm]") {
  Rig rig;
  rig.board->Failed(kShop, "permission", "");
  CHECK(rig.Value(R"(swarm_source_up{workspace="shop",source="claude_flow_v3"})") == 0);
  CHECK(rig.Of("swarm_source_last_success_timestamp_seconds").empty());
}

TEST_CASE("Series whose agents and tasks are gone stay with 0", "[swarm]") {
  Rig rig;
  REQUIRE(rig.board->Publish(FullSnapshot(rig.clock.Now())));
  CHECK(rig.Of("swarm_agents").size() == 3);
  Snapshot empty{.key = kShop};
  empty.agents.emplace();
  empty.tasks.emplace();
  empty.swarms.emplace();
  REQUIRE(rig.board->Publish(empty));
  for (const std::string family : {"swarm_agents", "swarm_tasks", "swarm_swarms"}) {
    CAPTURE(family);
    const Lines lines = rig.Of(family);
    CHECK(lines.size() >= 2);
    for (const std::string& line : lines) CHECK(line.ends_with(" 0"));
  }
}

TEST_CASE("Stuck agents are found by their task and their signs of life", "[swarm]") {
  Rig rig;
  const Timestamp now = rig.clock.Now();
  Snapshot s{.key = kShop};
  s.tasks = {
      {.id = "failed", .status = "failed"},
      {.id = "long", .status = "in_progress", .started = now - 10min},
      {.id = "short", .status = "in_progress", .started = now - 10s},
      {.id = "cancelled", .status = "cancelled", .assigned_to = {"by-assignment"}, .created = now}};
  s.agents = {{.id = "1", .status = "active", .task = "failed"},
              {.id = "by-assignment", .status = "busy"},
              {.id = "3", .status = "active", .task = "long"},
              {.id = "4", .status = "active", .task = "short", .last_seen = now - 10min},
              {.id = "5", .status = "active", .task = "short", .last_seen = now - 1s},
              {.id = "6", .status = "idle", .task = "failed"},
              {.id = "7", .status = "active", .task = "not in the store"}};
  REQUIRE(rig.board->Publish(s));
  CHECK(rig.Of("swarm_agents_stuck") ==
        Lines{R"(swarm_agents_stuck{workspace="shop",reason="heartbeat"} 1)",
              R"(swarm_agents_stuck{workspace="shop",reason="task_finished"} 2)",
              R"(swarm_agents_stuck{workspace="shop",reason="task_timeout"} 1)"});
}

TEST_CASE("Circles of waiting are deadlocks, chains are none", "[swarm]") {
  struct Case {
    std::string name;
    std::vector<Task> tasks;
    std::vector<Agent> agents;
    std::size_t deadlocks;
  };
  const auto task = [](std::string id, std::vector<std::string> on, std::string status = "blocked",
                       std::vector<std::string> agents = {}) {
    return Task{.id = std::move(id),
                .status = std::move(status),
                .assigned_to = std::move(agents),
                .depends_on = std::move(on)};
  };
  const std::vector<Case> cases = {
      {"chain", {task("a", {"b"}), task("b", {"c"}), task("c", {})}, {}, 0},
      {"itself", {task("a", {"a"})}, {}, 1},
      {"two", {task("a", {"b"}), task("b", {"a"})}, {}, 1},
      {"two apart",
       {task("a", {"b"}), task("b", {"a"}), task("c", {"d"}), task("d", {"c"})},
       {},
       2},
      {"one of them has ended", {task("a", {"b"}), task("b", {"a"}, "completed")}, {}, 0},
      {"two circles that touch are one group",
       {task("a", {"b", "c"}), task("b", {"a"}), task("c", {"a"})},
       {},
       1},
      {"agents",
       {},
       {{.id = "x", .status = "active", .waits_for = {"y"}},
        {.id = "y", .status = "active", .waits_for = {"x"}}},
       1},
      {"a terminated agent waits for nobody",
       {},
       {{.id = "x", .status = "active", .waits_for = {"y"}},
        {.id = "y", .status = "terminated", .waits_for = {"x"}}},
       0},
      {"over a task and the agents of two",
       {task("a", {}, "in_progress", {"x"}), task("b", {}, "in_progress", {"y"})},
       {{.id = "x", .status = "active", .waits_for = {"b"}},
        {.id = "y", .status = "active", .waits_for = {"a"}}},
       1}};
  for (const Case& one : cases) {
    CAPTURE(one.name);
    CHECK(CountDeadlocks({.key = kShop, .agents = one.agents, .tasks = one.tasks}) ==
          one.deadlocks);
  }
}

TEST_CASE("A chain of a hundred thousand tasks does not overrun the stack", "[swarm]") {
  Snapshot s{.key = kShop};
  s.tasks.emplace();
  for (int i = 0; i < 100'000; ++i) {
    s.tasks->push_back(
        {.id = std::to_string(i), .status = "blocked", .depends_on = {std::to_string(i + 1)}});
  }
  s.tasks->push_back({.id = "100000", .status = "blocked", .depends_on = {"0"}});
  CHECK(CountDeadlocks(s) == 1);
}

TEST_CASE("Deadlocks are told only by sources that tell who waits", "[swarm]") {
  Rig rig;
  REQUIRE(rig.board->Publish(FullSnapshot(rig.clock.Now())));
  CHECK(rig.Of("swarm_deadlocks").empty());
  Snapshot s{.key = kShop};
  s.tasks = {{.id = "a", .status = "blocked", .depends_on = {"a"}}};
  REQUIRE(rig.board->Publish(s));
  CHECK(rig.Value(R"(swarm_deadlocks{workspace="shop",source="claude_flow_v3"})") == 1);
}

TEST_CASE("Agent types and namespaces beyond their number are other", "[swarm]") {
  Rig rig;
  Snapshot s{.key = kShop};
  s.agents.emplace();
  for (int i = 0; i < 200; ++i) {
    s.agents->push_back(
        {.id = std::to_string(i), .type = "t" + std::to_string(i), .status = "idle"});
  }
  s.memory = {{.store = "memory"}};
  for (int i = 0; i < 200; ++i) s.memory[0].entries.emplace_back("n" + std::to_string(i), 1);
  REQUIRE(rig.board->Publish(s));
  for (int i = 0; i < 2; ++i) {
    CHECK(rig.Of("swarm_agents").size() == 51);
    CHECK(rig.Value(R"(swarm_agents{workspace="shop",source="claude_flow_v3",agent_type="other",)"
                    R"(status="idle"})") == 150);
    CHECK(rig.Of("swarm_memory_entries").size() == 51);
  }
}

TEST_CASE("Ids of agents are shown only if asked for, and only so many", "[swarm]") {
  Rig rig({.board = {.max_agent_info = 2}});
  REQUIRE(rig.board->Publish(FullSnapshot(rig.clock.Now())));
  CHECK(rig.Of("swarm_agent_info") ==
        Lines{R"(swarm_agent_info{workspace="shop",source="claude_flow_v3",agent_type="coder",)"
              R"(agent_id="a",status="idle"} 1)",
              R"(swarm_agent_info{workspace="shop",source="claude_flow_v3",agent_type="coder",)"
              R"(agent_id="b",status="active"} 1)"});
}

TEST_CASE("A family has so many series; those left out are counted", "[swarm]") {
  Rig rig({.board = {.max_series = 10, .max_agent_types = 100}});
  Snapshot s{.key = kShop};
  s.agents.emplace();
  for (int i = 0; i < 30; ++i) {
    s.agents->push_back(
        {.id = std::to_string(i), .type = "t" + std::to_string(i), .status = "idle"});
  }
  REQUIRE(rig.board->Publish(s));
  CHECK(rig.Of("swarm_agents").size() == 10);
  CHECK(rig.Value("skep_exporter_swarm_series_dropped") == 20);
}

TEST_CASE("Two sources of a workspace become one where the family does not name them", "[swarm]") {
  Rig rig;
  const Timestamp now = rig.clock.Now();
  Snapshot v3{.key = kShop};
  v3.agents = {{.id = "a", .status = "idle", .health = 0.75}};
  v3.tasks = {{.id = "1", .status = "pending", .created = now - 10s},
              {.id = "2", .status = "in_progress", .progress = 0.5}};
  Snapshot v2{.key = {"shop", "claude_flow_v2"}};
  v2.agents = {{.id = "a", .status = "idle", .health = 0.5}};
  v2.tasks = {{.id = "1", .status = "pending", .created = now - 20s},
              {.id = "2", .status = "in_progress", .progress = 1.0}};
  REQUIRE(rig.board->Publish(v3));
  REQUIRE(rig.board->Publish(v2));
  CHECK(rig.Value(R"(swarm_agent_health_ratio_min{workspace="shop"})") == 0.5);
  CHECK(rig.Value(R"(swarm_task_oldest_seconds{workspace="shop",status="pending"})") == 20);
  CHECK(rig.Value(R"(swarm_task_progress_ratio_avg{workspace="shop"})") == 0.75);
}

TEST_CASE("What a unit adds counts only if all of it does", "[swarm]") {
  Rig rig;
  const auto also = [&](state::Changes& changes) -> Status {
    rig.flow->AiQuotaPause(changes, {});
    return Invalid("no");
  };
  CHECK_FALSE(rig.board->Publish({.key = kShop}, also));
  CHECK(rig.Of("swarm_ai_quota_pauses_total").empty());
  CHECK(rig.Of("swarm_source_up").empty());
}

TEST_CASE("A source for which there is no place counts nothing", "[swarm]") {
  Rig rig({.board = {.max_sources = 1}});
  REQUIRE(rig.board->Publish({.key = kShop}));
  bool was_run = false;
  const Snapshot second{.key = {"shop", "ruv_swarm"}};
  const Status refused = rig.board->Publish(second, [&](state::Changes&) -> Status {
    was_run = true;
    return {};
  });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind() == ErrorKind::kInvalid);
  CHECK_FALSE(was_run);
  CHECK(rig.Of("swarm_source_up").size() == 1);
  // A unit that fails gives the place back.
  rig.board->Forget(kShop);
  CHECK_FALSE(rig.board->Publish(second, [](state::Changes&) { return Status(Invalid("no")); }));
  CHECK(rig.board->Publish({.key = kShop}));
}

TEST_CASE("Pages and readings of sources go side by side", "[swarm]") {
  Rig rig;
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 0; i < 200; ++i) {
      (void)rig.board->Publish(FullSnapshot(rig.clock.Now()));
      rig.board->Failed(kShop, "locked", "");
    }
    stop = true;
  });
  while (!stop) (void)rig.Page();
  writer.join();
  CHECK(rig.Value(R"(swarm_source_read_errors_total{reason="locked",source="claude_flow_v3",)"
                  R"(workspace="shop"})") == 200);
}

TEST_CASE("The page of swarms is good by the rules for metric names", "[swarm]") {
  Rig rig;
  REQUIRE(rig.board->Publish(FullSnapshot(rig.clock.Now())));
  const auto findings = exposition::LintPage(rig.PageText(), exposition::Format::kText);
  REQUIRE(findings);
  for (const exposition::LintFinding& finding : *findings) {
    FAIL_CHECK(finding.metric << ": " << finding.text);
  }
}

}  // namespace
}  // namespace skep::swarm

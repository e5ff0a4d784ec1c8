#include "exporter/swarm/history.h"

#include <catch2/catch.hpp>

#include "tests/exporter/swarm/rig.h"
#include "tests/support/temp_folder.h"

namespace skep::swarm {
namespace {

using Lines = std::set<std::string>;
using test::Rig;
using test::RigOptions;
using namespace std::chrono_literals;

const SourceKey kShop{"shop", "claude_flow_v3"};

Task MakeTask(std::string id, std::string status) {
  return {.id = std::move(id), .type = "testing", .status = std::move(status)};
}

Snapshot WithTasks(std::vector<Task> tasks) { return {.key = kShop, .tasks = std::move(tasks)}; }

Snapshot WithAgents(std::vector<Agent> agents) {
  return {.key = kShop, .agents = std::move(agents)};
}

double Transitions(Rig& rig, const std::string& to) {
  return rig.Value(
      R"(swarm_task_transitions_total{source="claude_flow_v3",task_type="testing",to=")" + to +
      R"(",workspace="shop"})");
}

double Finished(Rig& rig, const std::string& outcome) {
  return rig.Value(R"(swarm_tasks_finished_total{outcome=")" + outcome +
                   R"(",source="claude_flow_v3",task_type="testing",workspace="shop"})");
}

TEST_CASE("What was there at the first snapshot is not counted, what changes is, once", "[swarm]") {
  Rig rig;
  REQUIRE(rig.board->Publish(WithTasks({MakeTask("old", "completed"), MakeTask("a", "pending")})));
  CHECK(rig.Of("swarm_task_transitions_total").empty());
  CHECK(rig.Of("swarm_tasks_finished_total").empty());

  const Timestamp created = rig.clock.Now();
  Task a = MakeTask("a", "in_progress");
  a.created = created;
  a.started = created + 40s;
  for (int i = 0; i < 3; ++i) REQUIRE(rig.board->Publish(WithTasks({a})));
  CHECK(Transitions(rig, "in_progress") == 1);
  CHECK(rig.Value(R"(swarm_task_queue_seconds_sum{task_type="testing",workspace="shop"})") == 40);

  a.status = "completed";
  a.finished = created + 100s;
  for (int i = 0; i < 3; ++i) REQUIRE(rig.board->Publish(WithTasks({a})));
  CHECK(Transitions(rig, "completed") == 1);
  CHECK(Finished(rig, "completed") == 1);
  CHECK(rig.Value(R"(swarm_task_duration_seconds_sum{outcome="completed",task_type="testing",)"
                  R"(workspace="shop"})") == 60);
}

TEST_CASE("A task that began and ended between two snapshots counts both", "[swarm]") {
  Rig rig;
  REQUIRE(rig.board->Publish(WithTasks({})));
  Task quick = MakeTask("quick", "completed");
  quick.created = rig.clock.Now();
  quick.started = rig.clock.Now() + 1s;
  quick.finished = rig.clock.Now() + 3s;
  rig.clock.Advance(5s);
  REQUIRE(rig.board->Publish(WithTasks({quick})));
  CHECK(Transitions(rig, "in_progress") == 1);
  CHECK(Transitions(rig, "completed") == 1);
  CHECK(Transitions(rig, "pending") == -1);
  CHECK(Finished(rig, "completed") == 1);
}

TEST_CASE("A failed task without an end has no duration", "[swarm]") {
  Rig rig;
  REQUIRE(rig.board->Publish(WithTasks({})));
  Task failed = MakeTask("f", "failed");
  failed.started = rig.clock.Now();
  REQUIRE(rig.board->Publish(WithTasks({failed})));
  CHECK(Finished(rig, "failed") == 1);
  CHECK(rig.Of("swarm_task_duration_seconds_count").empty());
}

TEST_CASE("A store that is deleted and comes back from a backup does not count again", "[swarm]") {
  Rig rig;
  REQUIRE(rig.board->Publish(WithTasks({})));
  Task done = MakeTask("done", "completed");
  REQUIRE(rig.board->Publish(WithTasks({done, MakeTask("b", "pending")})));
  CHECK(Finished(rig, "completed") == 1);
  REQUIRE(rig.board->Publish(WithTasks({})));
  CHECK(Finished(rig, "completed") == 1);
  CHECK(rig.Value(R"(swarm_tasks{workspace="shop",source="claude_flow_v3",status="pending"})") ==
        0);
  REQUIRE(rig.board->Publish(WithTasks({done, MakeTask("b", "pending")})));
  CHECK(Finished(rig, "completed") == 1);
  CHECK(Transitions(rig, "pending") == 1);
}

TEST_CASE("Over a restart nothing is counted twice and nothing is lost", "[swarm]") {
  const skep::test::TempFolder folder;
  Task a = MakeTask("a", "pending");
  {
    Rig rig({.path = folder.path()});
    REQUIRE(rig.board->Publish(WithTasks({MakeTask("old", "completed")})));
    REQUIRE(rig.board->Publish(WithTasks({MakeTask("old", "completed"), a})));
    REQUIRE(rig.board->Publish(WithAgents({{.id = "x", .type = "coder", .status = "idle"}})));
    CHECK(Transitions(rig, "pending") == 1);
  }
  for (int restart = 0; restart < 3; ++restart) {
    CAPTURE(restart);
    Rig rig({.path = folder.path()});
    // Went on while nobody looked; a task came and an agent went.
    a.status = "completed";
    REQUIRE(rig.board->Publish(
        WithTasks({MakeTask("old", "completed"), a, MakeTask("new", "failed")})));
    REQUIRE(rig.board->Publish(WithAgents({})));
    CHECK(Transitions(rig, "pending") == 1);
    CHECK(Finished(rig, "completed") == 1);
    CHECK(Finished(rig, "failed") == 1);
    CHECK(rig.Value(R"(swarm_agent_terminations_total{agent_type="coder",)"
                    R"(source="claude_flow_v3",workspace="shop"})") == 1);
  }
}

TEST_CASE("Agents that come are spawns, those that end or leave are terminations", "[swarm]") {
  Rig rig;
  const std::string labels = R"({agent_type="coder",source="claude_flow_v3",workspace="shop"})";
  REQUIRE(rig.board->Publish(WithAgents({{.id = "a", .type = "coder", .status = "idle"}})));
  CHECK(rig.Of("swarm_agent_spawns_total").empty());
  const Agent b{.id = "b", .type = "coder", .status = "active"};
  const Agent c{.id = "c", .type = "coder", .status = "terminated"};
  REQUIRE(
      rig.board->Publish(WithAgents({{.id = "a", .type = "coder", .status = "terminated"}, b, c})));
  CHECK(rig.Value("swarm_agent_spawns_total" + labels) == 2);
  CHECK(rig.Value("swarm_agent_terminations_total" + labels) == 2);
  REQUIRE(rig.board->Publish(WithAgents({})));
  REQUIRE(rig.board->Publish(WithAgents({})));
  CHECK(rig.Value("swarm_agent_spawns_total" + labels) == 2);
  CHECK(rig.Value("swarm_agent_terminations_total" + labels) == 3);
}

TEST_CASE("Runs of workers grow by the difference, also when the daemon begins anew", "[swarm]") {
  Rig rig;
  const auto publish = [&](double good, double bad) {
    Snapshot snapshot{.key = kShop};
    snapshot.workers = {{.name = "audit", .successes = good, .failures = bad}};
    REQUIRE(rig.board->Publish(snapshot));
  };
  const std::string good =
      R"(swarm_worker_runs_total{outcome="success",worker="audit",workspace="shop"})";
  const std::string bad =
      R"(swarm_worker_runs_total{outcome="failure",worker="audit",workspace="shop"})";
  publish(100, 5);
  CHECK(rig.Value(good) == -1);
  publish(103, 6);
  CHECK(rig.Value(good) == 3);
  CHECK(rig.Value(bad) == 1);
  publish(2, 0);
  CHECK(rig.Value(good) == 5);
  CHECK(rig.Value(bad) == 1);
}

TEST_CASE("Trips of the router and quota pauses of the budget are trips of breakers", "[swarm]") {
  Rig rig;
  const auto publish = [&](double trips, PauseReason pause) {
    Snapshot snapshot{.key = kShop};
    snapshot.router = Router{.circuit_breaker_trips = trips};
    snapshot.budget = AiBudget{.pause = pause};
    REQUIRE(rig.board->Publish(snapshot));
  };
  publish(4, PauseReason::kNone);
  CHECK(rig.Value(R"(circuit_breaker_open{component="ai_budget"})") == 0);
  CHECK(rig.Of("circuit_breaker_trips_total").empty());
  publish(6, PauseReason::kQuota);
  publish(6, PauseReason::kQuota);
  CHECK(rig.Value(R"(circuit_breaker_open{component="ai_budget"})") == 1);
  CHECK(rig.Value(R"(circuit_breaker_trips_total{component="model_router"})") == 2);
  CHECK(rig.Value(R"(circuit_breaker_trips_total{component="ai_budget"})") == 1);
  // Cannot be read for longer than values are shown: not known is not closed.
  rig.clock.Advance(2min);
  rig.board->Failed(kShop, "permission", "");
  CHECK(rig.Of("circuit_breaker_open").empty());
}

TEST_CASE("A task without change is stalled after a while", "[swarm]") {
  Rig rig;
  Task a = MakeTask("a", "in_progress");
  const std::string stalled = R"(swarm_tasks_stalled{workspace="shop",source="claude_flow_v3"})";
  REQUIRE(rig.board->Publish(WithTasks({a})));
  CHECK(rig.Value(stalled) == 0);
  rig.clock.Advance(6min);
  REQUIRE(rig.board->Publish(WithTasks({a})));
  CHECK(rig.Value(stalled) == 1);
  a.progress = 0.5;
  REQUIRE(rig.board->Publish(WithTasks({a})));
  CHECK(rig.Value(stalled) == 0);
  CHECK(rig.Value(
            R"(swarm_last_progress_timestamp_seconds{workspace="shop",source="claude_flow_v3"})") ==
        ToSeconds(rig.clock.Now()));
}

TEST_CASE("There is room for so many ids; what does not fit is told, and never counted twice",
          "[swarm]") {
  Rig rig({.history = {.tasks = 100, .agents = 100}});
  std::vector<Task> tasks;
  for (int i = 0; i < 150; ++i) tasks.push_back(MakeTask(std::to_string(i), "pending"));
  REQUIRE(rig.board->Publish(WithTasks({})));
  for (int i = 0; i < 3; ++i) REQUIRE(rig.board->Publish(WithTasks(tasks)));
  CHECK(Transitions(rig, "pending") == 100);
  CHECK(rig.Value(R"(swarm_history_untracked{workspace="shop",source="claude_flow_v3"})") == 50);
  // The first hundred leave: the others get their places.
  tasks.erase(tasks.begin(), tasks.begin() + 100);
  for (int i = 0; i < 3; ++i) REQUIRE(rig.board->Publish(WithTasks(tasks)));
  CHECK(Transitions(rig, "pending") == 150);
  CHECK(rig.Value(R"(swarm_history_untracked{workspace="shop",source="claude_flow_v3"})") == 0);
}

TEST_CASE("Ids that came and went beyond the bound do not count again after a restart", "[swarm]") {
  const skep::test::TempFolder folder;
  const RigOptions options{.path = folder.path(), .history = {.tasks = 1'000}};
  const Worker worker{.name = "audit", .successes = 40, .failures = 0};
  std::vector<Task> last;
  {
    Rig rig(options);
    REQUIRE(rig.board->Publish(
        {.key = kShop, .tasks = last, .workers = {{.name = "audit", .successes = 0}}}));
    for (int round = 0; round < 3; ++round) {
      last.clear();
      for (int i = 0; i < 900; ++i) {
        last.push_back(MakeTask(std::to_string(round) + "/" + std::to_string(i), "pending"));
      }
      // One round for the earlier ones to leave, one for these to find room.
      for (int i = 0; i < 2; ++i) REQUIRE(rig.board->Publish(WithTasks(last)));
    }
    REQUIRE(rig.board->Publish({.key = kShop, .tasks = last, .workers = {worker}}));
    CHECK(Transitions(rig, "pending") == 2700);
  }
  Rig rig(options);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(rig.board->Publish({.key = kShop, .tasks = last, .workers = {worker}}));
  }
  CHECK(Transitions(rig, "pending") == 2700);
  CHECK(rig.Value(R"(swarm_worker_runs_total{outcome="success",worker="audit",)"
                  R"(workspace="shop"})") == 40);
}

TEST_CASE("A source that is forgotten begins anew", "[swarm]") {
  const skep::test::TempFolder folder;
  {
    Rig rig({.path = folder.path()});
    REQUIRE(rig.board->Publish(WithTasks({MakeTask("a", "pending")})));
    rig.board->Forget(kShop);
    CHECK(rig.Of("swarm_source_up").empty());
  }
  Rig rig({.path = folder.path()});
  REQUIRE(rig.board->Publish(WithTasks({MakeTask("a", "completed")})));
  CHECK(rig.Of("swarm_tasks_finished_total").empty());
}

TEST_CASE("A record of history that is cut or flipped is refused or harmless", "[swarm]") {
  History history;
  std::vector<std::string> records;
  {
    Rig rig;
    Snapshot snapshot = WithTasks({MakeTask("a", "pending"), MakeTask("b", "failed")});
    snapshot.agents = {{.id = "x", .type = "coder", .status = "idle"}};
    snapshot.workers = {{.name = "audit", .successes = 1, .failures = 2}};
    REQUIRE(rig.board->Publish(snapshot));
    rig.history.Save([&](std::string_view record) { records.emplace_back(record); });
  }
  REQUIRE(records.size() == 1);
  CHECK(history.Restore(records[0]));
  for (std::size_t size = 0; size < records[0].size(); ++size) {
    History cut;
    (void)cut.Restore(std::string_view(records[0]).substr(0, size));
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = records[0];
      flipped[size] = static_cast<char>(flipped[size] ^ (1 << bit));
      (void)cut.Restore(flipped);
    }
  }
  CHECK_FALSE(History().Restore("\x05"));
}

}  // namespace
}  // namespace skep::swarm

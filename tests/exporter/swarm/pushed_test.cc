#include "exporter/swarm/pushed.h"

#include <catch2/catch.hpp>

#include "tests/exporter/swarm/rig.h"
#include "tests/support/many.h"
#include "tests/support/temp_folder.h"

namespace skep::swarm {
namespace {

using Lines = std::set<std::string>;
using test::Rig;
using namespace std::chrono_literals;

constexpr Place kPlace{"shop", "events"};

void Tell(Rig& rig, const AgentReport& report) {
  rig.Do([&](state::Changes& changes) {
    PushedSwarm::Unit unit(rig.pushed, *rig.flow, changes, rig.clock.Now());
    unit.Report(report, rig.clock.Now());
  });
}

void Tell(Rig& rig, const TaskReport& report) {
  rig.Do([&](state::Changes& changes) {
    PushedSwarm::Unit unit(rig.pushed, *rig.flow, changes, rig.clock.Now());
    unit.Report(report, rig.clock.Now());
  });
}

TEST_CASE("Reports of an agent become a spawn, a gauge and a termination", "[swarm]") {
  Rig rig;
  const std::string labels = R"({agent_type="coder",source="events",workspace="shop"})";
  Tell(rig, AgentReport{
                .place = kPlace, .id = "a", .type = "coder", .status = "busy", .confidence = 0.5});
  Tell(rig, AgentReport{.place = kPlace, .id = "a", .quality = 0.25});
  CHECK(rig.Value("swarm_agent_spawns_total" + labels) == 1);
  CHECK(rig.Value(R"(swarm_agents{workspace="shop",source="events",agent_type="coder",)"
                  R"(status="busy"})") == 1);
  CHECK(rig.Value(R"(swarm_confidence_ratio{workspace="shop",source="events",)"
                  R"(agent_type="coder"})") == 0.5);
  CHECK(rig.Value(R"(swarm_agent_quality_ratio{workspace="shop",source="events",)"
                  R"(agent_type="coder"})") == 0.25);
  Tell(rig, AgentReport{.place = kPlace, .id = "a", .status = "terminated"});
  Tell(rig, AgentReport{.place = kPlace, .id = "a", .status = "terminated"});
  CHECK(rig.Value("swarm_agent_terminations_total" + labels) == 1);
  CHECK(rig.Of("swarm_confidence_ratio").empty());
}

TEST_CASE("Reports of a task become transitions with the times between them", "[swarm]") {
  Rig rig;
  const TaskReport begin{
      .place = kPlace, .id = "t", .type = "review", .status = "pending", .priority = "high"};
  Tell(rig, begin);
  Tell(rig, begin);
  rig.clock.Advance(20s);
  Tell(rig, TaskReport{.place = kPlace, .id = "t", .status = "in_progress", .progress = 0.25});
  CHECK(rig.Value(R"(swarm_tasks{workspace="shop",source="events",status="in_progress",)"
                  R"(priority="high"})") == 1);
  CHECK(rig.Value(R"(swarm_task_queue_seconds_sum{task_type="review",workspace="shop"})") == 20);
  rig.clock.Advance(40s);
  Tell(rig, TaskReport{.place = kPlace, .id = "t", .status = "failed"});
  Tell(rig, TaskReport{.place = kPlace, .id = "t", .status = "failed"});
  CHECK(rig.Of("swarm_task_transitions_total") ==
        Lines{R"(swarm_task_transitions_total{source="events",task_type="review",to="failed",)"
              R"(workspace="shop"} 1)",
              R"(swarm_task_transitions_total{source="events",task_type="review",to="in_progress",)"
              R"(workspace="shop"} 1)",
              R"(swarm_task_transitions_total{source="events",task_type="review",to="pending",)"
              R"(workspace="shop"} 1)"});
  CHECK(rig.Value(R"(swarm_task_duration_seconds_sum{outcome="failed",task_type="review",)"
                  R"(workspace="shop"})") == 40);
  Tell(rig, TaskReport{
                .place = kPlace, .id = "u", .type = "review", .status = "completed", .seconds = 7});
  CHECK(rig.Value(R"(swarm_task_duration_seconds_sum{outcome="completed",task_type="review",)"
                  R"(workspace="shop"})") == 7);
}

TEST_CASE("Reports of one unit see each other", "[swarm]") {
  Rig rig;
  rig.Do([&](state::Changes& changes) {
    PushedSwarm::Unit unit(rig.pushed, *rig.flow, changes, rig.clock.Now());
    for (const std::string_view status : {"pending", "in_progress", "in_progress", "completed"}) {
      unit.Report(TaskReport{.place = kPlace, .id = "t", .status = status}, rig.clock.Now());
    }
  });
  CHECK(rig.Of("swarm_task_transitions_total").size() == 3);
  for (const std::string& line : rig.Of("swarm_task_transitions_total")) {
    CHECK(line.ends_with(" 1"));
  }
}

TEST_CASE("A unit that does not come to be leaves nothing behind", "[swarm]") {
  Rig rig;
  const Status refused = rig.store->Update([&](state::Changes& changes) -> Status {
    PushedSwarm::Unit unit(rig.pushed, *rig.flow, changes, rig.clock.Now());
    unit.Report(AgentReport{.place = kPlace, .id = "a", .type = "coder"}, rig.clock.Now());
    return Invalid("no");
  });
  CHECK_FALSE(refused);
  CHECK(rig.Of("swarm_agents").empty());
  CHECK(rig.Of("swarm_agent_spawns_total").empty());
}

TEST_CASE("Agents that are not reported any more are gone after a while", "[swarm]") {
  Rig rig;
  Tell(rig, AgentReport{.place = kPlace, .id = "a", .type = "coder"});
  rig.clock.Advance(61min);
  const std::string active =
      R"(swarm_agents{workspace="shop",source="events",agent_type="coder",status="active"})";
  CHECK(rig.Value(active) == -1);
  Tell(rig, AgentReport{.place = kPlace, .id = "b", .type = "tester"});
  CHECK(rig.Value(R"(swarm_agent_terminations_total{agent_type="coder",source="events",)"
                  R"(workspace="shop"})") == 1);
  Tell(rig, AgentReport{.place = kPlace, .id = "a", .type = "coder"});
  CHECK(rig.Value(active) == 1);
}

TEST_CASE("Agents and tasks that wait for each other are a deadlock", "[swarm]") {
  Rig rig;
  const std::vector<std::string_view> y = {"y"};
  const std::vector<std::string_view> x = {"x"};
  Tell(rig, AgentReport{.place = kPlace, .id = "x", .waits_for = y});
  CHECK(rig.Value(R"(swarm_deadlocks{workspace="shop",source="events"})") == 0);
  Tell(rig, AgentReport{.place = kPlace, .id = "y", .waits_for = x});
  CHECK(rig.Value(R"(swarm_deadlocks{workspace="shop",source="events"})") == 1);
}

TEST_CASE("What was reported is there after a restart and does not count again", "[swarm]") {
  const skep::test::TempFolder folder;
  const std::string labels = R"({agent_type="coder",source="events",workspace="shop"})";
  {
    Rig rig({.path = folder.path()});
    Tell(rig, AgentReport{.place = kPlace, .id = "a", .type = "coder", .status = "busy"});
    Tell(rig, TaskReport{.place = kPlace, .id = "t", .type = "x", .status = "in_progress"});
  }
  Rig rig({.path = folder.path()});
  CHECK(rig.Value(R"(swarm_agents{workspace="shop",source="events",agent_type="coder",)"
                  R"(status="busy"})") == 1);
  Tell(rig, AgentReport{.place = kPlace, .id = "a", .status = "busy"});
  CHECK(rig.Value("swarm_agent_spawns_total" + labels) == 1);
  rig.clock.Advance(30s);
  Tell(rig, TaskReport{.place = kPlace, .id = "t", .status = "completed"});
  CHECK(rig.Value(R"(swarm_task_duration_seconds_sum{outcome="completed",task_type="x",)"
                  R"(workspace="shop"})") == 30);
}

TEST_CASE("A million agents take no more room than the table has", "[swarm]") {
  Rig rig({.pushed = {.agents = 2'000, .tasks = 2'000}});
  constexpr int kAgents = skep::test::Many(1'000'000);
  constexpr int kUnit = 10'000;
  for (int begin = 0; begin < kAgents; begin += kUnit) {
    rig.Do([&](state::Changes& changes) {
      PushedSwarm::Unit unit(rig.pushed, *rig.flow, changes, rig.clock.Now());
      for (int i = begin; i < begin + kUnit; ++i) {
        const std::string id = "agent-" + std::to_string(i);
        unit.Report(AgentReport{.place = kPlace, .id = id, .type = "coder"}, rig.clock.Now());
      }
    });
  }
  CHECK(rig.Value(R"(swarm_agents{workspace="shop",source="events",agent_type="coder",)"
                  R"(status="active"})") == 2'000);
  CHECK(rig.Value(R"(swarm_agent_spawns_total{agent_type="coder",source="events",)"
                  R"(workspace="shop"})") == kAgents);
  CHECK(rig.Value(R"(swarm_pushed_evictions_total{kind="agent"})") == kAgents - 2'000);
  std::size_t kept = 0;
  rig.pushed.Save([&](std::string_view) { ++kept; });
  CHECK(kept == 2'000);
}

TEST_CASE("A record of a report that is cut or flipped is refused or harmless", "[swarm]") {
  std::vector<std::string> records;
  {
    Rig rig;
    const std::vector<std::string_view> y = {"y"};
    Tell(rig, AgentReport{.place = kPlace, .id = "x", .type = "coder", .waits_for = y});
    Tell(rig, TaskReport{.place = kPlace, .id = "t", .type = "x", .depends_on = y});
    rig.pushed.Save([&](std::string_view record) { records.emplace_back(record); });
  }
  REQUIRE(records.size() == 2);
  for (const std::string& record : records) {
    for (std::size_t size = 0; size < record.size(); ++size) {
      PushedSwarm swarm;
      CHECK_FALSE(swarm.Restore(std::string_view(record).substr(0, size)));
      for (int bit = 0; bit < 8; ++bit) {
        std::string flipped = record;
        flipped[size] = static_cast<char>(flipped[size] ^ (1 << bit));
        (void)swarm.Restore(flipped);
        swarm.Visit(FromMillis(0), [](const Snapshot&) {});
      }
    }
  }
}

}  // namespace
}  // namespace skep::swarm

#include "exporter/swarm/sessions.h"

#include <catch2/catch.hpp>
#include <thread>

#include "exporter/swarm/id_set.h"
#include "exporter/swarm/words.h"
#include "tests/exporter/swarm/rig.h"
#include "tests/support/many.h"
#include "tests/support/temp_folder.h"

namespace skep::swarm {
namespace {

using test::Rig;
using Topic = Sessions::Topic;
using Way = Sessions::Way;
using namespace std::chrono_literals;

// Runs `tell` in a unit of its own.
template <typename Tell>
void In(Rig& rig, const Tell& tell) {
  rig.Do([&](state::Changes& changes) {
    Sessions::Unit unit(rig.sessions, changes, rig.clock.Now());
    tell(unit);
    unit.Finish();
  });
}

TEST_CASE("A thing is told for the first time once, in its session and topic", "[swarm]") {
  Rig rig;
  In(rig, [](Sessions::Unit& unit) {
    CHECK(unit.IsFirst("s", Topic::kTool, "1"));
    CHECK_FALSE(unit.IsFirst("s", Topic::kTool, "1"));
    CHECK(unit.IsFirst("s", Topic::kRequest, "1"));
    CHECK(unit.IsFirst("t", Topic::kTool, "1"));
  });
  In(rig, [](Sessions::Unit& unit) { CHECK_FALSE(unit.IsFirst("s", Topic::kTool, "1")); });
}

TEST_CASE("The way that comes first keeps a topic of a session", "[swarm]") {
  Rig rig;
  In(rig, [](Sessions::Unit& unit) {
    CHECK_FALSE(unit.IsTaken("s", Topic::kTokens, Way::kMetrics));
    CHECK(unit.Claim("s", Topic::kTokens, Way::kEvents));
    CHECK(unit.IsTaken("s", Topic::kTokens, Way::kMetrics));
  });
  In(rig, [](Sessions::Unit& unit) {
    CHECK_FALSE(unit.Claim("s", Topic::kTokens, Way::kMetrics));
    CHECK(unit.Claim("s", Topic::kTokens, Way::kEvents));
    CHECK(unit.Claim("s", Topic::kCost, Way::kMetrics));
    CHECK(unit.Claim("t", Topic::kTokens, Way::kMetrics));
  });
}

TEST_CASE("A session that is still told of outlives those that are not", "[swarm]") {
  Rig rig({.sessions = {.max_sessions = 2}});
  const auto claim = [&](const char* session, Way way) {
    bool is_ours = false;
    In(rig, [&](Sessions::Unit& unit) {
      is_ours = unit.Claim(session, Topic::kTokens, way);
      unit.NoteAgentType(session, "1", "coder");
    });
    return is_ours;
  };
  const auto type_of = [&](const char* session) {
    std::string type;
    In(rig, [&](Sessions::Unit& unit) { type = unit.AgentType(session, "1"); });
    return type;
  };
  CHECK(claim("long", Way::kEvents));
  CHECK(claim("a", Way::kEvents));
  CHECK(claim("long", Way::kEvents));
  CHECK(claim("b", Way::kEvents));  // in place of "a"
  CHECK_FALSE(claim("long", Way::kMetrics));
  CHECK(type_of("long") == "coder");
  CHECK(type_of("a").empty());
}

TEST_CASE("A session's end ends its agents and no others, also those of the same unit", "[swarm]") {
  Rig rig({.sessions = {.max_sessions = 3}});
  const std::string coders = R"(swarm_subagents_active{agent_type="coder"})";
  In(rig, [](Sessions::Unit& unit) {
    for (const char* agent : {"1", "2", "3"}) (void)unit.AgentStarted("s", agent, "coder");
  });
  In(rig, [](Sessions::Unit& unit) { (void)unit.AgentStarted("t", "1", "coder"); });
  CHECK(rig.Value(coders) == 3);  // one of "s" gave way
  In(rig, [](Sessions::Unit& unit) {
    (void)unit.AgentStarted("s", "4", "coder");
    unit.SessionEnded("s");
  });
  CHECK(rig.Value(coders) == 1);
  In(rig, [](Sessions::Unit& unit) { CHECK(unit.AgentStopped("t", "1")); });
  In(rig, [](Sessions::Unit& unit) { unit.SessionEnded("t"); });
  CHECK(rig.Value(coders) == 0);
}

TEST_CASE("A unit that is not finished, or does not come to be, leaves nothing", "[swarm]") {
  Rig rig;
  rig.Do([&](state::Changes& changes) {
    Sessions::Unit unit(rig.sessions, changes, rig.clock.Now());
    CHECK(unit.IsFirst("s", Topic::kTool, "1"));
  });
  const Status refused = rig.store->Update([&](state::Changes& changes) -> Status {
    Sessions::Unit unit(rig.sessions, changes, rig.clock.Now());
    CHECK(unit.IsFirst("s", Topic::kTool, "1"));
    unit.Finish();
    return Invalid("no");
  });
  CHECK_FALSE(refused);
  In(rig, [](Sessions::Unit& unit) { CHECK(unit.IsFirst("s", Topic::kTool, "1")); });
}

TEST_CASE("Subagents that run are on the page, by type, until they stop", "[swarm]") {
  Rig rig;
  const std::string coder = R"(swarm_subagents_active{agent_type="coder"})";
  CHECK(rig.Of("swarm_subagents_active").empty());
  In(rig, [](Sessions::Unit& unit) {
    CHECK_FALSE(unit.AgentStarted("s", "1", "coder"));
    CHECK_FALSE(unit.AgentStarted("s", "2", "coder"));
  });
  CHECK(rig.Value(coder) == 2);
  rig.clock.Advance(30s);
  In(rig, [](Sessions::Unit& unit) {
    const auto stopped = unit.AgentStopped("s", "1");
    REQUIRE(stopped);
    CHECK(stopped->first == "coder");
    CHECK(stopped->second == 30s);
    CHECK_FALSE(unit.AgentStopped("s", "1"));
    CHECK_FALSE(unit.AgentStopped("t", "2"));
    CHECK(unit.AgentType("s", "2") == "coder");
    CHECK(unit.AgentType("s", "") == "main");
    CHECK(unit.AgentType("s", "3").empty());
  });
  CHECK(rig.Value(coder) == 1);
  In(rig, [](Sessions::Unit& unit) { unit.SessionEnded("s"); });
  CHECK(rig.Value(coder) == 0);
}

TEST_CASE("A subagent that never stops is taken for gone", "[swarm]") {
  Rig rig;
  In(rig, [](Sessions::Unit& unit) { (void)unit.AgentStarted("s", "1", "coder"); });
  rig.clock.Advance(59min);
  CHECK(rig.Value(R"(swarm_subagents_active{agent_type="coder"})") == 1);
  rig.clock.Advance(2min);
  CHECK(rig.Value(R"(swarm_subagents_active{agent_type="coder"})") == 0);
}

TEST_CASE("The time to start an agent is that from its call, in the order of calls", "[swarm]") {
  Rig rig;
  In(rig, [](Sessions::Unit& unit) { unit.AgentWanted("s", "call-1", "coder"); });
  rig.clock.Advance(1s);
  In(rig, [](Sessions::Unit& unit) {
    unit.AgentWanted("s", "call-2", "coder");
    unit.AgentWanted("s", "call-3", "coder");
    unit.AgentWanted("s", "call-4", "tester");
  });
  rig.clock.Advance(1s);
  In(rig, [](Sessions::Unit& unit) {
    unit.AgentNotWanted("s", "call-2", "coder");
    CHECK(unit.AgentStarted("s", "a", "coder") == Duration(2s));
    CHECK(unit.AgentStarted("s", "b", "coder") == Duration(1s));
    CHECK_FALSE(unit.AgentStarted("s", "c", "coder"));
    CHECK_FALSE(unit.AgentStarted("t", "d", "tester"));
  });
  rig.clock.Advance(11min);
  In(rig, [](Sessions::Unit& unit) { CHECK_FALSE(unit.AgentStarted("s", "e", "tester")); });
}

TEST_CASE("Calls of one tool with one outcome in a row are a loop", "[swarm]") {
  Rig rig({.sessions = {.failures_are_loop = 3, .successes_are_loop = 4}});
  In(rig, [](Sessions::Unit& unit) {
    CHECK_FALSE(unit.ToolEnded("s", "", "Bash", Outcome::kError));
    CHECK_FALSE(unit.ToolEnded("s", "", "Bash", Outcome::kError));
    CHECK_FALSE(unit.ToolEnded("s", "other agent", "Read", Outcome::kOk));
    CHECK(unit.ToolEnded("s", "", "Bash", Outcome::kError));
  });
  In(rig, [](Sessions::Unit& unit) {
    CHECK_FALSE(unit.ToolEnded("s", "", "Bash", Outcome::kError));
    CHECK_FALSE(unit.ToolEnded("s", "", "Bash", Outcome::kError));
    CHECK(unit.ToolEnded("s", "", "Bash", Outcome::kError));
    CHECK_FALSE(unit.ToolEnded("s", "", "Bash", Outcome::kOk));
    CHECK_FALSE(unit.ToolEnded("s", "", "Bash", Outcome::kOk));
    CHECK_FALSE(unit.ToolEnded("s", "", "Bash", Outcome::kOk));
    CHECK_FALSE(unit.ToolEnded("s", "", "Read", Outcome::kOk));
  });
  rig.sessions.Apply({.failures_are_loop = 0});
  In(rig, [](Sessions::Unit& unit) {
    for (int i = 0; i < 10; ++i) CHECK_FALSE(unit.ToolEnded("u", "", "Bash", Outcome::kError));
  });
}

TEST_CASE("What was told is remembered over a restart", "[swarm]") {
  const skep::test::TempFolder folder;
  {
    Rig rig({.path = folder.path()});
    In(rig, [](Sessions::Unit& unit) {
      CHECK(unit.IsFirst("s", Topic::kTool, "1"));
      CHECK(unit.Claim("s", Topic::kTokens, Way::kMetrics));
      (void)unit.AgentStarted("s", "a", "coder");
      unit.AgentWanted("s", "call", "tester");
    });
  }
  for (int restart = 0; restart < 2; ++restart) {
    Rig rig({.path = folder.path()});
    rig.clock.Advance(5s);
    CHECK(rig.Value(R"(swarm_subagents_active{agent_type="coder"})") == 1);
    rig.Do([&](state::Changes& changes) {
      Sessions::Unit unit(rig.sessions, changes, rig.clock.Now());
      CHECK_FALSE(unit.IsFirst("s", Topic::kTool, "1"));
      CHECK(unit.IsTaken("s", Topic::kTokens, Way::kEvents));
      CHECK(unit.AgentType("s", "a") == "coder");
      CHECK(unit.AgentStarted("s", "b", "tester") == Duration(5s));
    });
  }
}

TEST_CASE("A million sessions and ids take no more room than their bounds", "[swarm]") {
  Rig rig({.sessions = {.max_ids = 10'000, .max_sessions = 1'000}});
  constexpr int kIds = skep::test::Many(1'000'000);
  int first = 0;
  int claimed = 0;
  for (int begin = 0; begin < kIds; begin += 10'000) {
    In(rig, [&](Sessions::Unit& unit) {
      for (int i = begin; i < begin + 10'000; ++i) {
        const std::string id = std::to_string(i);
        first += unit.IsFirst(id, Topic::kTool, id) ? 1 : 0;
        if (i % 20 == 0) {
          claimed += unit.Claim(id, Topic::kTokens, Way::kEvents) ? 1 : 0;
          (void)unit.AgentStarted(id, id, "coder");
        }
      }
    });
  }
  CHECK(first == kIds);
  CHECK(claimed == kIds / 20);
  CHECK(rig.Value(R"(skep_exporter_session_entries{table="ids"})") <= 10'002);
  CHECK(rig.Value(R"(skep_exporter_session_entries{table="ids"})") >= 5'000);
  CHECK(rig.Value(R"(skep_exporter_session_entries{table="sessions"})") == 1'000);
  CHECK(rig.Value(R"(swarm_subagents_active{agent_type="coder"})") == 1'000);
}

TEST_CASE("A set of ids keeps the youngest half at least", "[swarm]") {
  IdSet ids(100);
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    ids.Insert(StableHash(std::to_string(i)));
    for (std::uint64_t back = 0; back < 50 && back <= i; ++back) {
      REQUIRE(ids.Contains(StableHash(std::to_string(i - back))));
    }
    REQUIRE(ids.size() <= 102);
  }
  CHECK_FALSE(ids.Contains(StableHash("0")));
  CHECK_FALSE(ids.Contains(0));
  ids.Insert(0);
  CHECK(ids.Contains(0));
}

TEST_CASE("A record of a session that is cut or flipped is refused or harmless", "[swarm]") {
  std::vector<std::string> records;
  {
    Rig rig;
    In(rig, [](Sessions::Unit& unit) {
      (void)unit.IsFirst("s", Topic::kTool, "1");
      (void)unit.Claim("s", Topic::kTokens, Way::kMetrics);
      (void)unit.AgentStarted("s", "a", "coder");
      unit.AgentWanted("s", "call", "tester");
    });
    rig.sessions.Save([&](std::string_view record) { records.emplace_back(record); });
  }
  REQUIRE(records.size() == 5);
  for (const std::string& record : records) {
    for (std::size_t size = 0; size < record.size(); ++size) {
      Sessions sessions;
      if (size > 1) CHECK_FALSE(sessions.Restore(std::string_view(record).substr(0, size)));
      for (int bit = 0; bit < 8; ++bit) {
        std::string flipped = record;
        flipped[size] = static_cast<char>(flipped[size] ^ (1 << bit));
        (void)sessions.Restore(flipped);
      }
    }
  }
}

TEST_CASE("Sessions are told of and shown on several threads", "[swarm]") {
  Rig rig;
  std::vector<std::thread> threads;
  std::atomic<int> first{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        In(rig, [&](Sessions::Unit& unit) {
          if (unit.IsFirst("s", Topic::kTool, std::to_string(i))) ++first;
          (void)unit.AgentStarted("s", std::to_string(i), "coder");
        });
      }
    });
  }
  threads.emplace_back([&] {
    for (int i = 0; i < 50; ++i) rig.sessions.Apply({});
  });
  for (std::thread& thread : threads) thread.join();
  CHECK(first == 200);
  CHECK(rig.Value(R"(swarm_subagents_active{agent_type="coder"})") == 200);
}

}  // namespace
}  // namespace skep::swarm

#include "exporter/ingest/claude_code_hooks.h"

#include <catch2/catch.hpp>
#include <thread>
#include <vector>

#include "common/json/value.h"
#include "tests/exporter/ingest/agent_rig.h"
#include "tests/support/temp_folder.h"

namespace skep::ingest {
namespace {

using Lines = std::set<std::string>;
using test::AgentRig;
using namespace std::chrono_literals;

// Bodies as Claude Code posted them.
std::vector<std::string> RecordedHooks() {
  std::vector<std::string> bodies;
  const std::string text = test::ReadData("hooks/hooks.jsonl");
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    const std::size_t begin = line.find("\"body\":") + 7;
    bodies.push_back(line.substr(begin, line.size() - 1 - begin));
    at = end + 1;
  }
  return bodies;
}

std::string Body(const std::string& event, const std::string& rest = "") {
  return R"({"session_id":"s","hook_event_name":")" + event + '"' + rest + '}';
}

TEST_CASE("The recorded hooks of a session become its series", "[hooks]") {
  AgentRig rig;
  for (const std::string& body : RecordedHooks()) {
    CHECK(rig.PostHook(body) == 200);
    rig.swarm.clock.Advance(1s);
  }
  CHECK(
      rig.Swarm() ==
      Lines{
          R"(swarm_agent_spawn_duration_seconds_count{agent_type="general-purpose"} 1)",
          R"(swarm_agent_spawns_total{agent_type="general-purpose",source="claude_code"} 1)",
          R"(swarm_agent_terminations_total{agent_type="general-purpose",source="claude_code"} 1)",
          R"(swarm_session_events_total{event="prompt"} 1)",
          R"(swarm_session_events_total{event="session_end"} 1)",
          R"(swarm_session_events_total{event="stop"} 1)",
          R"(swarm_subagent_duration_seconds_count{agent_type="general-purpose"} 1)",
          R"(swarm_subagent_runs_total{agent_type="general-purpose",outcome="ok"} 1)",
          R"(swarm_subagent_tokens_count{agent_type="general-purpose"} 1)",
          R"(swarm_subagents_active{agent_type="general-purpose"} 0)",
          R"(swarm_tool_calls_total{agent_type="general-purpose",outcome="error",tool="Bash"} 1)",
          R"(swarm_tool_calls_total{agent_type="main",outcome="ok",tool="Agent"} 1)",
          R"(swarm_tool_duration_seconds_count{tool="Agent"} 1)",
          R"(swarm_tool_duration_seconds_count{tool="Bash"} 1)"});
  // Asked for at second 1, there at second 2, stopped three hooks later.
  CHECK(rig.swarm.Value(
            R"(swarm_agent_spawn_duration_seconds_sum{agent_type="general-purpose"})") == 1);
  CHECK(rig.swarm.Value(R"(swarm_subagent_duration_seconds_sum{agent_type="general-purpose"})") ==
        3);
  CHECK(rig.swarm.Value(R"(swarm_subagent_tokens_sum{agent_type="general-purpose"})") == 1517);
  CHECK(rig.swarm.Value(R"(swarm_tool_duration_seconds_sum{tool="Bash"})") == 0.155);
}

TEST_CASE("Nothing that people or models wrote gets onto the page or into the state", "[hooks]") {
  const skep::test::TempFolder folder;
  {
    AgentRig rig(folder.path());
    for (const std::string& body : RecordedHooks()) REQUIRE(rig.PostHook(body) == 200);
    const std::string page = rig.swarm.PageText();
    for (const std::string text : {"do the thing", "count files", "All done", "/srv/swarm",
                                   "a9f6d4c0-2817-4abf-807d-ccd8d51812d7", "a2cf9bd93a4846bf7"}) {
      CAPTURE(text);
      CHECK(page.find(text) == std::string::npos);
    }
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    for (const std::string text : {"do the thing", "count files", "All done", "/srv/swarm"}) {
      CAPTURE(text);
      CHECK(bytes.find(text) == std::string::npos);
    }
  }
}

TEST_CASE("A running subagent is on the page between its start and its stop", "[hooks]") {
  AgentRig rig;
  const std::string active = R"(swarm_subagents_active{agent_type="reviewer"})";
  const std::string agent = R"(,"agent_id":"a1","agent_type":"reviewer")";
  REQUIRE(rig.PostHook(Body("SubagentStart", agent)) == 200);
  CHECK(rig.swarm.Value(active) == 1);
  REQUIRE(rig.PostHook(Body("SubagentStop", agent)) == 200);
  CHECK(rig.swarm.Value(active) == 0);
  REQUIRE(rig.PostHook(Body("SubagentStart", agent)) == 200);
  REQUIRE(rig.PostHook(Body("SessionEnd")) == 200);
  CHECK(rig.swarm.Value(active) == 0);
}

TEST_CASE("Tasks of a team are counted from their creation to their completion", "[hooks]") {
  AgentRig rig;
  const std::string task = R"(,"task_id":"3","task_subject":"secret","team_name":"alpha")";
  REQUIRE(rig.PostHook(Body("TaskCreated", task)) == 200);
  CHECK(rig.swarm.Value(R"(swarm_tasks{source="claude_code",status="pending"})") == 1);
  // A teammate's session tells the end.
  REQUIRE(rig.PostHook(R"({"session_id":"t","hook_event_name":"TaskCompleted","task_id":"3",)"
                       R"("team_name":"alpha"})") == 200);
  CHECK(rig.swarm.Value(R"(swarm_tasks_finished_total{outcome="completed",source="claude_code",)"
                        R"(task_type="unknown"})") == 1);
  REQUIRE(rig.PostHook(Body("TeammateIdle")) == 200);
  CHECK(rig.swarm.Value(R"(swarm_session_events_total{event="teammate_idle"})") == 1);
  CHECK(rig.swarm.PageText().find("secret") == std::string::npos);
}

TEST_CASE("Compactions, refusals and failed stops", "[hooks]") {
  AgentRig rig;
  REQUIRE(rig.PostHook(Body("PreCompact", R"(,"trigger":"auto")")) == 200);
  REQUIRE(rig.PostHook(Body("PostCompact", R"(,"trigger":"auto")")) == 200);
  REQUIRE(rig.PostHook(Body("PermissionDenied", R"(,"tool_name":"Bash")")) == 200);
  REQUIRE(rig.PostHook(Body("StopFailure")) == 200);
  REQUIRE(rig.PostHook(Body("SessionStart")) == 200);
  CHECK(rig.Swarm() == Lines{R"(swarm_compactions_total{outcome="ok",trigger="auto"} 1)",
                             R"(swarm_session_events_total{event="permission_denied"} 1)",
                             R"(swarm_session_events_total{event="pre_compact"} 1)",
                             R"(swarm_session_events_total{event="session_start"} 1)",
                             R"(swarm_session_events_total{event="stop_failure"} 1)",
                             R"(swarm_tool_decisions_total{decision="reject",tool="Bash"} 1)"});
}

TEST_CASE("An agent that was not allowed does not make the next one look slow", "[hooks]") {
  AgentRig rig;
  const auto want = [&](const std::string& call) {
    return Body("PreToolUse", R"(,"tool_name":"Task","tool_use_id":")" + call +
                                  R"(","tool_input":{"subagent_type":"tester"})");
  };
  const std::string agent = R"(,"agent_id":"a1","agent_type":"tester")";
  REQUIRE(rig.PostHook(want("1")) == 200);
  REQUIRE(rig.PostHook(Body("PermissionDenied", R"(,"tool_name":"Task","tool_use_id":"1",)"
                                                R"("tool_input":{"subagent_type":"tester"})")) ==
          200);
  rig.swarm.clock.Advance(1min);
  REQUIRE(rig.PostHook(want("2")) == 200);
  rig.swarm.clock.Advance(1500ms);
  REQUIRE(rig.PostHook(Body("SubagentStart", agent)) == 200);
  CHECK(rig.swarm.Value(R"(swarm_agent_spawn_duration_seconds_sum{agent_type="tester"})") == 1.5);
}

TEST_CASE("The same call told by a hook and by OTLP counts once, whoever is first", "[hooks]") {
  const std::string hook =
      R"({"session_id":"684ff9a4-3b99-47db-9dba-9abba5e3b5e1","hook_event_name":)"
      R"("PostToolUseFailure","tool_name":"Bash","tool_use_id":"toolu_2","duration_ms":20,)"
      R"("agent_id":"a655521a7d7b113b9","agent_type":"general-purpose"})";
  for (const bool hook_first : {true, false}) {
    CAPTURE(hook_first);
    AgentRig rig;
    if (hook_first) CHECK(rig.PostHook(hook) == 200);
    CHECK(rig.PostData("task/006_v1_logs.json") == 200);
    CHECK(rig.PostData("task/005_v1_traces.json") == 200);
    if (!hook_first) CHECK(rig.PostHook(hook) == 200);
    CHECK(
        rig.swarm.Of("swarm_tool_calls_total") ==
        Lines{
            R"(swarm_tool_calls_total{agent_type="general-purpose",outcome="error",tool="Bash"} 1)",
            R"(swarm_tool_calls_total{agent_type="main",outcome="ok",tool="Agent"} 1)"});
  }
}

TEST_CASE("Five failures of one tool in a row are a loop", "[hooks]") {
  AgentRig rig;
  for (int i = 0; i < 5; ++i) {
    REQUIRE(rig.PostHook(Body("PostToolUseFailure", R"(,"tool_name":"Edit","tool_use_id":")" +
                                                        std::to_string(i) + '"')) == 200);
  }
  CHECK(rig.swarm.Value(R"(swarm_tool_loops_total{tool="Edit"})") == 1);
}

TEST_CASE("What is no hook is refused and counted, unknown kinds are answered", "[hooks]") {
  AgentRig rig;
  for (const std::string body : {"", "{", "[]", "{}", R"({"hook_event_name":7})", "\xff\xfe"}) {
    CAPTURE(body);
    CHECK(rig.PostHook(body) == 400);
  }
  CHECK(rig.PostHook(Body("SomethingNew")) == 200);
  // Fields of another kind than usual cost themselves only.
  CHECK(rig.PostHook(Body("PostToolUse", R"(,"tool_name":7,"duration_ms":"x","agent_id":{})")) ==
        200);
  const auto page = rig.hooks.MakeCollector();
  const Lines lines = rig.swarm.Page({page.get()});
  CHECK(lines.contains(R"(skep_exporter_hook_events_total{event="none",outcome="error"} 6)"));
  CHECK(lines.contains(R"(skep_exporter_hook_events_total{event="other",outcome="ok"} 1)"));
  CHECK(lines.contains(R"(skep_exporter_hook_events_total{event="PostToolUse",outcome="ok"} 1)"));
}

TEST_CASE("The endpoint answers by method, token, size and switch", "[hooks]") {
  AgentRig rig;
  net::HttpRequest request;
  request.method = "GET";
  CHECK(rig.hooks.Handle(request).status == 405);
  request.method = "POST";
  request.body = Body("Stop");
  const net::HttpResponse answer = rig.hooks.Handle(request);
  CHECK(answer.status == 200);
  CHECK(answer.body == "{}");
  rig.hooks.Apply({}, {.bearer_tokens = {"secret"}});
  CHECK(rig.hooks.Handle(request).status == 401);
  request.headers = {{"Authorization", "Bearer secret"}};
  CHECK(rig.hooks.Handle(request).status == 200);
  request.headers.emplace_back("Origin", "https://evil.example");
  CHECK(rig.hooks.Handle(request).status == 403);
  request.headers.pop_back();
  AccessOptions small;
  small.max_body_bytes = 3;
  rig.hooks.Apply({}, small);
  CHECK(rig.hooks.Handle(request).status == 413);
  rig.hooks.Apply({.enabled = false}, {});
  CHECK(rig.hooks.Handle(request).status == 404);
}

TEST_CASE("A hook whose body the server could not read is counted, after the same questions",
          "[hooks]") {
  AgentRig rig;
  const auto page = rig.hooks.MakeCollector();
  const auto errors = [&](int count) {
    const std::string line = R"(skep_exporter_hook_events_total{event="none",outcome="error"} )";
    return rig.swarm.Page({page.get()}).contains(line + std::to_string(count));
  };
  const net::HttpResponse plain = net::HttpResponse::Text(400, "a chunk cannot be read\n");
  net::HttpRequest request;
  request.method = "POST";
  const net::HttpResponse answer = rig.hooks.AnswerUnreadable(request, plain);
  CHECK(answer.status == 400);
  CHECK(answer.body == plain.body);
  CHECK(errors(1));
  request.headers = {{"Origin", "https://evil.example"}};
  CHECK(rig.hooks.AnswerUnreadable(request, plain).status == 403);
  CHECK(errors(2));
  request.headers.clear();
  rig.hooks.Apply({}, {.bearer_tokens = {"secret"}});
  CHECK(rig.hooks.AnswerUnreadable(request, plain).status == 401);
  CHECK(errors(3));
  rig.hooks.Apply({.enabled = false}, {});
  CHECK(rig.hooks.AnswerUnreadable(request, plain).status == 404);
  CHECK(errors(3));
}

TEST_CASE("A restart in the middle of a session loses and doubles nothing", "[hooks]") {
  const skep::test::TempFolder folder;
  std::vector<std::string> bodies = RecordedHooks();
  for (const std::string& body : bodies) {
    AgentRig rig(folder.path());
    REQUIRE(rig.PostHook(body) == 200);
  }
  AgentRig rig(folder.path());
  CHECK(rig.swarm.Value(R"(swarm_agent_spawn_duration_seconds_count{)"
                        R"(agent_type="general-purpose"})") == 1);
  CHECK(rig.swarm.Value(R"(swarm_subagent_duration_seconds_count{)"
                        R"(agent_type="general-purpose"})") == 1);
  REQUIRE(rig.PostHook(bodies[4]) == 200);
  CHECK(rig.swarm.Value(R"(swarm_tool_calls_total{agent_type="general-purpose",)"
                        R"(outcome="error",tool="Bash"})") == 1);
}

TEST_CASE("Hooks of many sessions on several threads", "[hooks]") {
  AgentRig rig;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&rig, t] {
      for (int i = 0; i < 100; ++i) {
        (void)rig.PostHook(R"({"session_id":")" + std::to_string(t) +
                           R"(","hook_event_name":"PostToolUse","tool_name":"Read",)"
                           R"("tool_use_id":")" +
                           std::to_string(i) + R"("})");
      }
    });
  }
  for (int i = 0; i < 20; ++i) (void)rig.swarm.Page();
  for (std::thread& thread : threads) thread.join();
  CHECK(rig.swarm.Value(R"(swarm_tool_calls_total{agent_type="main",outcome="ok",tool="Read"})") ==
        400);
}

TEST_CASE("Options of hooks and sessions are read strictly", "[hooks]") {
  const auto node = [](const std::string& text) {
    auto parsed = yaml::Node::Parse(text, "skep.yml");
    if (!parsed) throw std::runtime_error(parsed.error().message());
    return *parsed;
  };
  const auto hooks = ReadHookOptions(node("enabled: false"));
  REQUIRE(hooks);
  CHECK_FALSE(hooks->enabled);
  const auto sessions =
      ReadSessionOptions(node("subagent_ttl: 2h\nfailures_are_loop: 0\nsuccesses_are_loop: 9"));
  REQUIRE(sessions);
  CHECK(sessions->subagent_ttl == 2h);
  CHECK(sessions->failures_are_loop == 0);
  CHECK(sessions->successes_are_loop == 9);
  for (const std::string text : {"enable: true", "enabled: [1]"}) {
    CAPTURE(text);
    const auto refused = ReadHookOptions(node(text));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message().starts_with("skep.yml:1:"));
  }
  for (const std::string text : {"failures_are_loop: 1", "failures_are_loop: -2",
                                 "subagent_ttl: 0s", "subagent_ttl: soon", "loops: 1"}) {
    CAPTURE(text);
    const auto refused = ReadSessionOptions(node(text));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message().starts_with("skep.yml:1:"));
  }
}

}  // namespace
}  // namespace skep::ingest

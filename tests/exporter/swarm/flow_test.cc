#include "exporter/swarm/flow.h"

#include <catch2/catch.hpp>

#include "tests/exporter/swarm/rig.h"

namespace skep::swarm {
namespace {

using Lines = std::set<std::string>;
using test::Rig;

TEST_CASE("A request to a model counts with its times, an error with its status", "[swarm]") {
  Rig rig;
  rig.Do([&](state::Changes& changes) {
    rig.flow->Record(changes, LlmRequest{.model = "opus",
                                         .agent_type = "coder",
                                         .query_source = "subagent",
                                         .seconds = 0.5,
                                         .first_token_seconds = 0.07});
    rig.flow->Record(
        changes,
        LlmRequest{
            .model = "opus", .agent_type = "", .ok = false, .status_code = "529", .seconds = 0.5});
    rig.flow->Record(changes, LlmRequest{.model = "", .agent_type = "main", .ok = false});
    rig.flow->LlmRetriesExhausted(changes, "opus", "529");
    rig.flow->Retries(changes, "llm", Outcome::kOk, 2);
  });
  CHECK(rig.Of("swarm_llm_requests_total") ==
        Lines{R"(swarm_llm_requests_total{agent_type="coder",model="opus",outcome="ok",)"
              R"(query_source="subagent"} 1)",
              R"(swarm_llm_requests_total{agent_type="unknown",model="opus",outcome="error"} 1)",
              R"(swarm_llm_requests_total{agent_type="main",model="unknown",outcome="error"} 1)"});
  CHECK(rig.Of("swarm_llm_errors_total") ==
        Lines{R"(swarm_llm_errors_total{model="opus",status_code="529"} 1)",
              R"(swarm_llm_errors_total{model="unknown",status_code="none"} 1)"});
  CHECK(rig.Of("swarm_llm_request_duration_seconds_sum") ==
        Lines{R"(swarm_llm_request_duration_seconds_sum{agent_type="coder",model="opus"} 0.5)"});
  CHECK(rig.Value(R"(swarm_llm_request_duration_seconds_bucket{agent_type="coder",model="opus",)"
                  R"(le="0.64"})") == 1);
  CHECK(rig.Value(R"(swarm_llm_time_to_first_token_seconds_bucket{model="opus",le="0.08"})") == 1);
  CHECK(rig.Value(R"(swarm_llm_time_to_first_token_seconds_bucket{model="opus",le="0.04"})") == 0);
  CHECK(rig.Value(R"(swarm_llm_retries_exhausted_total{model="opus",status_code="529"})") == 1);
  CHECK(rig.Value(R"(retries_total{component="llm",outcome="success"})") == 2);
}

TEST_CASE("Tokens count by kind and cost in dollars; what is 0 makes no series", "[swarm]") {
  Rig rig;
  rig.Do([&](state::Changes& changes) {
    rig.flow->Record(
        changes,
        LlmTokens{
            .model = "opus", .agent_type = "main", .input = 1000, .output = 42, .cache_read = 500});
    rig.flow->LlmCost(changes, "opus", "main", 0.25);
  });
  CHECK(
      rig.Of("swarm_llm_tokens_total") ==
      Lines{R"(swarm_llm_tokens_total{agent_type="main",model="opus",token_type="cache_read"} 500)",
            R"(swarm_llm_tokens_total{agent_type="main",model="opus",token_type="input"} 1000)",
            R"(swarm_llm_tokens_total{agent_type="main",model="opus",token_type="output"} 42)"});
  CHECK(rig.Value(R"(swarm_llm_cost_usd_total{agent_type="main",model="opus"})") == 0.25);
}

TEST_CASE("A request that claims to be beyond measure costs its numbers only", "[swarm]") {
  Rig rig;
  rig.Do([&](state::Changes& changes) {
    for (const double number : {1.0, 1e308, 1e308}) {
      rig.flow->Record(changes, LlmRequest{.model = "m", .agent_type = "a", .seconds = number});
      rig.flow->Record(changes, LlmTokens{.model = "m", .agent_type = "a", .input = number});
      rig.flow->LlmCost(changes, "m", "a", number);
    }
  });
  CHECK(rig.Value(R"(swarm_llm_requests_total{agent_type="a",model="m",outcome="ok"})") == 3);
  CHECK(rig.Value(R"(swarm_llm_request_duration_seconds_sum{agent_type="a",model="m"})") == 1);
  CHECK(rig.Value(R"(swarm_llm_cost_usd_total{agent_type="a",model="m"})") == 1);
  CHECK(rig.Value(R"(swarm_llm_tokens_total{agent_type="a",model="m",token_type="input"})") == 1);
}

TEST_CASE("Tools, decisions, subagents and what happens in sessions", "[swarm]") {
  Rig rig;
  rig.Do([&](state::Changes& changes) {
    rig.flow->Record(changes, ToolCall{.tool = "Bash", .agent_type = "main", .seconds = 0.2});
    rig.flow->Record(changes, ToolCall{.tool = "Bash", .agent_type = "main", .ok = false});
    rig.flow->ToolDecision(changes, "Bash", "accept");
    rig.flow->ToolDecision(changes, "Bash", "a text of somebody");
    rig.flow->ToolLoop(changes, "Bash");
    rig.flow->Record(
        changes, SubagentRun{.agent_type = "tester", .ok = true, .seconds = 12, .tokens = 1517});
    rig.flow->SubagentTokens(changes, "tester", 10);
    rig.flow->AgentSpawnTook(changes, "tester", 1.2);
    rig.flow->Compaction(changes, "auto", Outcome::kOk);
    rig.flow->Compaction(changes, "whim", Outcome::kError);
    rig.flow->McpConnection(changes, "stdio", Outcome::kOk);
    rig.flow->SessionEvent(changes, "stop");
    rig.flow->SessionEvent(changes, "something new");
  });
  CHECK(rig.Value(R"(swarm_tool_calls_total{agent_type="main",outcome="ok",tool="Bash"})") == 1);
  CHECK(rig.Value(R"(swarm_tool_calls_total{agent_type="main",outcome="error",tool="Bash"})") == 1);
  CHECK(rig.Value(R"(swarm_tool_duration_seconds_count{tool="Bash"})") == 1);
  CHECK(rig.Of("swarm_tool_decisions_total") ==
        Lines{R"(swarm_tool_decisions_total{decision="accept",tool="Bash"} 1)",
              R"(swarm_tool_decisions_total{decision="other",tool="Bash"} 1)"});
  CHECK(rig.Value(R"(swarm_tool_loops_total{tool="Bash"})") == 1);
  CHECK(rig.Value(R"(swarm_subagent_runs_total{agent_type="tester",outcome="ok"})") == 1);
  CHECK(rig.Value(R"(swarm_subagent_duration_seconds_bucket{agent_type="tester",le="15"})") == 1);
  CHECK(rig.Value(R"(swarm_subagent_tokens_sum{agent_type="tester"})") == 1527);
  CHECK(rig.Value(R"(swarm_agent_spawn_duration_seconds_bucket{agent_type="tester",le="1.5"})") ==
        1);
  CHECK(rig.Value(R"(swarm_compactions_total{outcome="ok",trigger="auto"})") == 1);
  CHECK(rig.Value(R"(swarm_compactions_total{outcome="error",trigger="other"})") == 1);
  CHECK(rig.Value(R"(swarm_mcp_connections_total{outcome="ok",transport="stdio"})") == 1);
  CHECK(rig.Value(R"(swarm_session_events_total{event="stop"})") == 1);
  CHECK(rig.Value(R"(swarm_session_events_total{event="other"})") == 1);
}

TEST_CASE("Workers, budgets, breakers and reads that failed", "[swarm]") {
  Rig rig;
  const Place place{"shop", "claude_flow_v3"};
  rig.Do([&](state::Changes& changes) {
    rig.flow->Record(changes, place, WorkerRuns{"audit", Outcome::kOk, 3});
    rig.flow->Record(changes, place, WorkerRuns{"audit", Outcome::kError, 1});
    rig.flow->WorkerDeferred(changes, place, "audit", "CPU load too high: 3.77");
    rig.flow->AiLaunch(changes, {}, "audit", "haiku");
    rig.flow->AiLaunchDenied(changes, {}, "daily-budget: 12 of 12");
    rig.flow->AiQuotaPause(changes, {});
    rig.flow->AiLaunchTook(changes, {}, "audit", 40);
    rig.flow->CircuitBreaker(changes, "payment", BreakerState::kOpen);
    rig.flow->CircuitBreakerTrips(changes, "payment", 2);
    rig.flow->ReadError(changes, place, "truncated");
    rig.flow->ReadError(changes, place, "an unheard-of reason");
    rig.flow->PushedEvictions(changes, "agent", 7);
  });
  CHECK(rig.Value(
            R"(swarm_worker_runs_total{outcome="success",worker="audit",workspace="shop"})") == 3);
  CHECK(rig.Value(
            R"(swarm_worker_runs_total{outcome="failure",worker="audit",workspace="shop"})") == 1);
  CHECK(rig.Value(
            R"(swarm_worker_deferrals_total{reason="cpu",worker="audit",workspace="shop"})") == 1);
  CHECK(rig.Value(R"(swarm_ai_launches_total{model="haiku",worker="audit"})") == 1);
  CHECK(rig.Value(R"(swarm_ai_launch_denials_total{reason="daily_budget"})") == 1);
  CHECK(rig.Value("swarm_ai_quota_pauses_total") == 1);
  CHECK(rig.Value(R"(swarm_ai_launch_duration_seconds_bucket{worker="audit",le="60"})") == 1);
  CHECK(rig.Value(R"(circuit_breaker_open{component="payment"})") == 1);
  CHECK(rig.Value(R"(circuit_breaker_trips_total{component="payment"})") == 2);
  CHECK(rig.Of("swarm_source_read_errors_total") ==
        Lines{R"(swarm_source_read_errors_total{reason="other",source="claude_flow_v3",)"
              R"(workspace="shop"} 1)",
              R"(swarm_source_read_errors_total{reason="truncated",source="claude_flow_v3",)"
              R"(workspace="shop"} 1)"});
  CHECK(rig.Value(R"(swarm_pushed_evictions_total{kind="agent"})") == 7);

  rig.Do([&](state::Changes& changes) { rig.flow->CircuitBreakerGone(changes, "payment"); });
  CHECK(rig.Of("circuit_breaker_open").empty());
}

TEST_CASE("More values than a label may have are counted as other", "[swarm]") {
  Rig rig;
  rig.Do([&](state::Changes& changes) {
    for (int i = 0; i < 200; ++i) {
      const std::string name = "kind-" + std::to_string(i);
      rig.flow->AgentSpawned(changes, {"shop", "events"}, name);
      rig.flow->Record(changes, ToolCall{.tool = name, .agent_type = "main"});
      rig.flow->LlmCost(changes, name, "main", 1);
    }
  });
  CHECK(rig.Of("swarm_agent_spawns_total").size() == 51);
  CHECK(rig.Value(
            R"(swarm_agent_spawns_total{agent_type="other",source="events",workspace="shop"})") ==
        150);
  CHECK(rig.Of("swarm_tool_calls_total").size() == 101);
  CHECK(rig.Of("swarm_llm_cost_usd_total").size() == 31);
  CHECK(rig.Value(R"(swarm_llm_cost_usd_total{agent_type="main",model="other"})") == 170);
}

}  // namespace
}  // namespace skep::swarm

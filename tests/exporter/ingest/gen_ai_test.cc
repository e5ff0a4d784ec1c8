#include "exporter/ingest/gen_ai.h"

#include <catch2/catch.hpp>

#include "tests/exporter/ingest/agent_rig.h"

namespace skep::ingest {
namespace {

using Lines = std::set<std::string>;
using test::AgentRig;

std::string Attribute(const std::string& key, const std::string& value) {
  return R"({"key":")" + key + R"(","value":)" + value + '}';
}
std::string Text(const std::string& key, const std::string& value) {
  return Attribute(key, R"({"stringValue":")" + value + R"("})");
}
std::string Int(const std::string& key, int value) {
  return Attribute(key, R"({"intValue":")" + std::to_string(value) + R"("})");
}

// One request with one span of two seconds. `number` makes its ids.
std::string Trace(int number, const std::vector<std::string>& attributes, bool failed = false,
                  bool is_child = true) {
  std::string list;
  for (const std::string& attribute : attributes) list += (list.empty() ? "" : ",") + attribute;
  const std::string id = std::to_string(1000 + number);
  return R"({"resourceSpans":[{"resource":{"attributes":[)" + Text("service.name", "planner") +
         R"(]},"scopeSpans":[{"scope":{"name":"some.sdk"},"spans":[{"traceId":)"
         R"("0123456789abcdef0123456789ab)" +
         id + R"(","spanId":"0123456789ab)" + id + R"(",)" +
         (is_child ? R"("parentSpanId":"fedcba9876543210",)" : "") +
         R"("name":"x","startTimeUnixNano":"1800000000000000000",)"
         R"("endTimeUnixNano":"1800000002000000000","status":{"code":)" +
         (failed ? "2" : "1") + R"(},"attributes":[)" + list + "]}]}]}]}";
}

TEST_CASE("Spans of a model's client become requests with tokens and times", "[otlp]") {
  for (const std::string provider : {"gen_ai.provider.name", "gen_ai.system"}) {
    CAPTURE(provider);
    AgentRig rig;
    REQUIRE(
        rig.Post(
            "traces",
            Trace(1, {Text(provider, "openai"), Text("gen_ai.operation.name", "chat"),
                      Text("gen_ai.request.model", "gpt"), Text("gen_ai.response.model", "gpt-5"),
                      Text("gen_ai.agent.name", "planner"), Int("gen_ai.usage.input_tokens", 1000),
                      Int("gen_ai.usage.cache_read.input_tokens", 300),
                      Int("gen_ai.usage.cache_creation.input_tokens", 100),
                      Int("gen_ai.usage.output_tokens", 50),
                      Attribute("gen_ai.response.time_to_first_chunk",
                                R"({"doubleValue":0.25})")})) == 200);
    CHECK(
        rig.Swarm() ==
        Lines{
            R"(swarm_llm_request_duration_seconds_count{agent_type="planner",model="gpt-5"} 1)",
            R"(swarm_llm_requests_total{agent_type="planner",model="gpt-5",outcome="ok"} 1)",
            R"(swarm_llm_time_to_first_token_seconds_count{model="gpt-5"} 1)",
            R"(swarm_llm_tokens_total{agent_type="planner",model="gpt-5",token_type="cache_creation"} 100)",
            R"(swarm_llm_tokens_total{agent_type="planner",model="gpt-5",token_type="cache_read"} 300)",
            R"(swarm_llm_tokens_total{agent_type="planner",model="gpt-5",token_type="input"} 600)",
            R"(swarm_llm_tokens_total{agent_type="planner",model="gpt-5",token_type="output"} 50)"});
    CHECK(rig.swarm.Value(R"(swarm_llm_request_duration_seconds_sum{agent_type="planner",)"
                          R"(model="gpt-5"})") == 2);
  }
}

TEST_CASE("Errors of a model's client count by their status code", "[otlp]") {
  AgentRig rig;
  REQUIRE(rig.Post("traces", Trace(1, {Text("gen_ai.operation.name", "chat"),
                                       Text("gen_ai.request.model", "gpt"),
                                       Text("error.type", "429")})) == 200);
  REQUIRE(rig.Post("traces", Trace(2, {Text("gen_ai.operation.name", "chat"),
                                       Text("gen_ai.request.model", "gpt"),
                                       Text("error.type", "TimeoutException")})) == 200);
  REQUIRE(rig.Post(
              "traces",
              Trace(3, {Text("gen_ai.operation.name", "chat"), Text("gen_ai.request.model", "gpt")},
                    true)) == 200);
  CHECK(rig.swarm.Of("swarm_llm_errors_total") ==
        Lines{R"(swarm_llm_errors_total{model="gpt",status_code="429"} 1)",
              R"(swarm_llm_errors_total{model="gpt",status_code="none"} 1)",
              R"(swarm_llm_errors_total{model="gpt",status_code="other"} 1)"});
}

TEST_CASE("A request that a framework and its client library both tell counts once", "[otlp]") {
  AgentRig rig;
  for (int i = 0; i < 2; ++i) {
    REQUIRE(rig.Post("traces", Trace(i, {Text("gen_ai.operation.name", "chat"),
                                         Text("gen_ai.request.model", "gpt"),
                                         Text("gen_ai.response.id", "chatcmpl-1"),
                                         Int("gen_ai.usage.input_tokens", 10)})) == 200);
  }
  CHECK(rig.swarm.Value(R"(swarm_llm_requests_total{agent_type="unknown",model="gpt",)"
                        R"(outcome="ok"})") == 1);
  CHECK(rig.swarm.Value(R"(swarm_llm_tokens_total{agent_type="unknown",model="gpt",)"
                        R"(token_type="input"})") == 10);
}

TEST_CASE("Spans of tools and of agents below others count as such", "[otlp]") {
  AgentRig rig;
  REQUIRE(rig.Post("traces", Trace(1, {Text("gen_ai.operation.name", "execute_tool"),
                                       Text("gen_ai.tool.name", "search"),
                                       Text("gen_ai.agent.name", "planner")})) == 200);
  const std::vector<std::string> agent = {Text("gen_ai.operation.name", "invoke_agent"),
                                          Text("gen_ai.agent.name", "researcher")};
  REQUIRE(rig.Post("traces", Trace(2, agent)) == 200);
  REQUIRE(rig.Post("traces", Trace(3, agent, false, false)) == 200);
  REQUIRE(rig.Post("traces", Trace(4, {Text("gen_ai.operation.name", "create_agent")})) == 200);
  REQUIRE(rig.Post("traces", Trace(5, {Text("http.request.method", "GET")})) == 200);
  CHECK(rig.Swarm() ==
        Lines{R"(swarm_subagent_duration_seconds_count{agent_type="researcher"} 1)",
              R"(swarm_subagent_runs_total{agent_type="researcher",outcome="ok"} 1)",
              R"(swarm_tool_calls_total{agent_type="planner",outcome="ok",tool="search"} 1)",
              R"(swarm_tool_duration_seconds_count{tool="search"} 1)"});
}

}  // namespace
}  // namespace skep::ingest

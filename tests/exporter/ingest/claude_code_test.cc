#include "exporter/ingest/claude_code.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

#include "tests/exporter/ingest/agent_rig.h"
#include "tests/exporter/state/full_store.h"
#include "tests/support/temp_folder.h"

namespace skep::ingest {
namespace {

using Lines = std::set<std::string>;
using test::AgentRig;

struct Session {
  std::string traces;
  std::string logs;
  std::string metrics;
  Lines series;
};

// One Bash call by the session itself.
Lines BashSession() {
  return {
      R"(swarm_llm_cost_usd_total{agent_type="main",model="claude-opus-5-5"} 0.01578)",
      R"(swarm_llm_request_duration_seconds_count{agent_type="main",model="claude-opus-5-5"} 2)",
      R"(swarm_llm_requests_total{agent_type="main",model="claude-opus-5-5",outcome="ok",query_source="sdk"} 2)",
      R"(swarm_llm_time_to_first_token_seconds_count{model="claude-opus-5-5"} 2)",
      R"(swarm_llm_tokens_total{agent_type="main",model="claude-opus-5-5",token_type="cache_creation"} 600)",
      R"(swarm_llm_tokens_total{agent_type="main",model="claude-opus-5-5",token_type="cache_read"} 10000)",
      R"(swarm_llm_tokens_total{agent_type="main",model="claude-opus-5-5",token_type="input"} 2400)",
      R"(swarm_llm_tokens_total{agent_type="main",model="claude-opus-5-5",token_type="output"} 59)",
      R"(swarm_session_events_total{event="prompt"} 1)",
      R"(swarm_tool_calls_total{agent_type="main",outcome="ok",tool="Bash"} 1)",
      R"(swarm_tool_decisions_total{decision="accept",tool="Bash"} 1)",
      R"(swarm_tool_duration_seconds_count{tool="Bash"} 1)"};
}

// A subagent whose Bash call fails.
Lines SubagentSession() {
  return {
      R"(swarm_llm_cost_usd_total{agent_type="general-purpose",model="claude-opus-5-5"} 0.00938)",
      R"(swarm_llm_cost_usd_total{agent_type="main",model="claude-opus-5-5"} 0.00938)",
      R"(swarm_llm_request_duration_seconds_count{agent_type="general-purpose",model="claude-opus-5-5"} 2)",
      R"(swarm_llm_request_duration_seconds_count{agent_type="main",model="claude-opus-5-5"} 2)",
      R"(swarm_llm_requests_total{agent_type="general-purpose",model="claude-opus-5-5",outcome="ok",query_source="subagent"} 2)",
      R"(swarm_llm_requests_total{agent_type="main",model="claude-opus-5-5",outcome="ok",query_source="sdk"} 2)",
      R"(swarm_llm_time_to_first_token_seconds_count{model="claude-opus-5-5"} 4)",
      R"(swarm_llm_tokens_total{agent_type="general-purpose",model="claude-opus-5-5",token_type="cache_read"} 1000)",
      R"(swarm_llm_tokens_total{agent_type="general-purpose",model="claude-opus-5-5",token_type="input"} 2000)",
      R"(swarm_llm_tokens_total{agent_type="general-purpose",model="claude-opus-5-5",token_type="output"} 59)",
      R"(swarm_llm_tokens_total{agent_type="main",model="claude-opus-5-5",token_type="cache_read"} 1000)",
      R"(swarm_llm_tokens_total{agent_type="main",model="claude-opus-5-5",token_type="input"} 2000)",
      R"(swarm_llm_tokens_total{agent_type="main",model="claude-opus-5-5",token_type="output"} 59)",
      R"(swarm_session_events_total{event="prompt"} 1)",
      R"(swarm_subagent_duration_seconds_count{agent_type="general-purpose"} 1)",
      R"(swarm_subagent_runs_total{agent_type="general-purpose",outcome="ok"} 1)",
      R"(swarm_subagent_tokens_count{agent_type="general-purpose"} 1)",
      R"(swarm_tool_calls_total{agent_type="general-purpose",outcome="error",tool="Bash"} 1)",
      R"(swarm_tool_calls_total{agent_type="main",outcome="ok",tool="Agent"} 1)",
      R"(swarm_tool_decisions_total{decision="accept",tool="Agent"} 1)",
      R"(swarm_tool_decisions_total{decision="accept",tool="Bash"} 1)",
      R"(swarm_tool_duration_seconds_count{tool="Agent"} 1)",
      R"(swarm_tool_duration_seconds_count{tool="Bash"} 1)"};
}

Lines WriteSession() {
  return {
      R"(swarm_llm_cost_usd_total{agent_type="main",model="claude-opus-5-5"} 0.00938)",
      R"(swarm_llm_request_duration_seconds_count{agent_type="main",model="claude-opus-5-5"} 2)",
      R"(swarm_llm_requests_total{agent_type="main",model="claude-opus-5-5",outcome="ok",query_source="sdk"} 2)",
      R"(swarm_llm_time_to_first_token_seconds_count{model="claude-opus-5-5"} 2)",
      R"(swarm_llm_tokens_total{agent_type="main",model="claude-opus-5-5",token_type="cache_read"} 1000)",
      R"(swarm_llm_tokens_total{agent_type="main",model="claude-opus-5-5",token_type="input"} 2000)",
      R"(swarm_llm_tokens_total{agent_type="main",model="claude-opus-5-5",token_type="output"} 59)",
      R"(swarm_session_events_total{event="prompt"} 1)",
      R"(swarm_tool_calls_total{agent_type="main",outcome="ok",tool="Write"} 1)",
      R"(swarm_tool_decisions_total{decision="accept",tool="Write"} 1)",
      R"(swarm_tool_duration_seconds_count{tool="Write"} 1)"};
}

// HTTP 529 until the client gave up.
Lines OverloadedSession() {
  return {
      R"(retries_total{component="llm",outcome="failure"} 1)",
      R"(swarm_llm_errors_total{model="claude-opus-5-5",status_code="529"} 1)",
      R"(swarm_llm_requests_total{agent_type="main",model="claude-opus-5-5",outcome="error",query_source="sdk"} 1)",
      R"(swarm_llm_retries_exhausted_total{model="claude-opus-5-5",status_code="529"} 1)",
      R"(swarm_session_events_total{event="prompt"} 1)"};
}

// HTTP 400.
Lines BadSession() {
  return {
      R"(swarm_llm_errors_total{model="claude-opus-5-5",status_code="400"} 1)",
      R"(swarm_llm_requests_total{agent_type="main",model="claude-opus-5-5",outcome="error",query_source="sdk"} 1)",
      R"(swarm_session_events_total{event="prompt"} 1)"};
}

std::vector<Session> RecordedSessions() {
  return {
      {"json/003_v1_traces.json", "json/004_v1_logs.json", "json/005_v1_metrics.json",
       BashSession()},
      {"proto/003_v1_traces.pb", "proto/004_v1_logs.pb", "proto/005_v1_metrics.pb", BashSession()},
      {"cumul/003_v1_traces.json", "cumul/004_v1_logs.json", "cumul/005_v1_metrics.json",
       BashSession()},
      {"task/005_v1_traces.json", "task/006_v1_logs.json", "task/007_v1_metrics.json",
       SubagentSession()},
      {"write/003_v1_traces.json", "write/004_v1_logs.json", "write/005_v1_metrics.json",
       WriteSession()},
      {"err2/003_v1_traces.json", "err2/004_v1_logs.json", "err2/005_v1_metrics.json",
       OverloadedSession()},
      {"bad/007_v1_traces.json", "bad/008_v1_logs.json", "bad/009_v1_metrics.json", BadSession()}};
}

// Those whose family begins with one of the names.
Lines Only(const Lines& lines, const std::vector<std::string>& families) {
  Lines chosen;
  for (const std::string& line : lines) {
    for (const std::string& family : families) {
      if (line.starts_with(family)) chosen.insert(line);
    }
  }
  return chosen;
}

TEST_CASE("Recorded sessions become their series, in whatever order their signals come",
          "[claude_code]") {
  for (const Session& session : RecordedSessions()) {
    std::vector<std::string> files = {session.traces, session.logs, session.metrics};
    std::sort(files.begin(), files.end());
    do {
      CAPTURE(files);
      AgentRig rig;
      for (const std::string& file : files) REQUIRE(rig.PostData(file) == 200);
      CHECK(rig.Swarm() == session.series);
    } while (std::next_permutation(files.begin(), files.end()));
  }
}

TEST_CASE("Sent again, nothing counts twice", "[claude_code]") {
  for (const Session& session : RecordedSessions()) {
    CAPTURE(session.logs);
    AgentRig rig;
    for (int i = 0; i < 3; ++i) {
      for (const std::string& file : {session.traces, session.logs, session.metrics}) {
        REQUIRE(rig.PostData(file) == 200);
      }
    }
    CHECK(rig.Swarm() == session.series);
  }
}

TEST_CASE("Events alone tell everything", "[claude_code]") {
  for (const Session& session : RecordedSessions()) {
    CAPTURE(session.logs);
    AgentRig rig;
    REQUIRE(rig.PostData(session.logs) == 200);
    CHECK(rig.Swarm() == session.series);
  }
}

TEST_CASE("Spans alone tell requests, tokens and tools", "[claude_code]") {
  for (const Session& session : RecordedSessions()) {
    CAPTURE(session.traces);
    AgentRig rig;
    REQUIRE(rig.PostData(session.traces) == 200);
    CHECK(rig.Swarm() ==
          Only(session.series,
               {"swarm_llm_errors", "swarm_llm_request", "swarm_llm_time", "swarm_llm_tokens",
                "swarm_tool_calls", "swarm_tool_duration", "retries_total"}));
  }
}

TEST_CASE("Metrics alone tell tokens and cost", "[claude_code]") {
  for (const Session& session : RecordedSessions()) {
    CAPTURE(session.metrics);
    AgentRig rig;
    REQUIRE(rig.PostData(session.metrics) == 200);
    CHECK(rig.Swarm() == Only(session.series, {"swarm_llm_tokens", "swarm_llm_cost"}));
  }
}

TEST_CASE("Times are those that were told", "[claude_code]") {
  AgentRig rig;
  REQUIRE(rig.PostData("task/006_v1_logs.json") == 200);
  const auto value = [&](const std::string& series) { return rig.swarm.Value(series); };
  CHECK(value(R"(swarm_llm_request_duration_seconds_sum{agent_type="main",)"
              R"(model="claude-opus-5-5"})") == Approx(0.125 + 0.058));
  CHECK(value(R"(swarm_llm_time_to_first_token_seconds_sum{model="claude-opus-5-5"})") ==
        Approx(0.077 + 0.055 + 0.054 + 0.055));
  CHECK(value(R"(swarm_tool_duration_seconds_sum{tool="Bash"})") == Approx(0.019));
  CHECK(value(R"(swarm_subagent_duration_seconds_sum{agent_type="general-purpose"})") ==
        Approx(0.219));
  CHECK(value(R"(swarm_subagent_tokens_sum{agent_type="general-purpose"})") == 1517);
}

TEST_CASE("The exporter may restart between any two requests", "[claude_code]") {
  for (const Session& session : RecordedSessions()) {
    CAPTURE(session.logs);
    const skep::test::TempFolder folder;
    for (const std::string& file :
         {session.traces, session.logs, session.metrics, session.logs, session.traces}) {
      AgentRig rig(folder.path());
      REQUIRE(rig.PostData(file) == 200);
    }
    AgentRig rig(folder.path());
    CHECK(rig.Swarm() == session.series);
  }
}

// ---- items made for the test ----

std::string Attributes(const std::vector<std::pair<std::string, std::string>>& attributes) {
  std::string list;
  for (const auto& [key, value] : attributes) {
    if (!list.empty()) list += ',';
    list += R"({"key":")" + key + R"(","value":{"stringValue":")" + value + R"("}})";
  }
  return list;
}

std::string LogBody(const std::string& event,
                    std::vector<std::pair<std::string, std::string>> attributes, int time) {
  attributes.emplace_back("event.name", event);
  return R"({"resourceLogs":[{"scopeLogs":[{"scope":{"name":"com.anthropic.claude_code.events"},)"
         R"("logRecords":[{"timeUnixNano":")" +
         std::to_string(1'800'000'000'000'000'000LL + time) +
         R"(","body":{"stringValue":"claude_code.)" + event + R"("},"attributes":[)" +
         Attributes(attributes) + "]}]}]}]}";
}

std::string SpanBody(const std::string& name,
                     const std::vector<std::pair<std::string, std::string>>& attributes,
                     const std::string& span_id = "0123456789abcdef",
                     const std::string& parent = "") {
  return R"({"resourceSpans":[{"scopeSpans":[{"scope":{"name":)"
         R"("com.anthropic.claude_code.tracing"},"spans":[{"traceId":)"
         R"("0123456789abcdef0123456789abcdef","spanId":")" +
         span_id + R"(","parentSpanId":")" + parent + R"(","name":"claude_code.)" + name +
         R"(","startTimeUnixNano":"1","endTimeUnixNano":"2","status":{"code":0},"attributes":[)" +
         Attributes(attributes) + "]}]}]}]}";
}

std::string TokensBody(const std::string& session, int value, int time) {
  std::vector<std::pair<std::string, std::string>> attributes = {
      {"model", "opus"}, {"type", "input"}, {"query_source", "main"}};
  if (!session.empty()) attributes.emplace_back("session.id", session);
  return R"({"resourceMetrics":[{"scopeMetrics":[{"scope":{"name":"com.anthropic.claude_code"},)"
         R"("metrics":[{"name":"claude_code.token.usage","unit":"tokens","sum":)"
         R"({"aggregationTemporality":1,"isMonotonic":true,"dataPoints":[{"startTimeUnixNano":")" +
         std::to_string(1'800'000'000'000'000'000LL + time) + R"(","timeUnixNano":")" +
         std::to_string(1'800'000'000'000'000'001LL + time) + R"(","asDouble":)" +
         std::to_string(value) + R"(,"attributes":[)" + Attributes(attributes) + "]}]}}]}]}]}";
}

constexpr const char* kInput =
    R"(swarm_llm_tokens_total{agent_type="main",model="opus",token_type="input"})";

std::vector<std::pair<std::string, std::string>> RequestOf(const std::string& session,
                                                           const std::string& id) {
  return {{"session.id", session}, {"model", "opus"},      {"request_id", id},
          {"input_tokens", "10"},  {"duration_ms", "500"}, {"query_source", "sdk"}};
}

TEST_CASE("A session whose tokens came from metrics keeps to them", "[claude_code]") {
  AgentRig rig;
  REQUIRE(rig.Post("metrics", TokensBody("s", 100, 0)) == 200);
  REQUIRE(rig.Post("logs", LogBody("api_request", RequestOf("s", "r1"), 1)) == 200);
  REQUIRE(rig.Post("logs", LogBody("api_request", RequestOf("t", "r1"), 2)) == 200);
  REQUIRE(rig.Post("metrics", TokensBody("t", 1000, 3)) == 200);
  CHECK(rig.swarm.Value(kInput) == 110);
  CHECK(rig.swarm.Value(R"(swarm_llm_requests_total{agent_type="main",model="opus",)"
                        R"(outcome="ok",query_source="sdk"})") == 2);
}

TEST_CASE("Metrics without a session count where nobody tells requests one by one",
          "[claude_code]") {
  AgentRig metrics_only;
  REQUIRE(metrics_only.Post("metrics", TokensBody("", 100, 0)) == 200);
  CHECK(metrics_only.swarm.Value(kInput) == 100);
  AgentRig with_events;
  REQUIRE(with_events.Post("logs", LogBody("api_request", RequestOf("s", "r1"), 1)) == 200);
  REQUIRE(with_events.Post("metrics", TokensBody("", 10, 2)) == 200);
  CHECK(with_events.swarm.Value(kInput) == 10);
}

TEST_CASE("Requests without an id count from the way that told the first", "[claude_code]") {
  AgentRig rig;
  const auto request = [](const std::string& source) {
    return std::vector<std::pair<std::string, std::string>>{
        {"session.id", "s"}, {"model", "opus"}, {"input_tokens", "10"}, {source, "sdk"}};
  };
  REQUIRE(rig.Post("logs", LogBody("api_request", request("query_source"), 1)) == 200);
  REQUIRE(rig.Post("logs", LogBody("api_request", request("query_source"), 2)) == 200);
  REQUIRE(rig.Post("traces", SpanBody("llm_request", request("query_source_safe"))) == 200);
  CHECK(rig.swarm.Value(R"(swarm_llm_requests_total{agent_type="main",model="opus",)"
                        R"(outcome="ok",query_source="sdk"})") == 2);
  CHECK(rig.swarm.Value(kInput) == 20);
}

TEST_CASE("Retries that ended well are told by spans only", "[claude_code]") {
  AgentRig rig;
  REQUIRE(rig.Post("traces", SpanBody("llm_request", {{"session.id", "s"},
                                                      {"model", "opus"},
                                                      {"request_id", "r"},
                                                      {"attempt", "3"},
                                                      {"success", "true"}})) == 200);
  CHECK(rig.swarm.Value(R"(retries_total{component="llm",outcome="success"})") == 2);
}

TEST_CASE("A tool that was not allowed was not called", "[claude_code]") {
  AgentRig rig;
  REQUIRE(rig.Post("traces",
                   SpanBody("tool.blocked_on_user", {{"session.id", "s"}, {"decision", "reject"}},
                            "00000000000000aa", "00000000000000bb")) == 200);
  REQUIRE(
      rig.Post("traces",
               SpanBody("tool", {{"session.id", "s"}, {"tool_name", "Bash"}, {"tool_use_id", "1"}},
                        "00000000000000bb")) == 200);
  REQUIRE(
      rig.Post("traces",
               SpanBody("tool", {{"session.id", "s"}, {"tool_name", "Bash"}, {"tool_use_id", "2"}},
                        "00000000000000cc")) == 200);
  CHECK(rig.swarm.Value(R"(swarm_tool_calls_total{agent_type="main",outcome="ok",tool="Bash"})") ==
        1);
}

TEST_CASE("The execution of a tool may come a request before the tool", "[claude_code]") {
  AgentRig rig;
  REQUIRE(rig.Post("traces", SpanBody("tool.execution", {{"session.id", "s"},
                                                         {"tool_use_id", "1"},
                                                         {"success", "false"},
                                                         {"duration_ms", "250"}})) == 200);
  REQUIRE(rig.Post("traces", SpanBody("tool", {{"session.id", "s"},
                                               {"tool_name", "Bash"},
                                               {"tool_use_id", "1"}})) == 200);
  CHECK(rig.swarm.Value(
            R"(swarm_tool_calls_total{agent_type="main",outcome="error",tool="Bash"})") == 1);
  CHECK(rig.swarm.Value(R"(swarm_tool_duration_seconds_sum{tool="Bash"})") == 0.25);
}

TEST_CASE("Compactions, MCP connections, refusals and errors of Claude Code itself",
          "[claude_code]") {
  AgentRig rig;
  const std::pair<std::string, std::string> session = {"session.id", "s"};
  REQUIRE(rig.Post("logs", LogBody("compaction",
                                   {session, {"trigger", "auto"}, {"success", "true"}}, 1)) == 200);
  REQUIRE(rig.Post("logs", LogBody("compaction",
                                   {session, {"trigger", "manual"}, {"success", "false"}}, 2)) ==
          200);
  REQUIRE(rig.Post("logs", LogBody("mcp_server_connection",
                                   {session, {"status", "connected"}, {"transport_type", "stdio"}},
                                   3)) == 200);
  REQUIRE(rig.Post("logs",
                   LogBody("mcp_server_connection",
                           {session, {"status", "failed"}, {"transport_type", "http"}}, 4)) == 200);
  REQUIRE(rig.Post("logs", LogBody("api_refusal", {session}, 5)) == 200);
  REQUIRE(rig.Post("logs", LogBody("internal_error", {session}, 6)) == 200);
  REQUIRE(rig.Post("logs", LogBody("something_new", {session}, 7)) == 200);
  CHECK(rig.Swarm() == Lines{R"(swarm_compactions_total{outcome="error",trigger="manual"} 1)",
                             R"(swarm_compactions_total{outcome="ok",trigger="auto"} 1)",
                             R"(swarm_mcp_connections_total{outcome="error",transport="http"} 1)",
                             R"(swarm_mcp_connections_total{outcome="ok",transport="stdio"} 1)",
                             R"(swarm_session_events_total{event="internal_error"} 1)",
                             R"(swarm_session_events_total{event="refusal"} 1)"});
}

TEST_CASE("Agents of one's own keep the names they have", "[claude_code]") {
  AgentRig rig;
  // The span's source is shortened; the hook has told the agent's type before.
  REQUIRE(rig.PostHook(R"({"session_id":"s","hook_event_name":"SubagentStart",)"
                       R"("agent_id":"a","agent_type":"db-migrator"})") == 200);
  REQUIRE(rig.Post("traces", SpanBody("llm_request", {{"session.id", "s"},
                                                      {"model", "opus"},
                                                      {"request_id", "1"},
                                                      {"agent_id", "a"},
                                                      {"query_source_safe", "agent.custom"}})) ==
          200);
  CHECK(rig.swarm.Value(R"(swarm_llm_requests_total{agent_type="db-migrator",model="opus",)"
                        R"(outcome="ok",query_source="subagent"})") == 1);
  CHECK(AgentOfQuerySource("agent:builtin:general-purpose") == "general-purpose");
  CHECK(AgentOfQuerySource("agent.builtin.general-purpose") == "general-purpose");
  CHECK(AgentOfQuerySource("agent:custom:a.b") == "a.b");
  CHECK(AgentOfQuerySource("sdk").empty());
  CHECK(AgentOfQuerySource("agent").empty());
  CHECK(AgentOfQuerySource("").empty());
}

TEST_CASE("Values that are none cost themselves only", "[claude_code]") {
  AgentRig rig;
  REQUIRE(rig.Post("logs", LogBody("api_request",
                                   {{"session.id", "s"},
                                    {"request_id", "r"},
                                    {"model", "opus"},
                                    {"duration_ms", "soon"},
                                    {"ttft_ms", "-5"},
                                    {"input_tokens", "NaN"},
                                    {"output_tokens", "7"},
                                    {"cost_usd", "-1"}},
                                   1)) == 200);
  CHECK(rig.Swarm() ==
        Lines{R"(swarm_llm_requests_total{agent_type="main",model="opus",outcome="ok"} 1)",
              R"(swarm_llm_tokens_total{agent_type="main",model="opus",token_type="output"} 7)"});
}

TEST_CASE("Scopes of others are not taken for Claude Code", "[claude_code]") {
  AgentRig rig;
  std::string body = LogBody("api_request", RequestOf("s", "r"), 1);
  body.replace(body.find("com.anthropic.claude_code.events"), 32,
               "com.example.other.thing.events..");
  REQUIRE(rig.Post("logs", body) == 200);
  CHECK(rig.Swarm().empty());
}

TEST_CASE("A hundred thousand requests of as many sessions stay within the bounds of memory",
          "[claude_code]") {
  AgentRig rig({}, {.max_ids = 10'000, .max_sessions = 1'000});
  constexpr int kBatches = 100;
  constexpr int kRecords = 1'000;
  // Made once: only the digits of session and request change.
  for (int batch = 0; batch < kBatches; ++batch) {
    std::string body =
        R"({"resourceLogs":[{"scopeLogs":[{"scope":{"name":"com.anthropic.claude_code.events"},)"
        R"("logRecords":[)";
    for (int i = 0; i < kRecords; ++i) {
      const std::string id = std::to_string(batch * kRecords + i);
      if (i > 0) body += ',';
      body += R"({"timeUnixNano":"1800000000000000000","attributes":[)" +
              Attributes({{"event.name", "tool_result"},
                          {"session.id", id},
                          {"tool_use_id", id},
                          {"agent_id", id},
                          {"tool_name", "Bash"}}) +
              "]}";
    }
    body += "]}]}]}";
    REQUIRE(rig.Post("logs", body) == 200);
  }
  CHECK(
      rig.swarm.Value(R"(swarm_tool_calls_total{agent_type="unknown",outcome="ok",tool="Bash"})") ==
      kBatches * kRecords);
  CHECK(rig.swarm.Value(R"(skep_exporter_session_entries{table="ids"})") <= 10'002);
  CHECK(rig.swarm.Value(R"(skep_exporter_session_entries{table="sessions"})") <= 1'000);
}

TEST_CASE("What a request said of tools is forgotten where the state could not be written",
          "[claude_code]") {
  AgentRig rig;
  state::test::FullStore full(*rig.swarm.store);
  full.is_full = false;
  OtlpMemory memory;
  const auto otlp =
      Otlp::Create({}, {}, memory, full, &rig.consumer, rig.swarm.clock, Logger::Silent()).value();
  const auto span = [&](const std::string& name, const std::string& more) {
    net::HttpRequest request;
    request.headers = {{"Content-Type", "application/json"}};
    request.body =
        R"({"resourceSpans":[{"scopeSpans":[{"scope":{"name":"com.anthropic.claude_code"},"spans":[)"
        R"({"name":"claude_code.)" +
        name +
        R"(","spanId":"00000000000000aa","startTimeUnixNano":"1","endTimeUnixNano":"2",)"
        R"("attributes":[{"key":"session.id","value":{"stringValue":"s"}},)"
        R"({"key":"tool_name","value":{"stringValue":"Bash"}},)"
        R"({"key":"tool_use_id","value":{"stringValue":"call"}})" +
        more + "]}]}]}]}";
    return otlp->HandleTraces(request).status;
  };
  const std::string failed = R"(,{"key":"success","value":{"boolValue":false}})";
  REQUIRE(span("tool.execution", failed) == 200);
  // The call's own span fails to be written, and is sent again: the execution is still known.
  full.is_full = true;
  CHECK(span("tool", "") == 503);
  full.is_full = false;
  CHECK(span("tool", "") == 200);
  bool found = false;
  for (const std::string& line : rig.Swarm()) {
    if (!line.starts_with("swarm_tool_calls_total")) continue;
    found = true;
    CAPTURE(line);
    CHECK(line.find("outcome=\"error\"") != std::string::npos);
  }
  CHECK(found);
}

}  // namespace
}  // namespace skep::ingest

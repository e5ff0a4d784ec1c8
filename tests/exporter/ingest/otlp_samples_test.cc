// What real programs sent gives exactly these series.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "otlp_rig.h"

namespace skep::ingest {
namespace {

using test::Data;
using test::Rig;
using test::Sorted;

constexpr const char* kBashCall =
    R"(claude_code_active_time_seconds_total{anthropic_custom_base_url="true",anthropic_provider="firstParty",service_name="claude-code",terminal_type="dumb",type="cli"} ACTIVE
claude_code_cost_usage_USD_total{anthropic_custom_base_url="true",anthropic_provider="firstParty",effort="medium",model="claude-opus-5-5",query_source="main",service_name="claude-code",terminal_type="dumb"} 0.01578
claude_code_session_count_total{anthropic_custom_base_url="true",anthropic_provider="firstParty",service_name="claude-code",start_type="fresh",terminal_type="dumb"} 1
claude_code_token_usage_tokens_total{anthropic_custom_base_url="true",anthropic_provider="firstParty",effort="medium",model="claude-opus-5-5",query_source="main",service_name="claude-code",terminal_type="dumb",type="cacheCreation"} 600
claude_code_token_usage_tokens_total{anthropic_custom_base_url="true",anthropic_provider="firstParty",effort="medium",model="claude-opus-5-5",query_source="main",service_name="claude-code",terminal_type="dumb",type="cacheRead"} 10000
claude_code_token_usage_tokens_total{anthropic_custom_base_url="true",anthropic_provider="firstParty",effort="medium",model="claude-opus-5-5",query_source="main",service_name="claude-code",terminal_type="dumb",type="input"} 2400
claude_code_token_usage_tokens_total{anthropic_custom_base_url="true",anthropic_provider="firstParty",effort="medium",model="claude-opus-5-5",query_source="main",service_name="claude-code",terminal_type="dumb",type="output"} 59
)";

std::string WithActive(const char* seconds) {
  std::string page = kBashCall;
  return page.replace(page.find("ACTIVE"), 6, seconds);
}

// With the labels that are the same everywhere taken out.
std::string Short(std::string page) {
  for (const std::string same :
       {R"(anthropic_custom_base_url="true",)", R"(anthropic_provider="firstParty",)",
        R"(service_name="claude-code",)", R"(,service_name="claude-code")",
        R"(terminal_type="dumb",)", R"(,terminal_type="dumb")", R"(effort="medium",)",
        R"(model="claude-opus-5-5",)", R"(,model="claude-opus-5-5")"}) {
    for (std::size_t at = page.find(same); at != std::string::npos; at = page.find(same)) {
      page.erase(at, same.size());
    }
  }
  return page;
}

}  // namespace

TEST_CASE("Claude Code's metrics come out under the names of its public dashboard", "[otlp]") {
  Rig json;
  CHECK(json.PostJson(Data("claude_json.metrics.json")).status == 200);
  CHECK(Sorted(json.Page()) == WithActive("0.286"));

  Rig cumulative;
  CHECK(cumulative.PostJson(Data("claude_cumul.metrics.json")).status == 200);
  CHECK(Sorted(cumulative.Page()) == WithActive("0.215"));

  Rig protobuf;
  CHECK(protobuf.PostProtobuf(Data("claude_proto.metrics.pb")).status == 200);
  const std::string page = Sorted(protobuf.Page());
  const std::size_t at = page.find("} ") + 2;
  CHECK(page == WithActive(page.substr(at, page.find('\n') - at).c_str()));
}

TEST_CASE("Sessions add up, and a request that comes again does not", "[otlp]") {
  Rig rig;
  for (int i = 0; i < 3; ++i) {
    CHECK(rig.PostJson(Data("claude_json.metrics.json")).status == 200);
    CHECK(rig.PostProtobuf(Data("claude_proto.metrics.pb")).status == 200);
    CHECK(rig.PostJson(Data("claude_cumul.metrics.json")).status == 200);
  }
  const std::string page = Short(rig.Page());
  CHECK(page.find("claude_code_session_count_total{start_type=\"fresh\"} 3\n") !=
        std::string::npos);
  CHECK(page.find("claude_code_token_usage_tokens_total{query_source=\"main\",type=\"input\"} "
                  "7200\n") != std::string::npos);
  CHECK(rig.Page("swarm_otlp_points_total") ==
        "swarm_otlp_points_total{result=\"accepted\",signal=\"metrics\"} 21\n"
        "swarm_otlp_points_total{result=\"duplicate\",signal=\"metrics\"} 42\n");
  CHECK(rig.Page("swarm_otlp_requests_total") ==
        "swarm_otlp_requests_total{code=\"200\",encoding=\"json\",signal=\"metrics\"} 6\n"
        "swarm_otlp_requests_total{code=\"200\",encoding=\"protobuf\",signal=\"metrics\"} 3\n");
  CHECK(rig.Page("swarm_otlp_last") ==
        "swarm_otlp_last_receive_timestamp_seconds{signal=\"metrics\"} 1800000000\n");
}

TEST_CASE("A subagent, a written file and failed requests", "[otlp]") {
  Rig task;
  CHECK(task.PostJson(Data("claude_task.metrics.json")).status == 200);
  CHECK(Sorted(Short(task.Page())) ==
        R"(claude_code_active_time_seconds_total{type="cli"} 0.544
claude_code_cost_usage_USD_total{agent_name="general-purpose",query_source="subagent"} 0.00938
claude_code_cost_usage_USD_total{query_source="main"} 0.00938
claude_code_session_count_total{start_type="fresh"} 1
claude_code_token_usage_tokens_total{agent_name="general-purpose",query_source="subagent",type="cacheCreation"} 0
claude_code_token_usage_tokens_total{agent_name="general-purpose",query_source="subagent",type="cacheRead"} 1000
claude_code_token_usage_tokens_total{agent_name="general-purpose",query_source="subagent",type="input"} 2000
claude_code_token_usage_tokens_total{agent_name="general-purpose",query_source="subagent",type="output"} 59
claude_code_token_usage_tokens_total{query_source="main",type="cacheCreation"} 0
claude_code_token_usage_tokens_total{query_source="main",type="cacheRead"} 1000
claude_code_token_usage_tokens_total{query_source="main",type="input"} 2000
claude_code_token_usage_tokens_total{query_source="main",type="output"} 59
)");

  Rig write;
  CHECK(write.PostJson(Data("claude_write.metrics.json")).status == 200);
  const std::string page = Short(write.Page());
  for (const char* line :
       {"claude_code_lines_of_code_count_total{type=\"added\"} 4\n",
        "claude_code_lines_of_code_count_total{type=\"removed\"} 0\n",
        "claude_code_code_edit_tool_decision_total{decision=\"accept\",language=\"Plain "
        "text\",source=\"config\",tool_name=\"Write\"} 1\n"}) {
    CAPTURE(line, page);
    CHECK(page.find(line) != std::string::npos);
  }

  for (const auto& [file, active] : {std::pair("err2", "0.793"), std::pair("bad", "0.231")}) {
    Rig rig;
    CHECK(rig.PostJson(Data(std::string("claude_") + file + ".metrics.json")).status == 200);
    CHECK(Sorted(Short(rig.Page())) ==
          std::string("claude_code_active_time_seconds_total{type=\"cli\"} ") + active +
              "\nclaude_code_session_count_total{start_type=\"fresh\"} 1\n");
  }
}

TEST_CASE("The OpenTelemetry SDK's instruments, cumulative in JSON and delta in protobuf",
          "[otlp]") {
  const std::string expected =
      R"(agent_active{service_name="swarm-demo"} 2
agent_tasks_total{agent_type="coder",outcome="completed",service_name="swarm-demo"} 2
agent_tasks_total{agent_type="coder",outcome="failed",service_name="swarm-demo"} 1
)";
  const std::string duration =
      R"(gen_ai_client_operation_duration_seconds_bucket{gen_ai_operation_name="chat",gen_ai_provider_name="anthropic",gen_ai_request_model="claude-x",service_name="swarm-demo",le=")";
  for (const bool is_json : {true, false}) {
    Rig rig;
    const net::HttpResponse answer = is_json ? rig.PostJson(Data("sdk_cumulative.metrics.json"))
                                             : rig.PostProtobuf(Data("sdk_delta.metrics.pb"));
    CHECK(answer.status == 200);
    CHECK(answer.body == (is_json ? "{}" : ""));
    CHECK(Sorted(rig.Page("agent_")) == expected);
    CHECK(rig.Page("queue_") == "queue_depth{queue=\"main\",service_name=\"swarm-demo\"} 7\n");
    const std::string page = rig.Page();
    for (const auto& [bound, count] :
         {std::pair("0.04", 0), std::pair("0.08", 1), std::pair("0.64", 2), std::pair("5.12", 3),
          std::pair("81.92", 3), std::pair("+Inf", 4)}) {
      CAPTURE(bound, page);
      CHECK(page.find(duration + bound + "\"} " + std::to_string(count) + "\n") !=
            std::string::npos);
    }
    CHECK(page.find("gen_ai_client_operation_duration_seconds_sum{gen_ai_operation_name=\"chat\","
                    "gen_ai_provider_name=\"anthropic\",gen_ai_request_model=\"claude-x\",service_"
                    "name=\"swarm-demo\"} 93.55\n") != std::string::npos);
    // 0.1, 0.2 and 5 at scale 1: in (0.088, 0.125], (0.177, 0.25] and (4, 5.66].
    CHECK(page.find("exp_hist_seconds_bucket{service_name=\"swarm-demo\",le=\"0.1\"} 0\n") !=
          std::string::npos);
    CHECK(page.find("exp_hist_seconds_bucket{service_name=\"swarm-demo\",le=\"0.25\"} 2\n") !=
          std::string::npos);
    CHECK(page.find("exp_hist_seconds_bucket{service_name=\"swarm-demo\",le=\"5\"} 2\n") !=
          std::string::npos);
    CHECK(page.find("exp_hist_seconds_bucket{service_name=\"swarm-demo\",le=\"10\"} 3\n") !=
          std::string::npos);
    CHECK(page.find("exp_hist_seconds_count{service_name=\"swarm-demo\"} 3\n") !=
          std::string::npos);
  }
}

TEST_CASE("Events and spans reach the consumer, equal in both encodings", "[otlp]") {
  const auto collect = [](std::string_view type, const char* logs, const char* traces) {
    test::RecordingConsumer consumer;
    Rig rig({}, {}, "", &consumer);
    CHECK(rig.otlp->HandleLogs(Rig::Request(type, Data(logs))).status == 200);
    CHECK(rig.otlp->HandleTraces(Rig::Request(type, Data(traces))).status == 200);
    return consumer.lines;
  };
  const auto json = collect("application/json", "claude_json.logs.json", "claude_json.traces.json");
  const auto protobuf =
      collect("application/x-protobuf", "claude_proto.logs.pb", "claude_proto.traces.pb");
  const auto count = [](const std::vector<std::string>& lines, const std::string& line) {
    return std::count(lines.begin(), lines.end(), line);
  };
  for (const auto& lines : {json, protobuf}) {
    CHECK(count(lines, "log claude-code api_request") == 2);
    CHECK(count(lines, "log claude-code tool_result") == 1);
    CHECK(count(lines, "span com.anthropic.claude_code.tracing claude_code.llm_request") == 2);
    CHECK(count(lines, "span com.anthropic.claude_code.tracing claude_code.interaction") == 1);
    CHECK(count(lines, "end") == 2);
  }
  CHECK(std::multiset<std::string>(json.begin(), json.end()) ==
        std::multiset<std::string>(protobuf.begin(), protobuf.end()));
}

TEST_CASE("No identifier of the recorded requests is on the page", "[otlp]") {
  Rig rig;
  for (const char* name : {"json", "cumul", "task", "err2", "bad", "write"}) {
    rig.PostJson(Data(std::string("claude_") + name + ".metrics.json"));
  }
  rig.PostJson(Data("sdk_cumulative.metrics.json"));
  const std::string page = rig.Page();
  for (const char* word : {"05a5672689630e", "ca26ed13", "session_id", "user_id", "instance_id",
                           "\"i-1\"", "host_arch"}) {
    CAPTURE(word);
    CHECK(page.find(word) == std::string::npos);
  }
}

}  // namespace skep::ingest

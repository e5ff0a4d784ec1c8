#include <catch2/catch.hpp>
#include <mutex>

#include "common/net/http_server.h"
#include "exporter/stores/mcp_probe.h"
#include "tests/exporter/stores/fixture.h"
#include "tests/support/silent_listener.h"

namespace skep::stores::test {
namespace {

struct Answers {
  int status = 200;
  std::string health = Sample("mcp/health.json");
  std::string initialize = Sample("mcp/initialize.json");
  std::string metrics = Sample("mcp/tool_system_metrics.json");
};

// Answers as claude-flow's server does, with one answer exchanged.
class McpServer {
 public:
  McpServer() : server_(clock_, Logger::Silent()) {
    server_.Handle({"GET"}, "/health", [this](const net::HttpRequest&) {
      net::HttpResponse response;
      const std::lock_guard lock(mutex_);
      response.status = answers_.status;
      response.body = answers_.health;
      return response;
    });
    server_.Handle({"POST"}, "/rpc", [this](const net::HttpRequest& request) {
      net::HttpResponse response;
      const bool is_initialize = request.body.find("\"initialize\"") != std::string::npos;
      const std::lock_guard lock(mutex_);
      response.body = is_initialize ? answers_.initialize : answers_.metrics;
      return response;
    });
    net::HttpServerOptions options;
    options.addresses = {"127.0.0.1:0"};
    Status started = server_.Start(options);
    if (!started) throw std::runtime_error(started.error().message());
  }

  std::string url() const { return "http://" + server_.addresses().at(0); }

  void Say(Answers answers) {
    const std::lock_guard lock(mutex_);
    answers_ = std::move(answers);
  }

 private:
  SystemClock clock_;
  std::mutex mutex_;
  Answers answers_;
  net::HttpServer server_;
};

McpAnswer Ask(const std::string& url, Duration timeout = std::chrono::seconds(20)) {
  Result<std::unique_ptr<McpProbe>> probe =
      McpProbe::Create({.name = "shop", .url = url, .timeout = timeout, .http = {}});
  REQUIRE(probe);
  return (*probe)->Ask();
}

}  // namespace

TEST_CASE("A server that answers tells its requests and their mean", "[stores]") {
  McpServer server;
  const McpAnswer answer = Ask(server.url());
  CHECK(answer.up);
  CHECK(answer.reason.empty());
  CHECK(answer.server.requests == 4);
  CHECK(answer.server.requests_ok == 2);
  CHECK(answer.server.mean_seconds == Approx(0.0023589515));
}

TEST_CASE("What a server does wrong is told by reason", "[stores]") {
  McpServer server;
  SECTION("health") {
    server.Say({.status = 503});
    CHECK(Ask(server.url()).reason == "http_status");
    server.Say({.health = R"({"status":"degraded"})"});
    CHECK(Ask(server.url()).reason == "unhealthy");
  }
  SECTION("initialize") {
    server.Say({.initialize = R"({"jsonrpc":"2.0","id":1,"error":{"code":-32002}})"});
    const McpAnswer answer = Ask(server.url());
    CHECK_FALSE(answer.up);
    CHECK(answer.reason == "rpc_error");
    server.Say({.initialize = "<html>"});
    CHECK(Ask(server.url()).reason == "not_json");
  }
  SECTION("an error of a tool comes with status 200") {
    server.Say({.metrics = Sample("mcp/bad_tool.json")});
    const McpAnswer answer = Ask(server.url());
    CHECK(answer.up);
    CHECK(answer.reason == "tool_error");
    CHECK_FALSE(answer.server.requests);
    CHECK(answer.server.up == true);
  }
  SECTION("metrics cut anywhere are no numbers") {
    const std::string whole = Sample("mcp/tool_system_metrics.json");
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const McpMetricsReply reply = ParseMcpMetrics(std::string_view(whole).substr(0, size));
      if (reply.reason.empty() || reply.server.requests) FAIL("cut at " << size);
    }
  }
}

TEST_CASE("A server that is not there or does not answer is down", "[stores]") {
  const skep::test::SilentListener silent;
  const McpAnswer answer = Ask("http://" + silent.address(), Duration(50));
  CHECK_FALSE(answer.up);
  CHECK(answer.reason == "timeout");
  CHECK(Ask("http://127.0.0.1:1", Duration(5'000)).reason == "connect");
}

TEST_CASE("A server that is down shows 0 and counts why; its numbers are absent", "[stores]") {
  McpServer server;
  Options options;
  options.processes = false;
  options.ai_budget.enabled = false;
  options.mcp.push_back({.name = "shop", .url = server.url(), .http = {}});
  World world(options);
  world.stores->AskMcpServers();
  CHECK(world.Value(R"(swarm_mcp_up{workspace="shop"})") == "1");
  CHECK(world.Value(R"(swarm_mcp_requests_total{workspace="shop",outcome="ok"})") == "2");
  CHECK(world.Value(R"(swarm_mcp_request_duration_seconds_count{workspace="shop"})") == "4");
  CHECK(world.Value(R"(component_up{component="mcpServer",workspace="shop"})") == "1");
  server.Say({.status = 500});
  world.stores->AskMcpServers();
  CHECK(world.Value(R"(swarm_mcp_up{workspace="shop"})") == "0");
  CHECK(world.Value(R"(swarm_mcp_requests_total{workspace="shop",outcome="ok"})").empty());
  CHECK(world.Value(R"(component_up{component="mcpServer",workspace="shop"})") == "0");
  CHECK(world.Value(R"(swarm_mcp_check_failures_total{reason="http_status",workspace="shop"})") ==
        "1");
  // Configured no more.
  options.mcp.clear();
  world.stores->Apply(options);
  CHECK(world.Value(R"(swarm_mcp_up{workspace="shop"})").empty());
  CHECK(world.Value(R"(component_up{component="mcpServer",workspace="shop"})").empty());
}

TEST_CASE("Threads ask servers in their rhythm and end at once", "[stores]") {
  const skep::test::SilentListener silent;
  Options options;
  options.ai_budget.enabled = false;
  options.mcp.push_back({.name = "shop",
                         .url = "http://" + silent.address(),
                         .timeout = std::chrono::minutes(10),
                         .http = {}});
  World world(options);
  world.stores->Start();
  world.stores->Apply(options);  // ends the question under way
  world.stores->Stop();
  CHECK(world.Value(R"(swarm_mcp_up{workspace="shop"})").empty());  // nothing was learnt
}

}  // namespace skep::stores::test

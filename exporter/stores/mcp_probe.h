// Asks one claude-flow MCP server over HTTP whether it works, and what it has counted.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/net/http_client.h"
#include "exporter/stores/options.h"
#include "exporter/swarm/snapshot.h"

namespace skep::stores {

struct McpAnswer {
  bool up = false;
  // Why not: "connect", "timeout", "http_status", "not_json", "rpc_error", "tool_error",
  // "unhealthy";
  // "" where it is up. Also set where it is up but does not tell its metrics.
  std::string_view reason;
  swarm::McpServer server;
};

// What the tool system/metrics tells, out of the body of its answer. An error of a tool comes with
// HTTP status 200 and result.isError; one of the protocol with `error`.
struct McpMetricsReply {
  std::string_view reason;  // as McpAnswer::reason
  swarm::McpServer server;
};
McpMetricsReply ParseMcpMetrics(std::string_view body);

// GET /health, then initialize, then system/metrics, which writes no receipt. Thread-compatible but
// for Cancel.
class McpProbe {
 public:
  // kInvalid: the HTTP options cannot be used.
  static Result<std::unique_ptr<McpProbe>> Create(McpOptions options);

  McpAnswer Ask();
  // Ends a question under way, from another thread.
  void Cancel() { client_->Cancel(); }

 private:
  McpProbe(McpOptions options, std::unique_ptr<net::HttpClient> client);
  // The body of an answer with status 200, or why there is none.
  std::string_view Send(std::string_view method, std::string_view path, std::string body,
                        std::string& answer);

  const McpOptions options_;
  std::unique_ptr<net::HttpClient> client_;
};

}  // namespace skep::stores

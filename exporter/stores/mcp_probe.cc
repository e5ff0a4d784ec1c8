#include "exporter/stores/mcp_probe.h"

#include <utility>

#include "common/json/value.h"
#include "exporter/stores/fields.h"

namespace skep::stores {
namespace {

using json::Value;

constexpr std::size_t kMaxAnswerBytes = 4UL << 20;
constexpr std::string_view kInitialize =
    R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2024-11-05",)"
    R"("capabilities":{},"clientInfo":{"name":"skep-exporter","version":"1"}}})";
constexpr std::string_view kMetrics = R"({"jsonrpc":"2.0","id":2,"method":"tools/call",)"
                                      R"("params":{"name":"system/metrics","arguments":{}}})";

std::string_view ReasonOf(const Error& error) {
  return error.kind() == ErrorKind::kTimeout ? "timeout" : "connect";
}

// "" where `body` is a result of JSON-RPC.
std::string_view CheckRpc(std::string_view body, Value& result) {
  Result<Value> root = Value::Parse(body);
  if (!root || !root->IsObject()) return "not_json";
  const Value* found = root->Find("result");
  if (found == nullptr || !found->IsObject()) return "rpc_error";
  result = *found;
  return {};
}

bool IsHealthy(std::string_view body) {
  Result<Value> root = Value::Parse(body);
  return root && TextField(*root, "status") == "ok";
}

}  // namespace

McpMetricsReply ParseMcpMetrics(std::string_view body) {
  Value result;
  McpMetricsReply reply;
  reply.reason = CheckRpc(body, result);
  if (!reply.reason.empty()) return reply;
  const std::vector<Value>& content = result["content"].items();
  if (result["isError"].boolean() || content.empty()) {
    reply.reason = "tool_error";
    return reply;
  }
  Result<Value> metrics = Value::Parse(TextField(content[0], "text"));
  if (!metrics || !metrics->IsObject()) {
    reply.reason = "not_json";
    return reply;
  }
  reply.server.requests = CountField(*metrics, "totalRequests");
  reply.server.requests_ok = CountField(*metrics, "successfulRequests");
  reply.server.requests_failed = CountField(*metrics, "failedRequests");
  reply.server.mean_seconds = CountField(*metrics, "averageResponseTime");
  if (reply.server.mean_seconds) *reply.server.mean_seconds /= 1e3;
  return reply;
}

McpProbe::McpProbe(McpOptions options, std::unique_ptr<net::HttpClient> client)
    : options_(std::move(options)), client_(std::move(client)) {}

Result<std::unique_ptr<McpProbe>> McpProbe::Create(McpOptions options) {
  Result<std::unique_ptr<net::HttpClient>> client = net::HttpClient::Create(options.http);
  if (!client) return client.error();
  return std::unique_ptr<McpProbe>(new McpProbe(std::move(options), std::move(*client)));
}

std::string_view McpProbe::Send(std::string_view method, std::string_view path, std::string body,
                                std::string& answer) {
  net::ClientRequest request{.method = std::string(method),
                             .url = options_.url + std::string(path),
                             .headers = {{"Accept", "application/json"}},
                             .body = std::move(body),
                             .timeout = options_.timeout,
                             .max_body_bytes = kMaxAnswerBytes};
  if (!request.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  Result<net::ClientResponse> response = client_->Send(request);
  if (!response) return ReasonOf(response.error());
  if (response->status != 200) return "http_status";
  answer = std::move(response->body);
  return {};
}

McpAnswer McpProbe::Ask() {
  McpAnswer answer;
  std::string body;
  answer.server.up = false;
  answer.reason = Send("GET", "/health", {}, body);
  if (answer.reason.empty() && !IsHealthy(body)) answer.reason = "unhealthy";
  if (answer.reason.empty()) answer.reason = Send("POST", "/rpc", std::string(kInitialize), body);
  Value ignored;
  if (answer.reason.empty()) answer.reason = CheckRpc(body, ignored);
  if (!answer.reason.empty()) return answer;
  answer.up = true;
  answer.reason = Send("POST", "/rpc", std::string(kMetrics), body);
  if (answer.reason.empty()) {
    McpMetricsReply reply = ParseMcpMetrics(body);
    answer.reason = reply.reason;
    answer.server = std::move(reply.server);
  }
  answer.server.up = true;
  return answer;
}

}  // namespace skep::stores

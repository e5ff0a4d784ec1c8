#include "evaluator/cmd/tool_deploy.h"

#include <ostream>
#include <random>
#include <string_view>
#include <thread>
#include <utility>

#include "common/base/number.h"
#include "common/json/value.h"
#include "common/json/writer.h"
#include "evaluator/cmd/tool_client.h"

namespace skep::tool {
namespace {

std::string RandomId() {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::random_device random;
  std::string id;
  for (int i = 0; i < 32; ++i) id += kDigits[random() % kDigits.size()];
  return id;
}

Result<double> ReadSeconds(const std::string& text) {
  if (const std::optional<double> seconds = ParseDouble(text)) return *seconds;
  const Result<Duration> duration = ParseDuration(text);
  if (!duration) return duration.error().Wrap("--duration");
  return ToSeconds(*duration);
}

// Whether trying again may help.
bool IsPassing(const Result<net::ClientResponse>& response) {
  if (response) return response->status >= 500 || response->status == 429;
  const ErrorKind kind = response.error().kind();
  return kind == ErrorKind::kUnavailable || kind == ErrorKind::kTimeout;
}

Result<net::ClientResponse> Send(const DeployMarkOptions& options, const std::string& body) {
  const Result<std::unique_ptr<net::HttpClient>> client = MakeClient(options.http_config_file);
  if (!client) return client.error();
  net::ClientRequest request;
  request.method = "POST";
  request.url = JoinUrl(options.exporter, "/v1/events");
  request.headers = {{"Content-Type", "application/json"}};
  request.body = body;
  request.timeout = options.timeout;
  request.max_body_bytes = 1UL << 20;
  Result<net::ClientResponse> response = (*client)->Send(request);
  std::chrono::milliseconds pause = options.pause;
  for (int left = options.tries - 1; left > 0 && IsPassing(response); --left) {
    std::this_thread::sleep_for(pause);
    pause *= 2;
    response = (*client)->Send(request);
  }
  return response;
}

// What the exporter had against the event, for people.
std::string Complaint(const net::ClientResponse& response) {
  const Result<json::Value> answer = json::Value::Parse(response.body);
  const std::string status = "status " + std::to_string(response.status);
  if (!answer || !answer->IsObject())
    return status + ", and the answer is not that of skep-exporter";
  if ((*answer)["error"].IsString()) return status + ": " + (*answer)["error"].text();
  for (const json::Value& error : (*answer)["errors"].items()) {
    return "refused: " + error["field"].text() + ": " + error["message"].text();
  }
  return status;
}

}  // namespace

Result<std::string> DeploymentEvent(const DeployMarkOptions& options, const std::string& id) {
  std::string out;
  json::JsonWriter json(out);
  json.BeginObject().Field("kind", "deployment").Field("id", id);
  json.Field("service", options.service).Field("version", options.version);
  for (const auto& [key, value] :
       {std::pair<std::string_view, const std::string&>{"strategy", options.strategy},
        {"outcome", options.outcome},
        {"commit", options.commit},
        {"url", options.url},
        {"rollback_version", options.rollback_version}}) {
    if (!value.empty()) json.Field(key, value);
  }
  if (!options.duration.empty()) {
    const Result<double> seconds = ReadSeconds(options.duration);
    if (!seconds) return seconds.error();
    json.Key("duration_seconds").Double(*seconds);
  }
  if (!options.time.empty()) {
    const Result<Timestamp> time = ParseTimestamp(options.time);
    if (!time) return time.error().Wrap("--time");
    json.Field("time", FormatTimestamp(*time));
  }
  json.EndObject();
  return out;
}

ExitCode DeployMark(ToolIo& io, const DeployMarkOptions& options) {
  const Result<std::string> event =
      DeploymentEvent(options, options.id.empty() ? RandomId() : options.id);
  if (!event) return Refuse(io, event.error().message());
  const Result<net::ClientResponse> response = Send(options, *event);
  if (!response) return Refuse(io, response.error().Wrap(options.exporter).message());
  if (response->status != 200) return Refuse(io, options.exporter + ": " + Complaint(*response));
  const Result<json::Value> answer = json::Value::Parse(response->body);
  if (!answer || !(*answer)["accepted"].IsNumber()) {
    return Refuse(io, options.exporter + ": the answer is not that of skep-exporter");
  }
  if ((*answer)["duplicates"].number() > 0) io.err << "skep: counted before, not again\n";
  if (options.json) {
    io.out << response->body;
  } else {
    io.out << "marked " << options.service << ' ' << options.version << '\n';
  }
  return ExitCode::kGood;
}

}  // namespace skep::tool

#include "exporter/ingest/event_web.h"

#include <algorithm>
#include <cctype>

#include "common/json/writer.h"

namespace skep::ingest {
namespace {

std::string MediaType(std::string_view content_type) {
  std::string out(content_type.substr(0, content_type.find(';')));
  while (!out.empty() && out.back() == ' ') out.pop_back();
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace

bool IsAllowedOrigin(std::string_view origin, const std::vector<std::string>& origins) {
  return origin.empty() || std::find(origins.begin(), origins.end(), origin) != origins.end();
}

net::HttpResponse PreflightResponse(std::string_view origin) {
  net::HttpResponse response = net::HttpResponse::Text(204, "");
  AllowOrigin(origin, response);
  response.headers.emplace_back("Access-Control-Allow-Methods", "POST");
  response.headers.emplace_back("Access-Control-Allow-Headers", "Authorization, Content-Type");
  response.headers.emplace_back("Access-Control-Max-Age", "600");
  return response;
}

void AllowOrigin(std::string_view origin, net::HttpResponse& response) {
  if (origin.empty()) return;
  response.headers.emplace_back("Access-Control-Allow-Origin", origin);
  response.headers.emplace_back("Vary", "Origin");
}

std::optional<BodyForm> BodyFormOf(std::string_view content_type) {
  const std::string type = MediaType(content_type);
  if (type.empty() || type == "application/json" || type == "text/plain") return BodyForm::kAny;
  for (const std::string_view lines :
       {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonl",
        "application/json-lines", "application/jsonlines"}) {
    if (type == lines) return BodyForm::kLines;
  }
  return std::nullopt;
}

net::HttpResponse EventsResponse(const EventCounts& counts, const EventBatch& batch) {
  const std::size_t refused = batch.refused_in_all();
  std::string body;
  json::JsonWriter json(body);
  json.BeginObject().Key("accepted").Uint(counts.accepted);
  json.Key("duplicates").Uint(counts.duplicates).Key("refused").Uint(refused);
  if (counts.unchecked > 0) json.Key("too_old_to_check").Uint(counts.unchecked);
  if (refused > 0) {
    json.Key("errors").BeginArray();
    for (const RefusedEvent& event : batch.refusals) {
      json.BeginObject().Key("line").Uint(event.line).Field("field", event.field);
      json.Field("message", event.message).EndObject();
    }
    json.EndArray();
  }
  json.EndObject();
  body += '\n';
  const bool none = counts.accepted + counts.duplicates == 0;
  const int status = refused == 0 ? 200 : none ? 400 : 207;
  return net::HttpResponse::Json(status, std::move(body));
}

net::HttpResponse EventsError(int status, std::string_view message) {
  std::string body;
  json::JsonWriter json(body);
  json.BeginObject().Field("error", message).EndObject();
  body += '\n';
  return net::HttpResponse::Json(status, std::move(body));
}

}  // namespace skep::ingest

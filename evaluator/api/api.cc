#include "evaluator/api/api.h"

#include "evaluator/api/client_watch.h"
#include "evaluator/api/envelope.h"

namespace skep::api {
namespace {

void AddCorsHeaders(const std::optional<Regex>& allowed, const net::HttpRequest& request,
                    net::HttpResponse& response) {
  const std::string_view origin = request.Header("Origin");
  if (!allowed || origin.empty()) return;
  response.headers.emplace_back("Vary", "Origin");
  if (!allowed->FullMatch(origin)) return;
  const bool any = allowed->pattern() == ".*";
  response.headers.emplace_back("Access-Control-Allow-Origin", any ? "*" : std::string(origin));
  response.headers.emplace_back("Access-Control-Allow-Headers",
                                "Accept, Authorization, Content-Type, Origin");
  response.headers.emplace_back("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
  response.headers.emplace_back("Access-Control-Expose-Headers", "Date");
}

}  // namespace

Api::Api(Sources sources, Options options)
    : sources_(std::move(sources)),
      options_(std::move(options)),
      watch_(std::make_unique<ClientWatch>()),
      queries_(sources_.clock, {.parse = options_.promql}) {}

Api::~Api() = default;

void Api::Register(net::HttpServer& server, const Wrap& wrap) {
  const auto add = [&](std::vector<std::string> methods, const std::string& route, auto member) {
    // A whole subtree is named by what stands for its variable part, so that metrics have one
    // handler for it.
    const bool subtree = route.ends_with("/*");
    net::HttpHandler handler =
        wrap(subtree ? route.substr(0, route.size() - 1) + ":name/values" : route,
             [this, member](const net::HttpRequest& request) {
               if (request.method == "OPTIONS") {
                 net::HttpResponse response = net::HttpResponse::Text(204, "");
                 AddCorsHeaders(options_.cors_origin, request, response);
                 return response;
               }
               net::HttpResponse response = (this->*member)(request);
               AddCorsHeaders(options_.cors_origin, request, response);
               return response;
             });
    methods.emplace_back("OPTIONS");
    server.Handle(std::move(methods), route, std::move(handler));
  };
  const std::vector<std::string> get{"GET"};
  const std::vector<std::string> both{"GET", "POST"};
  add(both, "/api/v1/query", &Api::Query);
  add(both, "/api/v1/query_range", &Api::QueryRange);
  add(both, "/api/v1/query_exemplars", &Api::QueryExemplars);
  add(both, "/api/v1/format_query", &Api::FormatQuery);
  add(both, "/api/v1/parse_query", &Api::ParseQuery);
  add(both, "/api/v1/series", &Api::Series);
  add(both, "/api/v1/labels", &Api::LabelNames);
  add(get, "/api/v1/label/*", &Api::LabelValues);
  add(get, "/api/v1/metadata", &Api::Metadata);
  add(get, "/api/v1/targets", &Api::Targets);
  add(get, "/api/v1/targets/metadata", &Api::TargetsMetadata);
  add(get, "/api/v1/scrape_pools", &Api::ScrapePools);
  add(get, "/api/v1/rules", &Api::Rules);
  add(get, "/api/v1/alerts", &Api::Alerts);
  add(get, "/api/v1/alertmanagers", &Api::Alertmanagers);
  add(get, "/api/v1/status/buildinfo", &Api::BuildInfo);
  add(get, "/api/v1/status/config", &Api::Config);
  add(get, "/api/v1/status/flags", &Api::Flags);
  add(get, "/api/v1/status/runtimeinfo", &Api::RuntimeInfo);
  add(get, "/api/v1/status/tsdb", &Api::Tsdb);
  add(get, "/api/v1/status/walreplay", &Api::WalReplay);
  const std::vector<std::string> change{"POST", "PUT"};
  add(change, "/api/v1/admin/tsdb/snapshot", &Api::Snapshot);
  add(change, "/api/v1/admin/tsdb/delete_series", &Api::DeleteSeries);
  add(change, "/api/v1/admin/tsdb/clean_tombstones", &Api::CleanTombstones);
  add(get, "/api/v1/notifications", &Api::Notifications);
}

}  // namespace skep::api

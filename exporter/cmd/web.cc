#include "exporter/cmd/web.h"

#include <string_view>
#include <utility>

#include "common/base/html.h"
#include "common/instrument/counts.h"
#include "common/net/reload_handler.h"
#include "common/net/route_prefix.h"

namespace skep::exporter {
namespace {

std::string LandingPage(const std::string& prefix, const std::string& telemetry_path) {
  const auto link = [&prefix](const std::string& path, std::string_view text) {
    return "<li><a href=\"" + EscapeHtml(prefix + path) + "\">" + std::string(text) + "</a></li>\n";
  };
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">"
         "<title>skep-exporter</title></head>\n<body>\n<h1>skep-exporter</h1>\n"
         "<p>Version " SKEP_VERSION "</p>\n<ul>\n" +
         link(telemetry_path, "Metrics") + link("/config", "Configuration") +
         link("/v1/deployments", "Deployments") +
         link("/v1/events/schema.json", "Schema of events") + link("/-/healthy", "Health") +
         "</ul>\n</body>\n</html>\n";
}

}  // namespace

Result<std::string> RoutePrefix(const Flags& flags) {
  return net::RoutePrefix(flags.route_prefix, flags.external_url);
}

Status AddRoutes(net::HttpServer& server, Exporter& exporter, MetricsHandler& metrics,
                 const Flags& flags) {
  const Result<std::string> prefix = RoutePrefix(flags);
  if (!prefix) return prefix.error();
  server.Handle({"GET"}, flags.telemetry_path,
                [&metrics](const net::HttpRequest& request) { return metrics.Handle(request); });
  // Pages are made for requests only, so the server is there when one is.
  exporter.instruments().AddSource([&server](exposition::PageWriter& page) {
    instrument::WriteCounts(page, "skep_exporter_", server.counts().List());
  });
  const auto fixed = [](std::string text) {
    return [text = std::move(text)](const net::HttpRequest&) {
      return net::HttpResponse::Text(200, text);
    };
  };
  server.Handle({"GET"}, "/-/healthy", fixed("Healthy\n"));
  // The server is started when the first configuration is in force.
  server.Handle({"GET"}, "/-/ready", fixed("Ready\n"));
  std::function<Status()> reload;
  if (flags.enable_lifecycle) reload = [&exporter] { return exporter.Reload(); };
  server.Handle({"POST", "PUT"}, "/-/reload", net::ReloadHandler(std::move(reload)));
  server.Handle({"GET"}, "/config", [&exporter](const net::HttpRequest&) {
    return net::HttpResponse::Text(200, exporter.ConfigYaml());
  });
  if (flags.telemetry_path != "/") {
    server.Handle({"GET"}, "/",
                  [page = LandingPage(*prefix, flags.telemetry_path)](const net::HttpRequest&) {
                    return net::HttpResponse::Html(page);
                  });
  }
  return {};
}

}  // namespace skep::exporter

#include "evaluator/cmd/web.h"

#include "common/base/file.h"
#include "common/base/html.h"
#include "common/exposition/format.h"
#include "common/instrument/process_metrics.h"
#include "common/net/reload_handler.h"
#include "evaluator/cmd/markdown.h"

namespace skep::evaluator {
namespace {

using net::HttpRequest;
using net::HttpResponse;

std::string Page(std::string_view title, std::string_view body) {
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" +
         EscapeHtml(title) +
         "</title><style>body{font-family:sans-serif;max-width:50em;margin:2em auto;padding:0 "
         "1em;line-height:1.5}pre,code{background:#f3f3f3}pre{padding:.5em;overflow-x:auto}"
         "</style></head><body>\n" +
         std::string(body) + "</body></html>\n";
}

HttpResponse Landing(const std::string& prefix) {
  static constexpr std::pair<const char*, const char*> kLinks[] = {
      {"/api/v1/targets", "Targets"},
      {"/api/v1/rules", "Rules"},
      {"/api/v1/alerts", "Alerts"},
      {"/api/v1/alertmanagers", "Alertmanagers"},
      {"/api/v1/status/config", "Configuration"},
      {"/api/v1/status/tsdb", "Store"},
      {"/metrics", "Metrics of this program"},
      {"/runbooks", "Runbooks of the shipped rules"},
  };
  std::string body =
      "<h1>skep-evaluator</h1>\n<p>Version " + std::string(SKEP_VERSION) +
      ". The Prometheus HTTP API is at <code>" + EscapeHtml(prefix) +
      "/api/v1</code>: add this address to Grafana as a Prometheus data source.</p>\n"
      "<ul>\n";
  for (const auto& [path, text] : kLinks) {
    body += "<li><a href=\"" + EscapeHtml(prefix) + path + "\">" + text + "</a></li>\n";
  }
  return HttpResponse::Html(Page("skep-evaluator", body + "</ul>\n"));
}

HttpResponse Metrics(const WebSources& sources, const HttpRequest& request) {
  const exposition::Format format = exposition::NegotiateFormat(request.Header("Accept"));
  HttpResponse response;
  response.content_type = exposition::ContentType(format);
  exposition::PageWriter page(format, response.body);
  sources.instruments.Write(page);
  instrument::WriteBuildInfo(page, "skep_evaluator", SKEP_VERSION);
  instrument::WriteProcessMetrics(page);
  page.Finish();
  return response;
}

HttpResponse Runbooks(const WebSources& sources) {
  const Result<std::string> text = ReadFile(sources.share_folder + "/rules/runbooks.md");
  if (sources.share_folder.empty() || !text) {
    return HttpResponse::Text(404,
                              "runbooks of the shipped rules were not found: set SKEP_SHARE\n");
  }
  return HttpResponse::Html(Page("Runbooks", MarkdownToHtml(*text)));
}

// Where generatorURL of an alert points: the expression's present value.
HttpResponse Graph(const std::string& prefix, const HttpRequest& request) {
  const auto expr = request.Parameter("g0.expr");
  if (!expr) return HttpResponse::Redirect(prefix + "/");
  return HttpResponse::Redirect(prefix + "/api/v1/query?query=" + net::PercentEncode(*expr));
}

}  // namespace

void RegisterPages(net::HttpServer& server, WebSources sources, const WrapHandler& wrap) {
  const auto shared = std::make_shared<const WebSources>(std::move(sources));
  const auto add = [&](const std::vector<std::string>& methods, const std::string& path,
                       auto answer) {
    server.Handle(methods, path, wrap(path, std::move(answer)));
  };
  add({"GET"}, "/", [shared](const HttpRequest&) { return Landing(shared->prefix); });
  add({"GET"}, "/metrics",
      [shared](const HttpRequest& request) { return Metrics(*shared, request); });
  add({"GET"}, "/runbooks", [shared](const HttpRequest&) { return Runbooks(*shared); });
  add({"GET"}, "/graph",
      [shared](const HttpRequest& request) { return Graph(shared->prefix, request); });
  add({"GET"}, "/-/healthy",
      [](const HttpRequest&) { return HttpResponse::Text(200, "skep-evaluator is healthy.\n"); });
  add({"GET"}, "/-/ready", [shared](const HttpRequest&) {
    return shared->ready() ? HttpResponse::Text(200, "skep-evaluator is ready.\n")
                           : HttpResponse::Text(503, "Service Unavailable\n");
  });
  add({"POST", "PUT"}, "/-/reload", net::ReloadHandler(shared->reload));
}

}  // namespace skep::evaluator

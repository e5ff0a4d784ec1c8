// The exporter's paths.
#pragma once

#include <string>

#include "common/base/result.h"
#include "common/net/http_server.h"
#include "exporter/cmd/exporter.h"
#include "exporter/cmd/flags.h"
#include "exporter/cmd/metrics_handler.h"

namespace skep::exporter {

// --web.route-prefix, or the path of --web.external-url: "" or "/x", without a slash at the end.
// kInvalid: the URL has no scheme and host.
Result<std::string> RoutePrefix(const Flags& flags);

// Adds to `server`: the landing page, the metrics page, /-/healthy, /-/ready, /-/reload, /config.
// The others must outlive the server.
Status AddRoutes(net::HttpServer& server, Exporter& exporter, MetricsHandler& metrics,
                 const Flags& flags);

}  // namespace skep::exporter

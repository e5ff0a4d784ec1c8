// The pages of the evaluator beside its API.
#pragma once

#include <functional>
#include <string>

#include "common/base/result.h"
#include "common/instrument/instruments.h"
#include "common/net/http_server.h"

namespace skep::evaluator {

// What the pages need; all is called on the server's threads and outlives the server.
struct WebSources {
  const instrument::Instruments& instruments;
  std::function<bool()> ready;
  std::function<Status()> reload;  // null: not allowed
  std::string share_folder;        // holds rules/runbooks.md; "" for none
  std::string prefix;              // route prefix, for links
};

// Adds /, /metrics, /graph, /-/healthy, /-/ready, /-/reload and /runbooks. `wrap` gets each handler
// with its route's name and returns what is to be called.
using WrapHandler = std::function<net::HttpHandler(std::string_view route, net::HttpHandler)>;
void RegisterPages(net::HttpServer& server, WebSources sources, const WrapHandler& wrap);

}  // namespace skep::evaluator

// The HTTP client of the commands that talk to a server.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/net/http_client.h"

namespace skep::tool {

// As Prometheus's HTTP client configuration in `config_file` says, paths in it relative to it; ""
// for the defaults.
Result<std::unique_ptr<net::HttpClient>> MakeClient(const std::string& config_file);

// `server` without slashes at its end, and `path` behind it.
std::string JoinUrl(std::string server, std::string_view path);

}  // namespace skep::tool

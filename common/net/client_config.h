// Prometheus's HTTP client configuration in YAML: basic_auth, authorization, tls_config, proxies,
// http_headers. Scrapes, Alertmanagers and receivers share it.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/net/http_client.h"
#include "common/yaml/node.h"

namespace skep::net {

// Takes the fields of an HTTP client configuration out of `map`, beside which the caller's own
// fields stand (a scrape job). Relative paths are joined to `folder`, the configuration file's.
// Errors, also of fields that we do not support (oauth2, sigv4, azuread, google_iam, tls *_ref),
// are put into `map` with their place: its Finish reports them. Files are not
// opened here; named_files has them all.
HttpClientOptions ReadHttpClientConfig(yaml::MapReader& map, std::string_view folder);

// The same of a node of its own (`http_config:` of a receiver). Null is the default.
Result<HttpClientOptions> ReadHttpClientConfig(const yaml::Node& node, std::string_view folder);

}  // namespace skep::net

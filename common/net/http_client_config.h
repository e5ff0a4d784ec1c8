// Prometheus's HTTP client configuration in YAML: what stands beside a scrape job, an Alertmanager
// or a webhook.
#pragma once

#include <string>

#include "common/net/http_client.h"
#include "common/yaml/node.h"

namespace skep::net {

// Reads basic_auth, authorization, bearer_token, bearer_token_file, tls_config, proxy_url,
// no_proxy, follow_redirects, enable_http2 and http_headers from `map` into `options`; what is
// absent keeps its value. Relative file names are joined to `folder`. oauth2,
// proxy_from_environment and proxy_connect_header, which we do not have, are errors with their
// line. Errors are kept by `map` and come out of its Finish.
void ReadHttpClientOptions(yaml::MapReader& map, const std::string& folder,
                           HttpClientOptions& options);

// The map `tls_config`. Null: nothing is changed.
Status ReadTlsClientOptions(const yaml::Node& node, const std::string& folder,
                            TlsClientOptions& options);

}  // namespace skep::net

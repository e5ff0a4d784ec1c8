// HTTP requests to other servers. The only user of libcurl.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/file.h"
#include "common/base/result.h"
#include "common/net/http_message.h"

namespace skep::net {

// Prometheus's tls_config, without its file handling: paths are absolute here.
struct TlsClientOptions {
  std::string ca_file, cert_file, key_file;
  std::string ca, cert, key;  // inline PEM, where given instead
  std::string server_name;
  bool insecure_skip_verify = false;
  std::string min_version, max_version;  // "", "TLS10" .. "TLS13"
};

// Prometheus's HTTP client configuration, ready to use. Secrets that stand in files are read anew
// at every request.
struct HttpClientOptions {
  struct BasicAuth {
    std::string username, username_file, password, password_file;
  };
  struct Authorization {
    std::string type = "Bearer";
    std::string credentials, credentials_file;
  };
  std::optional<BasicAuth> basic_auth;
  std::optional<Authorization> authorization;
  TlsClientOptions tls;
  std::string proxy_url, no_proxy;
  bool proxy_from_environment = false;  // http_proxy, https_proxy, no_proxy
  Headers proxy_headers;                // sent to the proxy with CONNECT
  bool follow_redirects = true;
  bool enable_http2 = true;
  Headers headers;       // sent with each request
  Headers header_files;  // name and the file that holds the value
  std::string user_agent;
  // All files of the above as the configuration names them, for whoever wants to tell early that
  // one is missing. Empty where the options were not read from a configuration.
  std::vector<NamedFile> named_files;
};

struct ClientRequest {
  std::string method = "GET";
  std::string url = {};
  Headers headers = {};
  std::string body = {};
  std::chrono::milliseconds timeout{10'000};  // for the whole exchange
  // A longer body ends the request with kInvalid "body larger than N bytes". 0: no limit. Counted
  // before decompression and after it.
  std::size_t max_body_bytes = 0;
  bool accept_compressed = true;  // ask for gzip
};

struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;  // decompressed
  std::string_view Header(std::string_view name) const { return FindHeader(headers, name); }
};

// Puts the text in the place of a body that came compressed, if it did. Also what it becomes stays
// below `limit_bytes`; 0: no limit. kCorrupt: broken or cut short, kInvalid: too long, or an
// encoding that nobody asked for; the body is then of no use.
Status Decompress(ClientResponse& response, std::size_t limit_bytes);

// Keeps connections open between requests. Thread-safe: requests of several threads run at once.
// Any status is a success; only an exchange that could not be completed is an error: kTimeout,
// kUnavailable (refused, reset, name not found), kInvalid (bad URL, body too large, bad certificate
// file). Messages carry no password, token or URL user.
class HttpClient {
 public:
  static Result<std::unique_ptr<HttpClient>> Create(HttpClientOptions options);
  ~HttpClient();

  Result<ClientResponse> Send(const ClientRequest& request);

  // Ends requests that are under way with kCanceled; later ones too. For shutting down.
  void Cancel();

 private:
  struct Impl;
  explicit HttpClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace skep::net

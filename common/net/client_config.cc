#include "common/net/client_config.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/file.h"
#include "common/base/quote.h"
#include "common/net/curl_exchange.h"
#include "common/net/text.h"
#include "common/net/tls_names.h"

namespace skep::net {
namespace {

using yaml::MapReader;
using yaml::Node;

constexpr std::array<std::string_view, 4> kUnsupported = {"oauth2", "sigv4", "azuread",
                                                          "google_iam"};

// Where relative names begin, and the names that were read.
struct Files {
  std::string_view folder;
  std::vector<NamedFile>& named;

  void Read(MapReader& map, std::string_view key, std::string& out) const {
    map.Read(key, out);
    if (!out.empty()) out = Name(map.Take(key), out);
  }
  std::string Name(const Node& node, std::string_view path) const {
    named.push_back({JoinPath(folder, path), node.place()});
    return named.back().path;
  }
};

// What a header may hold (RFC 9110); a line end would begin another header.
bool IsHeaderValue(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

bool IsHeaderName(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

// Of a text that is sent in a header; never quoted, as it may be a secret.
void CheckHeaderValue(MapReader& map, const Node& node, std::string_view text) {
  if (!IsHeaderValue(text)) map.Fail(node.Complain("line end or control byte in a header's value"));
}

void RefuseUnsupported(MapReader& map, std::string_view key) {
  const Node node = map.Take(key);
  if (!node.IsNull()) map.Fail(node.Complain(std::string(key) + " is not supported"));
}

void RefuseBoth(MapReader& map, const Node& place, bool both, std::string_view message) {
  if (both) map.Fail(place.Complain(message));
}

HttpClientOptions::BasicAuth ReadBasicAuth(MapReader& outer, const Node& node, const Files& files) {
  HttpClientOptions::BasicAuth basic;
  MapReader map(node);
  map.Read("username", basic.username);
  map.Read("password", basic.password);
  files.Read(map, "username_file", basic.username_file);
  files.Read(map, "password_file", basic.password_file);
  RefuseUnsupported(map, "username_ref");
  RefuseUnsupported(map, "password_ref");
  RefuseBoth(map, node, !basic.username.empty() && !basic.username_file.empty(),
             "at most one of username and username_file may be given");
  RefuseBoth(map, node, !basic.password.empty() && !basic.password_file.empty(),
             "at most one of password and password_file may be given");
  if (const Status status = map.Finish("basic_auth"); !status) outer.Fail(status.error());
  return basic;
}

HttpClientOptions::Authorization ReadAuthorization(MapReader& outer, const Node& node,
                                                   const Files& files) {
  HttpClientOptions::Authorization given;
  MapReader map(node);
  map.Read("type", given.type);
  map.Read("credentials", given.credentials);
  files.Read(map, "credentials_file", given.credentials_file);
  RefuseUnsupported(map, "credentials_ref");
  given.type = std::string(Trim(given.type));
  CheckHeaderValue(map, map.Take("type"), given.type);
  CheckHeaderValue(map, map.Take("credentials"), given.credentials);
  RefuseBoth(map, node, !given.credentials.empty() && !given.credentials_file.empty(),
             "at most one of credentials and credentials_file may be given");
  RefuseBoth(map, node, EqualsIgnoringCase(given.type, "basic"),
             "authorization type can not be \"basic\", use basic_auth instead");
  if (const Status status = map.Finish("authorization"); !status) outer.Fail(status.error());
  return given;
}

// The older way to write an authorization; nothing where it is not used.
std::optional<HttpClientOptions::Authorization> ReadBearer(MapReader& map, const Files& files) {
  HttpClientOptions::Authorization given;
  map.Read("bearer_token", given.credentials);
  files.Read(map, "bearer_token_file", given.credentials_file);
  if (given.credentials.empty() && given.credentials_file.empty()) return std::nullopt;
  CheckHeaderValue(map, map.Take("bearer_token"), given.credentials);
  RefuseBoth(map, map.Take("bearer_token"),
             !given.credentials.empty() && !given.credentials_file.empty(),
             "at most one of bearer_token and bearer_token_file may be given");
  return given;
}

void ReadProxyHeaders(MapReader& map, const Node& node, Headers& headers) {
  if (!node.IsNull() && !node.IsMap()) map.Fail(node.Complain("expected a map"));
  for (const auto& [name, values] : node.entries()) {
    if (!IsHeaderName(name.text())) {
      return map.Fail(name.Complain(Quote(name.text()) + " is not a valid header name"));
    }
    const Result<std::vector<std::string>> texts = values.AsStrings();
    if (!texts) return map.Fail(texts.error());
    for (const std::string& text : *texts) {
      CheckHeaderValue(map, values, text);
      headers.emplace_back(name.text(), text);
    }
  }
}

void ReadProxy(MapReader& map, HttpClientOptions& options) {
  map.Read("proxy_url", options.proxy_url);
  if (const Status good = CheckProxyUrl(options.proxy_url); !good) {
    map.Fail(map.Take("proxy_url").Complain(good.error().message()));
  }
  map.Read("no_proxy", options.no_proxy);
  map.Read("proxy_from_environment", options.proxy_from_environment);
  const Node connect = map.Take("proxy_connect_header");
  ReadProxyHeaders(map, connect, options.proxy_headers);
  const Node environment = map.Take("proxy_from_environment");
  RefuseBoth(map, environment, options.proxy_from_environment && !options.proxy_url.empty(),
             "proxy_from_environment and proxy_url can not both be given");
  RefuseBoth(map, environment, options.proxy_from_environment && !options.no_proxy.empty(),
             "proxy_from_environment and no_proxy can not both be given");
  RefuseBoth(map, map.Take("no_proxy"), !options.no_proxy.empty() && options.proxy_url.empty(),
             "no_proxy needs a proxy_url");
  RefuseBoth(map, connect,
             !connect.IsNull() && options.proxy_url.empty() && !options.proxy_from_environment,
             "proxy_connect_header needs a proxy");
}

// Names that the client itself writes.
bool IsReserved(std::string_view name) {
  constexpr std::array<std::string_view, 11> kReserved = {
      "Authorization",      "Host",
      "Content-Encoding",   "Content-Length",
      "Content-Type",       "User-Agent",
      "Connection",         "Keep-Alive",
      "Proxy-Authenticate", "Proxy-Authorization",
      "WWW-Authenticate"};
  for (const std::string_view reserved : kReserved) {
    if (EqualsIgnoringCase(reserved, name)) return true;
  }
  return false;
}

void ReadHeader(MapReader& outer, const Node& name, const Node& node, const Files& files,
                HttpClientOptions& options) {
  if (!IsHeaderName(name.text())) {
    return outer.Fail(name.Complain(Quote(name.text()) + " is not a valid header name"));
  }
  if (IsReserved(name.text())) {
    return outer.Fail(name.Complain("header " + Quote(name.text()) + " is reserved"));
  }
  MapReader map(node);
  for (const std::string_view key : {"values", "secrets"}) {
    std::vector<std::string> values;
    map.Read(key, values);
    for (std::string& value : values) {
      CheckHeaderValue(map, map.Take(key), value);
      options.headers.emplace_back(name.text(), std::move(value));
    }
  }
  std::vector<std::string> paths;
  map.Read("files", paths);
  if (const Status status = map.Finish("http_headers"); !status) return outer.Fail(status.error());
  const std::vector<Node> items = map.Take("files").items();
  for (std::size_t i = 0; i < paths.size(); ++i) {
    options.header_files.emplace_back(name.text(), files.Name(items[i], paths[i]));
  }
}

void ReadHeaders(MapReader& map, const Files& files, HttpClientOptions& options) {
  const Node headers = map.Take("http_headers");
  if (!headers.IsNull() && !headers.IsMap()) map.Fail(headers.Complain("expected a map"));
  for (const auto& [name, node] : headers.entries()) ReadHeader(map, name, node, files, options);
}

Result<TlsClientOptions> ReadTlsConfig(const Node& node, const Files& files) {
  TlsClientOptions tls;
  MapReader map(node);
  files.Read(map, "ca_file", tls.ca_file);
  files.Read(map, "cert_file", tls.cert_file);
  files.Read(map, "key_file", tls.key_file);
  map.Read("ca", tls.ca);
  map.Read("cert", tls.cert);
  map.Read("key", tls.key);
  map.Read("server_name", tls.server_name);
  map.Read("insecure_skip_verify", tls.insecure_skip_verify);
  for (auto [key, out] :
       {std::pair{"min_version", &tls.min_version}, std::pair{"max_version", &tls.max_version}}) {
    map.Read(key, *out);
    if (!TlsVersionNumber(*out)) {
      map.Fail(map.Take(key).Complain("unknown TLS version " + Quote(*out)));
    }
  }
  for (const char* key : {"ca_ref", "cert_ref", "key_ref"}) RefuseUnsupported(map, key);
  const bool has_cert = !tls.cert_file.empty() || !tls.cert.empty();
  const bool has_key = !tls.key_file.empty() || !tls.key.empty();
  RefuseBoth(map, node, !tls.ca.empty() && !tls.ca_file.empty(),
             "at most one of ca and ca_file may be given");
  RefuseBoth(map, node, !tls.cert.empty() && !tls.cert_file.empty(),
             "at most one of cert and cert_file may be given");
  RefuseBoth(map, node, !tls.key.empty() && !tls.key_file.empty(),
             "at most one of key and key_file may be given");
  RefuseBoth(map, node, has_cert != has_key, "certificate and key are needed both");
  RETURN_IF_ERROR(map.Finish("tls_config"));
  return tls;
}

}  // namespace

HttpClientOptions ReadHttpClientConfig(MapReader& map, std::string_view folder) {
  HttpClientOptions options;
  const Files files{folder, options.named_files};
  const Node basic = map.Take("basic_auth");
  if (!basic.IsNull()) options.basic_auth = ReadBasicAuth(map, basic, files);
  const Node authorization = map.Take("authorization");
  if (!authorization.IsNull()) {
    options.authorization = ReadAuthorization(map, authorization, files);
  }
  if (auto bearer = ReadBearer(map, files)) {
    RefuseBoth(map, map.Take("bearer_token"), options.authorization || options.basic_auth,
               "at most one of basic_auth, authorization and bearer_token may be given");
    options.authorization = std::move(bearer);
  }
  RefuseBoth(map, basic, options.basic_auth && options.authorization,
             "at most one of basic_auth, authorization and bearer_token may be given");
  Result<TlsClientOptions> tls = ReadTlsConfig(map.Take("tls_config"), files);
  if (tls) {
    options.tls = std::move(*tls);
  } else {
    map.Fail(tls.error());
  }
  ReadProxy(map, options);
  map.Read("follow_redirects", options.follow_redirects);
  map.Read("enable_http2", options.enable_http2);
  ReadHeaders(map, files, options);
  for (const std::string_view key : kUnsupported) RefuseUnsupported(map, key);
  return options;
}

Result<HttpClientOptions> ReadHttpClientConfig(const Node& node, std::string_view folder) {
  MapReader map(node);
  HttpClientOptions options = ReadHttpClientConfig(map, folder);
  RETURN_IF_ERROR(map.Finish("http_config"));
  return options;
}

}  // namespace skep::net

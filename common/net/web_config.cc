#include "common/net/web_config.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/file.h"
#include "common/base/quote.h"
#include "common/net/tls_names.h"
#include "common/yaml/node.h"

namespace skep::net {
namespace {

using yaml::MapReader;
using yaml::Node;

constexpr std::array<std::pair<std::string_view, ClientAuth>, 7> kClientAuths = {{
    {"", ClientAuth::kNone},
    {"NoClientCert", ClientAuth::kNone},
    {"RequestClientCert", ClientAuth::kRequest},
    {"RequireClientCert", ClientAuth::kRequireAny},
    {"RequireAnyClientCert", ClientAuth::kRequireAny},
    {"VerifyClientCertIfGiven", ClientAuth::kVerifyIfGiven},
    {"RequireAndVerifyClientCert", ClientAuth::kRequireAndVerify},
}};

constexpr std::array<std::string_view, 5> kAllowedHeaders = {
    "Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options", "X-XSS-Protection",
    "Content-Security-Policy"};

void ReadClientAuth(MapReader& map, ClientAuth& out) {
  const Node node = map.Take("client_auth_type");
  const auto* found = std::find_if(kClientAuths.begin(), kClientAuths.end(),
                                   [&](const auto& known) { return known.first == node.text(); });
  if (found != kClientAuths.end() && !node.IsMap() && !node.IsSequence()) {
    out = found->second;
  } else {
    map.Fail(node.Complain("unknown client_auth_type " + Quote(node.text())));
  }
}

void ReadVersion(MapReader& map, std::string_view key, std::string& out) {
  map.Read(key, out);
  if (!TlsVersionNumber(out)) {
    map.Fail(map.Take(key).Complain("unknown TLS version " + Quote(out) +
                                    ", expected TLS10, TLS11, TLS12 or TLS13"));
  }
}

// A list of names each of which `known` must accept.
template <typename Known>
void ReadNames(MapReader& map, std::string_view key, Known known, std::vector<std::string>& out) {
  map.Read(key, out);
  for (const Node& item : map.Take(key).items()) {
    if (!known(item.text())) {
      map.Fail(item.Complain("unknown or unsupported name " + Quote(item.text()) + " in " +
                             std::string(key)));
    }
  }
}

void ReadPath(MapReader& map, std::string_view key, std::string_view folder, std::string& out) {
  map.Read(key, out);
  if (!out.empty()) out = JoinPath(folder, out);
}

// The combinations that the toolkit refuses.
Status CheckTls(const Node& node, const TlsServerOptions& tls) {
  const bool has_cert = !tls.cert_file.empty() || !tls.cert.empty();
  const bool has_key = !tls.key_file.empty() || !tls.key.empty();
  const bool has_ca = !tls.client_ca_file.empty() || !tls.client_ca.empty();
  if (!has_cert) return node.Complain("one of cert or cert_file is required");
  if (!has_key) return node.Complain("one of key or key_file is required");
  if (!tls.cert_file.empty() && !tls.cert.empty()) {
    return node.Complain("at most one of cert and cert_file may be given");
  }
  if (!tls.key_file.empty() && !tls.key.empty()) {
    return node.Complain("at most one of key and key_file may be given");
  }
  if (!tls.client_ca_file.empty() && !tls.client_ca.empty()) {
    return node.Complain("at most one of client_ca and client_ca_file may be given");
  }
  if (has_ca && tls.client_auth == ClientAuth::kNone) {
    return node.Complain("a client CA is given without a client_auth_type");
  }
  const bool verifies = tls.client_auth == ClientAuth::kVerifyIfGiven ||
                        tls.client_auth == ClientAuth::kRequireAndVerify;
  if (!verifies && !tls.client_allowed_sans.empty()) {
    return node.Complain("client_allowed_sans needs a client_auth_type that verifies");
  }
  return {};
}

Result<std::optional<TlsServerOptions>> ReadTls(const Node& node, std::string_view folder) {
  if (node.IsNull() || (node.IsMap() && node.entries().empty())) return {std::nullopt};
  TlsServerOptions tls;
  MapReader map(node);
  ReadPath(map, "cert_file", folder, tls.cert_file);
  ReadPath(map, "key_file", folder, tls.key_file);
  ReadPath(map, "client_ca_file", folder, tls.client_ca_file);
  map.Read("cert", tls.cert);
  map.Read("key", tls.key);
  map.Read("client_ca", tls.client_ca);
  ReadClientAuth(map, tls.client_auth);
  map.Read("client_allowed_sans", tls.client_allowed_sans);
  ReadVersion(map, "min_version", tls.min_version);
  ReadVersion(map, "max_version", tls.max_version);
  ReadNames(map, "cipher_suites", IsCipherSuite, tls.cipher_suites);
  ReadNames(map, "curve_preferences", IsCurve, tls.curve_preferences);
  map.Read("prefer_server_cipher_suites", tls.prefer_server_cipher_suites);
  RETURN_IF_ERROR(map.Finish("tls_server_config"));
  RETURN_IF_ERROR(CheckTls(node, tls));
  return std::optional(std::move(tls));
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Status ReadHeaders(const Node& node, Headers& out) {
  if (!node.IsNull() && !node.IsMap()) return node.Complain("expected a map");
  for (const auto& [name, value] : node.entries()) {
    if (std::find(kAllowedHeaders.begin(), kAllowedHeaders.end(), name.text()) ==
        kAllowedHeaders.end()) {
      return name.Complain("header " + Quote(name.text()) + " can not be configured");
    }
    Result<std::string> text = value.AsString();
    if (!text) return text.error();
    if (HasControl(*text)) return value.Complain("control byte in a header");
    if (!text->empty()) out.emplace_back(name.text(), std::move(*text));
  }
  return {};
}

bool IsBcrypt(std::string_view hash) {
  const bool prefix = hash.size() == 60 && hash.substr(0, 2) == "$2" &&
                      std::string_view("aby").find(hash[2]) != std::string_view::npos;
  return prefix && hash[3] == '$' && hash[6] == '$';
}

Status ReadUsers(const Node& node, std::map<std::string, std::string>& out) {
  if (!node.IsNull() && !node.IsMap()) return node.Complain("expected a map");
  for (const auto& [name, hash] : node.entries()) {
    if (!hash.IsScalar() || !IsBcrypt(hash.text())) {
      return hash.Complain("expected the bcrypt hash of the password of user " +
                           Quote(name.text()));
    }
    out[name.text()] = hash.text();
  }
  return {};
}

}  // namespace

Result<WebConfig> ParseWebConfig(std::string_view text, const std::string& file) {
  const Result<Node> root = Node::Parse(text, file);
  if (!root) return root.error();
  WebConfig config;
  MapReader map(*root);
  Result<std::optional<TlsServerOptions>> tls =
      ReadTls(map.Take("tls_server_config"), DirName(file));
  if (!tls) return tls.error();
  config.tls = std::move(*tls);
  MapReader server(map.Take("http_server_config"));
  bool http2 = true;  // only its type matters, see the header
  server.Read("http2", http2);
  RETURN_IF_ERROR(ReadHeaders(server.Take("headers"), config.headers));
  RETURN_IF_ERROR(server.Finish("http_server_config"));
  RETURN_IF_ERROR(ReadUsers(map.Take("basic_auth_users"), config.users));
  const Node rate_limit = map.Take("rate_limit");
  if (!rate_limit.IsNull()) return rate_limit.Complain("rate_limit is not supported");
  RETURN_IF_ERROR(map.Finish("web configuration"));
  return config;
}

Result<WebConfig> LoadWebConfig(const std::string& file) {
  if (file.empty()) return WebConfig{};
  const Result<std::string> text = ReadFile(file, 16UL << 20);
  if (!text) return text.error().Wrap("web configuration");
  return ParseWebConfig(*text, file);
}

}  // namespace skep::net

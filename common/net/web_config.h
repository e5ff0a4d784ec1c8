// The web configuration file of Prometheus's exporter-toolkit: TLS, users and headers of a server.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/net/http_message.h"

namespace skep::net {

enum class ClientAuth : std::uint8_t {
  kNone,             // NoClientCert
  kRequest,          // RequestClientCert: asked for, anything goes
  kRequireAny,       // RequireAnyClientCert (RequireClientCert): some certificate, unverified
  kVerifyIfGiven,    // VerifyClientCertIfGiven
  kRequireAndVerify  // RequireAndVerifyClientCert
};

struct TlsServerOptions {
  std::string cert_file, key_file, client_ca_file;  // absolute, or relative to the working folder
  std::string cert, key, client_ca;                 // inline PEM, where given instead
  ClientAuth client_auth = ClientAuth::kNone;
  std::vector<std::string> client_allowed_sans;
  std::string min_version = "TLS12", max_version;  // "TLS10" .. "TLS13"; "" is the newest
  std::vector<std::string> cipher_suites;          // Go's names, which are IANA's
  std::vector<std::string> curve_preferences;      // "CurveP256", "X25519", ...
  bool prefer_server_cipher_suites = true;
};

struct WebConfig {
  std::optional<TlsServerOptions> tls;
  std::map<std::string, std::string> users;  // name and bcrypt hash
  Headers headers;                           // sent with each response
};

// Strict: an unknown field, value or header is kInvalid with its place, and so are combinations
// that the toolkit refuses (a client CA without client_auth_type, half a key pair). `http2` is
// accepted both ways: clients agree on HTTP/1.1 by themselves. `rate_limit` is refused as
// unsupported. Relative paths are joined to the folder of `file`. Opens no file.
Result<WebConfig> ParseWebConfig(std::string_view text, const std::string& file);

// Reads and parses. "" gives the default: no TLS, no users.
Result<WebConfig> LoadWebConfig(const std::string& file);

}  // namespace skep::net

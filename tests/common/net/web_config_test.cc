#include "common/net/web_config.h"

#include <catch2/catch.hpp>
#include <string>

#include "common/net/password.h"

using skep::net::ClientAuth;
using skep::net::ParseWebConfig;
using skep::net::PasswordChecker;
using skep::net::WebConfig;

namespace {

// Of the password "test", at the lowest cost.
const std::string kHash = "$2y$04$K46U9wMffIaI0IEw2E1ib.PymLQOIJwQ8MzWfgsxGGkRAqhpd45n2";

std::string Refused(const std::string& text) {
  const skep::Result<WebConfig> config = ParseWebConfig(text, "/etc/web.yml");
  return config ? "accepted" : config.error().message();
}

}  // namespace

TEST_CASE("A whole web configuration file is read", "[net]") {
  const auto config = ParseWebConfig(
      "tls_server_config:\n  cert_file: server.crt\n  key_file: /abs/server.key\n"
      "  client_ca_file: ca.crt\n  client_auth_type: RequireAndVerifyClientCert\n"
      "  client_allowed_sans: [a.example]\n  min_version: TLS12\n  max_version: TLS13\n"
      "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256, "
      "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305]\n"
      "  curve_preferences: [X25519, CurveP256]\n  prefer_server_cipher_suites: false\n"
      "http_server_config:\n  http2: true\n  headers:\n    X-Frame-Options: deny\n"
      "basic_auth_users:\n  alice: " +
          kHash + "\n",
      "/etc/web.yml");
  REQUIRE(config);
  REQUIRE(config->tls);
  CHECK(config->tls->cert_file == "/etc/server.crt");
  CHECK(config->tls->key_file == "/abs/server.key");
  CHECK(config->tls->client_auth == ClientAuth::kRequireAndVerify);
  CHECK(config->tls->cipher_suites.size() == 3);
  CHECK(config->tls->curve_preferences.size() == 2);
  CHECK_FALSE(config->tls->prefer_server_cipher_suites);
  CHECK(config->headers == skep::net::Headers{{"X-Frame-Options", "deny"}});
  CHECK(config->users.at("alice") == kHash);
}

TEST_CASE("An empty web configuration file is no TLS and no users", "[net]") {
  for (const std::string text : {"", "tls_server_config: {}\n", "basic_auth_users:\n"}) {
    const auto config = ParseWebConfig(text, "w.yml");
    REQUIRE(config);
    CHECK_FALSE(config->tls);
    CHECK(config->users.empty());
  }
}

TEST_CASE("Bad web configuration is refused with its place", "[net]") {
  const std::string pair = "  cert_file: a\n  key_file: b\n";
  CHECK(Refused("tls_config: {}\n") ==
        "/etc/web.yml:1:1: field tls_config not found in web configuration");
  CHECK(Refused("tls_server_config:\n  cert_file: a\n").find("/etc/web.yml:2:3: one of key") == 0);
  CHECK(Refused("tls_server_config:\n" + pair + "  client_ca_file: c\n")
            .find("without a client_auth_type") != std::string::npos);
  CHECK(Refused("tls_server_config:\n" + pair + "  client_auth_type: Maybe\n")
            .find("/etc/web.yml:4:21: unknown client_auth_type \"Maybe\"") == 0);
  CHECK(
      Refused("tls_server_config:\n" + pair + "  min_version: SSL3\n").find("/etc/web.yml:4:16") ==
      0);
  CHECK(Refused("tls_server_config:\n" + pair + "  cipher_suites: [NOPE]\n")
            .find("/etc/web.yml:4:19") == 0);
  CHECK(
      Refused("tls_server_config:\n" + pair + "  cret: x\n").find("/etc/web.yml:4:3: field cret") ==
      0);
  CHECK(Refused("tls_server_config:\n" + pair + "  client_allowed_sans: [a]\n")
            .find("that verifies") != std::string::npos);
  CHECK(Refused("basic_auth_users:\n  a: secret\n").find("/etc/web.yml:2:6: expected the bcrypt") ==
        0);
  CHECK(
      Refused("http_server_config:\n  headers:\n    X-Own: 1\n").find("/etc/web.yml:3:5: header") ==
      0);
  CHECK(Refused("rate_limit: {burst: 1}\n").find("rate_limit is not supported") !=
        std::string::npos);
}

TEST_CASE("Passwords are checked against bcrypt hashes", "[net]") {
  PasswordChecker checker;
  const PasswordChecker::Users users = {{"alice", kHash}, {"", kHash}};
  CHECK(checker.Check(users, "Basic YWxpY2U6dGVzdA==") == "alice");  // alice:test
  CHECK(checker.Check(users, "basic YWxpY2U6dGVzdA==") == "alice");
  CHECK(checker.Check(users, "Basic OnRlc3Q=") == "");          // :test
  CHECK_FALSE(checker.Check(users, "Basic YWxpY2U6dGVzVA=="));  // alice:tesT
  CHECK_FALSE(checker.Check(users, "Basic YWxpY2U6dGVzdAB4"));  // alice:test\0x
  CHECK_FALSE(checker.Check(users, "Basic Ym9iOnRlc3Q="));      // bob:test
  for (const std::string bad :
       {"", "Basic", "Basic !!!!", "Basic YWxpY2U=", "Bearer YWxpY2U6dGVzdA=="}) {
    CAPTURE(bad);
    CHECK_FALSE(checker.Check(users, bad));
  }
}

#include "common/net/client_config.h"

#include <catch2/catch.hpp>
#include <string>

using skep::net::HttpClientOptions;
using skep::net::ReadHttpClientConfig;
using skep::yaml::Node;

namespace {

skep::Result<HttpClientOptions> Read(const std::string& text) {
  return ReadHttpClientConfig(*Node::Parse(text, "c.yml"), "/etc/skep");
}

std::string Refused(const std::string& text) {
  const auto options = Read(text);
  return options ? "accepted" : options.error().message();
}

}  // namespace

TEST_CASE("Prometheus's HTTP client configuration is read", "[net]") {
  const auto options = Read(
      "basic_auth: {username: u, password_file: p.txt}\n"
      "tls_config: {ca_file: ca.crt, cert: C, key: K, server_name: s, insecure_skip_verify: true, "
      "min_version: TLS13}\n"
      "proxy_url: http://proxy:3128\nno_proxy: localhost\nproxy_connect_header: {X-P: [a, b]}\n"
      "follow_redirects: false\nenable_http2: false\n"
      "http_headers:\n  X-A: {values: [1], secrets: [s], files: [f.txt]}\n");
  REQUIRE(options);
  CHECK(options->basic_auth->username == "u");
  CHECK(options->basic_auth->password_file == "/etc/skep/p.txt");
  CHECK(options->tls.ca_file == "/etc/skep/ca.crt");
  CHECK(options->tls.cert == "C");
  CHECK(options->tls.server_name == "s");
  CHECK(options->tls.insecure_skip_verify);
  CHECK(options->tls.min_version == "TLS13");
  CHECK(options->proxy_url == "http://proxy:3128");
  CHECK(options->proxy_headers == skep::net::Headers{{"X-P", "a"}, {"X-P", "b"}});
  CHECK_FALSE(options->follow_redirects);
  CHECK_FALSE(options->enable_http2);
  CHECK(options->headers == skep::net::Headers{{"X-A", "1"}, {"X-A", "s"}});
  CHECK(options->header_files == skep::net::Headers{{"X-A", "/etc/skep/f.txt"}});
}

TEST_CASE("Authorization is read in its newer and older form", "[net]") {
  const auto newer = Read("authorization: {credentials_file: token}\n");
  REQUIRE(newer);
  CHECK(newer->authorization->type == "Bearer");
  CHECK(newer->authorization->credentials_file == "/etc/skep/token");
  const auto older = Read("bearer_token: t\n");
  REQUIRE(older);
  CHECK(older->authorization->type == "Bearer");
  CHECK(older->authorization->credentials == "t");
  CHECK_FALSE(Read("")->authorization);
}

TEST_CASE("Files that a client configuration names are known with their place", "[net]") {
  const auto options = Read(
      "basic_auth: {username_file: u, password_file: p}\n"
      "tls_config: {ca_file: /ca, cert_file: c, key_file: k}\n"
      "http_headers: {X-A: {files: [f]}}\n");
  REQUIRE(options);
  std::string found;
  for (const skep::NamedFile& file : options->named_files) found += file.place + file.path + " ";
  CHECK(found ==
        "c.yml:1:29/etc/skep/u c.yml:1:47/etc/skep/p c.yml:2:23/ca c.yml:2:39/etc/skep/c "
        "c.yml:2:52/etc/skep/k c.yml:3:30/etc/skep/f ");
}

TEST_CASE("What would end a header or be no proxy is refused, and no secret shown", "[net]") {
  const std::string value = "line end or control byte in a header's value";
  CHECK(Refused("authorization: {credentials: \"a\\r\\nb\"}\n") == "c.yml:1:30: " + value);
  CHECK(Refused("authorization: {type: \"a\\nb\"}\n") == "c.yml:1:23: " + value);
  CHECK(Refused("bearer_token: \"a\\nb\"\n") == "c.yml:1:15: " + value);
  CHECK(Refused("http_headers: {X-A: {values: [\"a\\r\\nb\"]}}\n") == "c.yml:1:30: " + value);
  CHECK(Refused("http_headers: {X-A: {secrets: [\"a\\0b\"]}}\n") == "c.yml:1:31: " + value);
  CHECK(Refused("http_headers: {\"X A\": {values: [b]}}\n") ==
        "c.yml:1:16: \"X A\" is not a valid header name");
  CHECK(Refused("proxy_url: http://a\nproxy_connect_header: {X-A: [\"a\\nb\"]}\n") ==
        "c.yml:2:29: " + value);
  CHECK(Refused("authorization: {credentials: \"a\\tb\"}\n") == "accepted");
  for (const char* url : {"::x", "a b", "http://[::1", "/x", "localhost:80", "http://", "ftp://x",
                          "http://a:b", "http://a:99999", "\"http://a\\nb\""}) {
    CAPTURE(url);
    CHECK(Refused("proxy_url: " + std::string(url) + "\n").starts_with("c.yml:1:12: proxy URL: "));
  }
  for (const char* url : {"''", "http://u:p@h:1/", "socks5://a:1", "http://[::1]:3128"}) {
    CAPTURE(url);
    CHECK(Refused("proxy_url: " + std::string(url) + "\n") == "accepted");
  }
}

TEST_CASE("What is wrong or not supported is refused with its place", "[net]") {
  CHECK(Refused("oauth2: {client_id: x}\n") == "c.yml:1:9: oauth2 is not supported");
  CHECK(Refused("follow_redirects: true\nunknown: 1\n") ==
        "c.yml:2:1: field unknown not found in http_config");
  CHECK(Refused("basic_auth: {user: x}\n").find("c.yml:1:14: field user") == 0);
  CHECK(Refused("basic_auth: {username: x}\nbearer_token: y\n").find("at most one of") !=
        std::string::npos);
  CHECK(Refused("authorization: {type: Basic}\n").find("basic_auth instead") != std::string::npos);
  CHECK(Refused("tls_config: {cert_file: a}\n").find("needed both") != std::string::npos);
  CHECK(Refused("tls_config: {min_version: x}\n").find("unknown TLS version") != std::string::npos);
  CHECK(Refused("tls_config: {ca_ref: x}\n").find("ca_ref is not supported") != std::string::npos);
  CHECK(Refused("no_proxy: x\n").find("needs a proxy_url") != std::string::npos);
  CHECK(Refused("http_headers: {Authorization: {values: [x]}}\n").find("reserved") !=
        std::string::npos);
}

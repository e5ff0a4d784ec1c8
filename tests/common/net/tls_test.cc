#include <dlfcn.h>
#include <link.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <string>

#include "common/base/file.h"
#include "common/net/http_client.h"
#include "common/net/http_server.h"
#include "tests/support/certificates.h"
#include "tests/support/raw_client.h"
#include "tests/support/temp_folder.h"

using namespace skep::net;  // NOLINT
using skep::test::KeyPair;

namespace {

const std::string kLocal = "DNS:localhost,IP:127.0.0.1";

// Moves only when told, so that a test says when the server looks at its files again.
class HandClock final : public skep::Clock {
 public:
  skep::Timestamp Now() const override { return skep::FromMillis(0); }
  Steady SteadyNow() const override { return Steady(std::chrono::seconds(seconds)); }
  std::atomic<int> seconds{3600};
};

struct Setup {
  skep::test::TempFolder folder;
  KeyPair authority = skep::test::MakeAuthority("test authority");
  KeyPair server_pair = skep::test::MakeCertificate(authority, "server", kLocal);
  KeyPair client_pair = skep::test::MakeCertificate(authority, "client", "DNS:client.example");
  HandClock clock;
  std::unique_ptr<HttpServer> server;

  void Write(const std::string& name, const std::string& text) {
    REQUIRE(skep::WriteFileAtomic(folder.File(name), text));
  }

  skep::Status Start(const std::string& more_tls = "") {
    Write("server.crt", server_pair.cert);
    Write("server.key", server_pair.key);
    Write("ca.crt", authority.cert);
    Write("web.yml",
          "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n" + more_tls);
    server = std::make_unique<HttpServer>(clock, skep::Logger::Silent());
    server->Handle({"GET"}, "/", [](const HttpRequest& request) {
      return HttpResponse::Text(200, "hello " + request.remote_address);
    });
    HttpServerOptions options;
    options.addresses = {"127.0.0.1:0"};
    options.max_connections = 4;
    options.web_config_file = folder.File("web.yml");
    return server->Start(options);
  }

  HttpClientOptions Trusting() const {
    HttpClientOptions options;
    options.tls.ca = authority.cert;
    return options;
  }
  HttpClientOptions WithCertificate(const KeyPair& pair) const {
    HttpClientOptions options = Trusting();
    options.tls.cert = pair.cert;
    options.tls.key = pair.key;
    return options;
  }

  skep::Result<ClientResponse> Get(HttpClientOptions options) const {
    ClientRequest request;
    request.url = "https://" + server->addresses()[0] + "/";
    request.timeout = std::chrono::seconds(20);
    return (*HttpClient::Create(std::move(options)))->Send(request);
  }
};

}  // namespace

TEST_CASE("TLS works, whether or not libssl-dev is installed", "[net][tls]") {
  Setup setup;
  REQUIRE(setup.Start());
  CHECK(setup.server->scheme() == "https");
  const auto answer = setup.Get(setup.Trusting());
  REQUIRE(answer);
  CHECK(answer->body == "hello 127.0.0.1");
  // The name that civetweb opens leads to our own library, not to a link of the system's.
  for (const std::string name : {"libssl.so", "libcrypto.so"}) {
    void* handle = dlopen(name.c_str(), RTLD_LAZY | RTLD_NOLOAD);
    REQUIRE(handle != nullptr);
    link_map* loaded = nullptr;
    REQUIRE(dlinfo(handle, RTLD_DI_LINKMAP, &loaded) == 0);
    CHECK(std::string(loaded->l_name).find("/lib/skep/" + name) != std::string::npos);
    dlclose(handle);
  }
}

TEST_CASE("A client refuses a server that it has no reason to trust", "[net][tls]") {
  Setup setup;
  REQUIRE(setup.Start());
  const auto unknown = setup.Get({});
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind() == skep::ErrorKind::kUnavailable);
  HttpClientOptions skipping;
  skipping.tls.insecure_skip_verify = true;
  CHECK(setup.Get(skipping));
  HttpClientOptions other_name = setup.Trusting();
  other_name.tls.server_name = "elsewhere.example";
  CHECK_FALSE(setup.Get(other_name));
  other_name.tls.server_name = "localhost";
  CHECK(setup.Get(other_name));
  HttpClientOptions by_file;
  by_file.tls.ca_file = setup.folder.File("ca.crt");
  CHECK(setup.Get(by_file));
  by_file.tls.ca_file = setup.folder.File("none.crt");
  const auto missing = setup.Get(by_file);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind() == skep::ErrorKind::kInvalid);
}

TEST_CASE("Mutual TLS takes clients of the CA and no others", "[net][tls]") {
  Setup setup;
  REQUIRE(
      setup.Start("  client_ca_file: ca.crt\n  client_auth_type: RequireAndVerifyClientCert\n"));
  CHECK_FALSE(setup.Get(setup.Trusting()));
  const auto answer = setup.Get(setup.WithCertificate(setup.client_pair));
  REQUIRE(answer);
  CHECK(answer->body == "hello 127.0.0.1");
  const KeyPair stranger =
      skep::test::MakeCertificate(skep::test::MakeAuthority("other"), "client", "DNS:x");
  CHECK_FALSE(setup.Get(setup.WithCertificate(stranger)));
  // Still alive after the refusals.
  CHECK(setup.Get(setup.WithCertificate(setup.client_pair)));
}

TEST_CASE("Other kinds of client authentication", "[net][tls]") {
  const KeyPair stranger =
      skep::test::MakeCertificate(skep::test::MakeAuthority("other"), "client", "DNS:x");
  struct Case {
    std::string config;
    bool without, of_ca, of_stranger;
  };
  const std::string ca = "  client_ca_file: ca.crt\n";
  for (const Case& one : {
           Case{"  client_auth_type: RequestClientCert\n", true, true, true},
           Case{"  client_auth_type: RequireAnyClientCert\n", false, true, true},
           Case{ca + "  client_auth_type: VerifyClientCertIfGiven\n", true, true, false},
           Case{ca + "  client_auth_type: RequireAndVerifyClientCert\n"
                     "  client_allowed_sans: [client.example]\n",
                false, true, false},
           Case{ca + "  client_auth_type: RequireAndVerifyClientCert\n"
                     "  client_allowed_sans: [else.example]\n",
                false, false, false},
       }) {
    CAPTURE(one.config);
    Setup setup;
    REQUIRE(setup.Start(one.config));
    CHECK(setup.Get(setup.Trusting()).has_value() == one.without);
    CHECK(setup.Get(setup.WithCertificate(setup.client_pair)).has_value() == one.of_ca);
    CHECK(setup.Get(setup.WithCertificate(stranger)).has_value() == one.of_stranger);
  }
}

TEST_CASE("TLS versions and cipher suites are kept to", "[net][tls]") {
  Setup setup;
  REQUIRE(setup.Start("  min_version: TLS13\n"));
  HttpClientOptions old = setup.Trusting();
  old.tls.max_version = "TLS12";
  CHECK_FALSE(setup.Get(old));
  CHECK(setup.Get(setup.Trusting()));
  Setup limited;
  REQUIRE(
      limited.Start("  max_version: TLS12\n"
                    "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\n"));
  HttpClientOptions newest = limited.Trusting();
  newest.tls.min_version = "TLS13";
  CHECK_FALSE(limited.Get(newest));
  CHECK(limited.Get(limited.Trusting()));
}

TEST_CASE("A renewed certificate is served without a restart, a broken one is not", "[net][tls]") {
  Setup setup;
  REQUIRE(setup.Start());
  REQUIRE(setup.Get(setup.Trusting()));
  const KeyPair other_authority = skep::test::MakeAuthority("newer authority");
  const KeyPair renewed = skep::test::MakeCertificate(other_authority, "server", kLocal);
  HttpClientOptions trusting_newer;
  trusting_newer.tls.ca = other_authority.cert;
  setup.Write("server.key", "no key\n");
  setup.clock.seconds += 2;
  CHECK(setup.Get(setup.Trusting()));
  setup.Write("server.crt", renewed.cert);
  setup.Write("server.key", renewed.key);
  setup.clock.seconds += 2;
  CHECK_FALSE(setup.Get(setup.Trusting()));
  CHECK(setup.Get(trusting_newer));
}

TEST_CASE("Certificates that cannot be used keep the server from starting", "[net][tls]") {
  Setup setup;
  setup.server_pair.key = setup.client_pair.key;
  const skep::Status mismatch = setup.Start();
  REQUIRE_FALSE(mismatch);
  CHECK(mismatch.error().message().find("server.key: ") != std::string::npos);
  setup.server_pair.cert = "nothing\n";
  const skep::Status empty = setup.Start();
  REQUIRE_FALSE(empty);
  CHECK(empty.error().message().find("server.crt: ") != std::string::npos);
}

TEST_CASE("Plain HTTP and garbage on a TLS port hurt nobody else", "[net][tls]") {
  Setup setup;
  REQUIRE(setup.Start());
  skep::test::RawClient plain(setup.server->addresses()[0]);
  plain.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(plain.ReadAll().find("hello") == std::string::npos);
  CHECK(setup.Get(setup.Trusting()));
}

TEST_CASE("Clients that stop within the TLS handshake do not keep others waiting", "[net][tls]") {
  Setup setup;
  REQUIRE(setup.Start());
  // A record of 64 bytes that begins a client's hello of 10,000: the library waits for the rest.
  std::string begun(69, 'x');
  begun.replace(0, 11, "\x16\x03\x01\x00\x40\x01\x00\x27\x10\x03\x03", 11);
  std::vector<std::unique_ptr<skep::test::RawClient>> slow;
  for (int i = 0; i < 30; ++i) {
    slow.push_back(std::make_unique<skep::test::RawClient>(setup.server->addresses()[0]));
    const std::size_t sent = i % 3 == 0 ? 0 : i % 3 == 1 ? 20 : begun.size();
    slow.back()->Send(begun.substr(0, sent));
  }
  const skep::Result<ClientResponse> answer = setup.Get(setup.Trusting());
  REQUIRE(answer);
  CHECK(answer->body == "hello 127.0.0.1");
  // Handshakes that fail give their threads back.
  for (int i = 0; i < 20; ++i) {
    skep::test::RawClient garbage(setup.server->addresses()[0]);
    garbage.Send("GET / HTTP/1.1\r\n\r\n");
    (void)garbage.ReadAll();
  }
  CHECK(setup.Get(setup.Trusting()));
}

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "../../support/raw_client.h"
#include "common/net/http_server.h"

namespace skep::net {

TEST_CASE("A client that begins HTTP/2 is told of and refused", "[net]") {
  const SystemClock clock;
  HttpServer server(clock, Logger::Silent());
  std::vector<std::string> peers;
  server.OnHttp2([&peers](const std::string& peer) { peers.push_back(peer); });
  server.Handle({"GET"}, "/", [](const HttpRequest&) { return HttpResponse::Text(200, "root"); });
  HttpServerOptions options;
  options.addresses = {"127.0.0.1:0"};
  REQUIRE(server.Start(options));
  const auto ask = [&](const char* bytes) {
    test::RawClient client(server.addresses().front());
    client.Send(bytes);
    return client.ReadAll();
  };
  CHECK(ask("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").starts_with("HTTP/1.1 400 "));
  CHECK(ask("PRI /x HTTP/2.0\r\n\r\n").starts_with("HTTP/1.1 4"));
  CHECK(ask("garbage\r\n\r\n").starts_with("HTTP/1.1 4"));
  CHECK(ask("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").ends_with("root"));
  server.Stop(std::chrono::milliseconds{0});
  CHECK(peers == std::vector<std::string>{"127.0.0.1"});
}

}  // namespace skep::net

#include <catch2/catch.hpp>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/net/http_client.h"
#include "common/net/http_server.h"
#include "tests/support/raw_client.h"

using namespace skep::net;  // NOLINT
using skep::test::RawClient;

namespace {

// Pieces as long as the client takes them.
HttpResponse Endless(const HttpRequest&) {
  HttpResponse response;
  response.stream = [](const auto& write) {
    const std::string piece(1UL << 20, 'x');
    while (write(piece)) {
    }
  };
  return response;
}

// /page as a scrape has it, /push with a body, /endless whose answer never ends.
struct Served {
  explicit Served(HttpServerOptions options = {}) : server(clock, skep::Logger::Silent()) {
    options.addresses = {"127.0.0.1:0", "[::1]:0"};
    options.max_connections = 8;
    server.Handle({"GET"}, "/page",
                  [](const HttpRequest&) { return HttpResponse::Text(200, "page"); });
    server.Handle({"POST"}, "/push",
                  [](const HttpRequest& r) { return HttpResponse::Text(200, r.body); });
    server.Handle({"GET"}, "/endless", Endless);
    server.Handle({"GET"}, "/paused", [this](const HttpRequest&) {
      HttpResponse response;
      response.stream = [this](const auto& write) {
        write("begun,");
        resumed.wait();
        write("ended");
      };
      return response;
    });
    REQUIRE(server.Start(options));
  }

  std::string Scrape(std::size_t address = 0) const {
    ClientRequest request;
    request.url = "http://" + server.addresses()[address] + "/page";
    request.timeout = std::chrono::seconds(20);
    const skep::Result<ClientResponse> response = (*HttpClient::Create({}))->Send(request);
    return response ? response->body : response.error().message();
  }

  skep::SystemClock clock;
  std::latch resumed{1};  // what /paused waits for in the middle
  HttpServer server;
};

std::vector<std::unique_ptr<RawClient>> Connect(const Served& served, std::size_t count,
                                                const std::string& bytes) {
  std::vector<std::unique_ptr<RawClient>> clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<RawClient>(served.server.addresses()[i % 2]));
    clients.back()->Send(bytes);
  }
  return clients;
}

constexpr const char* kEndless = "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr const char* kHalfBody =
    "POST /push HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf";

}  // namespace

// There are several times as many slow clients as threads, over both families, and none of the
// timeouts (10 s, 30 s, 75 s) is near.

TEST_CASE("Clients that say nothing, or half a head, do not keep a scrape waiting", "[net]") {
  for (const std::string bytes : {"", "GET /page HTT", "GET /page HTTP/1.1\r\nHost: x\r\n"}) {
    CAPTURE(bytes);
    const Served served;
    const auto slow = Connect(served, 200, bytes);
    CHECK(served.Scrape(0) == "page");
    CHECK(served.Scrape(1) == "page");
    // They were not harmed: there is room for them.
    CHECK(served.server.counts().ended_crowded == 0);
    slow.back()->Send(std::string("GET /page HTTP/1.1\r\nHost: x\r\n\r\n").substr(bytes.size()));
    CHECK(slow.back()->ReadResponse().find("200 OK") != std::string::npos);
  }
}

TEST_CASE("Clients that send half a body do not keep a scrape waiting", "[net]") {
  const Served served;
  const auto slow = Connect(served, 200, kHalfBody);
  CHECK(served.Scrape(0) == "page");
  CHECK(served.Scrape(1) == "page");
}

TEST_CASE("Half bodies make room for whole ones", "[net]") {
  const Served served;
  const auto slow = Connect(served, 12, kHalfBody);
  RawClient good(served.server.addresses()[0]);
  good.Send("POST /push HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody");
  CHECK(good.ReadResponse().find("200 OK") != std::string::npos);
  CHECK(served.server.counts().ended_crowded > 0);
}

TEST_CASE("Connections that are kept and idle make room for others", "[net]") {
  const Served served;
  std::vector<std::unique_ptr<RawClient>> kept;
  for (int i = 0; i < 40; ++i) {
    kept.push_back(std::make_unique<RawClient>(served.server.addresses()[0]));
    kept.back()->Send("GET /page HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(kept.back()->ReadResponse().find("200 OK") != std::string::npos);
  }
  CHECK(served.Scrape() == "page");
}

TEST_CASE("Clients that do not read their answer do not keep a scrape waiting for long", "[net]") {
  HttpServerOptions options;
  options.send_patience = std::chrono::milliseconds(20);
  const Served served(options);
  const auto slow = Connect(served, 40, kEndless);
  CHECK(served.Scrape(0) == "page");
  CHECK(served.Scrape(1) == "page");
  CHECK(served.server.counts().ended_crowded > 0);
  CHECK(served.server.counts().ended_timeout == 0);
}

TEST_CASE("A client that waits for its answer is not one that does not read it", "[net]") {
  HttpServerOptions options;
  options.send_patience = std::chrono::milliseconds(20);
  Served served(options);
  RawClient waiting(served.server.addresses()[0]);
  waiting.Send("GET /paused HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  while (served.server.counts().requests == 0) std::this_thread::yield();
  const auto slow = Connect(served, 20, kEndless);
  CHECK(served.Scrape() == "page");  // others had to go, though they came later
  served.resumed.count_down();
  CHECK(waiting.ReadAll().ends_with("begun,ended"));
}

TEST_CASE("A head or a body that does not come is given up after its timeout", "[net]") {
  HttpServerOptions options;
  options.head_timeout = std::chrono::milliseconds(50);
  options.request_timeout = std::chrono::milliseconds(100);
  const Served served(options);
  RawClient head(served.server.addresses()[0]);
  head.Send("GET /pa");
  CHECK(head.ReadAll().empty());
  CHECK(served.server.counts().ended_timeout == 1);
  RawClient body(served.server.addresses()[1]);
  body.Send(kHalfBody);
  CHECK(body.ReadAll().find("HTTP/1.1 408 ") == 0);
  CHECK(served.server.counts().ended_timeout == 2);
}

TEST_CASE("More silent clients than the lobby holds cost the oldest of them", "[net]") {
  const Served served;
  const auto silent = Connect(served, 300, "");
  CHECK(served.Scrape() == "page");
  CHECK(served.server.counts().ended_crowded >= 44);
  CHECK(silent.front()->ReadAll().empty());
}

TEST_CASE("Handlers know IPv6 peers, also when many come at once", "[net]") {
  const skep::SystemClock clock;
  HttpServer server(clock, skep::Logger::Silent());
  server.Handle({"GET"}, "/", [](const HttpRequest& request) {
    return HttpResponse::Text(200, request.remote_address);
  });
  HttpServerOptions options;
  options.addresses = {"[::1]:0"};
  REQUIRE(server.Start(options));
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.addresses()[0]));
  }
  for (const auto& client : clients) client->Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  for (const auto& client : clients) {
    CHECK(client->ReadResponse().ends_with("\r\n\r\n::1"));
  }
}

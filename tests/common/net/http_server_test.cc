#include "common/net/http_server.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/base/file.h"
#include "common/net/gzip.h"
#include "common/net/http_client.h"
#include "common/net/reload_handler.h"
#include "tests/support/raw_client.h"
#include "tests/support/temp_folder.h"

using namespace skep::net;  // NOLINT
using skep::test::RawClient;

namespace {

constexpr std::chrono::milliseconds kLong{20'000};

// A server with a few routes on a free port.
struct Served {
  explicit Served(HttpServerOptions options = {}) : server(clock, skep::Logger::Silent()) {
    if (options.addresses.empty()) options.addresses = {"127.0.0.1:0"};
    options.max_connections = std::min(options.max_connections, 16);
    server.Handle({"GET"}, "/", [](const HttpRequest&) { return HttpResponse::Text(200, "root"); });
    server.Handle({"GET", "POST"}, "/echo", [](const HttpRequest& request) {
      std::string text = request.method + "|" + request.body + "|";
      for (const auto& [key, value] : request.parameters) text += key + "=" + value + ";";
      return HttpResponse::Text(200, text + "|" + request.remote_address + "|" + request.user);
    });
    server.Handle({"GET"}, "/tree/*",
                  [](const HttpRequest& request) { return HttpResponse::Text(200, request.path); });
    server.Handle({"GET"}, "/large", [](const HttpRequest&) {
      return HttpResponse::Text(200, std::string(5'000'000, 'x'));
    });
    server.Handle({"GET"}, "/throw", [](const HttpRequest&) -> HttpResponse {
      throw std::runtime_error("deliberate");
    });
    server.Handle({"GET"}, "/stream", [](const HttpRequest&) {
      HttpResponse response;
      response.stream = [](const auto& write) {
        for (int i = 0; i < 1000; ++i) {
          if (!write("piece " + std::to_string(i) + "\n")) return;
        }
      };
      return response;
    });
    server.Handle({"GET"}, "/wait", [this](const HttpRequest& request) {
      ++waiting;
      while (!request.client_gone() && !released) std::this_thread::yield();
      const bool gone = request.client_gone();
      if (gone) ++gone_count;
      return HttpResponse::Text(200, gone ? "gone" : "released");
    });
    started = server.Start(options);
  }

  std::string address(std::size_t i = 0) const { return server.addresses().at(i); }
  std::string url(const std::string& path) const {
    return std::string(server.scheme()) + "://" + address() + path;
  }

  skep::SystemClock clock;
  std::atomic<int> waiting{0};
  std::atomic<int> gone_count{0};
  std::atomic<bool> released{false};
  HttpServer server;
  skep::Status started;
};

std::unique_ptr<HttpClient> Client(HttpClientOptions options = {}) {
  return std::move(*HttpClient::Create(std::move(options)));
}

ClientResponse Get(const std::string& url, Headers headers = {}) {
  ClientRequest request;
  request.url = url;
  request.headers = std::move(headers);
  request.timeout = kLong;
  skep::Result<ClientResponse> response = Client()->Send(request);
  if (!response) throw std::runtime_error(response.error().message());
  return *response;
}

std::string Raw(const Served& served, const std::string& bytes) {
  RawClient client(served.address());
  client.Send(bytes);
  return client.ReadAll();
}

void WaitFor(const std::atomic<int>& value, int wanted) {
  while (value < wanted) std::this_thread::yield();
}

}  // namespace

TEST_CASE("Requests reach their handler with path, parameters and body", "[net]") {
  Served served;
  REQUIRE(served.started);
  CHECK(Get(served.url("/")).body == "root");
  CHECK(Get(served.url("/echo?a=1&b=x%20y")).body == "GET||a=1;b=x y;|127.0.0.1|");
  CHECK(Get(served.url("/tree/a%2Fb/..%20c")).body == "/tree/a/b/.. c");
  ClientRequest post;
  post.method = "POST";
  post.url = served.url("/echo?c=3");
  post.body = "a=1&b=2";
  post.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  const auto answer = Client()->Send(post);
  REQUIRE(answer);
  CHECK(answer->body == "POST|a=1&b=2|a=1;b=2;c=3;|127.0.0.1|");
  post.headers = {{"Content-Type", "application/json"}};
  CHECK(Client()->Send(post)->body == "POST|a=1&b=2|c=3;|127.0.0.1|");
}

TEST_CASE("Unknown paths are 404, known ones with another method 405", "[net]") {
  Served served;
  const ClientResponse missing = Get(served.url("/nothing"));
  CHECK(missing.status == 404);
  CHECK(missing.body == "404 page not found\n");
  CHECK(Get(served.url("/tree/")).status == 404);
  const std::string refused =
      Raw(served, "DELETE /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(refused.find("HTTP/1.1 405 ") == 0);
  CHECK(refused.find("Allow: GET, HEAD, POST\r\n") != std::string::npos);
}

TEST_CASE("HEAD has the head of GET and no body", "[net]") {
  Served served;
  const std::string answer =
      Raw(served, "HEAD /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(answer.find("HTTP/1.1 200 OK\r\n") == 0);
  CHECK(answer.find("Content-Length: 5000000\r\n") != std::string::npos);
  CHECK(answer.ends_with("\r\n\r\n"));
  ClientRequest head;
  head.method = "HEAD";
  head.url = served.url("/stream");
  const auto response = Client()->Send(head);
  REQUIRE(response);
  CHECK(response->status == 200);
  CHECK(response->body.empty());
}

TEST_CASE("Bodies are gzipped where the client takes it", "[net]") {
  Served served;
  const std::string raw = Raw(served,
                              "GET /large HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n"
                              "Connection: close\r\n\r\n");
  CHECK(raw.find("Content-Encoding: gzip\r\n") != std::string::npos);
  CHECK(raw.find("Vary: Accept-Encoding\r\n") != std::string::npos);
  const std::string body = raw.substr(raw.find("\r\n\r\n") + 4);
  CHECK(body.size() < 100'000);
  CHECK(*Gunzip(body, 6'000'000) == std::string(5'000'000, 'x'));
  const std::string plain =
      Raw(served, "GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(plain.find("Content-Encoding") == std::string::npos);
  CHECK(plain.size() > 5'000'000);
  CHECK(Get(served.url("/")).Header("Content-Encoding").empty());
}

TEST_CASE("Streams arrive whole: chunked, gzipped, and to an HTTP/1.0 client", "[net]") {
  Served served;
  std::string expected;
  for (int i = 0; i < 1000; ++i) expected += "piece " + std::to_string(i) + "\n";
  CHECK(Get(served.url("/stream")).body == expected);
  CHECK(Get(served.url("/stream"), {{"Accept-Encoding", "identity"}}).body == expected);
  const std::string old = Raw(served, "GET /stream HTTP/1.0\r\n\r\n");
  CHECK(old.substr(old.find("\r\n\r\n") + 4) == expected);
  CHECK(old.find("chunked") == std::string::npos);
}

TEST_CASE("A gzipped body in chunks is unpacked", "[net]") {
  Served served;
  GzipWriter writer;
  std::string packed;
  writer.Finish(std::string(200'000, 'y'), packed);
  char size[16];
  std::snprintf(size, sizeof(size), "%zx", packed.size() - 10);
  const std::string answer = Raw(
      served,
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n"
      "Connection: close\r\n\r\n" +
          std::string(size) + "\r\n" + packed.substr(0, packed.size() - 10) + "\r\na\r\n" +
          packed.substr(packed.size() - 10) + "\r\n0\r\n\r\n");
  CHECK(answer.find("POST|" + std::string(200'000, 'y') + "|") != std::string::npos);
}

TEST_CASE("A body that cannot be read is answered in the form of its path", "[net]") {
  const skep::SystemClock clock;
  HttpServer server(clock, skep::Logger::Silent());
  const auto never = [](const HttpRequest&) { return HttpResponse::Text(200, "handled"); };
  server.Handle({"POST"}, "/own", never);
  server.Handle({"POST"}, "/plain", never);
  server.OnUnreadable("/own", [](const HttpRequest& request, HttpResponse plain) {
    return HttpResponse::Json(plain.status, "{\"own\":\"" + request.path + request.body + "\"}");
  });
  HttpServerOptions options;
  options.addresses = {"127.0.0.1:0"};
  options.route_prefix = "/skep";
  options.max_body_bytes = 1000;
  REQUIRE(server.Start(options));
  const auto post = [&](const std::string& path, const std::string& rest) {
    RawClient client(server.addresses()[0]);
    client.Send("POST /skep" + path + " HTTP/1.1\r\nHost: x\r\n" + rest);
    return client.ReadResponse();
  };
  const std::string gzip = "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nbody";
  const std::string chunk = "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\nzz\r\nbody\r\n";
  const std::string large = "Content-Length: 1001\r\n\r\n";
  for (const auto& [rest, status] :
       {std::pair(gzip, "400"), std::pair(chunk, "400"), std::pair(large, "413")}) {
    CAPTURE(rest);
    const std::string own = post("/own", rest);
    CHECK(own.find(std::string("HTTP/1.1 ") + status) == 0);
    CHECK(own.ends_with("{\"own\":\"/own\"}"));
    CHECK(post("/plain", rest).find(std::string("HTTP/1.1 ") + status) == 0);
  }
  CHECK(server.counts().refused_malformed == 4);
  CHECK(server.counts().refused_too_large == 2);
}

TEST_CASE("Bodies over the limit answer 413, also packed or in chunks", "[net]") {
  HttpServerOptions options;
  options.max_body_bytes = 100'000;
  Served served(options);
  const std::string head = "POST /echo HTTP/1.1\r\nHost: x\r\n";
  CHECK(Raw(served, head + "Content-Length: 10000000000\r\n\r\n").find("HTTP/1.1 413 ") == 0);
  CHECK(Raw(served, head + "Transfer-Encoding: chunked\r\n\r\n1adb0\r\n" +
                        std::string(0x1adb0, 'z') + "\r\n0\r\n\r\n")
            .find("HTTP/1.1 413 ") == 0);
  GzipWriter writer;
  std::string bomb;
  writer.Finish(std::string(50'000'000, 'y'), bomb);
  CHECK(Raw(served, head + "Content-Encoding: gzip\r\nContent-Length: " +
                        std::to_string(bomb.size()) + "\r\n\r\n" + bomb)
            .find("HTTP/1.1 413 ") == 0);
  CHECK(served.server.counts().refused_too_large == 3);
  CHECK(Raw(served, head + "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd")
            .find("HTTP/1.1 400 ") == 0);
  CHECK(Get(served.url("/")).body == "root");
}

TEST_CASE("Garbage and endless heads are refused and hurt nobody else", "[net]") {
  HttpServerOptions options;
  options.max_header_bytes = 16'384;
  Served served(options);
  CHECK(Raw(served, "\x16\x03\x01 nonsense\r\n\r\n").find("200 OK") == std::string::npos);
  CHECK(Raw(served, "GET\r\n\r\n").find("HTTP/1.1 400 ") == 0);
  CHECK(Raw(served, "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(100'000, 'a') + "\r\n\r\n")
            .find("HTTP/1.1 431 ") == 0);
  CHECK(Raw(served,
            "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
            "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
            .find("HTTP/1.1 200 ") == std::string::npos);
  CHECK(Raw(served, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
            .find("HTTP/1.1 200 ") == std::string::npos);
  CHECK(served.server.counts().refused_too_large == 1);
  CHECK(served.server.counts().refused_malformed >= 2);
  CHECK(Get(served.url("/")).body == "root");
}

TEST_CASE("A Content-Length that is no number is refused", "[net]") {
  Served served;
  const std::string head = "POST /echo HTTP/1.1\r\nHost: x\r\n";
  for (const char* length :
       {"Content-Length: abc\r\n", "Content-Length: 3abc\r\n", "Content-Length: +3\r\n",
        "Content-Length: -1\r\n", "Content-Length: \r\n",
        "Content-Length: 99999999999999999999\r\n", "Content-Length: 3\r\nContent-Length: 4\r\n"}) {
    CAPTURE(length);
    CHECK(Raw(served, head + length + "\r\nabc").find("HTTP/1.1 400 ") == 0);
  }
  CHECK(served.server.counts().refused_malformed == 7);
  CHECK(Raw(served, head + "Content-Length: 3\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc")
            .find("HTTP/1.1 200 ") == 0);
}

TEST_CASE("Targets in absolute form and the asterisk are answered", "[net]") {
  Served served;
  const auto ask = [&](const std::string& line, const std::string& more = "") {
    return Raw(served, line + " HTTP/1.1\r\nHost: x\r\n" + more + "\r\n");
  };
  const std::string echo = ask("GET http://example.com/echo?a=b%20c");
  CHECK(echo.find("HTTP/1.1 200 ") == 0);
  CHECK(echo.find("\r\n\r\nGET||a=b c;|127.0.0.1|") != std::string::npos);
  for (const char* bare :
       {"GET http://example.com", "GET HTTPS://example.com", "GET http://a:80"}) {
    CAPTURE(bare);
    const std::string root = ask(bare);
    CHECK(root.find("HTTP/1.1 200 ") == 0);
    CHECK(root.ends_with("\r\n\r\nroot"));
  }
  CHECK(ask("HEAD http://example.com/large").find("Content-Length: 5000000\r\n") !=
        std::string::npos);
  CHECK(ask("GET http://example.com/none").find("HTTP/1.1 404 ") == 0);
  CHECK(ask("DELETE http://example.com/echo").find("HTTP/1.1 405 ") == 0);
  CHECK(ask("POST http://example.com/echo", "Content-Length: 1\r\n").find("HTTP/1.1 400 ") == 0);
  CHECK(ask("OPTIONS *").find("HTTP/1.1 200 ") == 0);
  CHECK(ask("GET *").find("HTTP/1.1 404 ") == 0);
  // Behind another request of the same connection.
  const std::string two = Raw(served,
                              "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
                              "GET http://x/tree/a HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(two.find("root") < two.find("/tree/a"));
  CHECK(two.find("/tree/a") != std::string::npos);
}

TEST_CASE("Reload is answered by its outcome, and forbidden where there is none", "[net]") {
  const HttpRequest request;
  CHECK(skep::net::ReloadHandler(nullptr)(request).status == 403);
  CHECK(skep::net::ReloadHandler([] { return skep::Status(); })(request).status == 200);
  const HttpResponse failed =
      skep::net::ReloadHandler([] { return skep::Status(skep::Invalid("line 3")); })(request);
  CHECK(failed.status == 500);
  CHECK(failed.body == "failed to reload config: line 3\n");
}

TEST_CASE("The counts of the server are named for a metrics page, families together", "[net]") {
  Served served;
  CHECK(Get(served.url("/none")).status == 404);
  CHECK(Get(served.url("/throw")).status == 500);
  CHECK(Raw(served, "GET\r\n\r\n").find("HTTP/1.1 400 ") == 0);
  std::string listed;
  for (const auto& each : served.server.counts().List()) {
    if (each.name == "http_server_connections") continue;
    listed += std::string(each.name) + "{" + std::string(each.reason) + "} " +
              std::to_string(each.value) + "\n";
  }
  CHECK(listed ==
        "http_server_requests_total{} 2\nhttp_server_handler_failures_total{} 1\n"
        "http_server_requests_refused_total{malformed} 1\n"
        "http_server_requests_refused_total{too_large} 0\n"
        "http_server_requests_refused_total{unauthorized} 0\n"
        "http_server_connections_ended_total{crowded} 0\n"
        "http_server_connections_ended_total{timeout} 0\n");
}

TEST_CASE("More connections than the server can hold are refused at the start", "[net]") {
  const skep::SystemClock clock;
  skep::net::HttpServer server(clock, skep::Logger::Silent());
  HttpServerOptions options;
  options.addresses = {"127.0.0.1:0"};
  options.max_connections = skep::net::kMostConnections + 1;
  const skep::Status started = server.Start(options);
  REQUIRE_FALSE(started);
  CHECK(started.error().message().find("at most 1024 connections") == 0);
}

TEST_CASE("A body that does not arrive in time is given up", "[net]") {
  HttpServerOptions options;
  options.request_timeout = std::chrono::milliseconds(200);
  Served served(options);
  RawClient client(served.address());
  client.Send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
  std::atomic<bool> closed{false};
  // A byte now and then keeps civetweb's own timeout from ever being reached.
  std::jthread dripper([&] {
    while (!closed && client.Send("x")) std::this_thread::yield();
  });
  const std::string answer = client.ReadAll();
  closed = true;
  CHECK((answer.empty() || answer.find("HTTP/1.1 408 ") == 0));
  RawClient silent(served.address());
  silent.Send("GET / HT");
  CHECK(silent.ReadAll().find("200 OK") == std::string::npos);
  CHECK(Get(served.url("/")).body == "root");
}

TEST_CASE("A connection serves several requests, also when bodies came in chunks", "[net]") {
  Served served;
  RawClient client(served.address());
  client.Send("GET /echo?a=1 HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(client.ReadResponse().find("GET||a=1;") != std::string::npos);
  client.Send(
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n0\r\n\r\n");
  CHECK(client.ReadResponse().find("POST|abc|") != std::string::npos);
  client.Send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\ndef");
  CHECK(client.ReadResponse().find("POST|def|") != std::string::npos);
  client.Send("GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(client.ReadAll().find("Connection: close\r\n") != std::string::npos);
}

TEST_CASE("Expect: 100-continue is answered before the body is sent", "[net]") {
  Served served;
  RawClient client(served.address());
  client.Send(
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  CHECK(client.ReadResponse().find("HTTP/1.1 100 ") == 0);
  client.Send("hi");
  CHECK(client.ReadResponse().find("POST|hi|") != std::string::npos);
}

TEST_CASE("What a handler throws is counted and answered with 500", "[net]") {
  Served served;
  CHECK(Get(served.url("/throw")).status == 500);
  CHECK(served.server.counts().handler_failures == 1);
}

TEST_CASE("A route prefix is stripped, other paths are unknown", "[net]") {
  HttpServerOptions options;
  options.route_prefix = "/skep/";
  Served served(options);
  CHECK(Get(served.url("/skep/tree/x")).body == "/tree/x");
  CHECK(Get(served.url("/skep")).body == "root");
  CHECK(Get(served.url("/skep/")).body == "root");
  CHECK(Get(served.url("/")).status == 404);
  CHECK(Get(served.url("/skeptic")).status == 404);
}

TEST_CASE("Several addresses are served, IPv6 too", "[net]") {
  HttpServerOptions options;
  options.addresses = {"127.0.0.1:0", "[::1]:0", ":0"};
  Served served(options);
  if (!served.started) {
    WARN("no IPv6 here: " << served.started.error().message());
    return;
  }
  REQUIRE(served.server.addresses().size() == 3);
  CHECK(served.address(1).find("[::1]:") == 0);
  CHECK(Get("http://" + served.address(1) + "/echo").body == "GET|||::1|");
  const std::string any = served.address(2);
  const std::string port = any.substr(any.rfind(':'));
  CHECK(Get("http://127.0.0.1" + port + "/echo").body == "GET|||127.0.0.1|");
  CHECK(Get("http://[::1]" + port + "/echo").body == "GET|||::1|");
}

TEST_CASE("Addresses that cannot be served are errors that name them", "[net]") {
  Served first;
  HttpServerOptions options;
  for (const std::string bad :
       {"127.0.0.1", "127.0.0.1:x", "::1:80", "[::1:80", "127.0.0.1:70000"}) {
    CAPTURE(bad);
    options.addresses = {bad};
    Served served(options);
    REQUIRE_FALSE(served.started);
    CHECK(served.started.error().kind() == skep::ErrorKind::kInvalid);
    CHECK(served.started.error().message().find(bad) != std::string::npos);
  }
  options.addresses = {first.address()};
  Served second(options);
  REQUIRE_FALSE(second.started);
  CHECK(second.started.error().kind() == skep::ErrorKind::kIo);
  CHECK(second.started.error().message().find(first.address()) != std::string::npos);
}

TEST_CASE("Many requests run at once", "[net]") {
  Served served;
  std::vector<std::future<std::string>> answers;
  for (int i = 0; i < 8; ++i) {
    answers.push_back(
        std::async(std::launch::async, [&] { return Get(served.url("/wait")).body; }));
  }
  WaitFor(served.waiting, 8);
  served.released = true;
  for (auto& answer : answers) CHECK(answer.get() == "released");
}

TEST_CASE("More clients than threads all get their answer", "[net]") {
  Served served;
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 60; ++i) {
    clients.push_back(std::make_unique<RawClient>(served.address()));
    clients.back()->Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  // The first ones' connections may be kept open; they must not starve the last ones.
  for (auto& client : clients) CHECK(client->ReadResponse().find("root") != std::string::npos);
}

TEST_CASE("Connections that ended no longer count against those that are kept", "[net]") {
  HttpServerOptions options;
  options.max_connections = 4;
  Served served(options);
  for (int i = 0; i < 12; ++i) {
    Raw(served, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  }
  // The server may still be closing the last ones when their client has seen the end.
  std::string answer;
  for (int i = 0; i < 1000 && answer.find("keep-alive") == std::string::npos; ++i) {
    RawClient client(served.address());
    client.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    answer = client.ReadResponse();
  }
  CHECK(answer.find("Connection: keep-alive") != std::string::npos);
}

TEST_CASE("A handler learns that its client has gone", "[net]") {
  Served served;
  {
    RawClient client(served.address());
    client.Send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    WaitFor(served.waiting, 1);
  }
  WaitFor(served.gone_count, 1);
  CHECK(Get(served.url("/")).body == "root");
}

TEST_CASE("Stop lets a running request end", "[net]") {
  Served served;
  auto answer = std::async(std::launch::async, [&] { return Get(served.url("/wait")).body; });
  WaitFor(served.waiting, 1);
  auto stop = std::async(std::launch::async, [&] { served.server.Stop(kLong); });
  served.released = true;
  CHECK(answer.get() == "released");
  stop.get();
  CHECK_THROWS(RawClient(served.address()));
}

TEST_CASE("Stop tells a request that does not end that its client is gone", "[net]") {
  Served served;
  RawClient client(served.address());
  client.Send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  WaitFor(served.waiting, 1);
  RawClient idle(served.address());
  served.server.Stop(std::chrono::milliseconds(1));
  CHECK(served.gone_count == 1);
  CHECK(idle.ReadAll().empty());
}

TEST_CASE("Users and headers of the web configuration hold, and follow the file", "[net]") {
  skep::test::TempFolder folder;
  // The password is "test".
  const std::string hash = "$2b$04$K46U9wMffIaI0IEw2E1ib.PymLQOIJwQ8MzWfgsxGGkRAqhpd45n2";
  const std::string file = folder.File("web.yml");
  REQUIRE(skep::WriteFileAtomic(file,
                                "basic_auth_users: {alice: " + hash +
                                    "}\nhttp_server_config: {headers: {X-Frame-Options: deny}}\n"));
  HttpServerOptions options;
  options.web_config_file = file;
  Served served(options);
  REQUIRE(served.started);
  const ClientResponse refused = Get(served.url("/echo"));
  CHECK(refused.status == 401);
  CHECK(refused.Header("WWW-Authenticate") == "Basic");
  CHECK(served.server.counts().refused_unauthorized == 1);
  HttpClientOptions alice;
  alice.basic_auth = HttpClientOptions::BasicAuth{"alice", "", "test", ""};
  ClientRequest request;
  request.url = served.url("/echo");
  const auto answer = Client(alice)->Send(request);
  REQUIRE(answer);
  CHECK(answer->body == "GET|||127.0.0.1|alice");
  CHECK(answer->Header("x-frame-options") == "deny");
}

TEST_CASE("A bad web configuration file keeps the server from starting", "[net]") {
  skep::test::TempFolder folder;
  REQUIRE(skep::WriteFileAtomic(folder.File("web.yml"), "a: 1\n"));
  HttpServerOptions options;
  options.web_config_file = folder.File("web.yml");
  Served served(options);
  REQUIRE_FALSE(served.started);
  CHECK(served.started.error().message() ==
        folder.File("web.yml") + ":1:1: field a not found in web configuration");
  options.web_config_file = folder.File("none.yml");
  CHECK_FALSE(Served(options).started);
}

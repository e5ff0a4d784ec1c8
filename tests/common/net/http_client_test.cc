#include "common/net/http_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <tuple>

#include "common/base/file.h"
#include "common/net/gzip.h"
#include "common/net/http_server.h"
#include "common/net/socket.h"
#include "tests/support/temp_folder.h"

using namespace skep::net;  // NOLINT
using skep::ErrorKind;

namespace {

// A server that tells what it got, redirects and hangs.
struct Echo {
  Echo() : server(clock, skep::Logger::Silent()) {
    const auto echo = [](const HttpRequest& request) {
      std::string text = request.method + "\n" + request.body + "\n";
      for (const auto& [name, value] : request.headers) text += name + ": " + value + "\n";
      return HttpResponse::Text(200, text);
    };
    server.Handle({"GET", "POST", "PUT", "DELETE"}, "/echo", echo);
    server.Handle({"GET", "POST"}, "/redirect", [](const HttpRequest& request) {
      return HttpResponse::Redirect(std::string(request.Parameter("to").value_or("/echo")));
    });
    server.Handle({"GET"}, "/large", [](const HttpRequest&) {
      return HttpResponse::Text(200, std::string(1'000'000, 'x'));
    });
    server.Handle({"POST"}, "/encoded", [](const HttpRequest& request) {
      HttpResponse response = HttpResponse::Text(200, request.body);
      response.headers.emplace_back("Content-Encoding", *request.Parameter("as"));
      return response;
    });
    server.Handle({"GET"}, "/hang", [this](const HttpRequest& request) {
      ++hanging;
      while (!request.client_gone()) std::this_thread::yield();
      return HttpResponse::Text(200, "");
    });
    server.Handle({"GET"}, "/teapot",
                  [](const HttpRequest&) { return HttpResponse::Text(418, "short and stout"); });
    HttpServerOptions options;
    options.addresses = {"127.0.0.1:0"};
    options.max_connections = 16;
    if (const auto started = server.Start(options); !started) {
      throw std::runtime_error(started.error().message());
    }
  }

  ClientRequest Request(const std::string& path) const {
    ClientRequest request;
    request.url = "http://" + server.addresses()[0] + path;
    request.timeout = std::chrono::seconds(20);
    return request;
  }

  skep::SystemClock clock;
  std::atomic<int> hanging{0};
  HttpServer server;
};

// Answers each connection with what it was asked, then closes it.
struct FakeProxy {
  FakeProxy() : listener((*ListenOn("127.0.0.1:0"))[0]), address(LocalAddress(listener)) {
    thread = std::jthread([this] {
      pollfd wait{listener, POLLIN, 0};
      while (poll(&wait, 1, -1) > 0 && !stopped) {
        const int fd = accept(listener, nullptr, nullptr);
        char head[4096];
        const ssize_t got = recv(fd, head, sizeof(head), 0);
        const std::string asked(head, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        const std::string answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " +
                                   std::to_string(asked.size()) + "\r\n\r\n" + asked;
        (void)send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
        close(fd);
      }
    });
  }
  ~FakeProxy() {
    stopped = true;
    shutdown(listener, SHUT_RD);
    thread.join();
    close(listener);
  }

  int listener;
  std::string address;
  std::atomic<bool> stopped{false};
  std::jthread thread;
};

std::unique_ptr<HttpClient> Client(HttpClientOptions options = {}) {
  return std::move(*HttpClient::Create(std::move(options)));
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("Methods, bodies and headers are sent as asked", "[net]") {
  Echo echo;
  HttpClientOptions options;
  options.user_agent = "skep/test";
  options.headers = {{"X-Fixed", "1"}};
  const auto client = Client(options);
  ClientRequest request = echo.Request("/echo");
  request.headers = {{"X-Own", "a b"}, {"X-Empty", ""}};
  const auto got = client->Send(request);
  REQUIRE(got);
  CHECK(got->status == 200);
  CHECK(got->body.starts_with("GET\n\n"));
  CHECK(Has(got->body, "User-Agent: skep/test\n"));
  CHECK(Has(got->body, "X-Fixed: 1\n"));
  CHECK(Has(got->body, "X-Own: a b\n"));
  CHECK(Has(got->body, "X-Empty: \n"));
  CHECK(got->Header("content-type") == "text/plain; charset=utf-8");
  for (const std::string method : {"POST", "PUT", "DELETE"}) {
    CAPTURE(method);
    request.method = method;
    request.body = std::string("{\"a\0b\":1}", 9);
    request.headers = {{"Content-Type", "application/json"}};
    const auto posted = client->Send(request);
    REQUIRE(posted);
    CHECK(posted->body.starts_with(method + "\n" + request.body + "\n"));
    CHECK(Has(posted->body, "Content-Type: application/json\n"));
  }
  request.method = "POST";
  request.body.clear();
  CHECK(client->Send(request)->body.starts_with("POST\n\n"));
}

TEST_CASE("Secrets are sent, from files too, and read anew at each request", "[net]") {
  Echo echo;
  skep::test::TempFolder folder;
  REQUIRE(skep::WriteFileAtomic(folder.File("secret"), "first\n"));
  HttpClientOptions bearer;
  bearer.authorization = HttpClientOptions::Authorization{"Bearer", "", folder.File("secret")};
  bearer.header_files = {{"X-Secret", folder.File("secret")}};
  const auto client = Client(bearer);
  const auto first = client->Send(echo.Request("/echo"));
  REQUIRE(first);
  CHECK(Has(first->body, "Authorization: Bearer first\n"));
  CHECK(Has(first->body, "X-Secret: first\n"));
  REQUIRE(skep::WriteFileAtomic(folder.File("secret"), "second"));
  CHECK(Has(client->Send(echo.Request("/echo"))->body, "Authorization: Bearer second\n"));
  REQUIRE(skep::WriteFileAtomic(folder.File("secret"), "two\nlines"));
  CHECK_FALSE(client->Send(echo.Request("/echo")));
  HttpClientOptions basic;
  basic.basic_auth = HttpClientOptions::BasicAuth{"alice", "", "", folder.File("password")};
  REQUIRE(skep::WriteFileAtomic(folder.File("password"), "s3:cret\n"));
  // base64 of alice:s3:cret
  CHECK(Has(Client(basic)->Send(echo.Request("/echo"))->body,
            "Authorization: Basic YWxpY2U6czM6Y3JldA==\n"));
  basic.basic_auth->password_file = folder.File("none");
  const auto missing = Client(basic)->Send(echo.Request("/echo"));
  REQUIRE_FALSE(missing);
  CHECK(Has(missing.error().message(), "password_file"));
}

TEST_CASE("Redirects are followed, without credentials to another host", "[net]") {
  Echo echo;
  Echo other;
  HttpClientOptions options;
  options.authorization = HttpClientOptions::Authorization{"Bearer", "token", ""};
  const auto same = Client(options)->Send(echo.Request("/redirect"));
  REQUIRE(same);
  CHECK(Has(same->body, "Authorization: Bearer token\n"));
  const std::string there = other.Request("/echo").url;
  const auto elsewhere =
      Client(options)->Send(echo.Request("/redirect?to=" + PercentEncode(there)));
  REQUIRE(elsewhere);
  CHECK(elsewhere->status == 200);
  CHECK_FALSE(Has(elsewhere->body, "Authorization"));
  CHECK_FALSE(Client()->Send(echo.Request("/redirect?to=file:///etc/passwd")));
  options.follow_redirects = false;
  const auto stopped = Client(options)->Send(echo.Request("/redirect"));
  REQUIRE(stopped);
  CHECK(stopped->status == 302);
  CHECK(stopped->Header("Location") == "/echo");
}

TEST_CASE("Any status is a success of the exchange", "[net]") {
  Echo echo;
  const auto answer = Client()->Send(echo.Request("/teapot"));
  REQUIRE(answer);
  CHECK(answer->status == 418);
  CHECK(answer->body == "short and stout");
}

TEST_CASE("The limit on the body counts after decompression", "[net]") {
  Echo echo;
  ClientRequest request = echo.Request("/large");
  CHECK(Client()->Send(request)->body.size() == 1'000'000);
  request.max_body_bytes = 1'000'000;
  CHECK(Client()->Send(request));
  request.max_body_bytes = 999'999;
  const auto refused = Client()->Send(request);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind() == ErrorKind::kInvalid);
  CHECK(refused.error().message() == "body larger than 999999 bytes");
}

TEST_CASE("A compressed body comes whole or not at all", "[net]") {
  Echo echo;
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "line " + std::to_string(i) + "\n";
  std::string whole;
  GzipWriter().Finish(text, whole);
  const auto client = Client();
  const auto answer = [&](const std::string& body, const std::string& encoding) {
    ClientRequest request = echo.Request("/encoded?as=" + encoding);
    request.method = "POST";
    request.body = body;
    return client->Send(request);
  };
  CHECK(answer(whole, "gzip")->body == text);
  CHECK(answer(whole + whole, "gzip")->body == text + text);
  CHECK(answer("plain", "identity")->body == "plain");
  const std::tuple<std::string, std::string, std::string> refused[] = {
      {whole.substr(0, whole.size() - 1), "gzip", "gzip: cut short"},
      {whole.substr(0, whole.size() / 2), "gzip", "gzip: cut short"},
      {"x 1\n", "gzip", "gzip: broken"},
      {whole + "x", "gzip", "gzip: cut short"},
      {"x 1\n", "br", "Content-Encoding \"br\", which was not asked for"},
  };
  for (const auto& [body, encoding, message] : refused) {
    CAPTURE(encoding, message);
    const auto broken = answer(body, encoding);
    REQUIRE_FALSE(broken);
    CHECK(broken.error().message() == message);
  }
}

TEST_CASE("A request that takes too long ends with kTimeout", "[net]") {
  Echo echo;
  ClientRequest request = echo.Request("/hang");
  request.timeout = std::chrono::milliseconds(50);
  const auto late = Client()->Send(request);
  REQUIRE_FALSE(late);
  CHECK(late.error().kind() == ErrorKind::kTimeout);
}

TEST_CASE("Cancel ends what is under way and what comes later", "[net]") {
  Echo echo;
  const auto client = Client();
  auto answer = std::async(std::launch::async, [&] { return client->Send(echo.Request("/hang")); });
  while (echo.hanging == 0) std::this_thread::yield();
  client->Cancel();
  const auto canceled = answer.get();
  REQUIRE_FALSE(canceled);
  CHECK(canceled.error().kind() == ErrorKind::kCanceled);
  CHECK(client->Send(echo.Request("/echo")).error().kind() == ErrorKind::kCanceled);
}

TEST_CASE("Errors of the network name no secret", "[net]") {
  std::string address;
  {
    Echo gone;
    address = gone.server.addresses()[0];
  }
  ClientRequest request;
  request.url = "http://user:hidden@" + address + "/services/T0/B0/token?key=hidden";
  const auto refused = Client()->Send(request);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind() == ErrorKind::kUnavailable);
  CHECK_FALSE(Has(refused.error().message(), "hidden"));
  CHECK_FALSE(Has(refused.error().message(), "token"));
  for (const std::string url :
       {"", "no url", "ftp://hidden/", "http://", "http://[::1", "file:///x"}) {
    CAPTURE(url);
    request.url = url;
    const auto bad = Client()->Send(request);
    REQUIRE_FALSE(bad);
    CHECK(bad.error().kind() == ErrorKind::kInvalid);
    CHECK_FALSE(Has(bad.error().message(), "hidden"));
  }
  request.url = "http://" + address + "/";
  request.headers = {{"X-A", "a\r\nX-B: b"}};
  CHECK(Client()->Send(request).error().kind() == ErrorKind::kInvalid);
}

TEST_CASE("Options that contradict each other are refused", "[net]") {
  HttpClientOptions options;
  options.basic_auth.emplace();
  options.authorization.emplace();
  CHECK_FALSE(HttpClient::Create(options));
  HttpClientOptions version;
  version.tls.min_version = "SSL3";
  CHECK_FALSE(HttpClient::Create(version));
}

TEST_CASE("A proxy of the configuration is used, one of the environment only when asked", "[net]") {
  FakeProxy proxy;
  HttpClientOptions options;
  options.proxy_url = "http://" + proxy.address;
  ClientRequest request;
  request.url = "http://target.invalid/echo";
  const auto through = Client(options)->Send(request);

  REQUIRE(through);
  CHECK(through->body.starts_with("GET http://target.invalid/echo HTTP/1.1\r\n"));
  options.no_proxy = "target.invalid";
  CHECK_FALSE(Client(options)->Send(request));
  setenv("http_proxy", options.proxy_url.c_str(), 1);
  CHECK_FALSE(Client()->Send(request));
  HttpClientOptions environment;
  environment.proxy_from_environment = true;
  CHECK(Client(environment)->Send(request));
  unsetenv("http_proxy");
}

#include "common/net/http_fetcher.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <future>
#include <stdexcept>
#include <string>

#include "common/net/http_server.h"
#include "tests/support/silent_listener.h"
#include "tests/support/temp_folder.h"

namespace skep::net {
namespace {

using Outcome = Result<ClientResponse>;

class Fixture {
 public:
  Fixture() : server_(clock_, Logger::Silent()) {
    server_.Handle({"GET"}, "/page", [](const HttpRequest& request) {
      return HttpResponse::Text(200, "hello " + std::string(request.Header("X-Name")));
    });
    server_.Handle({"GET"}, "/large", [](const HttpRequest&) {
      return HttpResponse::Text(200, std::string(100'000, 'x'));
    });
    // One byte more each time.
    server_.Handle({"GET"}, "/counted", [this](const HttpRequest&) {
      return HttpResponse::Text(200, std::string(++counted_, 'x'));
    });
    HttpServerOptions options;
    options.addresses = {"127.0.0.1:0"};
    REQUIRE(server_.Start(options));
    Result<std::unique_ptr<HttpFetcher>> fetcher = HttpFetcher::Create({});
    REQUIRE(fetcher);
    fetcher_ = *std::move(fetcher);
  }

  std::string Url(const std::string& path) const {
    return "http://" + server_.addresses().front() + path;
  }
  std::future<Outcome> Start(ClientRequest request) {
    auto promise = std::make_shared<std::promise<Outcome>>();
    fetcher_->Start(std::make_shared<HttpClientOptions>(), std::move(request),
                    [promise](Outcome outcome) { promise->set_value(std::move(outcome)); });
    return promise->get_future();
  }

  SystemClock clock_;
  std::atomic<std::size_t> counted_{0};
  HttpServer server_;
  std::unique_ptr<HttpFetcher> fetcher_;
};

TEST_CASE("Fetcher answers each request once", "[net]") {
  Fixture f;
  std::vector<std::future<Outcome>> outcomes;
  for (int i = 0; i < 50; ++i) {
    outcomes.push_back(
        f.Start({.url = f.Url("/page"), .headers = {{"X-Name", std::to_string(i)}}}));
  }
  for (int i = 0; i < 50; ++i) {
    const Outcome outcome = outcomes[static_cast<std::size_t>(i)].get();
    REQUIRE(outcome);
    CHECK(outcome->status == 200);
    CHECK(outcome->body == "hello " + std::to_string(i));
  }
}

TEST_CASE("A peer that hangs holds up nobody else", "[net]") {
  Fixture f;
  const test::SilentListener silent;
  std::vector<std::future<Outcome>> hanging;
  for (int i = 0; i < 200; ++i) {
    hanging.push_back(
        f.Start({.url = "http://" + silent.address() + "/", .timeout = std::chrono::hours(1)}));
  }
  CHECK(f.Start({.url = f.Url("/page")}).get().has_value());
  f.fetcher_.reset();
  for (auto& outcome : hanging) CHECK(outcome.get().error().kind() == ErrorKind::kCanceled);
}

TEST_CASE("What cannot be fetched is an error of its kind", "[net]") {
  Fixture f;
  const test::SilentListener silent;
  CHECK(
      f.Start({.url = "http://" + silent.address() + "/", .timeout = std::chrono::milliseconds(1)})
          .get()
          .error()
          .kind() == ErrorKind::kTimeout);
  CHECK(f.Start({.url = "http://127.0.0.1:1/"}).get().error().kind() == ErrorKind::kUnavailable);
  CHECK(f.Start({.url = "ftp://127.0.0.1/"}).get().error().kind() == ErrorKind::kInvalid);
  const Outcome large =
      f.Start({.url = f.Url("/large"), .max_body_bytes = 1000, .accept_compressed = false}).get();
  REQUIRE_FALSE(large);
  CHECK(large.error().message() == "body larger than 1000 bytes");
  CHECK(f.Start({.url = f.Url("/none")}).get()->status == 404);
}

TEST_CASE("Whoever takes a body decompresses it, not the thread of all connections", "[net]") {
  Fixture f;
  Outcome large = f.Start({.url = f.Url("/large"), .max_body_bytes = 1000}).get();
  REQUIRE(large);
  CHECK(large->body.size() < 1000);
  Outcome bounded = large;
  CHECK(Decompress(*bounded, 99'999).error().message() == "body larger than 99999 bytes");
  REQUIRE(Decompress(*large, 100'000));
  CHECK(large->body == std::string(100'000, 'x'));
}

Outcome Again(HttpFetcher& fetcher, const std::shared_ptr<RepeatedRequest>& request) {
  auto promise = std::make_shared<std::promise<Outcome>>();
  std::future<Outcome> outcome = promise->get_future();
  fetcher.Start(request, [promise](Outcome o) { promise->set_value(std::move(o)); });
  return outcome.get();
}

TEST_CASE("A request that is sent again brings what it brings now", "[net]") {
  Fixture f;
  const auto client = std::make_shared<HttpClientOptions>();
  const auto page = std::make_shared<RepeatedRequest>(
      client, ClientRequest{.url = f.Url("/counted"), .accept_compressed = false});
  const auto small = std::make_shared<RepeatedRequest>(
      client, ClientRequest{.url = f.Url("/counted"), .max_body_bytes = 3});
  for (int i = 1; i <= 3; ++i) {
    CAPTURE(i);
    const Outcome outcome = Again(*f.fetcher_, page);
    REQUIRE(outcome);
    CHECK(outcome->status == 200);
    CHECK(outcome->body == std::string(static_cast<std::size_t>(2 * i - 1), 'x'));
    CHECK(Again(*f.fetcher_, small).has_value() == (2 * i <= 3));
  }
  const auto bad =
      std::make_shared<RepeatedRequest>(client, ClientRequest{.url = "ftp://127.0.0.1/"});
  for (int i = 0; i < 2; ++i) {
    CHECK(Again(*f.fetcher_, bad).error().kind() == ErrorKind::kInvalid);
  }
}

TEST_CASE("A request that is sent again reads its secrets anew", "[net]") {
  Fixture f;
  const test::TempFolder folder;
  const auto client = std::make_shared<HttpClientOptions>();
  client->header_files = {{"X-Name", folder.path() + "/name"}};
  const auto request =
      std::make_shared<RepeatedRequest>(client, ClientRequest{.url = f.Url("/page")});
  CHECK_FALSE(Again(*f.fetcher_, request));
  for (const std::string name : {"one", "two"}) {
    REQUIRE(WriteFileAtomic(folder.path() + "/name", name));
    const Outcome outcome = Again(*f.fetcher_, request);
    REQUIRE(outcome);
    CHECK(outcome->body == "hello " + name);
  }
}

TEST_CASE("A tick starts requests at its times, and at once when woken", "[net]") {
  Fixture f;
  HttpFetcher* fetcher = nullptr;
  std::promise<void> ready;
  std::shared_future<void> is_ready = ready.get_future().share();
  std::promise<Outcome> first, woken;
  std::future<Outcome> first_outcome = first.get_future();
  std::future<Outcome> woken_outcome = woken.get_future();
  int ticks = 0;
  HttpFetcher::Options options;
  options.tick = [&] {
    const auto now = std::chrono::steady_clock::now();
    is_ready.wait();
    ++ticks;
    if (ticks == 1) return now;  // again at once
    if (ticks > 3) throw std::runtime_error("too often");
    std::promise<Outcome>& promise = ticks == 2 ? first : woken;
    fetcher->Start(std::make_shared<HttpClientOptions>(), {.url = f.Url("/page")},
                   [&promise](Outcome outcome) { promise.set_value(std::move(outcome)); });
    return now + std::chrono::hours(1);
  };
  std::string fatal;
  options.fatal = [&fatal](const std::string& what) { fatal = what; };
  Result<std::unique_ptr<HttpFetcher>> made = HttpFetcher::Create(options);
  REQUIRE(made);
  fetcher = made->get();
  ready.set_value();
  CHECK(first_outcome.get().has_value());
  fetcher->Wake();
  CHECK(woken_outcome.get().has_value());
  fetcher->Stop();
  CHECK(ticks == 3);
  CHECK(fatal.empty());
  CHECK(Again(*fetcher, std::make_shared<RepeatedRequest>(std::make_shared<HttpClientOptions>(),
                                                          ClientRequest{.url = f.Url("/page")}))
            .error()
            .kind() == ErrorKind::kCanceled);
}

TEST_CASE("What a callback throws does not end the fetcher", "[net]") {
  Fixture f;
  f.fetcher_->Start(std::make_shared<HttpClientOptions>(), {.url = f.Url("/page")},
                    [](const Outcome&) { throw std::runtime_error("oops"); });
  CHECK(f.Start({.url = f.Url("/page")}).get().has_value());
}

}  // namespace
}  // namespace skep::net

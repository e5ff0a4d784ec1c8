// The webhook beside a real HTTP server on loopback.
#include "evaluator/receivers/webhook.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <mutex>

#include "common/base/file.h"
#include "common/net/http_server.h"
#include "evaluator/notifier/notifier.h"
#include "tests/support/temp_folder.h"

namespace skep::receivers {
namespace {

using notifier::DeliveryVerdict;
using notifier::FailureReason;
using std::chrono::milliseconds;

// Answers with the statuses it was given, then 200; keeps what it got.
class Hook {
 public:
  explicit Hook(std::vector<int> statuses) : server_(clock_, Logger::Silent()) {
    statuses_ = std::move(statuses);
    server_.Handle({"POST"}, "/hook", [this](const net::HttpRequest& request) {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      const std::size_t n = requests_.size() - 1;
      if (requests_.size() == wanted_) enough_.set_value();
      net::HttpResponse response =
          net::HttpResponse::Text(n < statuses_.size() ? statuses_[n] : 200, "said no");
      response.headers.emplace_back("Retry-After", "0");
      return response;
    });
    net::HttpServerOptions options;
    options.addresses = {"127.0.0.1:0"};
    started_ = server_.Start(options);
  }

  std::string url() const { return "http://" + server_.addresses().at(0) + "/hook"; }
  const Status& started() const { return started_; }
  std::vector<net::HttpRequest> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  std::future<void> After(std::size_t requests) {
    const std::lock_guard lock(mutex_);
    wanted_ = requests;
    return enough_.get_future();
  }

 private:
  SystemClock clock_;
  std::mutex mutex_;
  std::vector<int> statuses_;
  std::vector<net::HttpRequest> requests_;
  std::size_t wanted_ = 0;
  std::promise<void> enough_;
  Status started_;
  net::HttpServer server_;
};

std::unique_ptr<notifier::Receiver> Make(WebhookOptions options) {
  static const SystemClock clock;
  auto receiver = MakeWebhook(std::move(options), clock);
  REQUIRE(receiver);
  return std::move(*receiver);
}

notifier::Notification SomeNotification() {
  notifier::Notification notification;
  notification.delivery_id = "0123";
  notification.receiver = "team";
  notification.group_key = "{}:{}";
  notification.alerts = {{{Labels{{"alertname", "A"}}, {}, {}, {}, ""}, false}};
  return notification;
}

TEST_CASE("Webhook posts the payload with its delivery id", "[receivers]") {
  Hook hook({});
  REQUIRE(hook.started());
  WebhookOptions options;
  options.url = hook.url();
  const auto receiver = Make(options);
  CHECK(receiver->Deliver(SomeNotification(), milliseconds(60'000)).verdict ==
        DeliveryVerdict::kAccepted);
  const auto requests = hook.requests();
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].method == "POST");
  CHECK(requests[0].Header("Content-Type") == "application/json");
  CHECK(requests[0].Header("Idempotency-Key") == "0123");
  CHECK(requests[0].body == WebhookPayload(SomeNotification(), 0));
}

TEST_CASE("Webhook says what the server answered", "[receivers]") {
  Hook hook({400});
  REQUIRE(hook.started());
  WebhookOptions options;
  options.url = hook.url();
  const auto result = Make(options)->Deliver(SomeNotification(), milliseconds(60'000));
  CHECK(result.verdict == DeliveryVerdict::kRefused);
  CHECK(result.message == "unexpected status code 400: said no");
}

TEST_CASE("Webhook calls a refused connection worth another try", "[receivers]") {
  std::string url;
  {
    Hook hook({});
    REQUIRE(hook.started());
    url = hook.url();
  }
  WebhookOptions options;
  options.url = url;
  const auto result = Make(options)->Deliver(SomeNotification(), milliseconds(60'000));
  CHECK(result.verdict == DeliveryVerdict::kRetry);
  CHECK(result.reason == FailureReason::kOther);
}

TEST_CASE("Webhook reads its URL from a file at every try", "[receivers]") {
  Hook hook({});
  REQUIRE(hook.started());
  const test::TempFolder folder;
  WebhookOptions options;
  options.url_file = folder.File("url");
  const auto receiver = Make(options);
  CHECK(receiver->Deliver(SomeNotification(), milliseconds(1000)).verdict ==
        DeliveryVerdict::kRetry);
  REQUIRE(WriteFileAtomic(options.url_file, " " + hook.url() + "\n"));
  CHECK(receiver->Deliver(SomeNotification(), milliseconds(60'000)).verdict ==
        DeliveryVerdict::kAccepted);
  REQUIRE(WriteFileAtomic(options.url_file, "ftp://secret"));
  const auto result = receiver->Deliver(SomeNotification(), milliseconds(1000));
  CHECK(result.verdict == DeliveryVerdict::kRetry);
  CHECK_THAT(result.message, !Catch::Matchers::Contains("secret"));
}

TEST_CASE("Webhook gives up a server that does not answer when its timeout is over",
          "[receivers]") {
  const SystemClock clock;
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  net::HttpServer server(clock, Logger::Silent());  // ends before what its handler waits for
  server.Handle({"POST"}, "/", [&](const net::HttpRequest&) {
    released.wait();
    return net::HttpResponse::Text(200, "late");
  });
  net::HttpServerOptions server_options;
  server_options.addresses = {"127.0.0.1:0"};
  REQUIRE(server.Start(server_options));
  WebhookOptions options;
  options.url = "http://" + server.addresses().at(0) + "/";
  SECTION("its own timeout") { options.timeout = Duration(20); }
  SECTION("the notifier's") {}
  const auto result = Make(options)->Deliver(
      SomeNotification(), milliseconds(options.timeout.count() > 0 ? 60'000 : 20));
  release.set_value();
  CHECK(result.verdict == DeliveryVerdict::kRetry);
  CHECK(result.reason == FailureReason::kContextDeadlineExceeded);
}

TEST_CASE("A server that fails twice is told in the third try, under one delivery id",
          "[receivers]") {
  Hook hook({500, 429});
  REQUIRE(hook.started());
  std::future<void> told = hook.After(3);
  const SystemClock clock;
  notifier::Notifier notifier(clock, Logger::Silent(), {{milliseconds(1)}, 2, 1});
  notifier::Notifier::Setup setup;
  setup.route.receiver = "team";
  setup.route.group_wait = Duration(0);
  WebhookOptions options;
  options.url = hook.url();
  setup.outlets.push_back({{"team/webhook[0]", "team", true}, Make(options)});
  notifier.Configure(std::move(setup));
  const Timestamp now = clock.Now();
  notifier.Send({{Labels{{"alertname", "A"}}, {}, now, now + std::chrono::hours(1), ""}});
  told.wait();
  notifier.Stop(milliseconds(60'000));
  const auto requests = hook.requests();
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].Header("Idempotency-Key").size() == 32);
  CHECK(requests[0].Header("Idempotency-Key") == requests[2].Header("Idempotency-Key"));
  CHECK(requests[0].body == requests[2].body);
  CHECK(notifier.CurrentStatus().outlets[0].counts.accepted == 1);
}

Result<WebhookOptions> Parse(const std::string& text) {
  const Result<yaml::Node> node = yaml::Node::Parse(text, "am.yml");
  if (!node) return node.error();
  net::HttpClientOptions http;
  http.proxy_url = "http://from-global";
  return ParseWebhook(*node, "/etc/skep", http);
}

TEST_CASE("A webhook's options are read", "[receivers]") {
  const auto plain = Parse("url: http://127.0.0.1:1/x");
  REQUIRE(plain);
  CHECK(plain->url == "http://127.0.0.1:1/x");
  CHECK(plain->send_resolved);
  CHECK(plain->max_alerts == 0);
  CHECK(plain->http.proxy_url == "http://from-global");
  const auto full = Parse(
      "url_file: hook.txt\nsend_resolved: false\nmax_alerts: 3\ntimeout: 5s\n"
      "http_config: {authorization: {credentials: x}}\n");
  REQUIRE(full);
  CHECK(full->url_file == "/etc/skep/hook.txt");
  CHECK_FALSE(full->send_resolved);
  CHECK(full->max_alerts == 3);
  CHECK(full->timeout == std::chrono::seconds(5));
  CHECK(full->http.proxy_url.empty());
  CHECK(full->http.authorization);
}

TEST_CASE("A webhook that Alertmanager refuses is refused with its place", "[receivers]") {
  const std::pair<const char*, const char*> cases[] = {
      {"send_resolved: true", "am.yml:1:1: one of url or url_file must be configured"},
      {"url: http://a\nurl_file: b", "at most one of url & url_file must be configured"},
      {"url: ftp://a", "am.yml:1:6: unsupported scheme \"ftp\" for URL"},
      {"url: foo", "unsupported scheme \"\" for URL"},
      {"url: 'http:///x'", "missing host for URL"},
      {"url: 'http://u:p@/x'", "missing host for URL"},
      {"url: http://a\nmax_alerts: -1", "am.yml:2:13: max_alerts must not be negative"},
      {"url: http://a\nmax_alert: 1", "max_alert"},
      {"url: http://a\nhttp_config: {oops: 1}", "am.yml:2:15: "},
  };
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    const auto options = Parse(text);
    REQUIRE_FALSE(options);
    CHECK_THAT(options.error().message(), Catch::Matchers::Contains(message));
  }
}

}  // namespace
}  // namespace skep::receivers

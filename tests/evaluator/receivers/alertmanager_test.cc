#include "evaluator/receivers/alertmanager.h"

#include <catch2/catch.hpp>
#include <future>
#include <mutex>

#include "common/json/value.h"
#include "common/net/http_server.h"

namespace skep::receivers {
namespace {

using std::chrono::milliseconds;

// An Alertmanager that keeps the names of the alerts it is posted. While blocked it answers
// nobody.
class Fake {
 public:
  explicit Fake(int status = 200) : server_(clock_, Logger::Silent()) {
    server_.Handle({"POST"}, "/api/v2/alerts", [this, status](const net::HttpRequest& request) {
      std::unique_lock lock(mutex_);
      const auto alerts = json::Value::Parse(request.body);
      if (!alerts) return net::HttpResponse::Text(400, "no JSON");
      std::vector<std::string> names;
      for (const json::Value& each : alerts->items()) {
        names.push_back(each["labels"]["alertname"].text());
      }
      posts_.push_back(names);
      changed_.notify_all();
      changed_.wait(lock, [this] { return !blocked_; });
      return net::HttpResponse::Text(status, "");
    });
    net::HttpServerOptions options;
    options.addresses = {"127.0.0.1:0"};
    started_ = server_.Start(options);
  }
  ~Fake() { Block(false); }

  std::string url() const { return "http://" + server_.addresses().at(0) + "/api/v2/alerts"; }
  void Block(bool blocked) {
    const std::lock_guard lock(mutex_);
    blocked_ = blocked;
    changed_.notify_all();
  }
  std::vector<std::vector<std::string>> WaitForPosts(std::size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return posts_.size() >= n; });
    return posts_;
  }
  const Status& started() const { return started_; }

 private:
  SystemClock clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::vector<std::string>> posts_;
  bool blocked_ = false;
  Status started_;
  net::HttpServer server_;
};

Alert Named(std::string_view name) {
  return {Labels{{"alertname", name}}, {}, FromMillis(0), FromMillis(1000), ""};
}

std::vector<std::vector<std::string>> Posts(std::initializer_list<std::vector<std::string>> posts) {
  return posts;
}

TEST_CASE("Alerts are posted in Prometheus's form", "[receivers]") {
  Alert alert;
  alert.labels = Labels{{"alertname", "A"}, {"b", "<&>"}};
  alert.annotations = Labels{{"summary", "s"}};
  alert.starts_at = FromMillis(1'700'000'000'000);
  alert.ends_at = FromMillis(1'700'000'000'120);
  alert.generator_url = "http://x/graph?a=1&b=2";
  // As posted by Prometheus 2.42.
  CHECK(PostableAlerts({alert, Named("B")}) ==
        R"([{"annotations":{"summary":"s"},"endsAt":"2023-11-14T22:13:20.120Z",)"
        R"("startsAt":"2023-11-14T22:13:20.000Z","generatorURL":"http://x/graph?a=1\u0026b=2",)"
        R"("labels":{"alertname":"A","b":"\u003c\u0026\u003e"}},)"
        R"({"endsAt":"1970-01-01T00:00:01.000Z","startsAt":"1970-01-01T00:00:00.000Z",)"
        R"("labels":{"alertname":"B"}}])");
}

TEST_CASE("Alertmanagers are posted to in batches, each on its own", "[receivers]") {
  const SystemClock clock;
  Fake slow;
  Fake quick;
  REQUIRE(slow.started());
  REQUIRE(quick.started());
  slow.Block(true);
  AlertmanagerSender sender(clock, Logger::Silent(), {10, 2, "skep/test"});
  sender.Configure({AlertmanagerGroup{}, AlertmanagerGroup{}});
  sender.SetTargets(0, {slow.url(), slow.url()});
  sender.SetTargets(1, {quick.url()});
  sender.SetTargets(2, {quick.url()});  // there is no such group
  sender.Send({Named("A"), Named("B"), Named("C")});
  CHECK(quick.WaitForPosts(2) == Posts({{"A", "B"}, {"C"}}));
  CHECK(slow.WaitForPosts(1) == Posts({{"A", "B"}}));
  slow.Block(false);
  CHECK(slow.WaitForPosts(2) == Posts({{"A", "B"}, {"C"}}));
  sender.Stop(milliseconds(60'000));
  const auto counts = sender.counts();
  REQUIRE(counts.size() == 2);
  CHECK(counts[0].url == slow.url());
  CHECK(counts[0].sent == 3);
  CHECK(counts[0].dropped == 0);
}

TEST_CASE("A full queue drops the oldest alerts and counts them", "[receivers]") {
  const SystemClock clock;
  Fake slow;
  REQUIRE(slow.started());
  slow.Block(true);
  AlertmanagerSender sender(clock, Logger::Silent(), {3, 2, "skep/test"});
  sender.Configure({AlertmanagerGroup{}});
  sender.SetTargets(0, {slow.url()});
  sender.Send({Named("first")});
  (void)slow.WaitForPosts(1);  // under way: no longer in the queue
  sender.Send({Named("A"), Named("B")});
  sender.Send({Named("C"), Named("D")});
  CHECK(sender.counts().at(0).dropped == 1);
  CHECK(sender.counts().at(0).queue_length == 3);
  slow.Block(false);
  CHECK(slow.WaitForPosts(3) == Posts({{"first"}, {"B", "C"}, {"D"}}));
}

TEST_CASE("A post that fails is counted and not repeated", "[receivers]") {
  const SystemClock clock;
  Fake broken(500);
  REQUIRE(broken.started());
  AlertmanagerSender sender(clock, Logger::Silent(), {10, 2, "skep/test"});
  sender.Configure({AlertmanagerGroup{}});
  sender.SetTargets(0, {broken.url()});
  sender.Send({Named("A"), Named("B")});
  sender.Stop(milliseconds(60'000));
  CHECK(broken.WaitForPosts(1) == Posts({{"A", "B"}}));
  const AlertmanagerCounts counts = sender.counts().at(0);
  CHECK(counts.sent == 2);
  CHECK(counts.errors == 2);
  CHECK(counts.dropped == 2);
}

TEST_CASE("A group relabels its alerts, or drops them", "[receivers]") {
  const SystemClock clock;
  Fake alertmanager;
  REQUIRE(alertmanager.started());
  AlertmanagerSender sender(clock, Logger::Silent(), {10, 64, "skep/test"});
  AlertmanagerGroup group;
  group.relabel = [](Labels& labels) {
    if (labels.Get("alertname") == "A") return false;
    labels = Labels{{"alertname", std::string(labels.Get("alertname")) + "!"}};
    return true;
  };
  sender.Configure({group});
  sender.SetTargets(0, {alertmanager.url()});
  sender.Send({Named("A"), Named("B")});
  CHECK(alertmanager.WaitForPosts(1) == Posts({{"B!"}}));
}

TEST_CASE("An Alertmanager that hangs does not hold up the end", "[receivers]") {
  const SystemClock clock;
  Fake slow;
  REQUIRE(slow.started());
  slow.Block(true);
  AlertmanagerSender sender(clock, Logger::Silent(), {10, 64, "skep/test"});
  AlertmanagerGroup group;
  group.timeout = std::chrono::hours(1);
  sender.Configure({group});
  sender.SetTargets(0, {slow.url()});
  sender.Send({Named("A")});
  (void)slow.WaitForPosts(1);
  sender.Stop(milliseconds(1));  // would hang here otherwise
}

}  // namespace
}  // namespace skep::receivers

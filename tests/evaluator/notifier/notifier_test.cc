#include "evaluator/notifier/notifier.h"

#include <catch2/catch.hpp>

#include "tests/support/recording_receiver.h"

namespace skep::notifier {
namespace {

using std::chrono::milliseconds;

constexpr DeliveryQueue::Options kFast{{milliseconds(1), 1.5, 0.5, milliseconds(5)}, 2, 7};

Alert Firing(const Clock& clock, std::string_view name) {
  const Timestamp now = clock.Now();
  return {Labels{{"alertname", name}}, {}, now, now + std::chrono::hours(1), ""};
}

// Every alert is a group of its own, told at once.
Notifier::Setup SetupFor(std::vector<std::shared_ptr<test::Recording>> recordings) {
  Notifier::Setup setup;
  setup.route.receiver = "team";
  setup.route.group_by_all = true;
  setup.route.group_wait = Duration(0);
  for (std::size_t i = 0; i < recordings.size(); ++i) {
    setup.outlets.push_back({{"team/webhook[" + std::to_string(i) + "]", "team", true},
                             std::make_unique<test::RecordingReceiver>(recordings[i])});
  }
  return setup;
}

TEST_CASE("Notifier tries again with the same id until the receiver accepts", "[notifier]") {
  const SystemClock clock;
  const auto recording = std::make_shared<test::Recording>();
  recording->answer = [](std::size_t n) {
    if (n == 2) return DeliveryResult{};
    return DeliveryResult{DeliveryVerdict::kRetry, FailureReason::kServerError, "500", {}};
  };
  Notifier notifier(clock, Logger::Silent(), kFast);
  notifier.Configure(SetupFor({recording}));
  notifier.Send({Firing(clock, "A")});
  const auto tries = recording->WaitForTries(3);
  notifier.Stop(milliseconds(60'000));
  CHECK(tries[0].delivery_id == tries[2].delivery_id);
  CHECK(tries[0].group_key == R"({}:{alertname="A"})");
  const DeliveryCounts counts = notifier.CurrentStatus().outlets[0].counts;
  CHECK(counts.notifications == 1);
  CHECK(counts.tries == 3);
  CHECK(counts.failed_tries == 2);
  CHECK(counts.accepted == 1);
  CHECK(counts.failed == decltype(counts.failed){});
}

TEST_CASE("Notifier counts what a receiver refuses and goes on", "[notifier]") {
  const SystemClock clock;
  const auto recording = std::make_shared<test::Recording>();
  recording->answer = [](std::size_t n) {
    if (n > 0) return DeliveryResult{};
    return DeliveryResult{DeliveryVerdict::kRefused, FailureReason::kClientError, "400", {}};
  };
  Notifier notifier(clock, Logger::Silent(), kFast);
  notifier.Configure(SetupFor({recording}));
  notifier.Send({Firing(clock, "A")});
  (void)recording->WaitForTries(1);
  notifier.Send({Firing(clock, "B")});
  const auto tries = recording->WaitForTries(2);
  notifier.Stop(milliseconds(60'000));
  CHECK(tries[1].group_key == R"({}:{alertname="B"})");
  const DeliveryCounts counts = notifier.CurrentStatus().outlets[0].counts;
  CHECK(counts.accepted == 1);
  CHECK(counts.failed[static_cast<std::size_t>(FailureReason::kClientError)] == 1);
}

TEST_CASE("Notifier lets a dead receiver hold up neither another one nor the sender",
          "[notifier]") {
  const SystemClock clock;
  const auto dead = std::make_shared<test::Recording>();
  const auto alive = std::make_shared<test::Recording>();
  dead->Block(true);
  Notifier notifier(clock, Logger::Silent(), kFast);
  notifier.Configure(SetupFor({dead, alive}));
  for (int i = 0; i < 20; ++i) notifier.Send({Firing(clock, "A" + std::to_string(i))});
  CHECK(alive->WaitForTries(20).size() == 20);
  dead->Block(false);
  CHECK(dead->WaitForTries(20).size() == 20);
}

TEST_CASE("Notifier ends at once though a receiver hangs", "[notifier]") {
  const SystemClock clock;
  const auto dead = std::make_shared<test::Recording>();
  dead->Block(true);
  Notifier notifier(clock, Logger::Silent(), kFast);
  notifier.Configure(SetupFor({dead}));
  notifier.Send({Firing(clock, "A")});
  notifier.Stop(milliseconds(1));  // would hang here otherwise
}

TEST_CASE("Notifier keeps its alerts over a reload and does not tell twice", "[notifier]") {
  const SystemClock clock;
  const auto before = std::make_shared<test::Recording>();
  const auto after = std::make_shared<test::Recording>();
  // One thread: the try for B says that A has been accepted and noted.
  DeliveryQueue::Options one_thread = kFast;
  one_thread.threads = 1;
  Notifier notifier(clock, Logger::Silent(), one_thread);
  notifier.Send({Firing(clock, "A")});  // nobody is there yet
  CHECK(notifier.CurrentStatus().alerts == 1);
  notifier.Configure(SetupFor({before}));
  (void)before->WaitForTries(1);
  notifier.Send({Firing(clock, "B")});
  (void)before->WaitForTries(2);
  notifier.Configure(SetupFor({after}));
  notifier.Send({Firing(clock, "C")});
  std::vector<std::string> keys;
  for (const Notification& told : after->WaitForTries(1)) keys.push_back(told.group_key);
  CHECK(std::find(keys.begin(), keys.end(), R"({}:{alertname="A"})") == keys.end());
  CHECK(notifier.CurrentStatus().alerts == 3);
}

TEST_CASE("Back-off grows by half up to a minute, spread by half", "[notifier]") {
  const Backoff backoff;
  struct Case {
    int tries;
    double random;
    int milliseconds;
  };
  for (const Case& each : {Case{1, 0.5, 500}, Case{1, 0, 250}, Case{2, 0.5, 750},
                           Case{3, 0.5, 1125}, Case{30, 0.5, 60'000}, Case{1000, 0, 30'000}}) {
    CAPTURE(each.tries, each.random);
    CHECK(backoff.Pause(each.tries, each.random).count() == each.milliseconds);
  }
}

}  // namespace
}  // namespace skep::notifier

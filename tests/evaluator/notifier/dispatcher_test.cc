// Grouping, flushing and repeating as tables: at which second what happens, and what is told.
#include "evaluator/notifier/dispatcher.h"

#include <catch2/catch.hpp>
#include <sstream>

namespace skep::notifier {
namespace {

using std::chrono::seconds;

constexpr std::int64_t kStart = 1'700'000'000;  // wall seconds at second 0 of each story

Instant At(int second) {
  return {FromMillis((kStart + second) * 1000), Clock::Steady(seconds(1000 + second))};
}

// An alert of label set {alertname="X", n=NAME} that began `begin` and ends `end` seconds into the
// story.
Alert MakeAlert(std::string_view name, int begin, int end) {
  Alert alert;
  alert.labels = Labels{{"alertname", "X"}, {"n", name}};
  alert.starts_at = At(begin).wall;
  alert.ends_at = At(end).wall;
  return alert;
}

// "first a b-": what is told, resolved alerts with a minus.
std::string Told(const Delivery& delivery) {
  static constexpr const char* kReasons[] = {"nothing",      "first",         "new",
                                             "all-resolved", "some-resolved", "repeat"};
  std::string text = kReasons[static_cast<int>(delivery.notification.reason)];
  for (const NotifiedAlert& each : delivery.notification.alerts) {
    text += " " + std::string(each.alert.labels.Get("n")) + (each.resolved ? "-" : "");
  }
  return text;
}

// Runs a story of steps "SECOND fire NAME", "SECOND resolve NAME", "SECOND look", "SECOND accept"
// and "SECOND fail" (all deliveries under way); gives "SECOND TOLD" per delivery. Between steps
// time passes as NextDue asks. Deliveries are accepted at once unless the story says `slow`.
class Story {
 public:
  explicit Story(Dispatcher::Options options) : dispatcher_(std::move(options)) {}

  std::vector<std::string> Run(const std::string& script) {
    std::istringstream lines(script);
    std::string line;
    while (std::getline(lines, line)) {
      std::istringstream words(line);
      int second = 0;
      std::string verb;
      std::string name;
      words >> second >> verb >> name;
      PassTo(second);
      Do(second, verb, name);
    }
    return told_;
  }

 private:
  void PassTo(int second) {
    while (true) {
      const auto due = dispatcher_.NextDue();
      if (!due || *due > At(second).steady) return;
      const auto at = std::chrono::duration_cast<seconds>(due->time_since_epoch()).count() - 1000;
      Record(static_cast<int>(at), dispatcher_.Apply(At(static_cast<int>(at)), TimePassed{}));
    }
  }

  void Do(int second, const std::string& verb, const std::string& name) {
    if (verb == "slow") slow_ = true;
    if (verb == "fire") {
      begins_.try_emplace(name, second);
      Arrive(second, MakeAlert(name, begins_[name], second + 100'000));
    }
    if (verb == "old") {  // began long before the story
      begins_[name] = -1000;
      Arrive(second, MakeAlert(name, -1000, second + 100'000));
    }
    if (verb == "brief") {  // counts as resolved 50 s later unless said again
      begins_[name] = second;
      Arrive(second, MakeAlert(name, second, second + 50));
    }
    if (verb == "resolve") {
      Arrive(second, MakeAlert(name, begins_[name], second));
      begins_.erase(name);
    }
    if (verb == "accept" || verb == "fail") {
      for (const std::uint64_t ticket : std::exchange(under_way_, {})) {
        Record(second, dispatcher_.Apply(At(second), DeliveryDone{ticket, verb == "accept"}));
      }
    }
  }

  void Arrive(int second, Alert alert) {
    Record(second, dispatcher_.Apply(At(second), AlertsArrived{{std::move(alert)}}));
  }

  void Record(int second, const std::vector<Delivery>& deliveries) {
    for (const Delivery& delivery : deliveries) {
      std::string line = std::to_string(second) + " " + Told(delivery);
      if (dispatcher_.options().integrations.size() > 1) {
        line += " @" + std::to_string(delivery.integration);
      }
      told_.push_back(line);
      if (slow_) {
        under_way_.push_back(delivery.ticket);
      } else {
        Record(second, dispatcher_.Apply(At(second), DeliveryDone{delivery.ticket, true}));
      }
    }
  }

  Dispatcher dispatcher_;
  std::map<std::string, int> begins_;
  std::vector<std::string> told_;
  std::vector<std::uint64_t> under_way_;
  bool slow_ = false;
};

Dispatcher::Options Options(std::vector<Integration> integrations) {
  Dispatcher::Options options;
  options.route.receiver = "team";
  options.route.group_by = {"alertname"};
  options.route.group_wait = seconds(30);
  options.route.group_interval = seconds(60);
  options.route.repeat_interval = seconds(600);
  options.integrations = std::move(integrations);
  return options;
}

const Integration kHook{"team/webhook[0]", "team", true};
const Integration kSecond{"team/webhook[1]", "team", true};
const Integration kOnlyFiring{"team/webhook[0]", "team", false};

using Lines = std::vector<std::string>;

TEST_CASE("Dispatcher tells groups when Alertmanager would", "[notifier]") {
  struct Case {
    const char* what;
    const char* script;
    Lines told;
  };
  const Case cases[] = {
      {"a new group waits group_wait, others join",
       "0 fire a\n10 fire b\n29 look\n30 look\n",
       {"30 first a b"}},
      {"nothing new, nothing told", "0 fire a\n600 look\n", {"30 first a"}},
      {"repeated when repeat_interval has passed",
       "0 fire a\n1400 look\n",
       // 630 is not more than 600 s after 30: the flush after it tells, as with Alertmanager
       {"30 first a", "690 repeat a", "1350 repeat a"}},
      {"a new alert is told at the next flush",
       "0 fire a\n35 fire b\n89 look\n90 look\n",
       {"30 first a", "90 new a b"}},
      {"a resolved one is told once and forgotten",
       "0 fire a\n0 fire b\n40 resolve a\n500 look\n",
       {"30 first a b", "90 some-resolved a- b"}},
      {"the last one resolved",
       "0 fire a\n40 resolve a\n2000 look\n",
       {"30 first a", "90 all-resolved a-"}},
      {"gone before anybody was told: never told", "0 fire a\n10 resolve a\n2000 look\n", {}},
      {"fires again before the flush: nothing to tell",
       "0 fire a\n40 resolve a\n50 fire a\n200 look\n",
       {"30 first a"}},
      {"fires again after it was told resolved, while the group still stands",
       "0 fire a\n40 resolve a\n100 fire a\n400 look\n",
       {"30 first a", "90 all-resolved a-", "150 new a"}},
      {"fires again when the group is forgotten: waits group_wait",
       "0 fire a\n40 resolve a\n200 fire a\n400 look\n",
       {"30 first a", "90 all-resolved a-", "230 new a"}},
      {"resolves by itself when nobody says it again",
       "0 brief a\n0 fire b\n200 look\n",
       {"30 first a b", "90 some-resolved a- b"}},
      {"said again in time, then not",
       "0 brief a\n45 brief a\n300 look\n",
       {"30 first a", "150 all-resolved a-"}},
      {"began long ago: told at once", "0 old a\n", {"0 first a"}},
      {"long ago, but the group has flushed: waits for its turn",
       "0 fire a\n40 old b\n100 look\n",
       {"30 first a", "90 new a b"}},
  };
  for (const Case& each : cases) {
    CAPTURE(each.what);
    CHECK(Story(Options({kHook})).Run(each.script) == each.told);
  }
}

TEST_CASE("Dispatcher keeps resolved alerts from receivers that do not want them", "[notifier]") {
  CHECK(
      Story(Options({kOnlyFiring}))
          .Run("0 fire a\n0 fire b\n40 resolve a\n200 resolve b\n240 look\n300 fire a\n500 look") ==
      Lines{"30 first a b", "330 new a"});
}

TEST_CASE("Dispatcher tells anew what could not be delivered", "[notifier]") {
  struct Case {
    const char* what;
    const char* script;
    Lines told;
  };
  const Case cases[] = {
      {"failed: the next flush says it as news",
       "0 slow\n0 fire a\n40 fail\n95 accept\n300 look",
       {"30 first a", "90 first a"}},
      {"resolved meanwhile: the receiver never hears of it",
       "0 slow\n0 fire a\n40 fail\n50 resolve a\n300 look",
       {"30 first a"}},
      {"a resolved alert is kept until it could be told",
       "0 slow\n0 fire a\n31 accept\n40 resolve a\n91 fail\n151 fail\n211 accept\n500 look",
       {"30 first a", "90 all-resolved a-", "150 all-resolved a-", "210 all-resolved a-"}},
      {"a flush missed while a delivery was under way is made up for",
       "0 slow\n0 fire a\n40 fire b\n100 accept\n140 accept\n400 look",
       {"30 first a", "100 new a b"}},
  };
  for (const Case& each : cases) {
    CAPTURE(each.what);
    CHECK(Story(Options({kHook})).Run(each.script) == each.told);
  }
}

TEST_CASE("Dispatcher does not let one integration wait for another", "[notifier]") {
  Dispatcher dispatcher(Options({kHook, kSecond}));
  CHECK(dispatcher.Apply(At(0), AlertsArrived{{MakeAlert("a", 0, 9000)}}).empty());
  const std::vector<Delivery> first = dispatcher.Apply(At(30), TimePassed{});
  REQUIRE(first.size() == 2);
  // The first hangs, the second takes it, and hears of b at the next flush.
  CHECK(dispatcher.Apply(At(31), DeliveryDone{first[1].ticket, true}).empty());
  CHECK(dispatcher.Apply(At(40), AlertsArrived{{MakeAlert("b", 40, 9000)}}).empty());
  const std::vector<Delivery> next = dispatcher.Apply(At(90), TimePassed{});
  REQUIRE(next.size() == 1);
  CHECK(next[0].integration == 1);
  CHECK(Told(next[0]) == "new a b");
  // The first comes back and is told of both.
  const std::vector<Delivery> late = dispatcher.Apply(At(95), DeliveryDone{first[0].ticket, true});
  REQUIRE(late.size() == 1);
  CHECK(late[0].integration == 0);
  CHECK(Told(late[0]) == "new a b");
}

TEST_CASE("Dispatcher gives a delivery the group interval, but ten seconds at least",
          "[notifier]") {
  for (const auto& [interval, expected] : {std::pair{60, 60}, std::pair{2, 10}}) {
    Dispatcher::Options options = Options({kHook});
    options.route.group_interval = seconds(interval);
    Dispatcher dispatcher(options);
    (void)dispatcher.Apply(At(0), AlertsArrived{{MakeAlert("a", 0, 9000)}});
    const auto due = dispatcher.Apply(At(30), TimePassed{});
    REQUIRE(due.size() == 1);
    CHECK(due[0].deadline - At(30).steady == seconds(expected));
  }
}

TEST_CASE("Dispatcher groups by the labels of the route", "[notifier]") {
  struct Case {
    std::vector<std::string> group_by;
    bool all;
    Lines keys;
  };
  const Case cases[] = {
      {{}, false, {"{}:{}"}},
      {{"alertname"}, false, {R"({}:{alertname="Y \"q\""})", R"({}:{alertname="Y"})"}},
      {{"cluster", "alertname"},
       false,
       {R"({}:{alertname="Y \"q\"", cluster="eu"})", R"({}:{alertname="Y"})"}},
      {{},
       true,
       {R"({}:{alertname="Y \"q\"", cluster="eu"})", R"({}:{alertname="Y", n="1"})",
        R"({}:{alertname="Y", n="2"})"}},
  };
  for (const Case& each : cases) {
    Dispatcher::Options options = Options({kHook});
    options.route.group_by = each.group_by;
    options.route.group_by_all = each.all;
    Dispatcher dispatcher(options);
    AlertsArrived arrived;
    for (const Labels& labels :
         {Labels{{"alertname", "Y"}, {"n", "1"}}, Labels{{"alertname", "Y"}, {"n", "2"}},
          Labels{{"alertname", "Y \"q\""}, {"cluster", "eu"}}}) {
      arrived.alerts.push_back({labels, {}, At(0).wall, At(9000).wall, ""});
    }
    (void)dispatcher.Apply(At(0), arrived);
    Lines keys;
    for (const Delivery& delivery : dispatcher.Apply(At(30), TimePassed{})) {
      keys.push_back(delivery.notification.group_key);
    }
    CHECK(keys == each.keys);
  }
}

TEST_CASE("Dispatcher remembers over a reload what it told", "[notifier]") {
  Dispatcher before(Options({kHook}));
  (void)before.Apply(At(0), AlertsArrived{{MakeAlert("a", 0, 9000)}});
  const auto first = before.Apply(At(30), TimePassed{});
  REQUIRE(first.size() == 1);

  SECTION("delivered: not told again") {
    (void)before.Apply(At(31), DeliveryDone{first[0].ticket, true});
    Dispatcher after(Options({kHook}), std::move(before).TakeMemory(), At(40));
    CHECK(after.alert_count() == 1);
    CHECK(after.Apply(At(100), TimePassed{}).empty());
    const auto resolved = after.Apply(At(170), AlertsArrived{{MakeAlert("a", 0, 165)}});
    REQUIRE(resolved.size() == 1);
    CHECK(Told(resolved[0]) == "all-resolved a-");
  }
  SECTION("under way: said again at once, with the same delivery id and another ticket") {
    Dispatcher after(Options({kHook}), std::move(before).TakeMemory(), At(40));
    const auto again = after.Apply(At(40), TimePassed{});
    REQUIRE(again.size() == 1);
    CHECK(again[0].notification.delivery_id == first[0].notification.delivery_id);
    CHECK(again[0].ticket != first[0].ticket);
    CHECK(after.Apply(At(41), DeliveryDone{first[0].ticket, true}).empty());
  }
}

TEST_CASE("Dispatcher forgets groups, and in the end the log", "[notifier]") {
  Dispatcher dispatcher(Options({kHook}));
  (void)dispatcher.Apply(At(0), AlertsArrived{{MakeAlert("a", 0, 20)}});
  (void)dispatcher.Apply(At(30), TimePassed{});
  CHECK(dispatcher.alert_count() == 0);
  (void)dispatcher.Apply(At(60), TimePassed{});
  CHECK(dispatcher.group_count() == 0);
  CHECK_FALSE(dispatcher.NextDue());
}

TEST_CASE("Dispatcher without integrations tells nobody and keeps nothing that ended",
          "[notifier]") {
  Dispatcher dispatcher(Options({}));
  (void)dispatcher.Apply(At(0), AlertsArrived{{MakeAlert("a", 0, 20), MakeAlert("b", 0, 9000)}});
  CHECK(dispatcher.Apply(At(30), TimePassed{}).empty());
  CHECK(dispatcher.alert_count() == 1);
}

TEST_CASE("Dispatcher flushes by the steady clock when the wall clock jumps", "[notifier]") {
  Dispatcher dispatcher(Options({kHook}));
  (void)dispatcher.Apply(At(0), AlertsArrived{{MakeAlert("a", 0, 900'000)}});
  Instant jumped = At(29);
  jumped.wall += seconds(80'000);
  CHECK(dispatcher.Apply(jumped, TimePassed{}).empty());
  jumped = At(30);
  jumped.wall -= seconds(80'000);
  CHECK(dispatcher.Apply(jumped, TimePassed{}).size() == 1);
}

TEST_CASE("MergeAlerts takes the earliest start and, of two ends, what Alertmanager takes",
          "[notifier]") {
  const Timestamp now = At(100).wall;
  struct Case {
    int older_end, newer_end, end;
  };
  for (const Case& each : {Case{200, 90, 90}, Case{80, 90, 90}, Case{95, 90, 95},
                           Case{300, 200, 300}, Case{200, 300, 300}}) {
    const Alert merged =
        MergeAlerts(MakeAlert("a", 0, each.older_end), MakeAlert("a", 5, each.newer_end), now);
    CAPTURE(each.older_end, each.newer_end);
    CHECK(merged.starts_at == At(0).wall);
    CHECK(merged.ends_at == At(each.end).wall);
  }
}

}  // namespace
}  // namespace skep::notifier

#include "evaluator/rules/alert_table.h"

#include <catch2/catch.hpp>

namespace skep::rules {
namespace {

constexpr Timestamp At(int minute) { return FromMillis(1'700'000'000'000 + minute * 60'000LL); }
Duration Minutes(int minutes) { return std::chrono::minutes(minutes); }

const Labels kAlert = {{"alertname", "A"}};

// One letter per minute: p pending, f firing, i inactive (resolved), - not there.
char StateLetter(const AlertTable& table) {
  const auto found = table.entries().find(kAlert);
  if (found == table.entries().end()) return '-';
  return std::string("ipf")[static_cast<std::size_t>(found->second.state)];
}

// Runs a round per minute: 'x' seen, '.' not seen, '_' no round at all.
std::string Run(const std::string& seen, const AlertTable::Rules& rules) {
  AlertTable table;
  std::string states;
  for (std::size_t minute = 0; minute < seen.size(); ++minute) {
    std::vector<SeenAlert> alerts;
    if (seen[minute] == 'x') alerts.push_back({kAlert, {}, 1});
    if (seen[minute] != '_') {
      REQUIRE(table.Update(alerts, At(static_cast<int>(minute)), rules));
    }
    states += StateLetter(table);
  }
  return states;
}

}  // namespace

TEST_CASE("Alerts go through their states as Prometheus's do", "[rules]") {
  struct Case {
    std::string what;
    int hold, keep;
    std::string seen, states;
  };
  const std::vector<Case> cases = {
      {"without for it fires at once", 0, 0, "xx.x", "ffif"},
      {"for shorter than the interval is over at the next round", 0, 0, "x", "f"},
      {"for counts time since the first round", 2, 0, "xxxx", "ppff"},
      {"a gap starts for anew", 2, 0, "xx.xxxx", "pp-ppff"},
      {"pending that ends leaves nothing", 2, 0, "x..", "p--"},
      {"missed rounds count as time", 3, 0, "x__xx", "pppff"},
      {"resolved alerts stay for 15 minutes", 0, 0, "x................x", "fiiiiiiiiiiiiiiiif"},
      {"and are gone after the round behind them", 0, 0, "x.................x",
       "fiiiiiiiiiiiiiiii-f"},
      {"keep_firing_for bridges a gap", 0, 2, "x..x", "ffff"},
      {"and ends when it has passed", 0, 2, "x....", "fffii"},
      {"and begins again with every gap", 0, 2, "x.x..x...", "ffffffffi"},
      {"it does not hold what is pending", 3, 5, "xx..", "pp--"},
      {"for and keep_firing_for together", 1, 1, "xx.xx..x", "pfffffip"},
      {"a resolved alert that comes back begins with for", 1, 0, "xx.xx", "pfipf"},
      {"flapping never fires", 2, 0, "xx.xx.xx.", "pp-pp-pp-"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    CHECK(Run(c.seen, {Minutes(c.hold), Minutes(c.keep), 0}) == c.states);
  }
}

TEST_CASE("Values and annotations are those of the last round, the start that of the first",
          "[rules]") {
  AlertTable table;
  REQUIRE(table.Update({{kAlert, {{"a", "1"}}, 1}}, At(0), {}));
  REQUIRE(table.Update({{kAlert, {{"a", "2"}}, 2}}, At(1), {}));
  const std::vector<AlertStatus> active = table.Active();
  REQUIRE(active.size() == 1);
  CHECK(active[0].annotations == Labels{{"a", "2"}});
  CHECK(active[0].value == 2);
  CHECK(active[0].active_at == At(0));
  CHECK(table.state() == AlertState::kFiring);
}

TEST_CASE("Alerts are told when they fire, after the resend delay, and when they end", "[rules]") {
  AlertTable table;
  const auto round = [&](int minute, bool seen) {
    std::vector<SeenAlert> alerts;
    if (seen) alerts.push_back({kAlert, {}, 1});
    REQUIRE(table.Update(alerts, At(minute), {Minutes(1), {}, 0}));
    return table.TakeDue(At(minute), Minutes(2), Minutes(1), "http://x");
  };
  CHECK(round(0, true).empty());  // pending
  const std::vector<Alert> fired = round(1, true);
  REQUIRE(fired.size() == 1);
  CHECK(fired[0].starts_at == At(1));
  CHECK(fired[0].ends_at == At(1) + 4 * Minutes(2));
  CHECK(fired[0].generator_url == "http://x");
  CHECK(round(2, true).empty());
  CHECK(round(3, true).empty());  // exactly the delay is not yet more than it
  CHECK(round(4, true).size() == 1);
  const std::vector<Alert> resolved = round(5, false);
  REQUIRE(resolved.size() == 1);  // at once, whatever the delay
  CHECK(resolved[0].ends_at == At(5));
  CHECK(resolved[0].ResolvedAt(At(5)));
  std::string told;
  for (int minute = 6; minute < 25; ++minute) told += round(minute, false).empty() ? '.' : 'x';
  CHECK(told == "..x..x..x..x..x....");
}

TEST_CASE("endsAt reaches four times the longer of interval and resend delay", "[rules]") {
  AlertTable table;
  REQUIRE(table.Update({{kAlert, {}, 1}}, At(0), {}));
  CHECK(table.TakeDue(At(0), Minutes(1), Minutes(5), "").at(0).ends_at == At(20));
}

TEST_CASE("A round with the same labels twice changes nothing", "[rules]") {
  AlertTable table;
  REQUIRE(table.Update({{kAlert, {}, 1}}, At(0), {}));
  const Status twice = table.Update({{kAlert, {}, 2}, {kAlert, {}, 3}}, At(1), {});
  REQUIRE_FALSE(twice);
  CHECK(twice.error().message() ==
        "vector contains metrics with the same labelset after applying alert labels");
  CHECK(table.Active().at(0).value == 1);
}

TEST_CASE("More alerts than the limit are an error and none is left", "[rules]") {
  AlertTable table;
  const Labels other = {{"alertname", "A"}, {"x", "1"}};
  REQUIRE(table.Update({{kAlert, {}, 1}}, At(0), {.limit = 1}));
  const Status over = table.Update({{kAlert, {}, 1}, {other, {}, 1}}, At(1), {.limit = 1});
  REQUIRE_FALSE(over);
  CHECK(over.error().message() == "exceeded limit of 1 with 2 alerts");
  CHECK(table.entries().empty());
  // Resolved ones do not count.
  REQUIRE(table.Update({{kAlert, {}, 1}}, At(2), {.limit = 1}));
  CHECK(table.Update({{other, {}, 1}}, At(3), {.limit = 1}));
}

}  // namespace skep::rules

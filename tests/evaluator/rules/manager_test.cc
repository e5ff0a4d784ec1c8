#include "evaluator/rules/manager.h"

#include <catch2/catch.hpp>
#include <thread>

#include "common/instrument/instruments.h"
#include "evaluator/rules/timetable.h"
#include "tests/evaluator/rules/fakes.h"

namespace skep::rules::test {
namespace {

std::string Group(const std::string& rules, const std::string& fields = "") {
  return "groups:\n- name: g\n" + fields + "  rules:\n" + rules;
}

Labels Alerts(std::string_view state, const Labels& more = {}) {
  LabelsBuilder builder(more);
  return builder.Set("__name__", "ALERTS").Set("alertname", "A").Set("alertstate", state).Build();
}
Labels ForState(const Labels& more = {}) {
  LabelsBuilder builder(more);
  return builder.Set("__name__", "ALERTS_FOR_STATE").Set("alertname", "A").Build();
}

}  // namespace

TEST_CASE("A recording rule renames, labels and marks what goes as stale", "[rules]") {
  House house;
  REQUIRE(house.Load(Group("  - {record: r, expr: x, labels: {team: a, gone: ''}}\n")));
  house.queries.Set("x", {{{{"__name__", "x"}, {"job", "1"}, {"gone", "g"}}, 1},
                          {{{"__name__", "x"}, {"job", "2"}}, 2}});
  house.Round(0);
  house.queries.Set("x", {{{{"__name__", "x"}, {"job", "2"}}, 3}});
  house.Round(1);
  house.Round(2);
  CHECK(house.Samples({{"__name__", "r"}, {"job", "1"}, {"team", "a"}}) == "1@0 stale@1");
  CHECK(house.Samples({{"__name__", "r"}, {"job", "2"}, {"team", "a"}}) == "2@0 3@1 3@2");
  CHECK(house.Rule().health == Health::kOk);
  CHECK(house.Rule().last_evaluation == At(2));
}

TEST_CASE("Scalars are recorded, strings are not", "[rules]") {
  House house;
  REQUIRE(house.Load(Group("  - {record: r, expr: '1'}\n  - {record: s, expr: vector(2)}\n")));
  house.queries.SetAnswer("1", [](Timestamp time) {
    return promql::Value(promql::Scalar{time, 5});
  });
  house.queries.SetAnswer("vector(2)", [](Timestamp time) {
    return promql::Value(promql::StringValue{time, "x"});
  });
  house.Round(0);
  CHECK(house.Samples({{"__name__", "r"}}) == "5@0");
  CHECK(house.Rule(1).last_error == "rule result is not a vector or scalar");
}

TEST_CASE("A rule that fails says so, keeps its series, and goes on", "[rules]") {
  House house;
  REQUIRE(house.Load(Group("  - {record: r, expr: x}\n  - {record: s, expr: y}\n")));
  house.queries.Set("x", {{{{"a", "1"}}, 1}});
  house.queries.Set("y", {{{}, 1}});
  house.Round(0);
  house.queries.SetAnswer("x",
                          [](Timestamp) -> Result<promql::Value> { return Unavailable("down"); });
  house.Round(1);
  CHECK(house.Rule().health == Health::kError);
  CHECK(house.Rule().last_error == "down");
  CHECK(house.Samples({{"__name__", "r"}, {"a", "1"}}) == "1@0");
  CHECK(house.Samples({{"__name__", "s"}}) == "1@0 1@1");
  house.queries.Set("x", {});
  house.Round(2);
  CHECK(house.Rule().health == Health::kOk);
  CHECK(house.Rule().last_error.empty());
  CHECK(house.Samples({{"__name__", "r"}, {"a", "1"}}) == "1@0 stale@2");
}

TEST_CASE("Results that collapse into one series are an error", "[rules]") {
  House house;
  REQUIRE(
      house.Load(Group("  - {record: r, expr: x, labels: {job: same}}\n"
                       "  - {alert: A, expr: x, labels: {job: same}}\n")));
  house.queries.Set("x", {{{{"job", "1"}}, 1}, {{{"job", "2"}}, 1}});
  for (const int minute : {0, 1}) {  // also when the same result comes again
    house.Round(minute);
    CHECK(house.Rule(0).last_error ==
          "vector contains metrics with the same labelset after applying rule labels");
    CHECK(house.Rule(1).last_error ==
          "vector contains metrics with the same labelset after applying alert labels");
  }
  CHECK(house.Samples({{"__name__", "r"}, {"job", "same"}}).empty());
  CHECK(house.sink.Take().empty());
}

TEST_CASE("A limit on a group holds for each of its rules", "[rules]") {
  House house;
  REQUIRE(house.Load(Group("  - {record: r, expr: x}\n  - {alert: A, expr: x}\n", "  limit: 1\n")));
  house.queries.Set("x", {{{{"a", "1"}}, 1}, {{{"a", "2"}}, 1}});
  house.Round(0);
  CHECK(house.Rule(0).last_error == "exceeded limit of 1 with 2 series");
  CHECK(house.Rule(1).last_error == "exceeded limit of 1 with 2 alerts");
  house.queries.Set("x", {{{{"a", "1"}}, 1}});
  house.Round(1);
  CHECK(house.Rule(0).health == Health::kOk);
  CHECK(house.Rule(1).alerts.size() == 1);
}

TEST_CASE("Alerts write ALERTS and ALERTS_FOR_STATE, and are handed on", "[rules]") {
  House house;
  house.config.external_labels = {{"region", "eu"}};
  REQUIRE(
      house.Load(Group("  - alert: A\n    expr: x > 1\n    for: 1m\n"
                       "    labels: {severity: 'job-{{ $labels.job }}'}\n"
                       "    annotations: {text: '{{ $value }} {{ $externalLabels.region }} {{ "
                       "$externalURL }}'}\n")));
  house.queries.Set("x > 1", {{{{"__name__", "x"}, {"job", "j"}}, 5}});
  const Labels labels = {{"job", "j"}, {"severity", "job-j"}};
  house.Round(0);
  CHECK(house.sink.Take().empty());
  CHECK(house.Rule().state == AlertState::kPending);
  house.Round(1);
  std::vector<Alert> sent = house.sink.Take();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].labels == Labels{{"alertname", "A"}, {"job", "j"}, {"severity", "job-j"}});
  CHECK(sent[0].annotations == Labels{{"text", "5 eu http://skep"}});
  CHECK(sent[0].starts_at == At(1));
  CHECK(sent[0].ends_at == At(5));
  CHECK(sent[0].generator_url == "http://skep/graph?g0.expr=x+%3E+1&g0.tab=1");
  house.queries.Set("x > 1", {});
  house.Round(2);
  sent = house.sink.Take();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].ends_at == At(2));
  CHECK(house.Samples(Alerts("pending", labels)) == "1@0 stale@1");
  CHECK(house.Samples(Alerts("firing", labels)) == "1@1 stale@2");
  CHECK(house.Samples(ForState(labels)) == "1.7e+09@0 1.7e+09@1 stale@2");
  CHECK(house.manager->Alerts().empty());
}

TEST_CASE("A template that fails is told in the text, not as an error", "[rules]") {
  House house;
  REQUIRE(
      house.Load(Group("  - {alert: A, expr: x, annotations: {a: '{{ .Nope }}', b: '{{ query \"y\" "
                       "| first | value }}'}}\n")));
  house.queries.Set("x", {{{}, 1}});
  house.queries.Set("y", {{{}, 7}});
  house.Round(0);
  const std::vector<Alert> sent = house.sink.Take();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].annotations.Get("a").starts_with("<error expanding template: error executing"));
  CHECK(sent[0].annotations.Get("b") == "7");
  CHECK(house.Rule().health == Health::kOk);
}

TEST_CASE("Query offsets move queries and series, not alerts", "[rules]") {
  House house;
  house.config.query_offset = std::chrono::minutes(2);
  REQUIRE(house.Load(Group("  - {record: r, expr: x}\n  - {alert: A, expr: x}\n")));
  house.queries.Set("x", {{{}, 1}});
  house.Round(5);
  CHECK(house.queries.runs().front().second == At(3));
  CHECK(house.Samples({{"__name__", "r"}}) == "1@3");
  CHECK(house.Samples(Alerts("firing")) == "1@3");
  CHECK(house.sink.Take().at(0).starts_at == At(5));
  REQUIRE(house.Load(Group("  - {record: r, expr: x}\n", "  query_offset: 0s\n")));
  house.Round(6);
  CHECK(house.Samples({{"__name__", "r"}}) == "1@3 1@6");
}

TEST_CASE("A bad file changes nothing", "[rules]") {
  House house;
  REQUIRE(house.Load(Group("  - {record: r, expr: x}\n")));
  const Status bad = house.Load(Group("  - {record: r, expr: '('}\n"));
  REQUIRE_FALSE(bad);
  CHECK(bad.error().message().find("r.yml:4:") != std::string::npos);
  CHECK(house.Rule().definition.expr == "x");
  CHECK(house.manager->CountRules() == 1);
  house.queries.Set("x", {{{}, 1}});
  house.Round(0);
  CHECK(house.Samples({{"__name__", "r"}}) == "1@0");
}

TEST_CASE("A reload keeps alerts of rules whose name and labels stay", "[rules]") {
  House house;
  REQUIRE(house.Load(Group("  - {alert: A, expr: x, for: 2m}\n  - {record: r, expr: x}\n")));
  house.queries.Set("x", {{{}, 1}});
  house.queries.Set("y", {{{}, 1}});
  house.Round(0);
  // Another expression, another `for`, another place; and the recording rule goes.
  REQUIRE(house.Load(Group("  - {record: s, expr: y}\n  - {alert: A, expr: y, for: 3m}\n")));
  CHECK(house.Rule(1).state == AlertState::kPending);
  CHECK(house.Rule(1).health == Health::kUnknown);  // the expression is another one
  house.Round(1);
  CHECK(house.Rule(1).health == Health::kOk);
  house.Round(2);
  CHECK(house.Rule(1).state == AlertState::kPending);
  house.Round(3);
  CHECK(house.Rule(1).state == AlertState::kFiring);
  CHECK(house.Rule(1).alerts.at(0).active_at == At(0));
  CHECK(house.Samples({{"__name__", "r"}}) == "1@0 stale@1");
  CHECK(house.Samples({{"__name__", "s"}}) == "1@1 1@2 1@3");
  // Other labels are another rule.
  REQUIRE(house.Load(Group("  - {alert: A, expr: y, for: 3m, labels: {a: b}}\n")));
  CHECK(house.Rule().state == AlertState::kInactive);
  house.Round(4);
  CHECK(house.Samples(Alerts("firing")) == "1@3 stale@4");
}

TEST_CASE("Series of a group that went away end after two intervals", "[rules]") {
  House house;
  REQUIRE(house.Load(Group("  - {record: r, expr: x}\n  - {record: t, expr: x}\n")));
  house.queries.Set("x", {{{}, 1}});
  house.Round(0);
  house.clock.now = At(1);
  // The group is renamed: r goes on under the other name, t ends.
  REQUIRE(house.Load("groups:\n- name: h\n  rules:\n  - {record: r, expr: x}\n"));
  house.RoundAt(At(2), "h");
  CHECK(house.Samples({{"__name__", "t"}}) == "1@0");
  house.RoundAt(At(3), "h");
  CHECK(house.Samples({{"__name__", "t"}}) == "1@0 stale@1");
  CHECK(house.Samples({{"__name__", "r"}}) == "1@0 1@2 1@3");
}

TEST_CASE("After a restart alerts go on from ALERTS_FOR_STATE", "[rules]") {
  struct Case {
    std::string what;
    int hold, last_round, restart, fires;  // minutes
  };
  const std::vector<Case> cases = {
      // 20 of 60 minutes waited; the outage of 10 does not count: 40 more from the restart on.
      {"pending goes on where it was", 60, 20, 30, 70},
      // 55 of 60 waited: less than the grace period is left, so that is what it gets.
      {"the grace period is given", 60, 55, 60, 70},
      {"what fired fires at once", 60, 65, 70, 71},
      {"for below the grace period begins anew", 5, 3, 10, 14},
      {"after too long an outage it begins anew", 60, 20, 100, 159},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    House house;
    const std::string file = Group("  - {alert: A, expr: x, for: " + std::to_string(c.hold) +
                                   "m, labels: {t: '{{ $labels.job }}'}}\n");
    house.queries.Set("x", {{{{"job", "j"}}, 1}});
    REQUIRE(house.Load(file));
    for (int minute = 0; minute <= c.last_round; ++minute) house.Round(minute);
    house.sink.Take();
    house.options.restore = true;
    house.Build();
    REQUIRE(house.Load(file));
    house.Round(c.restart - 1);
    house.Round(c.restart);
    // Nothing was written over what is to be read.
    CHECK(house.Samples(ForState({{"job", "j"}, {"t", "j"}}))
              .ends_with("@" + std::to_string(c.last_round)));
    REQUIRE(house.manager->Restore(house.path, "g", At(c.restart)));
    int minute = c.restart;
    while (house.Rule().state != AlertState::kFiring && minute < 300) house.Round(++minute);
    CHECK(minute == c.fires);
  }
}

TEST_CASE("An alert that had ended is not restored", "[rules]") {
  House house;
  const std::string file = Group("  - {alert: A, expr: x, for: 60m}\n");
  house.queries.Set("x", {{{}, 1}});
  REQUIRE(house.Load(file));
  house.Round(0);
  house.queries.Set("x", {});
  house.Round(20);
  house.queries.Set("x", {{{}, 1}});
  house.options.restore = true;
  house.Build();
  REQUIRE(house.Load(file));
  house.Round(30);
  REQUIRE(house.manager->Restore(house.path, "g", At(30)));
  CHECK(house.Rule().alerts.at(0).active_at == At(30));
}

TEST_CASE("Later rules of a group see what earlier ones wrote in the same round", "[rules]") {
  House house;
  REQUIRE(house.Load(Group("  - {record: r, expr: x}\n  - {record: s, expr: r}\n")));
  house.queries.Set("x", {{{}, 4}});
  house.queries.SetAnswer("r", [&](Timestamp time) {
    const bool there = house.Samples({{"__name__", "r"}}) == "4@0";
    return promql::Value(promql::Scalar{time, there ? 1.0 : 0.0});
  });
  house.Round(0);
  CHECK(house.Samples({{"__name__", "s"}}) == "1@0");
}

TEST_CASE("Groups run on threads of their own, on time", "[rules]") {
  // The clock stands: every group's first slot is due, none of the later ones.
  House house;
  REQUIRE(house.Load(
      Group("  - {record: r, expr: x}\n  - {record: s, expr: x}\n  - {record: t, expr: x}\n")));
  house.queries.Set("x", {{{}, 1}});
  house.clock.now = At(1);  // one interval on
  house.manager->Start();
  while (house.manager->Groups().at(0).last_evaluation == std::nullopt) std::this_thread::yield();
  house.manager->Stop();
  CHECK(house.queries.runs().size() == 3);
  const Timestamp slot = LastSlot(house.path, "g", std::chrono::minutes(1), At(1));
  for (const auto& [expr, time] : house.queries.runs()) CHECK(time == slot);
}

TEST_CASE("Groups that hang hold no other group", "[rules]") {
  constexpr int kHanging = 12;
  House house;
  std::string text = "groups:\n- {name: last, interval: 1h, rules: [{record: r, expr: x}]}\n";
  for (int i = 0; i < kHanging; ++i) {
    text +=
        "- {name: g" + std::to_string(i) + ", interval: 1m, rules: [{record: h, expr: hang}]}\n";
  }
  REQUIRE(house.Load(text));
  std::atomic<int> hanging = 0;
  std::atomic<bool> released = false;
  house.queries.SetAnswer("hang", [&](Timestamp) -> Result<promql::Value> {
    ++hanging;
    released.wait(false);
    return Unavailable("hung");
  });
  house.queries.Set("x", {{{}, 1}});
  house.clock.now =
      At(61);  // one interval on for all of them, and the last one's slot is the latest
  house.manager->Start();
  const auto evaluated = [&](std::size_t group) {
    return house.manager->Groups().at(group).last_evaluation.has_value();
  };
  while (hanging < kHanging || !evaluated(0)) std::this_thread::yield();
  CHECK_FALSE(evaluated(1));
  released = true;
  released.notify_all();
  house.manager->Stop();
  CHECK(house.Samples({{"__name__", "r"}}).starts_with("1@"));
}

TEST_CASE("Rules count what they do", "[rules]") {
  instrument::Instruments instruments;
  House house;
  house.manager =
      std::make_unique<Manager>(Dependencies{house.queries, house.store, house.store, house.sink,
                                             house.clock, Logger::Silent(), &instruments},
                                house.options);
  REQUIRE(house.Load(Group("  - {record: r, expr: x}\n  - {record: s, expr: y}\n")));
  house.queries.Set("x", {{{}, 1}});
  house.Round(0);
  const std::string key = house.path + ";g";
  const auto counter = [&](std::string_view name) {
    return instruments.AddCounter(name, "", {{"rule_group", key}}).value();
  };
  CHECK(counter("skep_evaluator_rule_evaluations_total") == 2);
  CHECK(counter("skep_evaluator_rule_evaluation_failures_total") == 1);
  CHECK(counter("skep_evaluator_rule_group_iterations_total") == 1);
  CHECK(
      instruments.AddGauge("skep_evaluator_rule_group_rules", "", {{"rule_group", key}}).value() ==
      2);
}

}  // namespace skep::rules::test

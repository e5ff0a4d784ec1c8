// The alert generator specification 1.0 of Prometheus's compliance project, section by section, and
// the scenarios of its test suite, over the real engine. Where the specification and Prometheus
// differ (endsAt, the resend interval), Prometheus is followed, which is its reference.
#include <catch2/catch.hpp>

#include "tests/evaluator/rules/engine_house.h"

namespace skep::rules::test {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kInterval = seconds(30);

Timestamp Slot(int round) { return At(0) + round * kInterval; }

// A group "g" with an interval of 30 s.
std::string Group(const std::string& rules) {
  return "groups:\n- name: g\n  interval: 30s\n  rules:\n" + rules;
}

// What is sent in a round: F for a firing alert, R for a resolved one.
std::string Sent(EngineHouse& house, Timestamp now) {
  std::string sent;
  for (const Alert& alert : house.sink.Take()) sent += alert.ResolvedAt(now) ? 'R' : 'F';
  return sent.empty() ? "." : sent;
}

char StateLetter(const RuleStatus& rule) {
  return std::string("ipf")[static_cast<std::size_t>(rule.state)];
}

// Rounds from the first to the last: the states of the first rule, and what was sent.
std::pair<std::string, std::string> Rounds(EngineHouse& house, int first, int last) {
  std::string states;
  std::string sent;
  for (int round = first; round <= last; ++round) {
    house.RoundAt(Slot(round));
    states += StateLetter(house.Rule());
    sent += Sent(house, Slot(round));
  }
  return {states, sent};
}

// Runs of values: {10, 3} is 10 three times.
std::vector<double> Runs(const std::vector<std::pair<double, int>>& runs) {
  std::vector<double> values;
  for (const auto& [value, times] : runs) {
    values.insert(values.end(), static_cast<std::size_t>(times), value);
  }
  return values;
}

const Labels kMetric = {{"__name__", "m"}, {"job", "j"}};

}  // namespace

TEST_CASE("Alert generator: the format of rules, as YAML and as JSON", "[rules]") {
  EngineHouse house;
  REQUIRE(house.Load("groups:\n- name: g\n  rules:\n  - {alert: A, expr: m > 0}\n"));
  CHECK(house.manager->Groups().at(0).interval == minutes(1));
  CHECK(house.Rule().definition.hold == Duration::zero());
  REQUIRE(house.Load(R"({"groups": [{"name": "g", "interval": "15s", "rules": [{"alert": "A",
      "expr": "m > 0", "for": "1m", "labels": {"a": "b"}, "annotations": {"c": "d"}}]}]})"));
  CHECK(house.manager->Groups().at(0).interval == seconds(15));
  CHECK(house.Rule().definition.hold == minutes(1));
  CHECK(house.Rule().definition.labels == Labels{{"a", "b"}});
  CHECK(house.Rule().definition.annotations == Labels{{"c", "d"}});
  // The name of a group is unique within a file.
  CHECK_FALSE(house.Load("groups:\n- name: g\n- name: g\n"));
}

TEST_CASE("Alert generator: constraint 1, later rules see what earlier ones made", "[rules]") {
  EngineHouse house;
  house.Feed(kMetric, At(0), {20});
  REQUIRE(
      house.Load(Group("  - {record: r, expr: m * 2}\n"
                       "  - {alert: A, expr: r == 40}\n"
                       "  - {alert: B, expr: 'ALERTS{alertname=\"A\", alertstate=\"firing\"}'}\n"
                       "  - {alert: C, expr: 'ALERTS{alertname=\"D\"}'}\n"
                       "  - {alert: D, expr: m}\n")));
  house.RoundAt(Slot(0));
  std::string states;
  for (std::size_t rule = 1; rule < 5; ++rule) states += StateLetter(house.Rule(rule));
  CHECK(states == "ffif");  // C stands before D, so it sees D's series a round later
  house.RoundAt(Slot(1));
  CHECK(house.Rule(3).state == AlertState::kFiring);
}

TEST_CASE("Alert generator: constraint 2, templates in labels and annotations", "[rules]") {
  EngineHouse house;
  house.config.external_labels = {{"region", "eu"}};
  house.Feed(kMetric, At(0), {1.5});
  REQUIRE(house.Load(Group(R"(  - alert: A
    expr: m
    labels: {l: '{{ $labels.job }}/{{ .Value }}'}
    annotations:
      consoles: '{{ graphLink "m" }} {{ tableLink "m" }}{{ safeHtml "" }}{{ strvalue (query "m" | first) }}'
      program: '{{ .ExternalLabels.region }} {{ $externalLabels.region }} {{ .ExternalURL }} {{ $externalURL }}{{ pathPrefix }}'
      defined: '{{ define "d" }}<{{ . }}>{{ end }}{{ tmpl "d" 1 }}'
      empty: '{{ if false }}x{{ end }}'
)")));
  house.RoundAt(Slot(0));
  const AlertStatus alert = house.Rule().alerts.at(0);
  CHECK(alert.labels == Labels{{"alertname", "A"}, {"job", "j"}, {"l", "j/1.5"}});
  CHECK(alert.annotations.Get("consoles") == "/graph?g0.expr=m&g0.tab=0 /graph?g0.expr=m&g0.tab=1");
  CHECK(alert.annotations.Get("program") == "eu eu http://skep http://skep");
  CHECK(alert.annotations.Get("defined") == "<1>");
  CHECK(alert.annotations.size() == 4);  // an empty one is there
}

TEST_CASE("Alert generator: steps 1 to 3, an alert for each element and its labels", "[rules]") {
  EngineHouse house;
  house.Feed({{"__name__", "m"}, {"alertname", "X"}, {"foo", "1"}, {"status", "500"}}, At(0), {10});
  house.Feed({{"__name__", "m"}, {"alertname", "X"}, {"foo", "1"}, {"status", "400"}}, At(0), {18});
  REQUIRE(house.Load(Group(
      "  - alert: A\n    expr: m > 5\n    labels: {foo: bar, gone: '', alertname: No, s: '{{ "
      "$labels.status }}'}\n    annotations: {was: '{{ $labels.__name__ }} {{ $labels.alertname "
      "}} {{ $labels.foo }} {{ $labels.s }}{{ $value }}'}\n")));
  house.RoundAt(Slot(0));
  const std::vector<AlertStatus> alerts = house.Rule().alerts;
  REQUIRE(alerts.size() == 2);
  CHECK(alerts[0].labels ==
        Labels{{"alertname", "A"}, {"foo", "bar"}, {"s", "400"}, {"status", "400"}});
  // Templates see what the query returned, not what the rule adds.
  CHECK(alerts[0].annotations.Get("was") == "m X 1 18");
  CHECK(alerts[1].annotations.Get("was") == "m X 1 10");
  CHECK(alerts[1].value == 10);
}

TEST_CASE("Alert generator: step 4, equal labels are an error and nothing is sent", "[rules]") {
  EngineHouse house;
  house.Feed({{"__name__", "m"}, {"a", "1"}}, At(0), {1, 1, kStaleNaN}, kInterval);
  house.Feed({{"__name__", "m"}, {"a", "2"}}, At(0), {0, 1, 1, 1}, kInterval);
  REQUIRE(house.Load(Group("  - {alert: A, expr: m > 0, labels: {a: same}}\n")));
  CHECK(Rounds(house, 0, 1).second == "F.");
  CHECK(house.Rule().health == Health::kError);
  CHECK(house.Rule().last_error ==
        "vector contains metrics with the same labelset after applying alert labels");
  // What was active stays as it is, but no series is written.
  CHECK(house.Rule().alerts.at(0).active_at == Slot(0));
  CHECK(
      house.Samples(
          {{"__name__", "ALERTS"}, {"a", "same"}, {"alertname", "A"}, {"alertstate", "firing"}}) ==
      "1@0");
  house.RoundAt(Slot(2));
  CHECK(house.Rule().health == Health::kOk);
  CHECK(house.Rule().last_error.empty());
}

TEST_CASE("Alert generator: pending until `for` has passed, firing at it, then inactive",
          "[rules]") {
  struct Case {
    std::string hold;
    std::vector<std::pair<double, int>> runs;
    std::string states;
  };
  const std::vector<Case> cases = {
      {"0s", {{1, 2}, {0, 2}, {1, 1}}, "ffiif"},            // never pending
      {"1m", {{1, 4}, {0, 1}, {1, 4}}, "ppffippff"},        // less than `for`; equal; all anew
      {"15s", {{1, 3}, {0, 2}}, "pffii"},                   // not between rounds
      {"45s", {{1, 3}}, "ppf"},                             //
      {"1m", {{1, 2}, {0, 1}, {1, 2}, {0, 2}}, "ppippii"},  // from pending to inactive
      {"1m", {{1, 2}, {kStaleNaN, 1}, {1, 3}}, "ppippf"},   // so does what is no more
  };
  for (const Case& c : cases) {
    CAPTURE(c.hold, c.states);
    EngineHouse house;
    house.Feed(kMetric, At(0), Runs(c.runs), kInterval);
    REQUIRE(house.Load(Group("  - {alert: A, expr: m > 0, for: " + c.hold + "}\n")));
    CHECK(Rounds(house, 0, static_cast<int>(c.states.size()) - 1).first == c.states);
  }
}

TEST_CASE("Alert generator: annotations are those of the last evaluation in every state",
          "[rules]") {
  EngineHouse house;
  house.Feed(kMetric, At(0), {1, 2, 3, 4, 0}, kInterval);
  REQUIRE(house.Load(
      Group("  - {alert: A, expr: m > 0, for: 1m, annotations: {v: 'is {{ $value }}'}}\n")));
  for (int round = 0; round < 4; ++round) {
    house.RoundAt(Slot(round));
    const AlertStatus alert = house.Rule().alerts.at(0);
    CHECK(alert.annotations.Get("v") == "is " + std::to_string(round + 1));
    CHECK(alert.value == round + 1);
    CHECK(alert.active_at == Slot(0));
  }
  house.sink.Take();
  house.RoundAt(Slot(4));  // resolved: the last ones there were
  CHECK(house.sink.Take().at(0).annotations.Get("v") == "is 4");
}

TEST_CASE("Alert generator: the time series to create", "[rules]") {
  EngineHouse house;
  house.Feed({{"__name__", "m"}, {"alertstate", "very_critical"}}, At(0), {1, 1, 0, 0}, minutes(1));
  REQUIRE(house.Load(Group("  - {alert: A, expr: m > 0, for: 1m, labels: {severity: page}}\n")));
  for (int minute = 0; minute < 4; ++minute) house.Round(minute);
  const auto series = [](std::string_view name, std::string_view state) {
    return Labels{
        {"__name__", name}, {"alertname", "A"}, {"alertstate", state}, {"severity", "page"}};
  };
  CHECK(house.Samples(series("ALERTS", "pending")) == "1@0 stale@1");
  CHECK(house.Samples(series("ALERTS", "firing")) == "1@1 stale@2");
  CHECK(house.Samples(series("ALERTS", "inactive")).empty());
  // Since when it is active, in seconds.
  CHECK(house.Samples(series("ALERTS_FOR_STATE", "very_critical")) ==
        "1.7e+09@0 1.7e+09@1 stale@2");
}

TEST_CASE("Alert generator: firing alerts are sent at once and after the resend delay", "[rules]") {
  struct Case {
    Duration delay;
    std::string sent;  // of rounds 0 to 9, pending before round 2
  };
  const std::vector<Case> cases = {
      {minutes(1), "..F..F..F."},   // exactly the delay is not yet more than it, as in Prometheus
      {seconds(59), "..F.F.F.F."},  //
      {seconds(10), "..FFFFFFFF"},  // the interval is the least
      {minutes(10), "..F......."},
  };
  for (const Case& c : cases) {
    CAPTURE(c.sent);
    EngineHouse house;
    house.options.resend_delay = c.delay;
    house.Build();
    house.Feed(kMetric, At(0), Runs({{1, 10}}), kInterval);
    REQUIRE(house.Load(Group("  - {alert: A, expr: m > 0, for: 1m}\n")));
    CHECK(Rounds(house, 0, 9).second == c.sent);
  }
}

TEST_CASE("Alert generator: inactive alerts are sent for 15 minutes or until they are new",
          "[rules]") {
  const auto repeat = [](const std::string& text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
  };
  EngineHouse house;
  house.options.resend_delay = seconds(45);
  house.Build();
  house.Feed(kMetric, At(0), Runs({{1, 1}, {0, 40}}), kInterval);
  REQUIRE(house.Load(Group("  - {alert: A, expr: m > 0}\n")));
  // Resolved at round 1, told again every two rounds; the last time 15 minutes (30 rounds) later.
  CHECK(Rounds(house, 0, 40).second == "F" + repeat("R.", 15) + "R" + repeat(".", 9));

  EngineHouse again;
  again.options.resend_delay = seconds(45);
  again.Build();
  again.Feed(kMetric, At(0), Runs({{1, 3}, {0, 3}, {1, 4}}), kInterval);
  REQUIRE(again.Load(Group("  - {alert: A, expr: m > 0, for: 1m}\n")));
  // Pending again in round 6: nothing is sent until it fires anew.
  CHECK(Rounds(again, 0, 9) == std::pair<std::string, std::string>("ppfiiippff", "..FR.R..F."));
}

TEST_CASE("Alert generator: the payload", "[rules]") {
  EngineHouse house;
  house.options.resend_delay = seconds(50);
  house.Build();
  house.Feed(kMetric, At(0), Runs({{7, 5}, {0, 3}}), kInterval);
  REQUIRE(
      house.Load(Group("  - {alert: A, expr: 'm >  0', for: 30s, labels: {x: y}, annotations: {v: "
                       "'{{ $value }}'}}\n")));
  std::vector<Alert> sent;
  for (int round = 0; round < 8; ++round) {
    house.RoundAt(Slot(round));
    for (Alert& alert : house.sink.Take()) sent.push_back(std::move(alert));
  }
  REQUIRE(sent.size() == 4);  // fired in round 1, again in 3, resolved in 5, again in 7
  for (const Alert& alert : sent) {
    CHECK(alert.labels == Labels{{"alertname", "A"}, {"job", "j"}, {"x", "y"}});
    CHECK(alert.annotations == Labels{{"v", "7"}});
    CHECK(alert.starts_at == Slot(1));  // when it fired, not when it became active
    CHECK(alert.generator_url == "http://skep/graph?g0.expr=m+%3E+0&g0.tab=1");
  }
  CHECK(sent[0].ends_at == Slot(1) + 4 * seconds(50));  // the delay is longer than the interval
  CHECK(sent[1].ends_at == Slot(3) + 4 * seconds(50));  // from this evaluation on, as Prometheus
  CHECK(sent[2].ends_at == Slot(5));
  CHECK(sent[3].ends_at == Slot(5));
}

TEST_CASE("Alert generator: what the rules API says", "[rules]") {
  EngineHouse house;
  house.Feed({{"__name__", "m"}, {"a", "1"}}, At(0), {1, 1, 1, 0}, kInterval);
  house.Feed({{"__name__", "m"}, {"a", "2"}}, At(0), {0, 0, 1, 0}, kInterval);
  REQUIRE(house.Load(Group("  - {alert: A, expr: m > 0, for: 1m, labels: {l: '{{ $value }}'}}\n")));
  CHECK(house.Rule().health == Health::kUnknown);
  CHECK_FALSE(house.Rule().last_evaluation);
  CHECK(house.Rule().state == AlertState::kInactive);
  house.RoundAt(Slot(0));
  CHECK(house.Rule().state == AlertState::kPending);
  CHECK(house.Rule().definition.labels == Labels{{"l", "{{ $value }}"}});  // as written
  CHECK(house.Rule().last_evaluation == Slot(0));
  house.RoundAt(Slot(1));
  house.RoundAt(Slot(2));
  CHECK(house.Rule().state == AlertState::kFiring);  // the highest of two
  CHECK(house.Rule().alerts.size() == 2);
  CHECK(house.manager->Alerts().size() == 2);
  house.RoundAt(Slot(3));
  CHECK(house.Rule().state == AlertState::kInactive);
  CHECK(house.Rule().alerts.empty());  // resolved ones are not told here
  CHECK(house.manager->Alerts().empty());
}

TEST_CASE("Alert generator scenario: pending, firing with changing texts, resolved, pending again",
          "[rules]") {
  EngineHouse house;
  // Two samples per round. Over 10 from sample 8 on; another value from 21 and 53 on.
  house.Feed(kMetric, At(0),
             Runs({{3, 8}, {11, 13}, {15, 32}, {19, 16}, {9, 20}, {15, 45}, {8, 16}}), seconds(15));
  REQUIRE(
      house.Load(Group("  - alert: S\n    expr: m > 10\n    for: 6m\n    annotations: {summary: "
                       "'The value is {{$value}} {{.Value}}'}\n")));
  const auto times = [](char letter, int count) {
    return std::string(static_cast<std::size_t>(count), letter);
  };
  const auto [states, sent] = Rounds(house, 0, 74);
  CHECK(states == times('i', 4) + times('p', 12) + times('f', 19) + times('i', 10) +
                      times('p', 12) + times('f', 10) + times('i', 8));
  CHECK(sent == times('.', 16) + "F..F..F..F..F..F..F" + "R..R..R..R" + times('.', 12) +
                    "F..F..F..F" + "R..R..R.");
}

TEST_CASE("Alert generator scenario: no and short `for`, and templates with queries", "[rules]") {
  EngineHouse house;
  for (const int id : {102, 103, 101}) {
    house.Feed({{"__name__", "t"}, {"id", std::to_string(id)}}, At(0), Runs({{id - 100, 8}}),
               seconds(15));
  }
  house.Feed(kMetric, At(0), Runs({{3, 2}, {15, 4}}), seconds(15));
  REQUIRE(house.Load(Group(R"(  - alert: Zero
    expr: m > 10
    annotations:
      numbers: '{{humanize 1048576}} {{humanize1024 1048576}} {{humanizeDuration 135.3563}} {{humanizePercentage 0.959}} {{humanizeTimestamp 1643114203}}'
      query: '{{ define "t" }}{{.arg0}} {{.arg1}}: {{ with query "t" }}{{ . | sortByLabel "id" | first | label "id" }},{{ range $v := sortByLabel "id" . }}{{ . | label "id" }}={{ . | value }},{{ end }}{{ end }}{{ end }}{{ template "t" (args "foo" 99) }}'
  - alert: Small
    expr: m > 10
    for: 15s
    annotations:
      texts: '{{title "this part"}} {{toUpper "is"}} {{toLower "THE"}} {{stripPort "[::1]:6006"}} {{stripPort "127.0.0.1:4004"}} {{parseDuration "2h10m15s"}} {{if match "[0-9]+" "1234"}}{{reReplaceAll "r.*d" "replaced" "rpld text"}}{{end}}{{if match "[0-9]+$" "1234a"}}WRONG{{end}}'
)")));
  house.RoundAt(Slot(0));
  CHECK(house.manager->Alerts().empty());
  house.RoundAt(Slot(1));
  CHECK(house.Rule(0).state == AlertState::kFiring);
  CHECK(house.Rule(1).state == AlertState::kPending);
  CHECK(house.sink.Take().size() == 1);
  house.RoundAt(Slot(2));
  CHECK(house.Rule(1).state == AlertState::kFiring);
  const Labels first = house.Rule(0).alerts.at(0).annotations;
  CHECK(first.Get("numbers") == "1.049M 1Mi 2m 15s 95.9% 2022-01-25 12:36:43 +0000 UTC");
  CHECK(first.Get("query") == "foo 99: 101,101=1,102=2,103=3,");
  CHECK(house.Rule(1).alerts.at(0).annotations.Get("texts") ==
        "This Part IS the ::1 127.0.0.1 7815 replaced text");
}

TEST_CASE("Alert generator scenario: new alerts beside old ones, and a rule over ALERTS",
          "[rules]") {
  EngineHouse house;
  const auto variant = [](std::string_view name) {
    return Labels{{"__name__", "m"}, {"variant", name}};
  };
  house.Feed(variant("one"), At(0), Runs({{1, 1}, {11, 9}, {9, 2}}), kInterval);
  house.Feed(variant("two"), At(0), Runs({{1, 4}, {11, 6}, {9, 2}}), kInterval);
  REQUIRE(house.Load(Group(R"(  - {alert: One, expr: m > 10, for: 1m, labels: {foo: bar}}
  - alert: Both
    expr: (ALERTS{alertstate="firing", alertname="One", variant="one"} + ignoring(variant) ALERTS{alertstate="firing", alertname="One", variant="two"}) == 2
    labels: {foo: baz}
    annotations: {was: '{{ $labels.alertname }} {{ .Labels.foo }}'}
)")));
  std::string counts;
  std::string both;
  for (int round = 0; round < 12; ++round) {
    house.RoundAt(Slot(round));
    counts += std::to_string(house.Rule(0).alerts.size());
    both += StateLetter(house.Rule(1));
    if (house.Rule(1).state != AlertState::kFiring) continue;
    const AlertStatus alert = house.Rule(1).alerts.at(0);
    CHECK(alert.labels == Labels{{"alertname", "Both"}, {"alertstate", "firing"}, {"foo", "baz"}});
    CHECK(alert.annotations.Get("was") == "One bar");
    CHECK(alert.value == 2);
    CHECK(alert.active_at == Slot(6));
  }
  CHECK(counts == "011122222200");
  CHECK(both == "iiiiiiffffii");
}

TEST_CASE("Alert generator scenario: pending that ends, and what is never active", "[rules]") {
  EngineHouse house;
  house.Feed(kMetric, At(0), Runs({{3, 2}, {11, 3}, {9, 4}}), kInterval);
  REQUIRE(house.Load(Group(
      "  - {alert: Pending, expr: m > 10, for: 3m}\n  - {alert: Never, expr: m > 99, for: 3m}\n")));
  CHECK(Rounds(house, 0, 8) == std::pair<std::string, std::string>("iipppiiii", "........."));
  CHECK(house.Rule(1).state == AlertState::kInactive);
  CHECK(house.Rule(1).health == Health::kOk);
}

}  // namespace skep::rules::test

// Rules that are wrong, and rules that explode: what they cost, and that it is them alone.
#include <catch2/catch.hpp>

#include "tests/evaluator/rules/engine_house.h"

namespace skep::rules::test {
namespace {

std::string Repeat(std::string_view text, std::size_t times) {
  std::string all;
  all.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

// Group "bad" with `rule`, and group "good" beside it.
std::string WithGood(const std::string& rule) {
  return "groups:\n- name: bad\n  rules:\n  - " + rule +
         "\n- name: good\n  rules:\n  - {record: r, expr: sum(m)}\n";
}

// Twenty series m{a=...} at At(0).
void FeedTwenty(EngineHouse& house) {
  for (int i = 0; i < 20; ++i) {
    house.Feed({{"__name__", "m"}, {"a", std::to_string(i)}}, At(0), {1, 1, 1});
  }
}

}  // namespace

TEST_CASE("What a file may not have is refused with its place, and the rules in force stay",
          "[rules]") {
  const std::string million(1'000'000, 'x');
  struct Case {
    std::string what, rule, error;
  };
  const std::vector<Case> cases = {
      {"expression", "{record: r, expr: 'sum(m'}",
       ":4:23: group \"bad\", rule 1, \"r\": could not parse expression: 1:6: parse error: "
       "unclosed "
       "left parenthesis"},
      {"template", "{alert: A, expr: m, labels: {x: '{{ $value'}}",
       ":4:37: group \"bad\", rule 1, \"A\": label \"x\": template: __alert_A:1:"},
      {"regular expression", "{record: r, expr: 'm{a=~\"(\"}'}", "missing )"},
      {"one that would take all memory", "{record: r, expr: 'm{a=~\"((x{100}){100}){100}\"}'}",
       "could not parse expression: 1:"},
      {"a million brackets", "{record: r, expr: '" + Repeat("(", 1'000'000) + "'}",
       ":4:23: group \"bad\", rule 1, \"r\": could not parse expression: 1:"},
      {"a million minus signs", "{record: r, expr: '" + Repeat("-", 1'000'000) + "1'}",
       "could not parse expression: 1:"},
      {"a million brackets in a template",
       "{alert: A, expr: m, annotations: {x: '{{ " + Repeat("(", 1'000'000) + "'}}",
       "nested too deep"},
      {"lists in lists", Repeat("[", 10'000) + Repeat("]", 10'000),
       ":4:101: nested more than 100 deep"},
      {"a long label", "{record: r, expr: m, labels: {x: " + million + "}}",
       ":4:38: group \"bad\", rule 1, \"r\": label \"x\" has 1000000 bytes, the limit is 262144"},
  };
  EngineHouse house;
  FeedTwenty(house);
  REQUIRE(house.Load(WithGood("{record: before, expr: m}")));
  for (const Case& c : cases) {
    CAPTURE(c.what);
    const Status refused = house.Load(WithGood(c.rule));
    REQUIRE_FALSE(refused);
    const std::string message = refused.error().message();
    CAPTURE(message.substr(0, 500));
    CHECK(message.starts_with(house.path + ":"));
    CHECK(message.find(c.error) != std::string::npos);
    CHECK(message.size() < 2000);
    CHECK(house.Rule().definition.name == "before");
  }
  house.RoundAt(At(0), "good");
  CHECK(house.Samples({{"__name__", "r"}}) == "20@0");
}

// A label of 3^levels bytes.
std::string Growing(int levels) {
  std::string expr = R"(label_replace(vector(1), "a", "x", "", ""))";
  for (int i = 0; i < levels; ++i) expr = "label_join(" + expr + R"(, "a", "", "a", "a", "a"))";
  return expr;
}

TEST_CASE("A rule that explodes ends by a limit and says so; others go on", "[rules]") {
  struct Case {
    std::string what, rule, error;
  };
  const std::string million(1'000'000, 'x');
  const std::vector<Case> cases = {
      {"samples", "{record: x, expr: 'count_over_time(m[10000m:1s])'}",
       "query processing would load too many samples into memory"},
      {"memory",
       R"({record: x, expr: 'label_replace(m, "l", ")" + std::string(200'000, 'y') +
           R"(", "", "")'})",
       "memory"},
      {"label sets", "{record: x, expr: 'm', labels: {a: same}}",
       "vector contains metrics with the same labelset after applying rule labels"},
      {"a label of a megabyte",
       "{record: x, expr: 'label_replace(vector(1), \"l\", \"" + million + "\", \"\", \"\")'}",
       "label_replace(): a label of more than 262144 bytes"},
      {"a label that grows", "{record: x, expr: '" + Growing(25) + "'}",
       "query processing would load too many samples into memory"},
      {"one of an alert", "{alert: x, expr: vector(1), labels: {l: '{{ printf \"%300000d\" 1 }}'}}",
       "label set of 3000"},
      {"partners", "{record: x, expr: 'm * on () m'}", "many-to-many matching not allowed"},
  };
  engine::EngineOptions options;
  options.limits.max_samples = 10'000;
  options.limits.max_bytes = 3'000'000;
  for (const Case& c : cases) {
    CAPTURE(c.what);
    EngineHouse house(options);
    FeedTwenty(house);
    REQUIRE(house.Load(WithGood(c.rule)));
    for (int minute = 0; minute < 2; ++minute) {
      house.RoundAt(At(minute), "bad");
      house.RoundAt(At(minute), "good");
    }
    const RuleStatus bad = house.Rule();
    CHECK(bad.health == Health::kError);
    CAPTURE(bad.last_error.substr(0, 500));
    CHECK(bad.last_error.find(c.error) != std::string::npos);
    CHECK(bad.last_error.size() < 2000);
    CHECK(house.manager->Groups().at(1).rules.at(0).health == Health::kOk);
    CHECK(house.Samples({{"__name__", "r"}}) == "20@0 20@1");
    CHECK(house.Samples({{"__name__", "x"}}).empty());
    CHECK(house.sink.Take().empty());
  }
}

TEST_CASE("A limit on the group ends a rule with too many series or alerts", "[rules]") {
  EngineHouse house;
  FeedTwenty(house);
  REQUIRE(
      house.Load("groups:\n- name: bad\n  limit: 19\n  rules:\n  - {record: x, expr: m}\n"
                 "  - {alert: A, expr: m}\n- name: good\n  rules:\n  - {record: r, expr: m}\n"));
  house.RoundAt(At(0), "bad");
  house.RoundAt(At(0), "good");
  CHECK(house.Rule(0).last_error == "exceeded limit of 19 with 20 series");
  CHECK(house.Rule(1).last_error == "exceeded limit of 19 with 20 alerts");
  CHECK(house.Samples({{"__name__", "r"}, {"a", "7"}}) == "1@0");
}

TEST_CASE("A rule that takes too long ends by its time", "[rules]") {
  const HastyClock hasty;
  engine::EngineOptions options;
  options.limits.timeout = std::chrono::seconds(10);
  EngineHouse house(options, &hasty);
  for (int i = 0; i < 300; ++i) {
    house.Feed({{"__name__", "m"}, {"a", std::to_string(i)}}, At(0), {1});
  }
  REQUIRE(house.Load(WithGood("{record: x, expr: 'rate(m[5m])'}")));
  house.RoundAt(At(0), "bad");
  CHECK(house.Rule().health == Health::kError);
  CHECK(house.Rule().last_error.find("timed out") != std::string::npos);
}

TEST_CASE("A rule that takes too long over one series ends by its time", "[rules]") {
  const HastyClock hasty;
  engine::EngineOptions options;
  options.limits.timeout = std::chrono::seconds(10);
  EngineHouse house(options, &hasty);
  REQUIRE(house.Load(
      WithGood("{record: x, expr: 'max_over_time(sum_over_time(vector(1)[2h:1s])[2h:1s])'}")));
  house.RoundAt(At(0), "bad");
  CHECK(house.Rule().last_error.find("timed out") != std::string::npos);
}

TEST_CASE("Templates that explode are told in their text, the rule goes on", "[rules]") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({{ define "t" }}{{ template "t" }}{{ end }}{{ template "t" }})",
       "maximum template depth"},
      {R"({{ define "t" }}{{ tmpl "t" . }}{{ end }}{{ tmpl "t" . }})", "maximum template depth"},
      {R"({{ $x := "0123456789" }}{{ range 40 }}{{ $x = print $x $x }}{{ end }})", "longer than"},
      {R"({{ reReplaceAll "((x{100}){100}){100}" "" "x" }})", "bad regular expression"},
      {R"x({{ query "count_over_time(m[10000m:1s])" }})x", "too many samples"},
      {R"x({{ query "sum(" }})x", "parse error"},
  };
  engine::EngineOptions options;
  options.limits.max_samples = 10'000;
  for (const auto& [text, error] : cases) {
    CAPTURE(text);
    EngineHouse house(options);
    FeedTwenty(house);
    REQUIRE(house.Load(WithGood("{alert: A, expr: sum(m), annotations: {x: '" + text + "'}}")));
    house.RoundAt(At(0), "bad");
    CHECK(house.Rule().health == Health::kOk);
    const Labels annotations = house.Rule().alerts.at(0).annotations;
    const std::string_view shown = annotations.Get("x");
    CAPTURE(shown.substr(0, 300));
    CHECK(shown.starts_with("<error expanding template: "));
    CHECK(shown.find(error) != std::string_view::npos);
    CHECK(house.sink.Take().size() == 1);
  }
}

}  // namespace skep::rules::test

#include "evaluator/rules/dependency.h"

#include <catch2/catch.hpp>

namespace skep::rules {
namespace {

// Levels of a group as "0 1|2".
std::string LevelsOf(const std::string& rules) {
  const RuleFileReport report = ParseRuleFile("groups:\n- name: g\n  rules:\n" + rules, "f");
  REQUIRE(report.errors.empty());
  std::string text;
  for (const auto& level : Levels(report.file.groups.at(0).rules, {})) {
    if (!text.empty()) text += "|";
    for (std::size_t i = 0; i < level.size(); ++i)
      text += (i > 0 ? " " : "") + std::to_string(level[i]);
  }
  return text;
}

}  // namespace

TEST_CASE("Rules that touch the same series stand in different levels", "[rules]") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"  - {record: a, expr: x}\n  - {record: b, expr: y}\n  - {alert: A, expr: x}\n", "0 1 2"},
      {"  - {record: a, expr: x}\n  - {record: b, expr: a}\n  - {record: c, expr: y}\n", "0 2|1"},
      // The first reads what the second wrote in the round before.
      {"  - {record: b, expr: a}\n  - {record: a, expr: x}\n", "0|1"},
      {"  - {record: a, expr: x}\n  - {record: a, expr: y, labels: {l: v}}\n", "0|1"},
      {"  - {alert: A, expr: x}\n  - {record: b, expr: 'count(ALERTS{alertstate=\"firing\"})'}\n",
       "0|1"},
      {"  - {record: a, expr: x}\n  - {record: b, expr: '{job=\"j\"}'}\n", "0|1"},
      {"  - {record: a, expr: x}\n  - {record: b, expr: '{__name__=~\"z.*\"}'}\n", "0 1"},
      {"  - {record: a, expr: x}\n  - {alert: A, expr: y, annotations: {t: '{{ query \"a\" }}'}}\n",
       "0|1"},
      {"  - {record: a, expr: 'rate(a[5m])'}\n  - {record: b, expr: 'sum_over_time(a[5m:1m])'}\n",
       "0|1"},
  };
  for (const auto& [rules, levels] : cases) {
    CAPTURE(rules);
    CHECK(LevelsOf(rules) == levels);
  }
}

}  // namespace skep::rules

#include "evaluator/ruletest/test_file.h"

#include <catch2/catch.hpp>

namespace skep::ruletest {
namespace {

TEST_CASE("A test file is read with every field", "[ruletest]") {
  const TestFileReport report = ParseTestFile(R"(rule_files: [a.yml, /b/*.yml]
evaluation_interval: 30s
group_eval_order: [x, y]
fuzzy_compare: true
tests:
  - name: n
    interval: 1m
    start_timestamp: 2024-01-01T00:00:00Z
    external_labels: {c: d}
    external_url: http://e
    input_series:
      - {series: up, values: 1x5}
    alert_rule_test:
      - eval_time: 5m
        alertname: A
        exp_alerts:
          - exp_labels: {x: 1, empty: ""}
            exp_annotations: {s: t}
          - {}
    promql_expr_test:
      - expr: up
        eval_time: 0
        exp_samples:
          - {labels: up, value: .5}
          - {labels: '{}', histogram: '{{count:1}}'}
  - {}
)",
                                              "dir/t.yml");
  REQUIRE(report.errors.empty());
  CHECK(report.warnings.empty());
  const TestFile& file = report.file;
  REQUIRE(file.rule_files.size() == 2);
  CHECK(file.rule_files[0].path == "dir/a.yml");
  CHECK(file.rule_files[0].place == "dir/t.yml:1:14");
  CHECK(file.rule_files[1].path == "/b/*.yml");
  CHECK(file.evaluation_interval == std::chrono::seconds(30));
  CHECK(file.group_eval_order == std::vector<std::string>{"x", "y"});
  CHECK(file.fuzzy_compare);
  REQUIRE(file.tests.size() == 2);
  const TestGroup& test = file.tests[0];
  CHECK(test.interval == std::chrono::minutes(1));
  CHECK(test.start == FromMillis(1704067200000));
  CHECK(test.external_labels == Labels{{"c", "d"}});
  CHECK(test.external_url == "http://e");
  CHECK(test.inputs.at(0).values == "1x5");
  CHECK(test.alert_tests.at(0).place == "dir/t.yml:14:9");
  const auto& alerts = test.alert_tests[0].expected;
  REQUIRE(alerts.size() == 2);
  CHECK(alerts[0].labels.ToString() == "{alertname=\"A\", empty=\"\", x=\"1\"}");
  CHECK(alerts[1].labels == Labels{{"alertname", "A"}});
  CHECK(alerts[1].annotations == Labels{});
  CHECK(test.expr_tests.at(0).expected.at(0).value == 0.5);
  CHECK(test.expr_tests.at(0).expected.at(1).histogram == "{{count:1}}");
  CHECK(file.tests[1].interval == std::chrono::seconds(30));
  CHECK(file.tests[1].start == FromMillis(0));
}

TEST_CASE("Errors of a test file name their places, all of them", "[ruletest]") {
  const std::pair<std::string, std::string> cases[] = {
      {"tests: [{nope: 1}]", "t.yml:1:10: field nope not found in test"},
      {"tests: 7", "t.yml:1:8: tests: expected a list"},
      {"nope: 1", "t.yml:1:1: field nope not found in unit-test file"},
      {"evaluation_interval: 5 min", "t.yml:1:22: "},
      {"group_eval_order: [a, a]", "t.yml:1:23: group name repeated in evaluation order: a"},
      {"tests: [{start_timestamp: soon}]", "t.yml:1:27: start_timestamp: "},
      {"tests: [{external_labels: [a]}]", "t.yml:1:27: external_labels: expected a map"},
      {"tests: [{input_series: [{serie: up}]}]", "t.yml:1:26: field serie not found in series"},
      {"tests: [{promql_expr_test: [{exp_samples: [{value: x}]}]}]", "t.yml:1:52: "},
      {"tests: [{alert_rule_test: [{exp_alerts: [{labels: {}}]}]}]",
       "t.yml:1:43: field labels not found in exp_alerts"},
      {"tests: [", "t.yml:1:"},
  };
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    const TestFileReport report = ParseTestFile(text, "t.yml");
    REQUIRE_FALSE(report.errors.empty());
    CHECK(report.errors.front().message().find(message) == 0);
  }
  CHECK(ParseTestFile("tests: [{a: 1}, {b: 1}, {c: 1}]", "t.yml").errors.size() == 3);
}

TEST_CASE("Only the first document of a test file counts", "[ruletest]") {
  const TestFileReport report = ParseTestFile("tests: []\n---\nnope: 1\n---\n", "t.yml");
  CHECK(report.errors.empty());
  REQUIRE(report.warnings.size() == 1);
  CHECK(report.warnings[0].find("t.yml:3:1: only the first document") == 0);
}

}  // namespace
}  // namespace skep::ruletest

// Most of what is expected here was said by promtool too: 2.42 where it knows the thing, else its
// documentation and the test files of later versions.
#include "evaluator/ruletest/runner.h"

#include <catch2/catch.hpp>

#include "common/base/file.h"
#include "evaluator/ruletest/report.h"
#include "tests/support/temp_folder.h"

namespace skep::ruletest {
namespace {

constexpr std::string_view kRules = R"(groups:
- name: first
  rules:
  - record: second:copy
    expr: second_value
- name: second
  rules:
  - record: second_value
    expr: vector(time())
  - alert: Down
    expr: up == 0
    for: 2m
    labels: {severity: page, from: "{{ $externalLabels.region }}"}
    annotations: {summary: "{{ $labels.job }} at {{ $externalURL }}", skep_own: x}
)";

// Runs `tests`, the list of a file over kRules, and gives its failures as text.
std::string RunTests(const std::string& tests, const std::string& head = "",
                     const RunOptions& options = {}) {
  const test::TempFolder folder;
  REQUIRE(WriteFileAtomic(folder.path() + "/rules.yml", kRules));
  const std::string path = folder.path() + "/t.yml";
  REQUIRE(WriteFileAtomic(path, "rule_files: [rules.yml]\n" + head + "tests:\n" + tests));
  const SystemClock clock;
  const FileResult result = RunTestFile(path, options, clock);
  std::string out;
  for (const Error& error : result.errors) out += error.message() + "\n";
  for (const TestResult& test : result.tests) {
    for (Failure failure : test.failures) {
      failure.place = failure.place.substr(failure.place.find_last_of('/') + 1);
      out += FormatFailure(failure, "", FailureStyle::kBoth) + "\n";
    }
  }
  CHECK(result.passed() == out.empty());
  return out;
}

std::string Expr(const std::string& inputs, const std::string& expr, const std::string& samples) {
  return "- input_series: [" + inputs + "]\n  promql_expr_test:\n  - {" + expr +
         ", exp_samples: [" + samples + "]}\n";
}

TEST_CASE("Values stand at their times in every notation", "[ruletest]") {
  const std::string all = R"(- interval: 1m
  input_series:
  - {series: full, values: '1+2x2 10-1x1 _ 7x1 stale'}
  - {series: 'l{a="b"}', values: 5}
  promql_expr_test:
  - {expr: full, eval_time: 0, exp_samples: [{labels: full, value: 1}]}
  - {expr: full, eval_time: 2m, exp_samples: [{labels: full, value: 5}]}
  - {expr: full, eval_time: 4m30s, exp_samples: [{labels: full, value: 9}]}
  - {expr: timestamp(full), eval_time: 5m, exp_samples: [{value: 240}]}
  - {expr: full, eval_time: 7m, exp_samples: [{labels: full, value: 7}]}
  - {expr: full, eval_time: 8m, exp_samples: []}
  - {expr: 'l * 2', eval_time: 4m59s999ms, exp_samples: [{labels: '{a="b"}', value: 10}]}
  - {expr: l, eval_time: 5m, exp_samples: []}
  - {expr: time(), eval_time: 90s, exp_samples: [{labels: '{}', value: 90}]}
)";
  CHECK(RunTests(all).empty());
}

TEST_CASE("Groups run in the order asked for, else in that of their file", "[ruletest]") {
  const std::string now =
      Expr("", "expr: second:copy, eval_time: 1m", "{labels: 'second:copy', value: 60}");
  const std::string before =
      Expr("", "expr: second:copy, eval_time: 1m", "{labels: 'second:copy', value: 0}");
  CHECK(RunTests(now, "group_eval_order: [second, first]\n").empty());
  CHECK(RunTests(before).empty());
  CHECK(RunTests(before, "group_eval_order: [first, second]\n").empty());
}

TEST_CASE("Alerts are those of the evaluation at or before the time", "[ruletest]") {
  const auto test = [](const std::string& time, const std::string& expected) {
    return "- interval: 1m\n  external_labels: {region: eu}\n  external_url: http://e\n"
           "  input_series: [{series: 'up{job=\"j\"}', values: '1 0x5 1'}]\n"
           "  alert_rule_test: [{eval_time: " +
           time + ", alertname: Down, exp_alerts: [" + expected + "]}]\n";
  };
  const std::string down =
      "{exp_labels: {job: j, severity: page, from: eu}, exp_annotations: {summary: j at http://e, "
      "skep_own: x}}";
  CHECK(RunTests(test("2m59s", "")).empty());
  CHECK(RunTests(test("3m", down)).empty());
  CHECK(RunTests(test("6m59s999ms", down)).empty());
  CHECK(RunTests(test("7m", "")).empty());
  CHECK(RunTests(test("3m", "")).find("        exp:[],\n        got:[\n            0:\n") !=
        std::string::npos);
  CHECK(RunTests(test("7m", down)).find("        got:[]\n") != std::string::npos);
}

TEST_CASE("A start moves values, evaluations and times", "[ruletest]") {
  const std::string tests = R"(- start_timestamp: 2024-01-01T00:00:00Z
  interval: 1m
  input_series: [{series: 'm{a="b"}', values: 10+10x15}]
  promql_expr_test:
  - {expr: time(), eval_time: 5m, exp_samples: [{value: 1704067500}]}
  - {expr: m@1704067320, eval_time: 5m, exp_samples: [{labels: 'm{a="b"}', value: 30}]}
  - {expr: timestamp(m), eval_time: 5m, exp_samples: [{labels: '{a="b"}', value: 1704067500}]}
- start_timestamp: 1609459200
  promql_expr_test: [{expr: second_value, eval_time: 1m, exp_samples: [{labels: second_value, value: 1609459260}]}]
)";
  CHECK(RunTests(tests).empty());
}

TEST_CASE("Fuzzy comparison takes the neighbours of a double, no more", "[ruletest]") {
  const auto test = [](const std::string& value) {
    return Expr("{series: m, values: '" + value + "'}", "expr: m", "{labels: m, value: 3}");
  };
  for (const char* value : {"2.9999999999999996", "3.0000000000000004"}) {
    CAPTURE(value);
    CHECK(RunTests(test(value), "fuzzy_compare: true\n").empty());
    CHECK_FALSE(RunTests(test(value)).empty());
  }
  CHECK_FALSE(RunTests(test("2.9999999999999987"), "fuzzy_compare: true\n").empty());
  // NaN is unlike NaN, as for promtool.
  const std::string nan = Expr("{series: m, values: NaN}", "expr: m", "{labels: m, value: .nan}");
  CHECK(RunTests(nan).find("exp: m NaN\n        got: m NaN") != std::string::npos);
}

TEST_CASE("Histograms are expected as literals", "[ruletest]") {
  const std::string inputs =
      "{series: h, values: '{{schema:1 sum:-0.3 count:32.1 z_bucket:7.1 z_bucket_w:0.05 "
      "buckets:[5.1 10 7] offset:-3 n_buckets:[4.1 5] n_offset:-5}}'}, "
      "{series: up, values: '{{sum:3 count:2 buckets:[2]}}+{{sum:1.3 count:1 buckets:[1]}}x2'}";
  const auto test = [&](const std::string& expr, const std::string& literal) {
    return RunTests(Expr(
        inputs, expr,
        "{labels: '" + expr.substr(6, expr.find(',') - 6) + "', histogram: '" + literal + "'}"));
  };
  CHECK(test("expr: h, eval_time: 1m",
             "{{schema:1 sum:-0.3 count:32.1 z_bucket:7.1 z_bucket_w:0.05 buckets:[5.1 10 7] "
             "offset:-3 n_buckets:[4.1 5] n_offset:-5}}")
            .empty());
  CHECK(test("expr: up, eval_time: 2m", "{{count:4 sum:5.6 buckets:[4]}}").empty());
  CHECK(test("expr: up, eval_time: 2m",
             "{{count:4 sum:5.6 buckets:[4] counter_reset_hint:not_reset}}")
            .empty());
  const std::string wrong =
      test("expr: up, eval_time: 2m", "{{count:4 sum:5.6 buckets:[4] counter_reset_hint:gauge}}");
  CAPTURE(wrong);
  CHECK(wrong.find("exp: up {{count:4 sum:5.6 counter_reset_hint:gauge buckets:[4]}}") !=
        std::string::npos);
  CHECK(test("expr: up, eval_time: 2m", "1").find("expected a histogram, got a number") !=
        std::string::npos);
  CHECK(test("expr: up, eval_time: 2m", "{{}}x1").find("expected 1 value, got 2") !=
        std::string::npos);
}

TEST_CASE("What cannot be evaluated fails its test alone", "[ruletest]") {
  const std::pair<std::string, std::string> cases[] = {
      {"- {input_series: [{series: 'm{', values: 1}]}\n", "t.yml:3:19:\n    input series, err: "},
      {"- {input_series: [{series: m, values: 1+}]}\n", "t.yml:3:19:\n    input series, err: "},
      {"- {promql_expr_test: [{expr: 'sum('}]}\n",
       "    expr: \"sum(\", time: 0s, err: 1:5: parse error: unclosed left parenthesis"},
      {"- {promql_expr_test: [{expr: 'm[5m]'}]}\n", "err: rule result is not a vector or scalar"},
      {"- {promql_expr_test: [{expr: '1', exp_samples: [{labels: 'a b'}]}]}\n",
       "err: labels \"a b\": "},
      {"- {alert_rule_test: [{eval_time: 1m}]}\n",
       "misses required attribute alertname at eval_time 1m"},
  };
  for (const auto& [test, message] : cases) {
    CAPTURE(test);
    const std::string failures = RunTests(test + "- {promql_expr_test: [{expr: vector(1)}]}\n");
    CAPTURE(failures);
    CHECK(failures.find(message) != std::string::npos);
    CHECK(failures.find("expr: \"vector(1)\", time: 0s,\n") != std::string::npos);
  }
}

TEST_CASE("A rule that fails ends its test", "[ruletest]") {
  const std::string failures = RunTests(R"(- interval: 1m
  input_series: [{series: second_value, values: _ 1 1}]
  promql_expr_test: [{expr: vector(1), eval_time: 3m}]
)");
  CAPTURE(failures);
  CHECK(failures.find("    rules.yml:8:\n    rule: second_value, time: 1m, err: ") == 0);
  CHECK(failures.find("vector(1)") == std::string::npos);
}

TEST_CASE("Rule files are found beside the test file, and their errors fail every test",
          "[ruletest]") {
  const test::TempFolder folder;
  const std::string path = folder.path() + "/t.yml";
  const auto run = [&](const std::string& text) {
    REQUIRE(WriteFileAtomic(path, text));
    return RunTestFile(path, {}, SystemClock());
  };
  const std::string object =
      "kind: PrometheusRule\nspec: {groups: [{name: g, rules: [{record: a, expr: vector(1)}]}]}\n";
  REQUIRE(WriteFileAtomic(folder.path() + "/k8s.yaml", object));
  REQUIRE(WriteFileAtomic(folder.path() + "/bad.yml", "groups: [{name: a, rules: [{}]}]\n"));
  const std::string test =
      "tests: [{promql_expr_test: [{expr: a, exp_samples: [{labels: a, value: 1}]}]}]\n";
  CHECK(run("rule_files: ['*.yaml', k8s.yaml]\n" + test).passed());
  const FileResult missing = run("rule_files: [none.yml]\n" + test);
  REQUIRE(missing.warnings.size() == 1);
  CHECK(missing.warnings[0].find("t.yml:1:14: no file match pattern ") != std::string::npos);
  CHECK_FALSE(missing.passed());
  const FileResult bad = run("rule_files: [bad.yml]\ntests: [{}, {name: n}]\n");
  REQUIRE(bad.tests.size() == 2);
  CHECK(bad.tests[1].failures.at(0).error.find("bad.yml:1:") != std::string::npos);
  CHECK(run("rule_files: [bad.yml]\ntests: []\n").passed());
}

TEST_CASE("Subqueries step by the evaluation interval", "[ruletest]") {
  const std::string test = Expr("{series: m, values: 1x10}",
                                "expr: 'count_over_time(m[5m:])', eval_time: 5m", "{value: 10}");
  CHECK(RunTests(test, "evaluation_interval: 30s\n").empty());
}

TEST_CASE("Tests are chosen by name, and features must be asked for", "[ruletest]") {
  RunOptions options;
  options.run = *Regex::Create("^x$");
  const std::string tests =
      "- {name: x, promql_expr_test: [{expr: 'limitk(1, up)'}]}\n"
      "- {name: xx, promql_expr_test: [{expr: 'vector(1)'}]}\n";
  const std::string without = RunTests(tests, "", options);
  CHECK(without.find("limitk") != std::string::npos);
  CHECK(without.find("vector") == std::string::npos);
  options.promql.experimental_functions = true;
  CHECK(RunTests(tests, "", options).empty());
}

}  // namespace
}  // namespace skep::ruletest

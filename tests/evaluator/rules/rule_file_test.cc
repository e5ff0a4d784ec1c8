#include "evaluator/rules/rule_file.h"

#include <catch2/catch.hpp>

#include "common/base/file.h"
#include "tests/support/temp_folder.h"

namespace skep::rules {
namespace {

std::string Errors(const std::string& text, const RuleFileOptions& options = {}) {
  std::string all;
  for (const Error& error : ParseRuleFile(text, "f.yml", options).errors) {
    all += error.message() + "\n";
  }
  return all;
}

}  // namespace

TEST_CASE("A rule file is read with every field", "[rules]") {
  const RuleFileReport report = ParseRuleFile(R"(
groups:
  - name: g
    interval: 30s
    query_offset: 1m
    limit: 7
    labels: {team: a, severity: low}
    rules:
      - record: job:up:sum
        expr: sum by(job)(up)
        labels: {severity: high}
      - alert: Down
        expr: |
          up==0
        for: 5m
        keep_firing_for: 1h
        labels: {page: "{{ $labels.job }}", team: ""}
        annotations: {summary: "{{ $value }} down", skep_no_data: keep}
  - name: empty
)",
                                              "f.yml");
  REQUIRE(report.errors.empty());
  REQUIRE(report.file.groups.size() == 2);
  const GroupDefinition& group = report.file.groups[0];
  CHECK(group.name == "g");
  CHECK(group.interval == std::chrono::seconds(30));
  CHECK(group.query_offset == std::chrono::minutes(1));
  CHECK(group.limit == 7);
  REQUIRE(group.rules.size() == 2);
  CHECK(group.rules[0].kind == RuleKind::kRecording);
  CHECK(group.rules[0].query == "sum by (job) (up)");
  CHECK(group.rules[0].labels == Labels{{"team", "a"}, {"severity", "high"}});
  CHECK(group.rules[1].kind == RuleKind::kAlerting);
  CHECK(group.rules[1].hold == std::chrono::minutes(5));
  CHECK(group.rules[1].keep_firing == std::chrono::hours(1));
  CHECK(group.rules[1].labels.ToString() ==
        R"({page="{{ $labels.job }}", severity="low", team=""})");
  CHECK(group.rules[1].annotations == Labels{{"summary", "{{ $value }} down"}});
  CHECK(group.rules[1].own_annotations == Labels{{"skep_no_data", "keep"}});
  CHECK(group.rules[1].line == 12);
  CHECK(report.file.CountRules() == 2);
  CHECK_FALSE(report.file.groups[1].interval);
}

TEST_CASE("An empty rule file has no groups", "[rules]") {
  CHECK(Errors("").empty());
  CHECK(Errors("groups:\n").empty());
  CHECK(Errors("# nothing\n").empty());
}

TEST_CASE("Bad rule files are refused with the place", "[rules]") {
  const auto rule = [](const std::string& fields) {
    return "groups:\n- name: g\n  rules:\n  - " + fields + "\n";
  };
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"groups: 5", "f.yml:1:9: groups: expected a list"},
      {"grops: []", "f.yml:1:1: field grops not found"},
      {"groups:\n- rules: []", "f.yml:2:3: Groupname must not be empty"},
      {"groups:\n- name: a\n- name: a", "f.yml:3:3: groupname: \"a\" is repeated in the same file"},
      {"groups:\n- name: a\n  intervall: 5m", "field intervall not found"},
      {"groups:\n- name: a\n  interval: 5 min", "f.yml:3:13: "},
      {"groups:\n- name: a\n  limit: x", "f.yml:3:10: "},
      {"groups:\n- name: a\n  labels: {__name__: x}", "f.yml:3:22: invalid label name: __name__"},
      {"groups:\n- name: a\n  rules: {}", "f.yml:3:10: rules: expected a list"},
      {rule("expr: up"),
       "f.yml:4:5: group \"g\", rule 1, \"\": one of 'record' or 'alert' must be set"},
      {rule("{record: a, alert: b, expr: up}"), "only one of 'record' and 'alert' must be set"},
      {rule("record: a"),
       "f.yml:4:5: group \"g\", rule 1, \"a\": field 'expr' must be set in rule"},
      {rule("{record: a, expr: 'sum('}"),
       "f.yml:4:23: group \"g\", rule 1, \"a\": could not parse expression: 1:5: parse error"},
      {rule("{record: a, expr: up, for: 5m}"),
       "f.yml:4:32: group \"g\", rule 1, \"a\": invalid field 'for' in recording rule"},
      {rule("{record: a, expr: up, keep_firing_for: 5m}"),
       "invalid field 'keep_firing_for' in recording rule"},
      {rule("{record: a, expr: up, annotations: {b: c}}"),
       "invalid field 'annotations' in recording rule"},
      {rule("{record: 'a{}', expr: up}"),
       "braces present in the recording rule name; should it be in expr?: a{}"},
      {rule("{record: a, expr: up, labels: {__name__: b}}"), "invalid label name: __name__"},
      {rule("{alert: a, expr: up, annotations: {'': b}}"), "invalid annotation name: "},
      {rule("{alert: a, expr: up, labels: {x: '{{ nope }}'}}"),
       "f.yml:4:38: group \"g\", rule 1, \"a\": label \"x\": template: __alert_a:1:4: function "
       "\"nope\" not defined"},
      {rule("{alert: a, expr: up, annotations: {x: '{{ if }}'}}"),
       "annotation \"x\": template: __alert_a:1:"},
      {rule("{alert: a, expr: up, annotation: {x: y}}"), "f.yml:4:26: field annotation not found"},
      {rule("{alert: a, expr: up, for: soon}"), "f.yml:4:31: "},
      {rule("{alert: a, expr: up, labels: [x]}"), "labels: expected a map of texts"},
      {rule("{alert: a, expr: up, labels: {x: [y]}}"), "f.yml:4:38: labels \"x\": expected text"},
      {rule("{alert: a, expr: up, for: 300y}"), "f.yml:4:31: duration out of range: \"300y\""},
      {rule("just text"), "f.yml:4:5: "},
      {"kind: ServiceMonitor\nspec: {}",
       "f.yml:1:7: expected kind PrometheusRule, got \"ServiceMonitor\""},
  };
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    const std::string errors = Errors(text);
    CAPTURE(errors);
    CHECK(errors.find(message) != std::string::npos);
  }
}

TEST_CASE("A negative limit is none, as in Prometheus", "[rules]") {
  CHECK(Errors("groups: [{name: a, limit: -1}]").empty());
}

TEST_CASE("All errors of a file are found, in its order", "[rules]") {
  const std::string errors = Errors(R"(groups:
- name: g
  rules:
  - {record: a, expr: ')'}
  - {alert: b, expr: up, labels: {x: '{{'}}
  - {alert: c, expr: up, nope: 1}
)");
  CHECK(std::count(errors.begin(), errors.end(), '\n') == 3);
  CHECK(errors.find("rule 1, \"a\"") < errors.find("rule 2, \"b\""));
  CHECK(errors.find("rule 2, \"b\"") < errors.find("field nope"));
}

TEST_CASE("Unknown fields are let pass where asked", "[rules]") {
  const std::string text =
      "groups:\n- name: g\n  nope: 1\n  rules:\n  - {alert: a, expr: up, b: c}\n";
  CHECK_FALSE(Errors(text).empty());
  CHECK(Errors(text, {.ignore_unknown_fields = true}).empty());
}

TEST_CASE("PrometheusRule objects of Kubernetes are read", "[rules]") {
  const RuleFileReport report = ParseRuleFile(R"(apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: x, labels: {a: b}}
spec:
  groups:
  - name: g
    partial_response_strategy: abort
    rules: [{record: a, expr: vector(1)}]
)",
                                              "f.yml");
  REQUIRE(report.errors.empty());
  CHECK(report.file.CountRules() == 1);
}

TEST_CASE("Several objects stand in one file, as documents and as lists", "[rules]") {
  const auto object = [](const std::string& group, const std::string& expr) {
    return "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: x}\n"
           "spec: {groups: [{name: " +
           group + ", rules: [{record: a, expr: " + expr + "}]}]}\n";
  };
  const std::string list = R"(apiVersion: v1
kind: List
metadata: {resourceVersion: ""}
items:
- {apiVersion: monitoring.coreos.com/v1, kind: PrometheusRule, spec: {groups: [{name: c}]}}
- {apiVersion: monitoring.coreos.com/v1, kind: PrometheusRule, spec: {groups: [{name: d}]}}
)";
  const RuleFileReport report = ParseRuleFile(
      "---\n" + object("a", "up") + "---\n" + object("b", "up") + "---\n" + list, "f.yml");
  REQUIRE(report.errors.empty());
  REQUIRE(report.file.groups.size() == 4);
  CHECK(report.file.groups[1].name == "b");
  CHECK(report.file.groups[3].name == "d");
  CHECK(report.file.ignored_documents.empty());

  const std::pair<std::string, std::string> bad[] = {
      {object("a", "up") + "---\n" + object("b", "sum("), "f.yml:9:"},
      {object("a", "up") + "---\n" + object("a", "up"),
       "groupname: \"a\" is repeated in the same file (document 2)"},
      {object("a", "up") + "---\nkind: Service\n",
       "f.yml:6:7: expected kind PrometheusRule, got \"Service\" (document 2)"},
      {object("a", "up") + "---\ngroups: []\n", "f.yml:6:1: expected kind PrometheusRule"},
      {"kind: List\nitems: [{kind: List}]\n", "f.yml:2:16: expected kind PrometheusRule"},
      {"kind: List\nitems: 7\n", "f.yml:2:8: items: expected a list"},
      {"apiVersion: v1\nkind: PrometheusRule\n",
       "f.yml:1:13: expected apiVersion monitoring.coreos.com/v1, got \"v1\""},
  };
  for (const auto& [text, message] : bad) {
    CAPTURE(text, message);
    const std::string errors = Errors(text);
    CAPTURE(errors);
    CHECK(errors.find(message) != std::string::npos);
  }
}

TEST_CASE("Of a plain rule file the first document counts, and lint says so", "[rules]") {
  const RuleFileReport report =
      ParseRuleFile("groups: [{name: a}]\n---\ngroups: [{name: b, nope: 1}]\n---\n", "f.yml");
  REQUIRE(report.errors.empty());
  REQUIRE(report.file.groups.size() == 1);
  const std::vector<LintFinding> findings = LintRules({report.file});
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].kind == LintFinding::Kind::kIgnoredDocument);
  CHECK(findings[0].line == 3);
}

TEST_CASE("Lint finds duplicates over all files, and annotations without effect", "[rules]") {
  const auto read = [](const std::string& rules, const std::string& name) {
    RuleFileReport report = ParseRuleFile("groups:\n- name: g\n  rules:\n" + rules, name);
    REQUIRE(report.errors.empty());
    return report.file;
  };
  const std::vector<LintFinding> findings = LintRules(
      {read("  - {record: a, expr: up}\n  - {record: a, expr: up, labels: {x: y}}\n", "1"),
       read("  - {record: a, expr: sum(up)}\n"
            "  - {alert: b, expr: up, annotations: {skep_for: 3 of 5}}\n",
            "2")});
  REQUIRE(findings.size() == 2);
  CHECK(findings[0].kind == LintFinding::Kind::kDuplicateRule);
  CHECK(findings[0].file == "2");
  CHECK(findings[0].line == 4);
  CHECK(findings[1].kind == LintFinding::Kind::kIgnoredAnnotation);
  CHECK(findings[1].message.find("skep_for has no effect") != std::string::npos);
}

TEST_CASE("Reading a file names it and counts its errors", "[rules]") {
  const skep::test::TempFolder folder;
  const std::string path = folder.File("r.yml");
  REQUIRE(WriteFileAtomic(path, "groups:\n- name: ''\n- name: ''\n"));
  const Result<RuleFile> file = ReadRuleFile(path);
  REQUIRE_FALSE(file);
  CHECK(file.error().message() == path + ":2:3: Groupname must not be empty (and 1 more)");
  CHECK(ReadRuleFile(folder.File("none.yml")).error().kind() == ErrorKind::kNotFound);
}

}  // namespace skep::rules

#include "evaluator/rules/rule_format.h"

#include <catch2/catch.hpp>

#include "common/base/file.h"

namespace skep::rules {
namespace {

// Indented by four spaces, the rules of one group.
FormattedRules Format(const std::string& rules) {
  const auto formatted = FormatRules("groups:\n- name: g\n  rules:\n" + rules, "f.yml", {});
  if (!formatted) FAIL(formatted.error().message());
  FormattedRules out = *formatted;
  out.text.erase(0, out.text.find("rules:\n") + 7);
  return out;
}

TEST_CASE("Expressions of a rule file are formatted, everything else stays", "[rules]") {
  const std::pair<std::string, std::string> cases[] = {
      {"  - record: a   # why\n    expr: sum(up)by(job)  # how\n",
       "  - record: a   # why\n    expr: sum by (job) (up)  # how\n"},
      {"  - record: a\n    expr: 'sum(up{job=\"x\"})by(a)' # c\n    labels: {b: c}\n",
       "  - record: a\n    expr: 'sum by (a) (up{job=\"x\"})' # c\n    labels: {b: c}\n"},
      {"  - record: a\n    expr: \"up+1\"\n", "  - record: a\n    expr: 'up + 1'\n"},
      {"  - record: a\n    expr: |\n      sum(up)\n      by(job)\n\n    # next\n    labels: {}\n",
       "  - record: a\n    expr: |\n      sum by (job) (up)\n\n    # next\n    labels: {}\n"},
      {"  - record: a\n    expr: >-\n        up+1\n  # the end\n",
       "  - record: a\n    expr: |-\n        up + 1\n  # the end\n"},
      {"  - expr: up\n      +1\n    record: a\n", "  - expr: up + 1\n    record: a\n"},
      {"  - record: a\n    expr: |2-  # c\n      up+1\n",
       "  - record: a\n    expr: |-  # c\n      up + 1\n"},
      {"  - record: \xc3\xa9\n    expr: up+1\n", "  - record: \xc3\xa9\n    expr: up + 1\n"},
  };
  for (const auto& [before, after] : cases) {
    CAPTURE(before);
    const FormattedRules formatted = Format(before);
    CHECK(formatted.text == after);
    CHECK(formatted.changed == 1);
    CHECK(formatted.kept == 0);
    CHECK(Format(formatted.text).changed == 0);
  }
}

TEST_CASE("A long expression becomes a block, whatever it was", "[rules]") {
  const std::string expr =
      "sum by (job) (rate(http_requests_total{code=~\"5..\"}[5m])) / sum by (job) "
      "(rate(http_requests_total[5m])) > 0.05";
  std::string quoted = "'";
  quoted.append(expr).append("' # c\n");
  for (const std::string& before : {quoted, expr + "\n"}) {
    CAPTURE(before);
    const FormattedRules formatted = Format("  - record: a\n    expr: " + before);
    CAPTURE(formatted.text);
    CHECK(formatted.changed == 1);
    CHECK(formatted.text.find("    expr: |2") != std::string::npos);
    CHECK((before[0] != '\'' || formatted.text.find("expr: |2 # c\n") != std::string::npos));
    CHECK(Format(formatted.text).changed == 0);
  }
}

TEST_CASE("What cannot be replaced alone is kept and counted", "[rules]") {
  const std::string cases[] = {
      "  - {record: a, expr: up+1}\n",                    // a flow map
      "  - {record: a, expr: 'up+1', labels: {b: c}}\n",  //
      "  - record: a\n    expr: |\n      up+1 # why\n",   // a comment
      "  - record: a\n    expr:\n      up+1\n",           // not in the key's line
      "  - record: a\n    expr: &e up+1\n",               // an anchor
  };
  for (const std::string& rules : cases) {
    CAPTURE(rules);
    const FormattedRules formatted = Format(rules);
    CHECK(formatted.text == rules);
    CHECK(formatted.changed == 0);
    CHECK(formatted.kept == 1);
  }
}

TEST_CASE("A rule that an alias names again is formatted once", "[rules]") {
  const FormattedRules formatted =
      Format("  - &r\n    record: a\n    expr: up+1\n  - record: b\n    expr: up+2\n  - *r\n");
  CHECK(formatted.text ==
        "  - &r\n    record: a\n    expr: up + 1\n  - record: b\n    expr: up + 2\n  - *r\n");
  CHECK(formatted.changed == 2);
  CHECK(formatted.kept == 0);
}

TEST_CASE("Objects of Kubernetes are formatted in every document", "[rules]") {
  const std::string_view documents =
      "kind: PrometheusRule\nspec:\n  groups:\n  - name: a\n    rules:\n    - alert: a\n"
      "      expr: up+1\n"
      "---\n"
      "kind: PrometheusRule\nspec:\n  groups:\n  - name: b\n    rules:\n    - alert: a\n"
      "      expr: up+1\n";
  const auto formatted = FormatRules(documents, "f.yml", {});
  REQUIRE(formatted);
  CHECK(formatted->changed == 2);
  CHECK(formatted->text.find("up+1") == std::string::npos);
}

TEST_CASE("A bad rule file is refused as it is elsewhere", "[rules]") {
  const auto formatted = FormatRules("groups: [{name: g, rules: [{expr: up}]}]", "f.yml", {});
  REQUIRE_FALSE(formatted);
  CHECK(formatted.error().message().find("f.yml:1:") == 0);
}

TEST_CASE("The shipped rules survive formatting", "[rules]") {
  const auto files = Glob(SKEP_SOURCE_DIR "/rules/*.yml");
  REQUIRE(files);
  REQUIRE_FALSE(files->empty());
  for (const std::string& file : *files) {
    CAPTURE(file);
    const auto text = ReadFile(file);
    REQUIRE(text);
    const auto once = FormatRules(*text, file, {});
    REQUIRE(once);
    const auto twice = FormatRules(once->text, file, {});
    REQUIRE(twice);
    CHECK(twice->text == once->text);
  }
}

}  // namespace
}  // namespace skep::rules

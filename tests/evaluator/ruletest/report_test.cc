#include "evaluator/ruletest/report.h"

#include <catch2/catch.hpp>

namespace skep::ruletest {
namespace {

Failure Alerts() {
  return {.kind = Failure::Kind::kAlerts,
          .place = "t.yml:3:5",
          .title = "alertname: A, time: 5m",
          .error = {},
          .expected = {{Labels{{"alertname", "A"}, {"x", "1"}}, Labels{{"s", "t"}}, {}},
                       {Labels{{"alertname", "A"}, {"x", "2"}}, {}, {}}},
          .got = {{Labels{{"alertname", "A"}, {"x", "3"}}, Labels{{"s", "t"}}, {}}}};
}

TEST_CASE("Alerts that differ are shown as promtool shows them", "[ruletest]") {
  CHECK(FormatFailure(Alerts(), "n", FailureStyle::kBoth) == R"(    t.yml:3:5:
    name: n,
    alertname: A, time: 5m,
        exp:[
            0:
              Labels:{alertname="A", x="1"}
              Annotations:{s="t"},
            1:
              Labels:{alertname="A", x="2"}
              Annotations:{}
            ],
        got:[
            0:
              Labels:{alertname="A", x="3"}
              Annotations:{s="t"}
            ])");
}

TEST_CASE("A difference is told to the label", "[ruletest]") {
  Failure failure = Alerts();
  failure.expected.pop_back();
  CHECK(FormatFailure(failure, "", FailureStyle::kDiff) == R"(    t.yml:3:5:
    alertname: A, time: 5m,
        diff:
            Labels:
              alertname: "A"
          -   x: "1"
          +   x: "3"
            Annotations:
              s: "t")");
}

TEST_CASE("Errors and samples have a form of their own", "[ruletest]") {
  Failure failure;
  failure.error = "no such file";
  CHECK(FormatFailure(failure, "", FailureStyle::kBoth) == "    no such file");
  failure.title = "expr: \"x\", time: 0s";
  CHECK(FormatFailure(failure, "", FailureStyle::kDiff) ==
        "    expr: \"x\", time: 0s, err: no such file");
  failure.kind = Failure::Kind::kSamples;
  failure.got = {{Labels{{"a", "b"}}, {}, "1E+00"}, {Labels{{"a", "c"}}, {}, "{{count:1}}"}};
  CHECK(FormatFailure(failure, "", FailureStyle::kBoth) ==
        "    expr: \"x\", time: 0s,\n        exp: nil\n        got: {a=\"b\"} 1E+00, {a=\"c\"} "
        "{{count:1}}");
}

TEST_CASE("JUnit XML holds any text", "[ruletest]") {
  FileResult good;
  good.file = "a&b.yml";
  Failure failure;
  failure.error = "1 < 2 \"x\"\n\x01";
  good.tests = {{"<n>", {failure}}, {"m", {}}};
  FileResult bad;
  bad.file = "c.yml";
  bad.errors = {Invalid("c.yml:1:1: no")};
  const std::string xml = FormatJunit({good, bad}, FromMillis(0));
  CHECK(xml == R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="a&amp;b.yml" tests="2" failures="1" errors="0" skipped="0" timestamp="1970-01-01T00:00:00Z">
    <testcase name="&lt;n&gt;">
      <failure>    1 &lt; 2 &#34;x&#34;&#xA;)"
               "\xef\xbf\xbd"
               R"(</failure>
    </testcase>
    <testcase name="m">
    </testcase>
  </testsuite>
  <testsuite name="c.yml" tests="1" failures="0" errors="1" skipped="0" timestamp="1970-01-01T00:00:00Z">
    <testcase name="unknown">
      <error>c.yml:1:1: no</error>
    </testcase>
  </testsuite>
</testsuites>
)");
}

}  // namespace
}  // namespace skep::ruletest

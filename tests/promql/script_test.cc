// The runner itself: a script that does not hold must not pass.
#include "evaluator/promqltest/script.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/promql/memory_script_store.h"

namespace skep::promqltest {
namespace {

constexpr std::string_view kLoad =
    "load 1m\n"
    "  m{a=\"x\"} 1 2 3\n"
    "  m{a=\"y\"} 4 _ 6\n"
    "\n";

ScriptReport RunOverLoad(const std::string& rest) {
  const Result<ScriptReport> report = RunScript(std::string(kLoad) + rest, NewMemoryStore);
  if (!report) FAIL(report.error().message());
  return *report;
}

TEST_CASE("The script runner tells evals that hold from those that do not", "[promql]") {
  struct Case {
    std::string eval;
    std::string message;  // "": it holds
  };
  const Case cases[] = {
      {"eval instant at 0 m\n m{a=\"x\"} 1\n m{a=\"y\"} 4\n", ""},
      {"eval instant at 0 m\n m{a=\"x\"} 1\n", "unexpected series m{a=\"y\"}: got 4"},
      {"eval instant at 0 m{a=\"x\"}\n m{a=\"x\"} 2\n", "m{a=\"x\"} at 0s: expected 2, got 1"},
      {"eval instant at 0 m{a=\"x\"}\n m{a=\"z\"} 1\n", "missing series m{a=\"z\"}: expected 1"},
      {"eval instant at 0 sort_desc(m)\n expect ordered\n m{a=\"y\"} 4\n m{a=\"x\"} 1\n", ""},
      {"eval instant at 0 sort_desc(m)\n expect ordered\n m{a=\"x\"} 1\n m{a=\"y\"} 4\n",
       "at place 1: expected m{a=\"x\"} 1, got m{a=\"y\"}"},
      {"eval instant at 0 1 + 1\n 2\n", ""},
      {"eval instant at 0 1 + 1\n 3\n", "expected 3, got 2"},
      {"eval instant at 0 \"x\"\n expect string \"y\"\n", "got string \"x\""},
      {"eval range from 0 to 2m step 1m m{a=\"y\"}\n m{a=\"y\"} 4 4 6\n", ""},
      {"eval range from 0 to 2m step 1m m{a=\"y\"}\n m{a=\"y\"} 4 _ 6\n",
       "m{a=\"y\"} at 1m: unexpected 4"},
      {"eval range from 0 to 2m step 1m m{a=\"y\"}\n m{a=\"y\"} 4 4 6 6\n",
       "m{a=\"y\"} at 3m: expected 6, got nothing"},
      {"eval instant at 0 -{a=~\"x|y\"}\n {a=\"x\"} -1\n {a=\"y\"} -4\n", ""},
      {"eval instant at 2m rate(m[5m])\n expect no_info\n",
       "unexpected info: PromQL info: metric might not be a counter, name does not end in "
       "_total/_sum/_count/_bucket: \"m\" (1:6)"},
      {"eval instant at 0 m\n expect warn\n m{a=\"x\"} 1\n m{a=\"y\"} 4\n",
       "expected warning, got none"},
      {"eval instant at 0 m\n expect fail\n", "expected an error"},
      {"eval instant at 0 topk(NaN, m)\n expect fail msg: Parameter value is NaN\n", ""},
      {"eval instant at 0 topk(NaN, m)\n expect fail msg: other\n",
       "unexpected error: Parameter value is NaN"},
      {"eval instant at 0 topk(NaN, m)\n", "error: Parameter value is NaN"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.eval);
    const ScriptReport report = RunOverLoad(c.eval);
    CHECK(report.evals == 1);
    CHECK(report.passed == (c.message.empty() ? 1U : 0U));
    REQUIRE(report.failed.size() == (c.message.empty() ? 0U : 1U));
    if (!c.message.empty()) CHECK(report.failed[0].message == c.message);
  }
}

TEST_CASE("The script runner compares histograms by value and hint, and loads starts", "[promql]") {
  const ScriptReport report = RunOverLoad(
      "load 1m\n  h {{sum:1 count:1 buckets:[1 0]}}\n  s@st -1s\n  s 7\n\n"
      "eval instant at 0 h\n  h {{sum:1 count:1 buckets:[1]}}\n\n"
      "eval instant at 0 h\n  h {{sum:1 count:2 buckets:[1]}}\n\n"
      "eval instant at 0 h\n  h {{sum:1 count:1 buckets:[1] counter_reset_hint:gauge}}\n\n"
      "eval instant at 0 h\n  h 1\n\n"
      "eval instant at 0 start_timestamp(s)\n  {} -1\n");
  CHECK(report.evals == 5);
  CHECK(report.passed == 2);
  REQUIRE(report.failed.size() == 3);
  CHECK(report.failed[0].line == 13);
  CHECK(report.failed[1].line == 16);
  CHECK(report.failed[2].line == 19);
}

TEST_CASE("load_with_nhcb makes a native histogram of each classic one", "[promql]") {
  const ScriptReport report = RunOverLoad(
      "load_with_nhcb 1m\n  c_bucket{le=\"1\"} 2\n  c_bucket{le=\"+Inf\"} 5\n  c_sum 9\n  c_count "
      "5\n\n"
      "eval instant at 0 c\n  c {{schema:-53 count:5 sum:9 custom_values:[1] buckets:[2 3]}}\n");
  CHECK(report.passed == 1);
}

TEST_CASE("A script that is no script is an error with its line", "[promql]") {
  const auto message = [](std::string_view script) {
    const Result<ScriptReport> report = RunScript(script, NewMemoryStore);
    return report ? std::string("no error") : report.error().message();
  };
  CHECK(message("\nlaod 1m\n") == "script:2: no command: \"laod\"");
  CHECK(message("eval instant m\n") == "script:1: \"at\" expected");
  CHECK(message("eval instant at 0 1\n  expect fire\n") ==
        "script:2: no such expectation: \"fire\"");
  CHECK(message("load 1m\n  m 1\n  n x\n").find("script:3: series \"n x\": 1:3: ") == 0);
  CHECK(message("load 5 min\n  m 1\n").find("script:1: ") == 0);
}

TEST_CASE("A script runs only those evals whose query matches, if asked", "[promql]") {
  const std::string script =
      std::string(kLoad) + "eval instant at 0 m + 1\n\neval instant at 0 1\n 1\n";
  ScriptOptions options;
  options.run = *Regex::Create("^1$");
  const Result<ScriptReport> report = RunScript(script, NewMemoryStore, options);
  REQUIRE(report);
  CHECK(report->evals == 1);
  CHECK(report->passed == 1);
}

TEST_CASE("A script without a feature refuses what needs it", "[promql]") {
  const std::string eval = "eval instant at 0 limitk(1, m)\n m{a=\"x\"} 1\n";
  ScriptOptions options;
  options.promql = {};
  const Result<ScriptReport> report = RunScript(std::string(kLoad) + eval, NewMemoryStore, options);
  REQUIRE(report);
  REQUIRE(report->failed.size() == 1);
  CHECK(report->failed[0].message.find("limitk") != std::string::npos);
}

TEST_CASE("clear empties the store", "[promql]") {
  const ScriptReport report = RunOverLoad("clear\n\neval instant at 0 m\n");
  CHECK(report.passed == 1);
}

}  // namespace
}  // namespace skep::promqltest

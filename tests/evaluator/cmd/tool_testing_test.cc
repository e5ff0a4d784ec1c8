#include "evaluator/cmd/tool_testing.h"

#include <catch2/catch.hpp>

#include "common/base/file.h"
#include "tests/evaluator/cmd/run_command.h"
#include "tests/support/temp_folder.h"

namespace skep::tool {
namespace {

constexpr std::string_view kTests = R"(tests:
- name: good
  input_series: [{series: up, values: 1x5}]
  promql_expr_test: [{expr: up, eval_time: 1m, exp_samples: [{labels: up, value: 1}]}]
- name: bad
  promql_expr_test: [{expr: vector(1), exp_samples: [{value: 2}]}]
)";

TEST_CASE("test rules speaks as promtool does", "[tool]") {
  const test::TempFolder folder;
  const std::string path = folder.path() + "/t.yml";
  REQUIRE(WriteFileAtomic(path, kTests));
  const SystemClock clock;
  TestOptions options;
  const auto test = [&] {
    return Run("", [&](ToolIo& io) { return TestRules(io, {path, path}, options, clock); });
  };
  const Outcome failed = test();
  CHECK(failed.code == ExitCode::kRefused);
  CHECK(failed.out == "Unit Testing:  " + path + "\nUnit Testing:  " + path + "\n");
  CHECK(failed.err.find("  FAILED:\n    " + path +
                        ":6:22:\n    name: bad,\n    expr: \"vector(1)\", time: 0s,\n"
                        "        exp: {} 2E+00\n        got: {} 1E+00\n\n") == 0);

  options.run = {"^goo", "nothing"};
  const Outcome good = test();
  CHECK(good.code == ExitCode::kGood);
  CHECK(good.err.empty());
  CHECK(good.out.find("  SUCCESS\n\n") != std::string::npos);

  options.run = {"("};
  CHECK(test().err.find("--run: ") != std::string::npos);
}

TEST_CASE("test rules shows differences, and writes what JUnit readers want", "[tool]") {
  const test::TempFolder folder;
  const std::string path = folder.path() + "/t.yml";
  REQUIRE(WriteFileAtomic(path, kTests));
  TestOptions options;
  options.style = ruletest::FailureStyle::kColoredDiff;
  options.debug = true;
  options.junit = folder.path() + "/junit.xml";
  const Outcome outcome =
      Run("", [&](ToolIo& io) { return TestRules(io, {path}, options, SystemClock()); });
  CHECK(outcome.err.find("\033[31m- {} 2E+00\033[0m") != std::string::npos);
  CHECK(outcome.err.find("\033[32m+ {} 1E+00\033[0m") != std::string::npos);
  CHECK(outcome.err.find("DEBUG: Starting test good\nDEBUG: Dump of all data") == 0);
  CHECK(outcome.err.find("up =>\n1 @[0]\n1 @[60000]\n") != std::string::npos);
  const auto junit = ReadFile(options.junit);
  REQUIRE(junit);
  CHECK(junit->find("tests=\"2\" failures=\"1\" errors=\"0\"") != std::string::npos);
  CHECK(junit->find("<testcase name=\"bad\">\n      <failure>") != std::string::npos);

  options.junit = folder.path() + "/none/junit.xml";
  options.run = {"good"};
  CHECK(Run("", [&](ToolIo& io) { return TestRules(io, {path}, options, SystemClock()); }).code ==
        ExitCode::kRefused);
}

TEST_CASE("A test file that cannot be read fails, and those after it are run", "[tool]") {
  const test::TempFolder folder;
  const std::string path = folder.path() + "/t.yml";
  REQUIRE(WriteFileAtomic(path, "tests: []\n"));
  const Outcome outcome = Run("", [&](ToolIo& io) {
    return TestRules(io, {folder.path() + "/none.yml", path}, {}, SystemClock());
  });
  CHECK(outcome.code == ExitCode::kRefused);
  CHECK(outcome.err.find("none.yml") != std::string::npos);
  CHECK(outcome.out.ends_with("  SUCCESS\n\n"));
}

TEST_CASE("test promql tells file and line of what does not hold", "[tool]") {
  const std::string script =
      "eval instant at 0 1 + 1\n  2\n\neval instant at 0 limitk(1, m) + 1\n  3\n";
  TestOptions options;
  options.features = ScriptFeatures();
  const auto test = [&](const std::string& text) {
    return Run(text, [&](ToolIo& io) { return TestPromql(io, {"-"}, options); });
  };
  CHECK(test("eval instant at 0 1\n 1\n").out == "<stdin>: good, 1 evals\n");
  const Outcome failed = test("eval instant at 0 2\n 1\n");
  CHECK(failed.code == ExitCode::kRefused);
  CHECK(failed.err == "<stdin>:1: 2\n    expected 1, got 2\nskep: <stdin>: 1 of 1 evals failed\n");
  CHECK(test("nonsense\n").err == "skep: <stdin>:1: no command: \"nonsense\"\n");
  options.run = {"1 . 1$"};
  CHECK(test(script).out == "<stdin>: good, 1 evals\n");
  options.run = {};
  options.features = {};
  CHECK(test(script).err.find("limitk") != std::string::npos);
}

TEST_CASE("Features have Prometheus's names", "[tool]") {
  const auto features = evaluator::ParseFeatures(
      {"promql-duration-expr", "exemplar-storage", "", "promql-delayed-name-removal", "x"});
  CHECK(features.promql.duration_expressions);
  CHECK_FALSE(features.promql.experimental_functions);
  CHECK(features.engine.delayed_name_removal);
  CHECK(features.unknown == std::vector<std::string>{"exemplar-storage", "x"});
  CHECK(evaluator::ListFeatures().find("use-start-timestamps") != std::string::npos);
}

}  // namespace
}  // namespace skep::tool

#include "evaluator/cmd/tool_format.h"

#include <catch2/catch.hpp>

#include "common/base/file.h"
#include "tests/evaluator/cmd/run_command.h"
#include "tests/support/temp_folder.h"

namespace skep::tool {
namespace {

TEST_CASE("fmt writes an expression as it should look", "[tool]") {
  const auto format = [](const std::string& expr, const std::string& input = "") {
    return Run(input, [&](ToolIo& io) { return FormatExpr(io, expr, {}); });
  };
  CHECK(format("sum(x)by(a)").out == "sum by (a) (x)\n");
  CHECK(format("-", "1+1\n").out == "1 + 1\n");
  const Outcome bad = format("sum(");
  CHECK(bad.code == ExitCode::kRefused);
  CHECK(bad.out.empty());
  CHECK(bad.err == "skep: 1:5: parse error: unclosed left parenthesis\n");
}

TEST_CASE("fmt --check tells whether an expression would change", "[tool]") {
  const auto check = [](const std::string& expr) {
    return Run("", [&](ToolIo& io) {
      return FormatExpr(io, expr, {.promql = {}, .mode = FormatMode::kCheck});
    });
  };
  CHECK(check("1 + 1").code == ExitCode::kGood);
  CHECK(check(" 1 + 1\n").code == ExitCode::kGood);
  const Outcome changed = check("1+1");
  CHECK(changed.code == ExitCode::kRefused);
  CHECK(changed.out.empty());
  CHECK(changed.err.find("1 + 1") != std::string::npos);
}

TEST_CASE("fmt --rules prints, checks and writes rule files", "[tool]") {
  const test::TempFolder folder;
  const std::string path = folder.path() + "/r.yml";
  const std::string before = "groups:\n- name: g\n  rules:\n  - record: a  # why\n    expr: up+1\n";
  std::string after = before;
  after.replace(after.find("up+1"), 4, "up + 1");
  REQUIRE(WriteFileAtomic(path, before));
  const auto format = [&](FormatMode mode) {
    return Run(
        "", [&](ToolIo& io) { return FormatRuleFiles(io, {path}, {.promql = {}, .mode = mode}); });
  };
  const auto content = [&] { return *ReadFile(path); };
  CHECK(format(FormatMode::kPrint).out == after);
  CHECK(content() == before);
  CHECK(format(FormatMode::kCheck).err ==
        "skep: " + path + ": 1 expression would be written in another way\n");
  CHECK(format(FormatMode::kCheck).code == ExitCode::kRefused);
  CHECK(format(FormatMode::kWrite).out == path + ": 1 expression formatted\n");
  CHECK(content() == after);
  CHECK(format(FormatMode::kWrite).out.empty());
  CHECK(format(FormatMode::kCheck).code == ExitCode::kGood);
}

TEST_CASE("fmt --rules says what it leaves, and refuses what is no rule file", "[tool]") {
  const auto format = [&](const std::string& text) {
    return Run(text, [&](ToolIo& io) { return FormatRuleFiles(io, {"-"}, {}); });
  };
  const std::string flow = "groups: [{name: g, rules: [{record: a, expr: up+1}]}]\n";
  CHECK(format(flow).code == ExitCode::kGood);
  CHECK(format(flow).out == flow);
  CHECK(format(flow).err.find("1 expression left as they are") != std::string::npos);
  CHECK(format("groups: [{}]\n").code == ExitCode::kRefused);
  CHECK(format("groups: [{}]\n").err.find("<stdin>:1:") != std::string::npos);
}

}  // namespace
}  // namespace skep::tool

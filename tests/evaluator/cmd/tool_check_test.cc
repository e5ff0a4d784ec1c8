#include "evaluator/cmd/tool_check.h"

#include <catch2/catch.hpp>
#include <sstream>
#include <string>

#include "common/base/file.h"
#include "tests/support/temp_folder.h"

namespace skep::tool {
namespace {

struct Outcome {
  ExitCode code;
  std::string out, err;
};

template <typename Command>
Outcome Run(const std::string& input, Command command) {
  std::istringstream in(input);
  std::ostringstream out, err;
  ToolIo io{in, out, err};
  const ExitCode code = command(io);
  return {code, out.str(), err.str()};
}

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

TEST_CASE("Every rule file is judged, whatever is wrong with the first", "[tool]") {
  const test::TempFolder folder;
  const std::string bad = folder.path() + "/bad.yml";
  const std::string good = folder.path() + "/good.yml";
  REQUIRE(WriteFileAtomic(bad, "groups: [{name: g, rules: [{record: a, expr: 'sum('}]}]\n"));
  REQUIRE(WriteFileAtomic(good, "groups: [{name: g, rules: [{record: a, expr: up}]}]\n"));
  const Outcome both = Run("", [&](ToolIo& io) { return CheckRules(io, {bad, good}, {}); });
  CHECK(both.code == ExitCode::kRefused);
  CHECK(both.err.find(bad + ":1:") != std::string::npos);
  CHECK(both.out == good + ": good, 1 rule\n");
  const Outcome missing =
      Run("", [&](ToolIo& io) { return CheckRules(io, {folder.path() + "/none.yml"}, {}); });
  CHECK(missing.code == ExitCode::kRefused);
  CHECK(missing.err.find("none.yml") != std::string::npos);
  CHECK(Run("groups: []", [](ToolIo& io) { return CheckRules(io, {}, {}); }).code ==
        ExitCode::kGood);
}

TEST_CASE("Rules that come twice are found, and fatal only when asked", "[tool]") {
  const std::string twice =
      "groups: [{name: g, rules: [{record: a, expr: up}, {record: a, expr: up}]}]\n";
  const auto check = [&](bool fatal) {
    CheckOptions options;
    options.lint_fatal = fatal;
    return Run(twice, [&](ToolIo& io) { return CheckRules(io, {"-"}, options); });
  };
  CHECK(check(false).code == ExitCode::kGood);
  CHECK(check(true).code == ExitCode::kLint);
  CHECK_FALSE(check(false).err.empty());
}

TEST_CASE("A configuration is good when its rule files are", "[tool]") {
  const test::TempFolder folder;
  const std::string config = folder.path() + "/prometheus.yml";
  const auto check = [&](const std::string& text) {
    REQUIRE(WriteFileAtomic(config, text));
    return Run("", [&](ToolIo& io) { return CheckConfig(io, {config}, {}); });
  };
  REQUIRE(WriteFileAtomic(folder.path() + "/r.yml",
                          "groups: [{name: g, rules: [{record: a, expr: 'sum('}]}]\n"));
  CHECK(check("global: {scrape_interval: 5s}\n").code == ExitCode::kGood);
  CHECK(check("rule_files: [no*.yml]\n").code == ExitCode::kGood);
  CHECK(check("rule_files: [none.yml]\n").err == "skep: " + config + ":1:14: \"" +
                                                     folder.File("none.yml") +
                                                     "\" does not point to an existing file\n");
  const std::string ca = "scrape_configs: [{job_name: a, tls_config: {ca_file: no.crt}}]\n";
  CHECK(check(ca).err == "skep: " + config + ":1:54: open " + folder.File("no.crt") +
                             ": No such file or directory\n");
  const Outcome bad_rule = check("rule_files: [r.yml]\n");
  CHECK(bad_rule.code == ExitCode::kRefused);
  CHECK(bad_rule.err.find("r.yml:1:") != std::string::npos);
  const Outcome bad = check("global: {scrape_intervall: 5s}\n");
  CHECK(bad.code == ExitCode::kRefused);
  CHECK(bad.err.find(config + ":1:") != std::string::npos);
}

TEST_CASE("A configuration is judged with the targets that discovery files list", "[tool]") {
  const test::TempFolder folder;
  const std::string config = folder.File("prometheus.yml");
  const std::string listed = folder.File("t.yml");
  const auto check = [&](const std::string& text, const std::string& file) {
    REQUIRE(WriteFileAtomic(config, text));
    REQUIRE(WriteFileAtomic(listed, file));
    return Run("", [&](ToolIo& io) { return CheckConfig(io, {config}, {}); });
  };
  const std::string job =
      "scrape_configs: [{job_name: a, file_sd_configs: [{files: ['t*.yml']}]}]\n";
  CHECK(check(job, "- targets: ['a:1']\n").err.empty());
  const Outcome none =
      check("scrape_configs: [{job_name: a, file_sd_configs: [{files: ['no*.yml']}]}]\n", "[]");
  CHECK(none.code == ExitCode::kGood);
  CHECK(none.err == "skep: warning: file \"" + folder.File("no*.yml") +
                        "\" for file_sd in scrape job \"a\" does not exist\n");
  const Outcome bad = check(job, "- targets: ['a:1'\n");
  CHECK(bad.code == ExitCode::kRefused);
  CHECK(bad.err.starts_with("skep: " + listed + ":2:1: "));
  CHECK(check(job, "- targets: ['a:1', '', 'a/b']\n").err ==
        "skep: scrape job \"a\": group " + listed +
            ":0: target \"\": no address\nskep: scrape job \"a\": group " + listed +
            ":0: target \"a/b\": \"a/b\" is not a valid hostname\n");
  const std::string alertmanagers =
      "alerting: {alertmanagers: [{file_sd_configs: [{files: [t.yml]}]}]}\n";
  CHECK(check(alertmanagers, "- target: []\n").code == ExitCode::kRefused);
  // Relabelling does not make an address of nothing here.
  const std::string relabelled =
      "scrape_configs: [{job_name: a, static_configs: [{targets: ['']}], relabel_configs: "
      "[{target_label: x, replacement: y}]}]\n";
  CHECK(check(relabelled, "[]").code == ExitCode::kRefused);
}

TEST_CASE("A page of metrics is good, smells or is refused", "[tool]") {
  const auto check = [](const std::string& page) {
    return Run(page, [](ToolIo& io) { return CheckMetrics(io, {}); });
  };
  CHECK(check("# HELP a_total Help.\n# TYPE a_total counter\na_total 1\n").code == ExitCode::kGood);
  const Outcome smelly = check("# TYPE a counter\na 1\n");
  CHECK(smelly.code == ExitCode::kLint);
  CHECK(smelly.err.find("a ") == 0);
  const Outcome bad = check("a{ 1\n");
  CHECK(bad.code == ExitCode::kRefused);
  CHECK(bad.err.find("<stdin>: ") != std::string::npos);
}

}  // namespace
}  // namespace skep::tool

#include "evaluator/cmd/tool_check.h"

#include <catch2/catch.hpp>
#include <string>

#include "common/base/file.h"
#include "tests/evaluator/cmd/run_command.h"
#include "tests/support/temp_folder.h"

namespace skep::tool {
namespace {

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
    options.lint.fatal = fatal;
    return Run(twice, [&](ToolIo& io) { return CheckRules(io, {"-"}, options); });
  };
  CHECK(check(false).code == ExitCode::kGood);
  CHECK(check(true).code == ExitCode::kLint);
  CHECK_FALSE(check(false).err.empty());
}

TEST_CASE("Lint applies the checks that are named", "[tool]") {
  const std::string twice =
      "groups: [{name: g, rules: [{record: a, expr: up}, {record: a, expr: up}]}]\n";
  const auto check = [&](const std::string& list) {
    return Run(twice, [&](ToolIo& io) {
      CheckOptions options;
      options.lint.fatal = true;
      ReadLintList(io, list, options.lint);
      return CheckRules(io, {"-"}, options);
    });
  };
  CHECK(check("all").code == ExitCode::kLint);
  CHECK(check("duplicate-rules").code == ExitCode::kLint);
  CHECK(check("none").code == ExitCode::kGood);
  CHECK(check("none").err.empty());
  CHECK(check("all,none").code == ExitCode::kGood);
  CHECK(check("").code == ExitCode::kGood);
  CHECK(check("nonsense").err == "skep: warning: unknown lint option: \"nonsense\"\n");
}

TEST_CASE("Rules are compared within their file, and ours are never fatal", "[tool]") {
  const test::TempFolder folder;
  const std::string rule = "groups: [{name: g, rules: [{record: a, expr: up}]}]\n";
  const std::string own =
      "groups: [{name: g, rules: [{alert: a, expr: up, annotations: {skep_x: y}}]}]\n---\nb: c\n";
  CheckOptions options;
  options.lint.fatal = true;
  REQUIRE(WriteFileAtomic(folder.path() + "/a.yml", rule));
  REQUIRE(WriteFileAtomic(folder.path() + "/b.yml", rule));
  CHECK(Run("", [&](ToolIo& io) {
          return CheckRules(io, {folder.path() + "/a.yml", folder.path() + "/b.yml"}, options);
        }).code == ExitCode::kGood);
  const Outcome ours = Run(own, [&](ToolIo& io) { return CheckRules(io, {"-"}, options); });
  CHECK(ours.code == ExitCode::kGood);
  CHECK(ours.err.find("skep_x has no effect") != std::string::npos);
  CHECK(ours.err.find("<stdin>:3: only the first document") != std::string::npos);
}

TEST_CASE("A scrape interval too long for the lookback is found", "[tool]") {
  const auto check = [](const std::string& list, Duration lookback) {
    return Run("scrape_configs: [{job_name: j, scrape_interval: 10m}]\n", [&](ToolIo& io) {
      CheckOptions options;
      options.lint.fatal = true;
      options.lint.lookback_delta = lookback;
      ReadLintList(io, list, options.lint);
      return CheckConfig(io, {"-"}, options);
    });
  };
  using std::chrono::minutes;
  CHECK(check("too-long-scrape-interval", minutes(5)).code == ExitCode::kLint);
  CHECK(check("all", minutes(10)).code == ExitCode::kLint);
  CHECK(check("all", minutes(11)).code == ExitCode::kGood);
  CHECK(check("duplicate-rules", minutes(5)).code == ExitCode::kGood);
  CHECK(check("all", minutes(5)).err.find("scrape job \"j\": interval 10m") == 0);
}

TEST_CASE("Of the syntax alone, what a configuration names is not looked at", "[tool]") {
  const std::string text = "rule_files: [/nowhere/r.yml]\n";
  CheckOptions options;
  CHECK(Run(text, [&](ToolIo& io) { return CheckConfig(io, {"-"}, options); }).code ==
        ExitCode::kRefused);
  options.syntax_only = true;
  CHECK(Run(text, [&](ToolIo& io) { return CheckConfig(io, {"-"}, options); }).code ==
        ExitCode::kGood);
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
        "skep: " + config + ": scrape job \"a\": group " + listed +
            ":0: target \"\": no address\nskep: " + config + ": scrape job \"a\": group " + listed +
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
    return Run(page, [](ToolIo& io) { return CheckMetrics(io, {}, {}); });
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

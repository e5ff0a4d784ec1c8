#include "evaluator/cmd/tool_testing.h"

#include <memory>
#include <optional>
#include <ostream>
#include <string_view>

#include "common/base/file.h"
#include "evaluator/promqltest/script.h"
#include "evaluator/ruletest/runner.h"
#include "evaluator/tsdb/head.h"

namespace skep::tool {
namespace {

// One expression for all; empty where there are none.
Result<std::optional<Regex>> JoinPatterns(const std::vector<std::string>& patterns) {
  if (patterns.empty()) return std::optional<Regex>{};
  std::string joined;
  for (const std::string& pattern : patterns) {
    if (!joined.empty()) joined += '|';
    joined += pattern;
  }
  const Result<Regex> regex = Regex::Create(joined);
  if (!regex) return regex.error().Wrap("--run");
  return std::optional<Regex>(*regex);
}

void ShowFile(ToolIo& io, const ruletest::FileResult& file, ruletest::FailureStyle style) {
  for (const std::string& warning : file.warnings) io.err << "  WARNING: " << warning << '\n';
  if (file.passed()) {
    io.out << "  SUCCESS\n\n" << std::flush;
    return;
  }
  io.err << "  FAILED:\n";
  for (const Error& error : file.errors) io.err << "    " << error.message() << "\n\n";
  for (const ruletest::TestResult& test : file.tests) {
    const std::string name = test.name.starts_with("unnamed#") ? "" : test.name;
    for (const ruletest::Failure& failure : test.failures) {
      io.err << FormatFailure(failure, name, style) << "\n\n";
    }
  }
  io.err << std::flush;
}

ExitCode TestScript(ToolIo& io, const std::string& path, const promqltest::ScriptOptions& options) {
  const Result<std::string> text = ReadInput(io, path);
  if (!text) return Refuse(io, text.error().message());
  const auto new_head = [] {
    return std::make_unique<promqltest::WholeStore<tsdb::Head>>(tsdb::HeadOptions{});
  };
  const auto report = promqltest::RunScript(*text, new_head, options);
  if (!report) return Refuse(io, report.error().message());
  for (const auto& remark : report->failed) {
    io.err << options.file << ':' << remark.line << ": " << remark.query << "\n    "
           << remark.message << '\n';
  }
  if (report->failed.empty()) {
    io.out << options.file << ": good, " << report->evals << " evals\n";
    return ExitCode::kGood;
  }
  return Refuse(io, options.file + ": " + std::to_string(report->failed.size()) + " of " +
                        std::to_string(report->evals) + " evals failed");
}

}  // namespace

ExitCode TestRules(ToolIo& io, const std::vector<std::string>& files, const TestOptions& options,
                   const Clock& clock) {
  const auto run = JoinPatterns(options.run);
  if (!run) return Refuse(io, run.error().message());
  ruletest::RunOptions how{.promql = options.features.promql,
                           .engine = options.features.engine,
                           .run = *run,
                           .ignore_unknown_fields = options.ignore_unknown_fields};
  if (options.debug) {
    how.debug = [&io](std::string_view text) { io.err << "DEBUG: " << text << '\n' << std::flush; };
  }
  ExitCode code = ExitCode::kGood;
  std::vector<ruletest::FileResult> results;
  for (const std::string& file : files) {
    io.out << "Unit Testing:  " << file << '\n' << std::flush;
    results.push_back(RunTestFile(file, how, clock));
    ShowFile(io, results.back(), options.style);
    if (!results.back().passed()) code = ExitCode::kRefused;
  }
  if (options.junit.empty()) return code;
  const Status written =
      WriteFileAtomic(options.junit, ruletest::FormatJunit(results, clock.Now()));
  return written ? code : Refuse(io, written.error().Wrap("--junit").message());
}

ExitCode TestPromql(ToolIo& io, const std::vector<std::string>& files, const TestOptions& options) {
  const auto run = JoinPatterns(options.run);
  if (!run) return Refuse(io, run.error().message());
  ExitCode code = ExitCode::kGood;
  for (const std::string& file : files) {
    promqltest::ScriptOptions how;
    how.file = file == "-" ? "<stdin>" : file;
    how.engine = options.features.engine;
    how.promql = options.features.promql;
    how.run = *run;
    code = Worse(code, TestScript(io, file, how));
  }
  return code;
}

Features ScriptFeatures() {
  return {.promql = promql::ParseOptions::All(), .engine = promqltest::ScriptEngineOptions()};
}

}  // namespace skep::tool

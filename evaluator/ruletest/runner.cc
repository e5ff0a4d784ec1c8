#include "evaluator/ruletest/runner.h"

#include <algorithm>
#include <set>

#include "common/base/file.h"
#include "common/base/quote.h"
#include "evaluator/rules/rule_file.h"
#include "evaluator/ruletest/test_file.h"
#include "evaluator/ruletest/test_run.h"

namespace skep::ruletest {
namespace {

// The rule files of one test file.
struct LoadedRules {
  std::vector<rules::RuleFile> files;
  std::vector<Error> errors;  // all of all files
};

void LoadRuleFile(const std::string& path, const RunOptions& options, LoadedRules& rules) {
  const Result<std::string> text = ReadFile(path);
  if (!text) {
    rules.errors.push_back(text.error());
    return;
  }
  rules::RuleFileReport report = rules::ParseRuleFile(
      *text, path,
      {.promql = options.promql, .ignore_unknown_fields = options.ignore_unknown_fields});
  rules.errors.insert(rules.errors.end(), report.errors.begin(), report.errors.end());
  if (report.errors.empty()) rules.files.push_back(std::move(report.file));
}

LoadedRules LoadRules(const TestFile& file, const RunOptions& options, FileResult& result) {
  LoadedRules rules;
  std::set<std::string> seen;
  for (const NamedFile& pattern : file.rule_files) {
    const Status valid = CheckGlob(pattern.path);
    const Result<std::vector<std::string>> paths =
        valid ? Glob(pattern.path) : Result<std::vector<std::string>>(valid.error());
    if (!paths) {
      result.errors.push_back(paths.error().Wrap(pattern.place));
      continue;
    }
    if (paths->empty()) {
      result.warnings.push_back(pattern.place + ": no file match pattern " + pattern.path);
    }
    for (const std::string& path : *paths) {
      if (seen.insert(path).second) LoadRuleFile(path, options, rules);
    }
  }
  return rules;
}

std::vector<Failure> RunTest(const TestFile& file, const TestGroup& test, const LoadedRules& rules,
                             const RunOptions& options, const Clock& clock) {
  if (!rules.errors.empty()) {
    std::vector<Failure> failures;
    for (const Error& error : rules.errors) {
      Failure failure;
      failure.error = error.message();
      failures.push_back(std::move(failure));
    }
    return failures;
  }
  TestRun run(file, test, options, clock);
  std::vector<Failure> failures = run.Run(rules.files);
  if (options.debug) {
    options.debug("Dump of all data (input_series and rules) at " +
                  FormatDuration(run.end() - test.start) + ":\n" + run.Dump(run.end()));
  }
  return failures;
}

TestResult RunNamed(const TestFile& file, std::size_t number, const LoadedRules& rules,
                    const RunOptions& options, const Clock& clock) {
  const TestGroup& test = file.tests[number];
  TestResult result;
  result.name = test.name.empty() ? "unnamed#" + std::to_string(number) : test.name;
  const auto begin = clock.SteadyNow();
  if (options.debug) options.debug("Starting test " + result.name);
  result.failures = RunTest(file, test, rules, options, clock);
  if (options.debug) {
    const auto took = std::chrono::duration_cast<Duration>(clock.SteadyNow() - begin);
    options.debug("Test " + result.name + " finished, took " + FormatDuration(took));
  }
  return result;
}

}  // namespace

bool FileResult::passed() const {
  return errors.empty() && std::all_of(tests.begin(), tests.end(), [](const TestResult& test) {
           return test.failures.empty();
         });
}

FileResult RunTestFile(const std::string& path, const RunOptions& options, const Clock& clock) {
  FileResult result;
  result.file = path;
  const Result<std::string> text = ReadFile(path);
  if (!text) {
    result.errors.push_back(text.error());
    return result;
  }
  TestFileReport report = ParseTestFile(*text, path);
  result.warnings = std::move(report.warnings);
  result.errors = std::move(report.errors);
  if (!result.errors.empty()) return result;
  const LoadedRules rules = LoadRules(report.file, options, result);
  if (!result.errors.empty()) return result;
  for (std::size_t i = 0; i < report.file.tests.size(); ++i) {
    if (options.run && !options.run->PartialMatch(report.file.tests[i].name)) continue;
    result.tests.push_back(RunNamed(report.file, i, rules, options, clock));
  }
  return result;
}

}  // namespace skep::ruletest

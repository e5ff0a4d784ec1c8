// Runs unit-test files of promtool: the rules, the engine and the store are those of the server,
// only the samples and the times come from the file.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/model/labels.h"
#include "common/model/regex.h"
#include "evaluator/engine/engine.h"
#include "evaluator/promql/parser.h"

namespace skep::ruletest {

struct RunOptions {
  promql::ParseOptions promql;
  engine::EngineOptions engine = {};   // subqueries step by the file's evaluation interval
  std::optional<Regex> run = {};       // only tests with a part of their name that matches
  bool ignore_unknown_fields = false;  // of rule files
  // Is told when a test begins and ends, and at its end all samples that it had. May be empty.
  std::function<void(std::string_view text)> debug = {};
};

// An alert or a sample, expected or got.
struct Observation {
  Labels labels;
  Labels annotations;  // of an alert
  std::string value;   // of a sample: "2E+00", or a histogram literal
};

// One thing that was not as expected.
struct Failure {
  enum class Kind : std::uint8_t { kError, kAlerts, kSamples };

  Kind kind = Kind::kError;
  std::string place;                       // "FILE:LINE:COLUMN" of what failed
  std::string title;                       // `alertname: A, time: 5m`
  std::string error;                       // of kError: why nothing could be compared
  std::vector<Observation> expected, got;  // of the other kinds, sorted
};

struct TestResult {
  std::string name;  // "unnamed#2" (from 0) where the file gives none
  std::vector<Failure> failures;
};

struct FileResult {
  std::string file;
  std::vector<std::string> warnings;
  std::vector<Error> errors;  // why no test could run
  std::vector<TestResult> tests;

  bool passed() const;
};

// What differs from promtool: where a test file gives no interval for a test, its evaluation
// interval counts (promtool from 2.48 on); groups that group_eval_order does not name keep the
// order of their files; a reset hint of a histogram counts only where the expected literal writes
// one.
FileResult RunTestFile(const std::string& path, const RunOptions& options, const Clock& clock);

}  // namespace skep::ruletest

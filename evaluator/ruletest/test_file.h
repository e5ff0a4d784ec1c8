// Unit-test files of promtool as values. Nothing is run here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/file.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/model/labels.h"

namespace skep::ruletest {

// Places are "FILE:LINE:COLUMN".

struct InputSeries {
  std::string place;
  std::string series;  // `metric{a="b"}`
  std::string values;  // `1+1x5 _ stale {{…}}`
};

struct ExpectedAlert {
  Labels labels;  // alertname included
  Labels annotations;
};

struct AlertTest {
  std::string place;
  Duration eval_time{0};  // from the test's start
  std::string alertname;  // "" is refused when the test runs
  std::vector<ExpectedAlert> expected;
};

struct ExpectedSample {
  std::string labels;  // as written: `metric{a="b"}`
  double value = 0;    // where `histogram` is ""
  std::string histogram;
};

struct ExprTest {
  std::string place;
  std::string expr;
  Duration eval_time{0};
  std::vector<ExpectedSample> expected;
};

struct TestGroup {
  std::string place;
  std::string name;      // "" where the file gives none
  Duration interval{0};  // between two values of a series; never 0
  Timestamp start;       // of the values and the evaluations; 1970 by default
  std::vector<InputSeries> inputs;
  std::vector<AlertTest> alert_tests;
  std::vector<ExprTest> expr_tests;
  Labels external_labels;
  std::string external_url;
};

struct TestFile {
  std::string file;
  std::vector<NamedFile> rule_files;  // patterns, joined to the folder of the test file
  Duration evaluation_interval = std::chrono::minutes(1);
  std::vector<std::string> group_eval_order;
  bool fuzzy_compare = false;
  std::vector<TestGroup> tests;
};

// `errors` empty: `file` is good. `warnings` are for people.
struct TestFileReport {
  TestFile file;
  std::vector<std::string> warnings;
  std::vector<Error> errors;  // each begins with its place
};

// Strict: an unknown field and a value of another type are errors, of which as many as possible are
// found. Of several YAML documents the first counts, as for promtool; the others are warned of.
TestFileReport ParseTestFile(std::string_view text, std::string_view file);

}  // namespace skep::ruletest

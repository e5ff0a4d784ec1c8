// What came of test files as text: for people in promtool's manner, and as JUnit XML.
#pragma once

#include <string>
#include <vector>

#include "common/base/time.h"
#include "evaluator/ruletest/runner.h"

namespace skep::ruletest {

enum class FailureStyle : std::uint8_t {
  kBoth,         // what was expected, then what came
  kDiff,         // what differs: a line that is only expected begins with -, one that came with +
  kColoredDiff,  // the same in red and green, for a terminal
};

// Several lines without the last newline, indented by four spaces. `test` is "" where it is
// unnamed.
std::string FormatFailure(const Failure& failure, const std::string& test, FailureStyle style);

// A test suite for each file, a test case for each test; `now` is the suites' timestamp.
std::string FormatJunit(const std::vector<FileResult>& files, Timestamp now);

}  // namespace skep::ruletest

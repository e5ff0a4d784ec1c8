// skep test rules|promql: unit tests of rules as promtool has them, and PromQL test scripts.
#pragma once

#include <string>
#include <vector>

#include "common/base/clock.h"
#include "evaluator/cmd/features.h"
#include "evaluator/cmd/tool_io.h"
#include "evaluator/ruletest/report.h"

namespace skep::tool {

using evaluator::Features;

struct TestOptions {
  Features features;
  std::vector<std::string> run;  // regular expressions: what any of them matches is run; none: all
  ruletest::FailureStyle style = ruletest::FailureStyle::kBoth;
  bool debug = false;                  // tells of each test as it runs, and all its samples
  bool ignore_unknown_fields = false;  // of rule files
  std::string junit;                   // where JUnit XML goes; "": nowhere
};

// Unit-test files of promtool. What fails goes to err, everything else to out; every file is run,
// whatever is wrong with the first.
ExitCode TestRules(ToolIo& io, const std::vector<std::string>& files, const TestOptions& options,
                   const Clock& clock);

// Scripts of Prometheus's promqltest; "-" is standard input. Of the options `features` and `run`
// (of queries) count.
ExitCode TestPromql(ToolIo& io, const std::vector<std::string>& files, const TestOptions& options);

// What promqltest runs with: all features.
Features ScriptFeatures();

}  // namespace skep::tool

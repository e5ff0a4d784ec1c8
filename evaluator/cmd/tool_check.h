// skep check config|rules|metrics: promtool's verdicts.
#pragma once

#include <string>
#include <vector>

#include "evaluator/cmd/tool_io.h"
#include "evaluator/cmd/tool_lint.h"
#include "evaluator/promql/parser.h"

namespace skep::tool {

struct CheckOptions {
  promql::ParseOptions promql;
  bool ignore_unsupported = false;     // of a configuration
  bool ignore_unknown_fields = false;  // of rule files
  bool syntax_only = false;            // of a configuration: nothing that it names is looked at
  LintOptions lint;
};

// All of `files` are looked at, whatever is wrong with the first; "-" and no file at all are
// standard input. Each good file gets a line on out, each mistake one on err.
ExitCode CheckRules(ToolIo& io, std::vector<std::string> files, const CheckOptions& options);
// With what a configuration names: rule files, discovery files, certificates, secrets.
ExitCode CheckConfig(ToolIo& io, std::vector<std::string> files, const CheckOptions& options);
struct CheckMetricsOptions {
  bool lint = true;
  bool extended = false;  // tell how many series each metric has
};

// Pages in text 0.0.4, or OpenMetrics where they end with # EOF. Findings end with kLint.
ExitCode CheckMetrics(ToolIo& io, std::vector<std::string> files,
                      const CheckMetricsOptions& options);

}  // namespace skep::tool

// skep check config|rules|metrics and skep fmt: promtool's verdicts.
#pragma once

#include <string>
#include <vector>

#include "evaluator/cmd/tool_io.h"
#include "evaluator/promql/parser.h"

namespace skep::tool {

struct CheckOptions {
  promql::ParseOptions promql;
  bool ignore_unsupported = false;     // of a configuration
  bool ignore_unknown_fields = false;  // of rule files
  bool lint_fatal = false;             // findings in rules end with kLint
};

// All of `files` are looked at, whatever is wrong with the first; "-" and no file at all are
// standard input. Each good file gets a line on out, each mistake one on err.
ExitCode CheckRules(ToolIo& io, std::vector<std::string> files, const CheckOptions& options);
// With what a configuration names: rule files, discovery files, certificates, secrets.
ExitCode CheckConfig(ToolIo& io, std::vector<std::string> files, const CheckOptions& options);
// Pages in text 0.0.4, or OpenMetrics where they end with # EOF. Findings end with kLint.
ExitCode CheckMetrics(ToolIo& io, std::vector<std::string> files);

// Writes the expression (standard input where it is "-") over several lines where it is long.
ExitCode FormatExpr(ToolIo& io, const std::string& expr, const promql::ParseOptions& options);

}  // namespace skep::tool

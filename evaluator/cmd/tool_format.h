// skep fmt: PromQL as it should look, alone or in rule files.
#pragma once

#include <string>
#include <vector>

#include "evaluator/cmd/tool_io.h"
#include "evaluator/promql/parser.h"

namespace skep::tool {

enum class FormatMode : std::uint8_t {
  kPrint,  // what is formatted goes to out
  kWrite,  // files are replaced where they change; of an expression the same as kPrint
  kCheck,  // nothing is written; kRefused where something would change, which err names
};

struct FormatOptions {
  promql::ParseOptions promql;
  FormatMode mode = FormatMode::kPrint;
};

// The expression (standard input where it is "-"), over several lines where it is long.
ExitCode FormatExpr(ToolIo& io, const std::string& expr, const FormatOptions& options);

// The expressions of rule files ("-" is standard input), whose layout and comments stay. How many
// expressions were left as they are, since nothing else could stay, is told on err.
ExitCode FormatRuleFiles(ToolIo& io, const std::vector<std::string>& files,
                         const FormatOptions& options);

}  // namespace skep::tool

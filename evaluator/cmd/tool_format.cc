#include "evaluator/cmd/tool_format.h"

#include <ostream>
#include <string_view>

#include "common/base/ascii.h"
#include "common/base/file.h"
#include "evaluator/promql/printer.h"
#include "evaluator/rules/rule_format.h"

namespace skep::tool {
namespace {

std::string Counted(std::size_t count, std::string_view thing) {
  return std::to_string(count) + " " + std::string(thing) + (count == 1 ? "" : "s");
}

ExitCode FormatRuleFile(ToolIo& io, const std::string& path, const FormatOptions& options) {
  const std::string name = path == "-" ? "<stdin>" : path;
  const Result<std::string> text = ReadInput(io, path);
  if (!text) return Refuse(io, text.error().message());
  const auto formatted = rules::FormatRules(*text, name, {.promql = options.promql});
  if (!formatted) return Refuse(io, formatted.error().message());
  if (formatted->kept > 0) {
    io.err << "skep: warning: " << name << ": " << Counted(formatted->kept, "expression")
           << " left as they are: comments or layout would be lost\n";
  }
  switch (options.mode) {
    case FormatMode::kPrint:
      io.out << formatted->text;
      return ExitCode::kGood;
    case FormatMode::kCheck:
      if (formatted->changed == 0) return ExitCode::kGood;
      return Refuse(io, name + ": " + Counted(formatted->changed, "expression") +
                            " would be written in another way");
    case FormatMode::kWrite:
      break;
  }
  if (path == "-") {
    io.out << formatted->text;
    return ExitCode::kGood;
  }
  if (formatted->changed == 0) return ExitCode::kGood;
  if (Status written = WriteFileAtomic(path, formatted->text); !written) {
    return Refuse(io, written.error().message());
  }
  io.out << path << ": " << Counted(formatted->changed, "expression") << " formatted\n";
  return ExitCode::kGood;
}

}  // namespace

ExitCode FormatExpr(ToolIo& io, const std::string& expr, const FormatOptions& options) {
  const Result<std::string> text = expr == "-" ? ReadInput(io, expr) : Result<std::string>(expr);
  if (!text) return Refuse(io, text.error().message());
  const Result<promql::ExprPtr> parsed = promql::ParseExpr(*text, options.promql);
  if (!parsed) return Refuse(io, parsed.error().message());
  const std::string formatted = promql::Prettify(**parsed);
  if (options.mode != FormatMode::kCheck) {
    io.out << formatted << '\n';
    return ExitCode::kGood;
  }
  if (formatted == Trim(*text, " \t\r\n")) return ExitCode::kGood;
  return Refuse(io, "the expression would be written in another way:\n" + formatted);
}

ExitCode FormatRuleFiles(ToolIo& io, const std::vector<std::string>& files,
                         const FormatOptions& options) {
  ExitCode code = ExitCode::kGood;
  for (const std::string& file : files) code = Worse(code, FormatRuleFile(io, file, options));
  return code;
}

}  // namespace skep::tool

#include "evaluator/cmd/tool_io.h"

#include <istream>
#include <iterator>
#include <ostream>

#include "common/base/file.h"

namespace skep::tool {

ExitCode Refuse(ToolIo& io, std::string_view message) {
  io.err << "skep: " << message << '\n';
  return ExitCode::kRefused;
}

Result<std::string> ReadInput(ToolIo& io, const std::string& path) {
  if (path != "-") return ReadFile(path);
  return std::string(std::istreambuf_iterator<char>(io.in), {});
}

}  // namespace skep::tool

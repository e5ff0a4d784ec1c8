// What the commands of `skep` read and write, and how they end.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace skep::tool {

struct ToolIo {
  std::istream& in;
  std::ostream& out;  // results
  std::ostream& err;  // messages
};

enum class ExitCode : int { kGood = 0, kRefused = 1, kLint = 3 };

// The worse of two: refused, lint, good.
constexpr ExitCode Worse(ExitCode a, ExitCode b) {
  if (a == ExitCode::kRefused || b == ExitCode::kRefused) return ExitCode::kRefused;
  return a == ExitCode::kLint ? a : b;
}

// "skep: MESSAGE" on err.
ExitCode Refuse(ToolIo& io, std::string_view message);

// The content of the file; of standard input where `path` is "-".
Result<std::string> ReadInput(ToolIo& io, const std::string& path);

}  // namespace skep::tool

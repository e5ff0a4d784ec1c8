// A command of `skep` with its streams.
#pragma once

#include <sstream>
#include <string>

#include "evaluator/cmd/tool_io.h"

namespace skep::tool {

struct Outcome {
  ExitCode code;
  std::string out, err;
};

template <typename Command>
Outcome Run(const std::string& input, Command command) {
  std::istringstream in(input);
  std::ostringstream out, err;
  ToolIo io{in, out, err};
  const ExitCode code = command(io);
  return {code, out.str(), err.str()};
}

}  // namespace skep::tool

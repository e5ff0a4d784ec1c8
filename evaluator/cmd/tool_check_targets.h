// The targets of a configuration: those that stand in it and those that discovery files list now.
#pragma once

#include <cstdint>
#include <string>

#include "evaluator/cmd/tool_io.h"
#include "evaluator/config/configuration.h"

namespace skep::tool {

enum class DiscoveryFiles : std::uint8_t { kRead, kSkip };

struct TargetCheck {
  std::string file;  // that of the configuration, for messages
  DiscoveryFiles discovery = DiscoveryFiles::kRead;
};

// As promtool judges them: a target that cannot be scraped and a discovery file that cannot be read
// are refused, a name that no file has now is a warning.
ExitCode CheckTargets(ToolIo& io, const config::Configuration& configuration,
                      const TargetCheck& check);

}  // namespace skep::tool

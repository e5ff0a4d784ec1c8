// `ingest: claude_code:` of the configuration.
#pragma once

#include "common/base/result.h"
#include "common/yaml/node.h"

namespace skep::ingest {

struct ClaudeCodeOptions {};

// A null node: the defaults.
Result<ClaudeCodeOptions> ReadClaudeCodeOptions(const yaml::Node& node);

}  // namespace skep::ingest

#include "exporter/ingest/claude_code_options.h"

namespace skep::ingest {

Result<ClaudeCodeOptions> ReadClaudeCodeOptions(const yaml::Node& node) {
  yaml::MapReader map(node);
  RETURN_IF_ERROR(map.Finish("claude_code"));
  return ClaudeCodeOptions{};
}

}  // namespace skep::ingest

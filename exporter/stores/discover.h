// Finds the folders in which claude-flow or a relative of it works.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "common/base/clock.h"

namespace skep::stores {

struct DiscoverOptions {
  std::vector<std::string> folders;  // where to begin; absolute
  std::size_t max_depth = 4;         // below them
  std::size_t max_folders = 20'000;  // looked into, in all
  std::size_t max_found = 100;
  std::chrono::milliseconds max_time{3'000};
};

struct FoundWorkspace {
  std::string path;
  // What is there: "claude_flow_v3", "claude_flow_v2", "ruv_swarm", "novice".
  std::vector<std::string> sources;
};

struct Discovery {
  std::vector<FoundWorkspace> workspaces;  // by path
  bool complete = true;                    // false: a bound was hit
};

// Looks for .claude-flow, .swarm, .hive-mind and the databases of ruv-swarm and
// claude-flow-novice. Does not follow symbolic links, stays on the file systems it began on, and
// does not enter node_modules (but for ruv-swarm's own), .git and the like. What cannot be read is
// passed over.
Discovery DiscoverWorkspaces(const DiscoverOptions& options, const Clock& clock);

}  // namespace skep::stores

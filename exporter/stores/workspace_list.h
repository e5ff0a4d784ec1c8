// Which folders the configured workspaces are at this moment.
#pragma once

#include <cstddef>
#include <vector>

#include "exporter/stores/options.h"
#include "exporter/stores/workspace_poller.h"

namespace skep::stores {

struct WorkspaceList {
  std::vector<Workspace> workspaces;  // no name and no path twice
  std::size_t skipped = 0;            // over max_workspaces, or without a name of their own
};

// Patterns match folders only. A folder that several entries mean is the first one's. Two folders
// with the same last element are told apart by the element before: "a_web" and "b_web".
WorkspaceList ResolveWorkspaces(const std::vector<WorkspaceOptions>& options,
                                std::size_t max_workspaces);

}  // namespace skep::stores

#include "exporter/stores/workspace_list.h"

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <utility>

#include "common/base/file.h"

namespace skep::stores {
namespace {

namespace fs = std::filesystem;

// As processes see it; the path itself where there is no such folder.
std::string Canonical(const std::string& path) {
  std::error_code error;
  const fs::path canonical = fs::canonical(path, error);
  return error ? path : canonical.string();
}

// A folder's name as a label: what is no plain character becomes '_'.
std::string NameOf(const fs::path& path) {
  std::string name = path.filename().string();
  for (char& c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '_';
  }
  return name.substr(0, 64);
}

class Resolver {
 public:
  explicit Resolver(std::size_t max_workspaces) : max_(max_workspaces) {}

  void Add(const WorkspaceOptions& options) {
    const bool is_pattern = options.path.find_first_of("*?[") != std::string::npos;
    if (!is_pattern) {
      Collect(options, options.path, true);
      return;
    }
    Result<std::vector<std::string>> paths = Glob(options.path);
    if (!paths) return;
    std::error_code ignored;
    for (const std::string& path : *paths) {
      if (fs::is_directory(path, ignored)) Collect(options, path, false);
    }
  }

  WorkspaceList Finish() {
    for (Workspace& workspace : found_) {
      if (workspace.name.empty()) workspace.name = ChooseName(workspace.path);
      if (workspace.name.empty() || !names_.insert(workspace.name).second) {
        ++list_.skipped;
        continue;
      }
      list_.workspaces.push_back(std::move(workspace));
    }
    return std::move(list_);
  }

 private:
  void Collect(const WorkspaceOptions& options, const std::string& path, bool is_configured) {
    std::string canonical = Canonical(path);
    if (!paths_.insert(canonical).second) return;
    if (found_.size() >= max_) {
      ++list_.skipped;
      return;
    }
    if (options.name.empty()) ++uses_[NameOf(canonical)];
    found_.push_back({.name = options.name,
                      .path = std::move(canonical),
                      .is_configured = is_configured,
                      .ruv_swarm_db = options.ruv_swarm_db,
                      .novice_db = options.novice_db});
    if (!options.name.empty()) ++uses_[options.name];
  }

  std::string ChooseName(const fs::path& path) const {
    const std::string name = NameOf(path);
    auto uses = uses_.find(name);
    if (uses == uses_.end() || uses->second <= 1) return name;
    return NameOf(path.parent_path()) + "_" + name;
  }

  const std::size_t max_;
  std::vector<Workspace> found_;
  std::set<std::string> paths_;
  std::map<std::string, int> uses_;  // of names
  std::set<std::string> names_;
  WorkspaceList list_;
};

}  // namespace

WorkspaceList ResolveWorkspaces(const std::vector<WorkspaceOptions>& options,
                                std::size_t max_workspaces) {
  Resolver resolver(max_workspaces);
  for (const WorkspaceOptions& one : options) resolver.Add(one);
  return resolver.Finish();
}

}  // namespace skep::stores

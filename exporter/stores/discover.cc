#include "exporter/stores/discover.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <deque>
#include <filesystem>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

namespace skep::stores {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 12> kSkipped{
    ".git", ".hg",   ".svn", ".cache", ".npm",         ".cargo",
    ".nvm", ".venv", "venv", "target", "node_modules", "__pycache__"};

bool IsFile(const fs::path& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

bool IsFolder(const fs::path& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

bool IsAnyFile(const fs::path& folder, std::initializer_list<std::string_view> names) {
  return std::ranges::any_of(names, [&](std::string_view name) { return IsFile(folder / name); });
}

// ~/.claude-flow holds the budget of a user and is no workspace.
std::vector<std::string> SourcesIn(const fs::path& folder) {
  std::vector<std::string> sources;
  const bool is_version_3 =
      IsAnyFile(folder, {".claude-flow/agents/store.json", ".claude-flow/tasks/store.json",
                         ".claude-flow/swarm/swarm-state.json", ".claude-flow/daemon-state.json",
                         ".claude-flow/config.yaml", ".claude-flow/hive-mind/state.json",
                         ".swarm/state.json"});
  if (is_version_3) sources.emplace_back("claude_flow_v3");
  const bool is_version_2 =
      IsAnyFile(folder, {".hive-mind/hive.db", ".claude-flow/tasks/queue.json"});
  const bool is_unclear = !is_version_3 && IsFile(folder / ".swarm/memory.db");
  if (is_version_2 || is_unclear) sources.emplace_back("claude_flow_v2");
  if (IsFile(folder / "node_modules/ruv-swarm/data/ruv-swarm.db")) {
    sources.emplace_back("ruv_swarm");
  }
  if (IsFile(folder / "data/agent-lifecycle.db")) sources.emplace_back("novice");
  return sources;
}

// Folders level by level, so that a bound cuts off the deep ones first.
class Walk {
 public:
  Walk(const DiscoverOptions& options, const Clock& clock)
      : options_(options), clock_(clock), deadline_(clock.SteadyNow() + options.max_time) {}

  Discovery Run() {
    for (const std::string& folder : options_.folders) Enqueue(folder, 0);
    while (!queue_.empty()) {
      if (IsOver()) {
        discovery_.complete = false;
        break;
      }
      auto [folder, depth] = std::move(queue_.front());
      queue_.pop_front();
      Visit(folder, depth);
    }
    std::ranges::sort(discovery_.workspaces, {}, &FoundWorkspace::path);
    return std::move(discovery_);
  }

 private:
  bool IsOver() const {
    return visited_ >= options_.max_folders || discovery_.workspaces.size() >= options_.max_found ||
           clock_.SteadyNow() >= deadline_;
  }

  void Enqueue(const fs::path& folder, std::size_t depth) {
    struct stat info {};
    if (::lstat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) return;
    if (depth == 0) devices_.insert(info.st_dev);
    if (!devices_.contains(info.st_dev)) return;
    if (!seen_.insert({info.st_dev, info.st_ino}).second) return;
    queue_.emplace_back(folder, depth);
  }

  void Visit(const fs::path& folder, std::size_t depth) {
    ++visited_;
    std::vector<std::string> sources = SourcesIn(folder);
    if (!sources.empty()) {
      discovery_.workspaces.push_back({.path = folder.string(), .sources = std::move(sources)});
    }
    if (depth >= options_.max_depth) return;
    std::error_code error;
    fs::directory_iterator entries(folder, fs::directory_options::skip_permission_denied, error);
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
      const std::string name = entries->path().filename().string();
      const bool is_skipped = std::ranges::find(kSkipped, name) != kSkipped.end() ||
                              name == ".claude-flow" || name == ".swarm" || name == ".hive-mind";
      if (!is_skipped && IsFolder(entries->path())) Enqueue(entries->path(), depth + 1);
    }
  }

  const DiscoverOptions& options_;
  const Clock& clock_;
  const Clock::Steady deadline_;
  Discovery discovery_;
  std::size_t visited_ = 0;
  std::deque<std::pair<fs::path, std::size_t>> queue_;
  std::set<dev_t> devices_;
  std::set<std::pair<dev_t, ino_t>> seen_;
};

}  // namespace

Discovery DiscoverWorkspaces(const DiscoverOptions& options, const Clock& clock) {
  return Walk(options, clock).Run();
}

}  // namespace skep::stores

// Which processes on this machine belong to swarms: claude-flow's daemons, servers and commands,
// and Claude Code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "exporter/collectors/proc_files.h"
#include "exporter/swarm/snapshot.h"

namespace skep::stores {

enum class SwarmProcess : std::uint8_t { kNone, kClaude, kDaemon, kMcp, kCli };

// By the arguments of a process.
SwarmProcess ClassifyProcess(const std::vector<std::string_view>& arguments);

// The value behind `--workspace`, or "".
std::string_view WorkspaceArgument(const std::vector<std::string_view>& arguments);

// Thread-compatible. Counters are sums over all processes seen since it was made, so they do not
// fall when one ends; what a process used before it was first seen counts only if it began later.
class ProcessCensus {
 public:
  explicit ProcessCensus(const exporter::Paths& paths);

  // Looks at all processes; each belongs to the deepest of the folders `workspaces` in which it
  // works, or to "". kIo: there is no procfs.
  Status Scan(const std::vector<std::string>& workspaces);

  // Of one workspace ("": of none) at the last scan; all four kinds, also those without processes.
  std::vector<swarm::ProcessKind> Kinds(const std::string& workspace) const;
  // Whether process `pid` is a daemon of the workspace.
  bool IsDaemon(std::int64_t pid, const std::string& workspace) const;
  // How many daemons it has.
  std::size_t Daemons(const std::string& workspace) const;

 private:
  struct Process {
    std::uint64_t start_ticks = 0;
    std::uint64_t ticks = 0;
    std::uint64_t scan = 0;
    bool settled = false;  // old enough that it will not become another program any more
    SwarmProcess kind = SwarmProcess::kNone;
    std::string workspace;
  };
  struct Totals {
    double processes = 0;
    double resident_pages = 0;
    double open_files = 0;
    double unreadable = 0;
    std::uint64_t ticks = 0;  // over all scans
  };
  using Key = std::pair<std::string, SwarmProcess>;

  void Look(std::int64_t pid);
  void Classify(std::int64_t pid, Process& process);
  void Count(std::int64_t pid, Process& process, std::uint64_t ticks, std::uint64_t pages);
  std::string PathOf(std::int64_t pid, std::string_view name) const;

  const exporter::Paths paths_;
  const double ticks_per_second_;
  const double page_bytes_;
  double uptime_seconds_ = 0;
  std::uint64_t scan_ = 0;
  std::vector<std::string> workspaces_;  // of the last scan
  std::unordered_map<std::int64_t, Process> processes_;
  std::map<Key, Totals> totals_;
};

}  // namespace skep::stores

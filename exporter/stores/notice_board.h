// What stores and MCP servers say beyond the swarm model, as it stands on the page: components,
// rows of memory databases, autopilot, sessions.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/time.h"
#include "exporter/registry/collector.h"
#include "exporter/stores/source_report.h"
#include "exporter/stores/v3_reader.h"

namespace skep::stores {

// Thread-safe: pollers write, scrapes read.
class NoticeBoard {
 public:
  // All of one round of the files.
  struct Round {
    std::map<std::string, WorkspaceExtras> extras = {};                  // by workspace
    std::map<std::string, std::vector<ComponentCheck>> components = {};  // by workspace
    std::optional<std::map<std::string, double>> jobs = {};              // by worker
    std::size_t workspaces = 0;
    std::size_t skipped = 0;
    double seconds = 0;  // what it took
    Duration interval{0};
  };

  explicit NoticeBoard(const Clock& clock) : clock_(clock) {}

  // Replaces what the last round said.
  void Show(Round round);
  // An MCP server was asked; the component mcpServer is its.
  void ShowMcp(const std::string& workspace, const ComponentCheck& check);
  void ForgetMcp(const std::string& workspace);

  // Collector "swarm_stores"; must not outlive the board.
  std::unique_ptr<exporter::Collector> MakeCollector();

 private:
  struct Component {
    ComponentCheck check;
    std::optional<Timestamp> last_success;
  };
  using Key = std::pair<std::string, std::string_view>;  // workspace, component

  void Note(const std::string& workspace, const ComponentCheck& check, Timestamp now);
  Status Collect(exporter::CollectContext& context);

  const Clock& clock_;
  std::mutex mutex_;
  Round round_;                                // guarded by mutex_
  std::map<Key, Component> components_;        // guarded by mutex_
  std::optional<Timestamp> round_time_;        // guarded by mutex_
  std::optional<Clock::Steady> round_steady_;  // guarded by mutex_
};

}  // namespace skep::stores

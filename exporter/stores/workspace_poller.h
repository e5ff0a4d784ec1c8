// One workspace: reads its sources round by round and publishes what they say.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/stores/line_file.h"
#include "exporter/stores/sinks.h"
#include "exporter/stores/source_report.h"
#include "exporter/stores/v2_reader.h"
#include "exporter/stores/v3_reader.h"

namespace skep::stores {

// A workspace whose pattern is resolved.
struct Workspace {
  std::string name;
  std::string path;           // canonical where it exists
  bool is_configured = true;  // by its own path, so that its absence is a failure
  std::string ruv_swarm_db = {};
  std::string novice_db = {};
  bool operator==(const Workspace&) const = default;
};

// Thread-compatible.
class WorkspacePoller {
 public:
  WorkspacePoller(Workspace workspace, const Sinks& sinks);

  // One round.
  void Poll(const WorkspaceContext& context);
  // Its sources are configured no more.
  void Forget();

  const Workspace& workspace() const { return workspace_; }
  const WorkspaceExtras& extras() const { return v3_.extras(); }
  const std::vector<ComponentCheck>& components() const { return v3_.components(); }

 private:
  // New lines of a file and where they end, to be counted in one unit.
  struct Lines {
    std::string position;  // its name
    LineBatch batch;
    void (WorkspacePoller::*count)(std::string_view line, state::Changes& changes);
  };
  using Also = std::function<void(state::Changes& changes)>;

  void Offer(const SourceReport& report, const Also& also = {});
  void Publish(const SourceReport& report, swarm::SourceKey key, const Also& also);
  void Lose(const SourceReport& report, const swarm::SourceKey& key);
  void OfferProcesses(const ProcessCensus& census);

  std::vector<Lines> NewLines();
  void CountV3(const Round& round, const std::vector<Lines>& lines, state::Changes& changes);
  void CountOutcomes(const Round& round, state::Changes& changes);
  void CountReceipts(const Round& round, state::Changes& changes);
  void CountTrajectory(std::string_view line, state::Changes& changes);
  void CountDeferral(std::string_view line, state::Changes& changes);
  std::string PositionName(std::string_view what) const;
  swarm::Place place() const { return {workspace_.name, "claude_flow_v3"}; }

  const Workspace workspace_;
  const Sinks& sinks_;
  V3Reader v3_;
  V2Reader v2_;
  RuvSwarmReader ruv_swarm_;
  NoviceReader novice_;
  std::set<std::string> known_;  // sources that were there in an earlier round
};

// New lines of `path` behind the position `name`. Without a file the position says so, for what
// comes later to count from its beginning.
std::optional<LineBatch> LinesBehind(const Positions& positions, const std::string& name,
                                     const std::string& path, const LineFileOptions& options);

}  // namespace skep::stores

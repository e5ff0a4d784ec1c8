// What of the machine's swarms is read, as the configuration says it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/net/http_client.h"
#include "common/yaml/node.h"
#include "exporter/swarm/board.h"

namespace skep::stores {

// A folder in which claude-flow (or a relative) was started.
struct WorkspaceOptions {
  // Label `workspace`. "": the last element of the path, for each path that the pattern matches.
  std::string name;
  std::string path;  // absolute; a shell pattern is allowed
  // Databases that do not stand where their programs put them; "" for the usual places.
  std::string ruv_swarm_db = {};
  std::string novice_db = {};
};

// The budget that all daemons of one user share.
struct AiBudgetOptions {
  bool enabled = true;
  // Holds ai-budget.json. Without it in the configuration: $RUFLO_AI_BUDGET_DIR, else
  // ~/.claude-flow, else "".
  std::string folder;
  bool folder_is_configured = false;  // a folder that is not there is an error only then
  // Not in the files: from the configuration, else RUFLO_AI_MAX_CONCURRENT, RUFLO_AI_MAX_PER_HOUR,
  // RUFLO_AI_MAX_PER_DAY, else claude-flow's defaults.
  std::int64_t max_concurrent = 1;
  std::int64_t max_per_hour = 2;
  std::int64_t max_per_day = 12;
};

// `claude-flow mcp start -t http`.
struct McpOptions {
  std::string name;  // label `workspace`
  std::string url;   // "http://127.0.0.1:3000"
  Duration interval{std::chrono::seconds(15)};
  Duration timeout{std::chrono::seconds(5)};  // of each of the three requests
  net::HttpClientOptions http;                // authorization, basic_auth, tls
};

struct Options {
  std::vector<WorkspaceOptions> workspaces;
  Duration interval{std::chrono::seconds(5)};
  // How long a value is shown that cannot be read anew (max_age), when an agent or task counts as
  // stuck, and how many series there may be. Also for what is pushed.
  swarm::BoardOptions board;
  // Of one database: asking it, and how much of it is copied where it cannot be opened in place.
  Duration query_timeout{std::chrono::seconds(2)};
  std::uint64_t max_copy_bytes = 256UL << 20;
  std::uint64_t max_file_bytes = 32UL << 20;  // a larger store is not read
  std::size_t max_workspaces = 100;           // that patterns may match, together
  bool processes = true;                      // the census, where there are workspaces
  AiBudgetOptions ai_budget;
  std::vector<McpOptions> mcp;

  // Whether there is nothing to read at all.
  bool empty() const { return workspaces.empty() && mcp.empty() && !ai_budget.enabled; }
};

// Looks up an environment variable; nothing where it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment ProcessEnvironment();

// Reads the map `swarm:`; null means the defaults. `transcripts` in it is left to its own reader.
// kInvalid names file, line and column.
//
//   swarm:
//     interval: 5s
//     max_age: 1m
//     task_timeout: 5m                         # also heartbeat_timeout, stall_timeout
//     max_agent_types: 50                      # also max_series, max_namespaces, max_agent_info
//     workspaces:
//       - {name: shop, path: /srv/swarm/shop}
//       - {path: "/srv/swarm/team-*"}          # named by the last element of each path
//     ai_budget: {folder: /home/swarm/.claude-flow, max_per_hour: 4}
//     mcp:
//       - {name: shop, url: "http://127.0.0.1:3000"}
//     processes: true
Result<Options> ReadOptions(const yaml::Node& node,
                            const Environment& environment = ProcessEnvironment());

}  // namespace skep::stores

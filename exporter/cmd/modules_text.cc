#include <string_view>

#include "exporter/cmd/modules.h"

namespace skep::exporter {
namespace {

std::string Joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out.append(out.empty() ? "" : ", ").append(text);
  return out;
}

std::string DescribeIngest(const ingest::IngestOptions& ingest) {
  std::string out = "ingest:";
  if (ingest.otlp.enabled) out += " /v1/metrics /v1/logs /v1/traces";
  out += " /v1/events";
  if (!ingest.events.beacon_origins.empty()) out += " /v1/beacons";
  if (ingest.hooks.enabled) out += " /v1/hooks/claude-code";
  return out + (ingest.access.bearer_tokens.empty() ? ", open to whoever reaches the port\n"
                                                    : ", with a bearer token\n");
}

std::string DescribeLogs(const logs::Options& options) {
  std::string out;
  for (const logs::SourceOptions& source : options.sources) {
    out += "logs: " + source.name + " from " + Joined(source.paths) + "\n";
  }
  return out;
}

std::string DescribeSwarm(const ModuleOptions& options) {
  std::string out;
  for (const stores::WorkspaceOptions& workspace : options.swarm->workspaces) {
    const std::string name = workspace.name.empty() ? "named by its folder" : workspace.name;
    out += "swarm: workspace " + name + " in " + workspace.path + "\n";
  }
  for (const stores::McpOptions& mcp : options.swarm->mcp) {
    out += "swarm: MCP server " + mcp.name + "\n";
  }
  if (options.swarm->ai_budget.enabled) {
    const std::string& folder = options.swarm->ai_budget.folder;
    if (!folder.empty()) out += "swarm: AI budget in " + folder + "\n";
  }
  if (!options.transcripts.folders.empty()) {
    out += "swarm: transcripts in " + Joined(options.transcripts.folders) + "\n";
  }
  return out;
}

}  // namespace

std::string DescribeModules(const ModuleOptions& options) {
  std::string out = options.state.path.empty() ? "state: in memory only, lost at each stop\n"
                                               : "state: in " + options.state.path + "\n";
  out += DescribeIngest(options.ingest);
  if (options.logs) out += DescribeLogs(*options.logs);
  if (options.swarm) out += DescribeSwarm(options);
  return out;
}

}  // namespace skep::exporter

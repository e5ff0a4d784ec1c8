#include "exporter/stores/options.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

#include "common/base/file.h"
#include "common/base/number.h"
#include "common/base/quote.h"
#include "common/net/client_config.h"

namespace skep::stores {
namespace {

// A label that people read, and part of names in the state file.
bool IsName(std::string_view name) {
  const bool printable = std::ranges::none_of(
      name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '/' || c == 0x7f; });
  return !name.empty() && name.size() <= 64 && printable;
}

bool IsPattern(std::string_view path) {
  return path.find_first_of("*?[") != std::string_view::npos;
}

// A folder without the slash at its end.
std::string WithoutSlash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

void ReadPath(yaml::MapReader& map, std::string_view key, const yaml::Node& node,
              std::string& out) {
  map.Read(key, out);
  out = WithoutSlash(out);
  if (!out.empty() && !out.starts_with('/')) {
    map.Fail(node.Get(key).Complain("expected an absolute path, got " + Quote(out)));
  }
}

void ReadPositive(yaml::MapReader& map, std::string_view key, const yaml::Node& node,
                  Duration& out) {
  map.Read(key, out);
  if (out <= Duration(0)) map.Fail(node.Get(key).Complain("expected more than 0s"));
}

Result<WorkspaceOptions> ReadWorkspace(const yaml::Node& node) {
  WorkspaceOptions workspace;
  yaml::MapReader map(node);
  if (!node.Has("path")) map.Fail(node.Complain("field path is required"));
  map.Read("name", workspace.name);
  ReadPath(map, "path", node, workspace.path);
  ReadPath(map, "ruv_swarm_db", node, workspace.ruv_swarm_db);
  ReadPath(map, "novice_db", node, workspace.novice_db);
  RETURN_IF_ERROR(map.Finish("workspace"));
  if (workspace.path.empty()) return node.Get("path").Complain("a workspace needs a path");
  if (!workspace.name.empty() && !IsName(workspace.name)) {
    return node.Get("name").Complain("expected a short name without slashes");
  }
  if (!workspace.name.empty() && IsPattern(workspace.path)) {
    return node.Get("name").Complain("workspaces of a pattern are named by their paths");
  }
  const bool has_database = !workspace.ruv_swarm_db.empty() || !workspace.novice_db.empty();
  if (has_database && IsPattern(workspace.path)) {
    return node.Complain("workspaces of a pattern cannot share a database");
  }
  return workspace;
}

Status ReadWorkspaces(const yaml::Node& node, Options& options) {
  if (!node.IsNull() && !node.IsSequence()) {
    return node.Complain("expected a sequence of workspaces");
  }
  std::set<std::string> names;
  for (const yaml::Node& item : node.items()) {
    Result<WorkspaceOptions> workspace = ReadWorkspace(item);
    if (!workspace) return workspace.error();
    if (!workspace->name.empty() && !names.insert(workspace->name).second) {
      return item.Complain("workspace " + Quote(workspace->name) + " stands here a second time");
    }
    options.workspaces.push_back(std::move(*workspace));
  }
  return {};
}

Result<McpOptions> ReadMcpServer(const yaml::Node& node) {
  McpOptions mcp;
  yaml::MapReader map(node);
  map.Require("name", mcp.name);
  map.Require("url", mcp.url);
  ReadPositive(map, "interval", node, mcp.interval);
  ReadPositive(map, "timeout", node, mcp.timeout);
  mcp.http = net::ReadHttpClientConfig(map, DirName(node.file()));
  RETURN_IF_ERROR(map.Finish("MCP server"));
  mcp.url = WithoutSlash(mcp.url);
  if (!IsName(mcp.name)) return node.Get("name").Complain("expected a short name without slashes");
  if (!mcp.url.starts_with("http://") && !mcp.url.starts_with("https://")) {
    return node.Get("url").Complain("expected a URL that begins with http:// or https://");
  }
  return mcp;
}

Status ReadMcp(const yaml::Node& node, Options& options) {
  constexpr std::size_t kMaxServers = 50;  // each has a thread
  if (!node.IsNull() && !node.IsSequence()) {
    return node.Complain("expected a sequence of MCP servers");
  }
  if (node.items().size() > kMaxServers) {
    return node.Complain("at most " + std::to_string(kMaxServers) + " MCP servers");
  }
  std::set<std::string> names;
  for (const yaml::Node& item : node.items()) {
    Result<McpOptions> mcp = ReadMcpServer(item);
    if (!mcp) return mcp.error();
    if (!names.insert(mcp->name).second) {
      return item.Complain("MCP server " + Quote(mcp->name) + " stands here a second time");
    }
    options.mcp.push_back(std::move(*mcp));
  }
  return {};
}

// As claude-flow reads them: what is no number counts as not set.
void ReadLimitVariable(const Environment& environment, const std::string& name, std::int64_t& out) {
  std::optional<std::string> text = environment(name);
  std::optional<std::int64_t> number = text ? ParseInt(*text) : std::nullopt;
  if (number && *number >= 0) out = *number;
}

void ReadBudgetEnvironment(const Environment& environment, AiBudgetOptions& budget) {
  ReadLimitVariable(environment, "RUFLO_AI_MAX_CONCURRENT", budget.max_concurrent);
  ReadLimitVariable(environment, "RUFLO_AI_MAX_PER_HOUR", budget.max_per_hour);
  ReadLimitVariable(environment, "RUFLO_AI_MAX_PER_DAY", budget.max_per_day);
  if (std::optional<std::string> folder = environment("RUFLO_AI_BUDGET_DIR")) {
    budget.folder = *folder;
  } else if (std::optional<std::string> home = environment("HOME")) {
    budget.folder = *home + "/.claude-flow";
  }
}

void ReadLimit(yaml::MapReader& map, std::string_view key, const yaml::Node& node,
               std::int64_t& out) {
  map.Read(key, out);
  if (out < 0) map.Fail(node.Get(key).Complain("expected 0 or more"));
}

Status ReadBudget(const yaml::Node& node, const Environment& environment, AiBudgetOptions& budget) {
  ReadBudgetEnvironment(environment, budget);
  if (node.IsScalar()) {
    Result<bool> enabled = node.AsBool();
    if (!enabled) return enabled.error();
    budget.enabled = *enabled;
  } else {
    yaml::MapReader map(node);
    map.Read("enabled", budget.enabled);
    ReadPath(map, "folder", node, budget.folder);
    ReadLimit(map, "max_concurrent", node, budget.max_concurrent);
    ReadLimit(map, "max_per_hour", node, budget.max_per_hour);
    ReadLimit(map, "max_per_day", node, budget.max_per_day);
    RETURN_IF_ERROR(map.Finish("ai_budget"));
    budget.folder_is_configured = node.Has("folder");
  }
  if (budget.folder.empty()) budget.enabled = false;
  return {};
}

// `range`: the least and the most.
void ReadCount(yaml::MapReader& map, std::string_view key, const yaml::Node& node,
               std::pair<std::int64_t, std::int64_t> range, std::size_t& out) {
  auto number = static_cast<std::int64_t>(out);
  map.Read(key, number);
  if (number < range.first || number > range.second) {
    map.Fail(node.Get(key).Complain("expected " + std::to_string(range.first) + " to " +
                                    std::to_string(range.second)));
    return;
  }
  out = static_cast<std::size_t>(number);
}

void ReadBoard(yaml::MapReader& map, const yaml::Node& node, swarm::BoardOptions& board) {
  ReadPositive(map, "max_age", node, board.max_age);
  ReadPositive(map, "task_timeout", node, board.task_timeout);
  ReadPositive(map, "heartbeat_timeout", node, board.heartbeat_timeout);
  ReadPositive(map, "stall_timeout", node, board.stall_timeout);
  ReadCount(map, "max_series", node, {10, 1'000'000}, board.max_series);
  ReadCount(map, "max_agent_types", node, {1, 10'000}, board.max_agent_types);
  ReadCount(map, "max_namespaces", node, {1, 10'000}, board.max_namespaces);
  ReadCount(map, "max_agent_info", node, {0, 100'000}, board.max_agent_info);
}

void ReadBounds(yaml::MapReader& map, const yaml::Node& node, Options& options) {
  ReadPositive(map, "interval", node, options.interval);
  ReadPositive(map, "query_timeout", node, options.query_timeout);
  map.ReadSizeBytes("max_copy_size", options.max_copy_bytes);
  map.ReadSizeBytes("max_file_size", options.max_file_bytes);
  ReadCount(map, "max_workspaces", node, {1, 10'000}, options.max_workspaces);
  if (options.board.max_age < options.interval) {
    map.Fail(node.Get("max_age").Complain("expected no less than the interval, " +
                                          FormatDuration(options.interval)));
  }
}

}  // namespace

Environment ProcessEnvironment() {
  return [](const std::string& name) -> std::optional<std::string> {
    // Read at start and reload; nothing in this program sets variables.
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe)
    if (value == nullptr || *value == '\0') return {};
    return value;
  };
}

Result<Options> ReadOptions(const yaml::Node& node, const Environment& environment) {
  Options options;
  yaml::MapReader map(node);
  ReadBoard(map, node, options.board);
  ReadBounds(map, node, options);
  map.Read("processes", options.processes);
  const yaml::Node workspaces = map.Take("workspaces");
  const yaml::Node budget = map.Take("ai_budget");
  const yaml::Node mcp = map.Take("mcp");
  map.Ignore("transcripts");
  RETURN_IF_ERROR(map.Finish("swarm"));
  RETURN_IF_ERROR(ReadWorkspaces(workspaces, options));
  RETURN_IF_ERROR(ReadBudget(budget, environment, options.ai_budget));
  RETURN_IF_ERROR(ReadMcp(mcp, options));
  return options;
}

}  // namespace skep::stores

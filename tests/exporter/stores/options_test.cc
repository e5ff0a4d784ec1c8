#include "exporter/stores/options.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <map>

#include "exporter/stores/discover.h"
#include "exporter/stores/workspace_list.h"
#include "tests/exporter/stores/fixture.h"

namespace skep::stores::test {
namespace {

Environment Fake(std::map<std::string, std::string> variables) {
  return [variables](const std::string& name) -> std::optional<std::string> {
    auto found = variables.find(name);
    if (found == variables.end()) return {};
    return found->second;
  };
}

Result<Options> Read(std::string_view text, const Environment& environment = Fake({})) {
  Result<yaml::Node> node = yaml::Node::Parse(text, "skep.yml");
  if (!node) return node.error();
  return ReadOptions(*node, environment);
}

}  // namespace

TEST_CASE("Without configuration the budget of this user is read, nothing else", "[stores]") {
  Result<Options> options = Read("", Fake({{"HOME", "/home/a"}}));
  REQUIRE(options);
  CHECK(options->workspaces.empty());
  CHECK(options->ai_budget.folder == "/home/a/.claude-flow");
  CHECK(options->ai_budget.max_per_hour == 2);
  CHECK(Read("")->empty());
}

TEST_CASE("The budget's folder and limits come from file, environment, defaults", "[stores]") {
  const Environment environment = Fake({{"HOME", "/home/a"},
                                        {"RUFLO_AI_BUDGET_DIR", "/budget"},
                                        {"RUFLO_AI_MAX_PER_HOUR", "7"},
                                        {"RUFLO_AI_MAX_PER_DAY", "many"}});
  Result<Options> options = Read("ai_budget: {max_concurrent: 3}", environment);
  REQUIRE(options);
  CHECK(options->ai_budget.folder == "/budget");
  CHECK(options->ai_budget.max_per_hour == 7);
  CHECK(options->ai_budget.max_per_day == 12);
  CHECK(options->ai_budget.max_concurrent == 3);
  CHECK_FALSE(options->ai_budget.folder_is_configured);
  CHECK_FALSE(Read("ai_budget: false", environment)->ai_budget.enabled);
  CHECK(Read("ai_budget: {folder: /f}", environment)->ai_budget.folder_is_configured);
}

TEST_CASE("A whole configuration is read", "[stores]") {
  Result<Options> options = Read(R"(
interval: 2s
max_age: 30s
task_timeout: 10m
max_agent_info: 20
max_file_size: 1MB
workspaces:
  - {name: shop, path: /srv/shop/, ruv_swarm_db: /srv/ruv.db}
  - {path: "/srv/team-*"}
mcp:
  - {name: shop, url: "http://127.0.0.1:3000/", interval: 1m, authorization: {credentials: x}}
transcripts: {anything: at all}
processes: false
)");
  REQUIRE(options);
  CHECK(options->interval == std::chrono::seconds(2));
  CHECK(options->board.max_age == std::chrono::seconds(30));
  CHECK(options->board.task_timeout == std::chrono::minutes(10));
  CHECK(options->board.max_agent_info == 20);
  CHECK(options->max_file_bytes == 1UL << 20);
  CHECK(options->workspaces.at(0).path == "/srv/shop");
  CHECK(options->workspaces.at(1).name.empty());
  CHECK(options->mcp.at(0).url == "http://127.0.0.1:3000");
  CHECK(options->mcp.at(0).http.authorization);
  CHECK_FALSE(options->processes);
}

TEST_CASE("Mistakes are named with their place", "[stores]") {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"interval: 0s", "skep.yml:1:11: expected more than 0s"},
      {"interval: 2m", "skep.yml:1:1: expected no less than the interval, 2m"},
      {"workspaces: {a: b}", "expected a sequence of workspaces"},
      {"workspaces:\n  - {name: a}", "skep.yml:2:5: field path is required"},
      {"workspaces:\n  - {path: srv}", "skep.yml:2:12: expected an absolute path, got \"srv\""},
      {"workspaces:\n  - {path: /a, nane: b}", "field nane not found in workspace"},
      {"workspaces:\n  - {path: /a, name: a/b}", "expected a short name without slashes"},
      {"workspaces:\n  - {path: /a/*, name: b}", "workspaces of a pattern are named by"},
      {"workspaces:\n  - {path: /a, name: b}\n  - {path: /c, name: b}",
       "skep.yml:3:5: workspace \"b\" stands here a second time"},
      {"mcp:\n  - {name: a, url: ftp://x}", "expected a URL that begins with http"},
      {"mcp:\n  - {url: http://x}", "field name is required"},
      {"ai_budget: {max_per_day: -1}", "expected 0 or more"},
      {"ai_budget: 7", "skep.yml:1:12"},
      {"max_workspaces: 0", "expected 1 to 10000"},
      {"workspace: []", "field workspace not found in swarm"}};
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    Result<Options> options = Read(text);
    REQUIRE_FALSE(options);
    CAPTURE(options.error().message());
    CHECK(options.error().message().find(message) != std::string::npos);
  }
}

TEST_CASE("Patterns become workspaces with names of their own", "[stores]") {
  skep::test::TempFolder folder;
  for (const char* name : {"a/web", "b/web", "b/api", "c"}) {
    std::filesystem::create_directories(folder.File(name));
  }
  Write(folder.File("b/file"), "");
  const WorkspaceList list = ResolveWorkspaces({{.name = "main", .path = folder.File("c")},
                                                {.name = "", .path = folder.File("*/*")},
                                                {.name = "", .path = folder.File("b/*")},
                                                {.name = "", .path = folder.File("gone")}},
                                               10);
  std::vector<std::string> names;
  for (const Workspace& workspace : list.workspaces) names.push_back(workspace.name);
  CHECK(names == std::vector<std::string>{"main", "a_web", "api", "b_web", "gone"});
  CHECK(list.skipped == 0);
  CHECK(list.workspaces[0].is_configured);
  CHECK_FALSE(list.workspaces[1].is_configured);
  CHECK(ResolveWorkspaces({{.name = "", .path = folder.File("*/*")}}, 2).skipped == 1);
}

TEST_CASE("Workspaces are found below folders", "[stores]") {
  skep::test::TempFolder folder;
  Write(folder.File("team/one/.claude-flow/agents/store.json"), "{}");
  Write(folder.File("team/two/.hive-mind/hive.db"), "");
  Write(folder.File("three/node_modules/ruv-swarm/data/ruv-swarm.db"), "");
  Write(folder.File("three/data/agent-lifecycle.db"), "");
  Write(folder.File("home/.claude-flow/ai-budget.json"), "{}");
  Write(folder.File("x/node_modules/y/.claude-flow/agents/store.json"), "{}");
  Write(folder.File("1/2/3/4/5/.swarm/state.json"), "{}");
  std::filesystem::create_directory_symlink(folder.path(), folder.File("loop"));
  const HandClock clock;
  const Discovery found = DiscoverWorkspaces({.folders = {folder.path()}}, clock);
  CHECK(found.complete);
  REQUIRE(found.workspaces.size() == 3);
  CHECK(found.workspaces[0].path == folder.File("team/one"));
  CHECK(found.workspaces[0].sources == std::vector<std::string>{"claude_flow_v3"});
  CHECK(found.workspaces[1].sources == std::vector<std::string>{"claude_flow_v2"});
  CHECK(found.workspaces[2].sources == std::vector<std::string>{"ruv_swarm", "novice"});
  CHECK_FALSE(DiscoverWorkspaces({.folders = {folder.path()}, .max_folders = 3}, clock).complete);
  CHECK(DiscoverWorkspaces({.folders = {folder.File("none")}}, clock).workspaces.empty());
}

}  // namespace skep::stores::test

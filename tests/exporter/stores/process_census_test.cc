#include "exporter/stores/process_census.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/exporter/stores/fixture.h"

namespace skep::stores::test {
namespace {

// A /proc of our own.
struct Proc {
  skep::test::TempFolder folder;
  exporter::Paths paths;

  Proc() {
    paths.procfs = folder.path();
    Write(folder.File("uptime"), "100000.00 1.0\n");
  }

  // `ticks`: processor time; `start`: ticks since the machine started.
  void Run(int pid, const std::vector<std::string>& arguments, const std::string& cwd,
           std::uint64_t ticks, char state = 'S', std::uint64_t start = 1000) const {
    const std::string here = folder.File(std::to_string(pid));
    std::filesystem::create_directories(here + "/fd");
    Write(here + "/fd/0", "");
    Write(here + "/fd/1", "");
    std::string line = std::to_string(pid) + " (node) " + state + " 1 1 1 0 -1 0 0 0 0 0 " +
                       std::to_string(ticks) + " 0 0 0 20 0 7 0 " + std::to_string(start) +
                       " 1000 50 99 0 0\n";
    Write(here + "/stat", line);
    std::string text;
    for (const std::string& argument : arguments) text += argument + '\0';
    Write(here + "/cmdline", text);
    std::filesystem::remove(here + "/cwd");
    std::filesystem::create_symlink(cwd, here + "/cwd");
  }
  void End(int pid) const { std::filesystem::remove_all(folder.File(std::to_string(pid))); }
};

swarm::ProcessKind KindOf(const ProcessCensus& census, const std::string& workspace,
                          std::string_view name) {
  for (const swarm::ProcessKind& kind : census.Kinds(workspace)) {
    if (kind.kind == name) return kind;
  }
  throw std::runtime_error("no such kind");
}

const std::vector<std::string> kDaemon{
    "/usr/bin/node", "/srv/a/node_modules/claude-flow/v3/@claude-flow/cli/bin/cli.js",
    "daemon",        "start",
    "--foreground",  "--quiet",
    "--workspace",   "/srv/a"};

}  // namespace

TEST_CASE("Processes of swarms are told by their arguments", "[stores]") {
  const std::vector<std::pair<std::vector<std::string_view>, SwarmProcess>> cases{
      {{"node", "/a/node_modules/.bin/claude-flow", "mcp", "start"}, SwarmProcess::kMcp},
      {{"node", "/u/lib/node_modules/claude-flow/bin/cli.js", "daemon", "start"},
       SwarmProcess::kDaemon},
      {{"/usr/bin/node", "--max-old-space-size=9", "/a/node_modules/@claude-flow/cli/bin/cli.js"},
       SwarmProcess::kCli},
      {{"node", "/a/node_modules/ruv-swarm/bin/x.js", "mcp", "start"}, SwarmProcess::kMcp},
      {{"/usr/local/bin/ruflo", "swarm", "init"}, SwarmProcess::kCli},
      {{"/home/u/.local/bin/claude", "-p", "private words"}, SwarmProcess::kClaude},
      {{"node", "/a/node_modules/@anthropic-ai/claude-code/cli.js"}, SwarmProcess::kClaude},
      {{"vim", "/srv/claude-flow/daemon start"}, SwarmProcess::kNone},
      {{"node", "/srv/claude-flow/server.js", "daemon", "start"}, SwarmProcess::kNone},
      {{"grep", "claude-flow", "daemon", "start"}, SwarmProcess::kNone},
      {{"node"}, SwarmProcess::kNone},
      {{}, SwarmProcess::kNone}};
  for (const auto& [arguments, kind] : cases) {
    CAPTURE(arguments);
    CHECK(ClassifyProcess(arguments) == kind);
  }
  CHECK(WorkspaceArgument({"x", "--workspace", "/a"}) == "/a");
  CHECK(WorkspaceArgument({"x", "--workspace=/b"}) == "/b");
  CHECK(WorkspaceArgument({"x", "--workspace"}).empty());
}

TEST_CASE("Processes are counted for the workspace in which they work", "[stores]") {
  const Proc proc;
  proc.Run(10, kDaemon, "/", 100);
  proc.Run(11, {"claude", "-p"}, "/srv/a/inner/deep", 200);
  proc.Run(12, {"claude"}, "/srv/ab", 50);
  proc.Run(13, {"bash"}, "/srv/a", 900);
  proc.Run(14, kDaemon, "/", 100, 'Z');
  ProcessCensus census(proc.paths);
  REQUIRE(census.Scan({"/srv/a", "/srv/a/inner"}));
  CHECK(census.Daemons("/srv/a") == 1);
  CHECK(census.IsDaemon(10, "/srv/a"));
  CHECK_FALSE(census.IsDaemon(10, "/srv/a/inner"));
  CHECK_FALSE(census.IsDaemon(11, "/srv/a"));
  CHECK_FALSE(census.IsDaemon(14, "/srv/a"));  // a zombie
  CHECK(KindOf(census, "/srv/a/inner", "claude").processes == 1);
  CHECK(KindOf(census, "/srv/a", "claude").processes == 0);
  CHECK(KindOf(census, "", "claude").processes == 1);  // /srv/ab is not below /srv/a
  CHECK(KindOf(census, "/srv/a", "daemon").open_files == 2);
  CHECK(KindOf(census, "/srv/a", "daemon").resident_bytes > 50 * 1024);
  // Used before we looked.
  CHECK(KindOf(census, "/srv/a", "daemon").cpu_seconds == 0);
}

TEST_CASE("Processor time never falls when a process ends or its number is used again",
          "[stores]") {
  const Proc proc;
  const double tick = 1.0 / static_cast<double>(::sysconf(_SC_CLK_TCK));
  ProcessCensus census(proc.paths);
  proc.Run(11, {"claude"}, "/srv/a", 200);
  REQUIRE(census.Scan({"/srv/a"}));
  proc.Run(11, {"claude"}, "/srv/a", 230);
  proc.Run(12, {"claude"}, "/srv/a", 5);
  REQUIRE(census.Scan({"/srv/a"}));
  CHECK(*KindOf(census, "/srv/a", "claude").cpu_seconds == Approx(35 * tick));
  proc.End(12);
  proc.Run(11, {"claude"}, "/srv/a", 10, 'S', 2000);
  REQUIRE(census.Scan({"/srv/a"}));
  CHECK(*KindOf(census, "/srv/a", "claude").cpu_seconds == Approx(45 * tick));
  CHECK(KindOf(census, "/srv/a", "claude").processes == 1);
}

TEST_CASE("A process that has just begun is looked at once more", "[stores]") {
  const Proc proc;
  ProcessCensus census(proc.paths);
  const auto now = static_cast<std::uint64_t>(100000 * ::sysconf(_SC_CLK_TCK));
  proc.Run(20, {"bash"}, "/srv/a", 0, 'S', now - 10);
  REQUIRE(census.Scan({"/srv/a"}));
  CHECK(census.Daemons("/srv/a") == 0);
  proc.Run(20, kDaemon, "/srv/a", 0, 'S', now - 10);
  REQUIRE(census.Scan({"/srv/a"}));
  CHECK(census.Daemons("/srv/a") == 1);
}

TEST_CASE("Other workspaces are followed at once", "[stores]") {
  const Proc proc;
  proc.Run(11, {"claude"}, "/srv/b", 200);
  ProcessCensus census(proc.paths);
  REQUIRE(census.Scan({"/srv/a"}));
  CHECK(KindOf(census, "", "claude").processes == 1);
  REQUIRE(census.Scan({"/srv/b"}));
  CHECK(KindOf(census, "/srv/b", "claude").processes == 1);
  exporter::Paths nowhere;
  nowhere.procfs = proc.folder.File("none");
  CHECK_FALSE(ProcessCensus(nowhere).Scan({}));
}

}  // namespace skep::stores::test

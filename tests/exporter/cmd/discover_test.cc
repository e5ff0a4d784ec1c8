// A machine of files: what is found on it, and that the configuration made of it is taken.
#include "exporter/cmd/discover.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "exporter/cmd/configuration.h"
#include "tests/support/temp_folder.h"

namespace skep::exporter {
namespace {

namespace fs = std::filesystem;

class Machine {
 public:
  void Write(const std::string& path, std::string_view text) {
    const fs::path full = folder.path() + path;
    fs::create_directories(full.parent_path());
    std::ofstream(full) << text;
  }

  void Process(int id, const std::string& comm, std::string cmdline, int inode = 0) {
    const std::string at = "/proc/" + std::to_string(id);
    Write(at + "/comm", comm + "\n");
    Write(at + "/cmdline", cmdline);
    fs::create_directories(folder.path() + at + "/fd");
    if (inode == 0) return;
    fs::create_symlink("socket:[" + std::to_string(inode) + "]", folder.path() + at + "/fd/3");
  }

  Findings Look() const { return Discover({.root = folder.path()}, clock); }

  // Whether the exporter takes the configuration; if not, what it says.
  std::string Judge(const std::string& text) {
    Write("/exporter.yml", text);
    Flags flags;
    flags.config_file = folder.File("exporter.yml");
    std::vector<Error> mistakes;
    std::string out;
    if (Configuration::Load(flags, mistakes)) return out;
    for (const Error& mistake : mistakes) out += mistake.message() + "\n";
    return out;
  }

  test::TempFolder folder;
  SystemClock clock;
};

constexpr std::string_view kTcp =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n"
    "   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 71 "
    "1 0\n"
    "   1: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   103        0 72 "
    "1 0\n"
    "   2: 0100007F:9999 0100007F:1538 01 00000000:00000000 00:00000000 00000000   103        0 73 "
    "1 0\n";
constexpr std::string_view kTcp6 =
    "  sl  local_address                         remote_address                        st\n"
    "   0: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A "
    "00000000:00000000 00:00000000 00000000     0        0 74 1 0\n";

TEST_CASE("Discover finds programs with their ports, and takes no arguments", "[discover]") {
  Machine machine;
  machine.Write("/proc/net/tcp", kTcp);
  machine.Write("/proc/net/tcp6", kTcp6);
  machine.Process(1, "systemd", "init");
  machine.Process(10, "nginx", std::string("nginx\0--secret=hunter2", 22), 71);
  machine.Process(11, "nginx", "nginx: worker", 74);
  machine.Process(12, "postgres", "postgres", 72);
  machine.Process(13, "php-fpm8.2", "php-fpm: pool www", 73);
  machine.Process(14, "node",
                  std::string("node\0/usr/bin/claude-flow\0mcp\0start\0-t\0http\0-p\0"
                              "4711",
                              51));
  machine.Process(15, "node", std::string("node\0/srv/claude-flow\0mcp\0start\0", 32));
  const Findings found = machine.Look();
  CHECK(found.complete);
  CHECK(found.processes == 7);
  REQUIRE(found.programs.size() == 4);
  CHECK(found.programs[0].name == "nginx");
  CHECK(found.programs[0].processes == 2);
  CHECK(found.programs[0].ports == std::vector<std::uint16_t>{80, 443});
  CHECK(found.programs[1].name == "node");
  CHECK(found.programs[2].name == "php_fpm");
  CHECK(found.programs[2].ports.empty());
  CHECK(found.programs[3].ports == std::vector<std::uint16_t>{5432});
  REQUIRE(found.mcp.size() == 1);
  CHECK(found.mcp[0].port == 4711);
  const std::string text = FormatFindings(found);
  CHECK(text.find("{name: php_fpm, comm: \"php-fpm.*\"}") != std::string::npos);
  CHECK(text.find("hunter2") == std::string::npos);
  CHECK(text.find("http://127.0.0.1:4711") != std::string::npos);
  CHECK(machine.Judge(text).empty());
}

TEST_CASE("Discover finds logs, workspaces and transcripts, and check takes what it prints",
          "[discover]") {
  Machine machine;
  machine.Write("/var/log/nginx/access.log", "");
  machine.Write("/var/log/nginx/shop.access.log", "");
  machine.Write("/var/log/nginx/error.log", "");
  machine.Write("/var/log/haproxy.log", "");
  machine.Write("/var/log/auth.log", "");
  machine.Write("/var/log/journal/1/system.journal", "");
  machine.Write("/home/dev/.claude/projects/-srv-shop/1.jsonl", "");
  machine.Write("/home/dev/.claude-flow/ai-budget.json", "{}");
  machine.Write("/root/.claude-flow/ai-budget.json", "{}");
  machine.Write("/home/dev/shop/.claude-flow/tasks/store.json", "{}");
  machine.Write("/srv/team one/.claude-flow/tasks/store.json", "{}");
  machine.Write("/srv/a/shop/.hive-mind/hive.db", "");
  machine.Write("/srv/odd[1]/.claude-flow/tasks/store.json", "{}");
  machine.Write("/var/lib/prometheus/node-exporter/a.prom", "");
  const Findings found = machine.Look();
  REQUIRE(found.logs.size() == 4);
  CHECK(found.logs[2].name == "nginx");
  CHECK(found.logs[2].files == 2);
  CHECK(found.has_journal);
  CHECK(found.workspaces.size() == 4);
  CHECK(found.budgets.size() == 2);
  CHECK(found.transcripts ==
        std::vector<std::string>{machine.folder.path() + "/home/dev/.claude/projects"});
  const std::string text = FormatFindings(found);
  CAPTURE(text);
  CHECK(text.find("- {name: \"shop\", path: ") != std::string::npos);
  CHECK(text.find("- {name: \"shop_2\", path: ") != std::string::npos);
  CHECK(text.find("name: \"team_one\"") != std::string::npos);
  CHECK(text.find("# - {name: \"odd_1_\"") != std::string::npos);
  CHECK(text.find("journalctl") != std::string::npos);
  CHECK(machine.Judge(text).empty());
  // Whoever takes the comment marks off gets a configuration as well.
  std::string bare = text;
  for (const char* line : {"# state:", "# ingest: {b"}) {
    const std::size_t at = bare.find(line);
    REQUIRE(at != std::string::npos);
    if (line[2] == 's') bare.erase(at, 2);
  }
  CHECK(machine.Judge(bare).empty());
}

TEST_CASE("An empty machine gives a configuration too", "[discover]") {
  Machine machine;
  const Findings found = machine.Look();
  CHECK(found.programs.empty());
  CHECK(found.logs.empty());
  const std::string text = FormatFindings(found);
  CHECK(text.find("No workspace of claude-flow") != std::string::npos);
  CHECK(machine.Judge(text).empty());
}

TEST_CASE("A log that may not be read stands in a comment", "[discover]") {
  Findings findings;
  findings.logs = {{"nginx", "/var/log/nginx/*access.log", "nginx", "requests", 2, 2}};
  std::string text = FormatFindings(findings);
  CHECK(text.find("#    - name: nginx\n") != std::string::npos);
  CHECK(text.find("not readable") != std::string::npos);
  CHECK(text.find("\nlogs:") == std::string::npos);
  Machine machine;
  CHECK(machine.Judge(text).empty());
  findings.logs.push_back({"haproxy", "/var/log/haproxy.log", "haproxy", "requests", 1, 0});
  text = FormatFindings(findings);
  CHECK(text.find("\nlogs:\n  sources:\n") != std::string::npos);
  CHECK(machine.Judge(text).empty());
}

TEST_CASE("A clock that runs out ends the search, which is said", "[discover]") {
  Machine machine;
  machine.Write("/home/dev/shop/.claude-flow/tasks/store.json", "{}");
  for (int i = 1; i < 50; ++i) machine.Process(i, "nginx", "nginx");
  class FastClock final : public Clock {
   public:
    Timestamp Now() const override { return {}; }
    Steady SteadyNow() const override { return Steady{std::chrono::seconds(++calls_)}; }

   private:
    mutable int calls_ = 0;
  };
  const FastClock clock;
  const Findings found = Discover({.root = machine.folder.path()}, clock);
  CHECK_FALSE(found.complete);
  CHECK(found.processes < 20);
  CHECK(FormatFindings(found).find("more than could be looked at") != std::string::npos);
}

TEST_CASE("The command line of discover is checked", "[discover]") {
  const SystemClock clock;
  const char* const bad[] = {"discover", "--nonsense"};
  CHECK(RunDiscover(2, bad, clock) == 1);
  const char* const slow[] = {"discover", "--max-time=0"};
  CHECK(RunDiscover(2, slow, clock) == 1);
}

}  // namespace
}  // namespace skep::exporter

// skep-exporter discover: looks at the machine and prints a configuration to start from. Reads
// only, in bounded time; of processes it tells names and ports, never arguments.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "exporter/stores/discover.h"

namespace skep::exporter {

struct DiscoverRequest {
  std::string root = {};  // before /proc, /var/log, /home, ...; "": the machine itself
  // Where workspaces are looked for; none: the homes, /srv, /opt and /workspace.
  std::vector<std::string> folders = {};
  std::chrono::milliseconds max_time{10'000};
};

// Programs of one kind that run.
struct FoundProgram {
  std::string name;  // of the group: "nginx"
  std::string comm;  // as /proc has it
  std::string what;  // for people: "web server"
  std::size_t processes = 0;
  std::vector<std::uint16_t> ports;  // on which they listen, where that can be seen; rising
};

struct FoundLog {
  std::string name;
  std::string pattern;  // of the paths
  std::string format;
  std::string what;
  std::size_t files = 0;
  std::size_t unreadable = 0;  // of them
};

struct FoundMcpServer {
  std::uint16_t port = 0;
};

struct Findings {
  std::vector<FoundProgram> programs;              // by name
  std::vector<FoundLog> logs;                      // by name
  std::vector<stores::FoundWorkspace> workspaces;  // by path
  std::vector<std::string> transcripts;            // folders, sorted
  std::vector<std::string> budgets;                // folders with ai-budget.json, sorted
  std::vector<FoundMcpServer> mcp;                 // by port
  std::string textfile_folder;                     // of node_exporter, or ""
  bool has_journal = false;                        // journald's binary files
  std::size_t processes = 0;
  bool complete = true;  // false: a bound was hit
};

// What cannot be read is passed over.
Findings Discover(const DiscoverRequest& request, const Clock& clock);

// A configuration file that `skep-exporter check` takes, with comments. What was found but cannot
// be used as it is (a log that this user may not read) stands in comments.
std::string FormatFindings(const Findings& findings);

// The subcommand: 0, or 1 where the command line is wrong.
int RunDiscover(int argc, const char* const* argv, const Clock& clock);

}  // namespace skep::exporter

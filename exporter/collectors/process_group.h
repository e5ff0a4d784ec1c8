// What groups of processes, found by patterns, use together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/model/regex.h"
#include "common/yaml/node.h"
#include "exporter/collectors/device_collectors.h"

namespace skep::exporter {

// A process belongs to the first group all of whose conditions it meets.
struct ProcessGroup {
  std::string name;
  std::optional<Regex> comm;     // whole name, of which the kernel keeps 15 bytes
  std::optional<Regex> cmdline;  // a part of the arguments joined by blanks
  std::optional<Regex> exe;      // whole path of the program
  std::optional<std::uint32_t> user_id;
};

// Reads a sequence of `{name, comm, cmdline, exe, user}`; `user` is a name or a number. A group
// needs a name and a condition. Errors name the line.
Result<std::vector<ProcessGroup>> ParseProcessGroups(const yaml::Node& node);

// One line of /proc/PID/stat.
struct ProcessStat {
  std::string_view comm;
  char state = '?';
  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
  std::uint64_t threads = 0;
  std::uint64_t start_ticks = 0;  // since the machine started
  std::uint64_t resident_pages = 0;
};
// Nothing for a half-written or foreign line. `comm` points into `line`.
std::optional<ProcessStat> ParseProcessStat(std::string_view line);

// Families process_group_*, label `group`. Counters are sums over all processes ever seen, so they
// do not fall when one ends. Without groups it writes nothing.
CollectorPtr MakeProcessGroupCollector(const Paths& paths, std::vector<ProcessGroup> groups);

}  // namespace skep::exporter

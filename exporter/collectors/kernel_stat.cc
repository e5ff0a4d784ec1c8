#include "exporter/collectors/kernel_stat.h"

#include <optional>

#include "exporter/collectors/proc_files.h"
#include "exporter/collectors/scan.h"

namespace skep::exporter {
namespace {

// Seen on every kernel since 2.6; softirq came later and is not demanded.
constexpr int kLinesDemanded = 6;

bool IsCpuLine(std::string_view line) {
  return line.size() > 3 && line.starts_with("cpu") && line[3] >= '0' && line[3] <= '9';
}

bool ParseCpuRow(std::string_view line, CpuRow& row) {
  line.remove_prefix(3);
  if (!NextUint(line, row.cpu)) return false;
  std::size_t columns = 0;
  while (columns < row.ticks.size() && NextUint(line, row.ticks[columns])) ++columns;
  return columns > kCpuIdle;
}

}  // namespace

void ParseCpuRows(std::string_view text, std::vector<CpuRow>& rows) {
  rows.clear();
  while (std::optional<std::string_view> line = NextLine(text)) {
    if (!line->starts_with("cpu")) break;  // they come first
    CpuRow row;
    if (IsCpuLine(*line) && ParseCpuRow(*line, row)) rows.push_back(row);
  }
}

bool ParseSystemCounters(std::string_view text, SystemCounters& counters) {
  struct Field {
    std::string_view key;
    std::uint64_t* value;
  };
  const std::array<Field, kLinesDemanded> fields{{{"intr", &counters.interrupts},
                                                  {"ctxt", &counters.context_switches},
                                                  {"btime", &counters.boot_time},
                                                  {"processes", &counters.forks},
                                                  {"procs_running", &counters.procs_running},
                                                  {"procs_blocked", &counters.procs_blocked}}};
  int found = 0;
  while (std::optional<std::string_view> line = NextLine(text)) {
    std::string_view rest = *line;
    const std::string_view key = NextField(rest);
    for (const Field& field : fields) {
      if (key == field.key && NextUint(rest, *field.value)) ++found;
    }
    if (key != "softirq") continue;
    std::uint64_t total = 0;
    (void)NextUint(rest, total);  // the sum, which readers can make themselves
    for (std::uint64_t& count : counters.softirqs) (void)NextUint(rest, count);
  }
  return found == kLinesDemanded;
}

}  // namespace skep::exporter

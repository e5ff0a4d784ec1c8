#include "common/instrument/process_metrics.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "common/base/file.h"
#include "common/base/number.h"

namespace skep::instrument {
namespace {

using exposition::MetricType;
using exposition::PageWriter;

// The fields of /proc/PID/stat from the third one on (state); the second may hold anything and ends
// with the last ')'.
std::vector<std::string_view> StatFields(std::string_view stat) {
  std::vector<std::string_view> fields;
  const std::size_t close = stat.rfind(')');
  if (close == std::string_view::npos) return fields;
  stat.remove_prefix(close + 1);
  while (true) {
    const std::size_t first = stat.find_first_not_of(" \n");
    if (first == std::string_view::npos) return fields;
    stat.remove_prefix(first);
    const std::size_t end = stat.find_first_of(" \n");
    fields.push_back(stat.substr(0, end));
    if (end == std::string_view::npos) return fields;
    stat.remove_prefix(end);
  }
}

double Number(std::string_view text) { return ParseDouble(text).value_or(0); }

void WriteOne(PageWriter& page, std::string_view name, std::string_view help, MetricType type,
              double value) {
  page.Family(name, help, type);
  page.Sample(value);
}

// When the machine started, in seconds since 1970.
std::optional<double> BootTime() {
  const Result<std::string> stat = ReadFile("/proc/stat");
  if (!stat) return std::nullopt;
  const std::size_t at = stat->find("\nbtime ");
  if (at == std::string::npos) return std::nullopt;
  const std::size_t first = at + 7;
  return ParseDouble(std::string_view(*stat).substr(first, stat->find('\n', first) - first));
}

void WriteStat(PageWriter& page, std::string_view stat) {
  const std::vector<std::string_view> fields = StatFields(stat);
  constexpr std::size_t kNeeded = 22;
  if (fields.size() < kNeeded) return;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto page_bytes = static_cast<double>(::sysconf(_SC_PAGESIZE));
  WriteOne(page, "process_cpu_seconds_total", "User and system CPU time spent in seconds.",
           MetricType::kCounter, (Number(fields[11]) + Number(fields[12])) / ticks);
  WriteOne(page, "process_resident_memory_bytes", "Resident memory size in bytes.",
           MetricType::kGauge, Number(fields[21]) * page_bytes);
  WriteOne(page, "process_virtual_memory_bytes", "Virtual memory size in bytes.",
           MetricType::kGauge, Number(fields[20]));
  WriteOne(page, "process_threads", "Threads of the process.", MetricType::kGauge,
           Number(fields[17]));
  if (const std::optional<double> boot = BootTime()) {
    WriteOne(page, "process_start_time_seconds", "Start time of the process in seconds since 1970.",
             MetricType::kGauge, *boot + Number(fields[19]) / ticks);
  }
}

std::optional<double> CountEntries(const std::string& folder) {
  DIR* const dir = ::opendir(folder.c_str());
  if (dir == nullptr) return std::nullopt;
  double count = 0;
  while (const dirent* entry = ::readdir(dir)) {
    if (entry->d_name[0] != '.') ++count;
  }
  ::closedir(dir);
  return count - 1;  // without the one that is open for counting
}

std::optional<double> MaxOpenFiles(std::string_view limits) {
  constexpr std::string_view kKey = "Max open files";
  const std::size_t at = limits.find(kKey);
  if (at == std::string_view::npos) return std::nullopt;
  limits.remove_prefix(at + kKey.size());
  limits.remove_prefix(std::min(limits.find_first_not_of(' '), limits.size()));
  return ParseDouble(limits.substr(0, limits.find(' ')));
}

}  // namespace

void WriteProcessMetrics(PageWriter& page, const std::string& proc_self) {
  if (const Result<std::string> stat = ReadFile(proc_self + "/stat")) WriteStat(page, *stat);
  if (const std::optional<double> open = CountEntries(proc_self + "/fd")) {
    WriteOne(page, "process_open_fds", "Number of open file descriptors.", MetricType::kGauge,
             *open);
  }
  const Result<std::string> limits = ReadFile(proc_self + "/limits");
  if (!limits) return;
  if (const std::optional<double> most = MaxOpenFiles(*limits)) {
    WriteOne(page, "process_max_fds", "Maximum number of open file descriptors.",
             MetricType::kGauge, *most);
  }
}

void WriteBuildInfo(PageWriter& page, std::string_view prefix, std::string_view version,
                    std::string_view revision, std::string_view branch) {
  page.Family(
      std::string(prefix) + "_build_info",
      "A metric with a constant '1' value labeled by version, revision, branch and compiler "
      "of the program.",
      MetricType::kGauge);
  page.Sample(
      {{"branch", branch}, {"compiler", __VERSION__}, {"revision", revision}, {"version", version}},
      1);
}

}  // namespace skep::instrument

// The text of /proc/stat, which the collectors cpu and stat share.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace skep::exporter {

// Columns of a line "cpuN", in the kernel's order.
enum CpuColumn : std::uint8_t {
  kCpuUser,
  kCpuNice,
  kCpuSystem,
  kCpuIdle,
  kCpuIowait,
  kCpuIrq,
  kCpuSoftirq,
  kCpuSteal,
  kCpuGuest,
  kCpuGuestNice,
  kCpuColumns,
};
using CpuTicks = std::array<std::uint64_t, kCpuColumns>;

struct CpuRow {
  std::uint64_t cpu = 0;
  CpuTicks ticks{};  // columns that an old kernel does not have are 0
};

// The lines "cpuN" into `rows`. One with fewer than the four oldest columns is left out.
void ParseCpuRows(std::string_view text, std::vector<CpuRow>& rows);

// What follows the processors.
struct SystemCounters {
  std::uint64_t interrupts = 0;
  std::uint64_t context_switches = 0;
  std::uint64_t boot_time = 0;  // seconds since 1970
  std::uint64_t forks = 0;
  std::uint64_t procs_running = 0;
  std::uint64_t procs_blocked = 0;
  // hi, timer, net_tx, net_rx, block, block_iopoll, tasklet, sched, hrtimer, rcu.
  std::array<std::uint64_t, 10> softirqs{};
};

// False: the text is cut before its last lines, so zeros would be lies.
bool ParseSystemCounters(std::string_view text, SystemCounters& counters);

}  // namespace skep::exporter

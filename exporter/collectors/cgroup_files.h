// The files of one control group (version 2), read into numbers.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace skep::exporter {

// One number of a group. The order is that of kCgroupMetrics in cgroup.cc.
enum class CgroupNumber : std::uint8_t {
  kCpuLimitCores,
  kCpuPeriods,
  kCpuSystemSeconds,
  kCpuThrottledPeriods,
  kCpuThrottledSeconds,
  kCpuUsageSeconds,
  kCpuUserSeconds,
  kMemoryAnonBytes,
  kMemoryEventsHigh,
  kMemoryEventsMax,
  kMemoryEventsOom,
  kMemoryEventsOomKill,
  kMemoryFileBytes,
  kMemoryHighBytes,
  kMemoryLimitBytes,
  kMemorySwapLimitBytes,
  kMemorySwapUsageBytes,
  kMemoryUsageBytes,
  kMemoryUsedRatio,
  kMemoryWorkingSetBytes,
  kPids,
  kPidsEventsMax,
  kPidsLimit,
  kPressureCpuStalled,
  kPressureCpuWaiting,
  kPressureIoStalled,
  kPressureIoWaiting,
  kPressureMemoryStalled,
  kPressureMemoryWaiting,
  kCount,
};
inline constexpr std::size_t kCgroupNumbers = static_cast<std::size_t>(CgroupNumber::kCount);

// One line of io.stat.
struct CgroupIo {
  std::string device;  // "8:0"
  std::uint64_t read_bytes = 0;
  std::uint64_t written_bytes = 0;
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
};

struct CgroupNumbers {
  // NaN: the kernel does not tell it, or (of limits) there is none.
  std::array<double, kCgroupNumbers> values;
  std::vector<CgroupIo> io;

  CgroupNumbers() { values.fill(std::numeric_limits<double>::quiet_NaN()); }
  double Get(CgroupNumber number) const { return values[static_cast<std::size_t>(number)]; }
  void Set(CgroupNumber number, double value) { values[static_cast<std::size_t>(number)] = value; }
  bool Has(CgroupNumber number) const { return !std::isnan(Get(number)); }
  bool empty() const;
};

// Takes what the file `name` with the content `text` tells. Lines that make no sense, as of a file
// cut short, are left out; files of other names too.
void ReadCgroupFile(std::string_view name, std::string_view text, CgroupNumbers& numbers);
// The names that ReadCgroupFile knows.
const std::vector<const char*>& CgroupFileNames();
// What follows from several files: the ratio, where there is a limit, and the working set. Once,
// when all have been read.
void DeriveCgroupNumbers(CgroupNumbers& numbers);

}  // namespace skep::exporter

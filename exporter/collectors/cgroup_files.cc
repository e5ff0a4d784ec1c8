#include "exporter/collectors/cgroup_files.h"

#include <algorithm>
#include <optional>

#include "common/base/number.h"
#include "exporter/collectors/proc_files.h"

namespace skep::exporter {

namespace {

using enum CgroupNumber;

constexpr double kMicrosecond = 1e-6;

// A file of one number, or "max" for none.
struct SingleFile {
  std::string_view file;
  CgroupNumber number;
};
constexpr std::array<SingleFile, 7> kSingles = {{{"memory.current", kMemoryUsageBytes},
                                                 {"memory.high", kMemoryHighBytes},
                                                 {"memory.max", kMemoryLimitBytes},
                                                 {"memory.swap.current", kMemorySwapUsageBytes},
                                                 {"memory.swap.max", kMemorySwapLimitBytes},
                                                 {"pids.current", kPids},
                                                 {"pids.max", kPidsLimit}}};

// A file of lines "key number".
struct KeyedLine {
  std::string_view file;
  std::string_view key;
  CgroupNumber number;
  double divisor = 1;
};
constexpr std::array<KeyedLine, 13> kKeyed = {{
    {"cpu.stat", "usage_usec", kCpuUsageSeconds, 1e6},
    {"cpu.stat", "user_usec", kCpuUserSeconds, 1e6},
    {"cpu.stat", "system_usec", kCpuSystemSeconds, 1e6},
    {"cpu.stat", "nr_periods", kCpuPeriods},
    {"cpu.stat", "nr_throttled", kCpuThrottledPeriods},
    {"cpu.stat", "throttled_usec", kCpuThrottledSeconds, 1e6},
    {"memory.events", "high", kMemoryEventsHigh},
    {"memory.events", "max", kMemoryEventsMax},
    {"memory.events", "oom", kMemoryEventsOom},
    {"memory.events", "oom_kill", kMemoryEventsOomKill},
    {"memory.stat", "anon", kMemoryAnonBytes},
    {"memory.stat", "file", kMemoryFileBytes},
    {"pids.events", "max", kPidsEventsMax},
}};
constexpr std::string_view kInactiveFile = "inactive_file";

struct PressureFile {
  std::string_view file;
  CgroupNumber some;
  CgroupNumber full;
};
constexpr std::array<PressureFile, 3> kPressures = {{
    {"cpu.pressure", kPressureCpuWaiting, kPressureCpuStalled},
    {"io.pressure", kPressureIoWaiting, kPressureIoStalled},
    {"memory.pressure", kPressureMemoryWaiting, kPressureMemoryStalled},
}};

void ReadKeyed(std::string_view file, std::string_view text, CgroupNumbers& numbers) {
  while (std::optional<std::string_view> line = NextLine(text)) {
    std::string_view key = NextField(*line);
    std::optional<std::uint64_t> value = ParseUint(NextField(*line));
    if (!value) continue;
    for (const KeyedLine& known : kKeyed) {
      if (known.file == file && known.key == key) {
        numbers.Set(known.number, static_cast<double>(*value) / known.divisor);
      }
    }
    // Kept until the derivation; memory.stat is the only file that has it.
    if (file == "memory.stat" && key == kInactiveFile) {
      numbers.Set(kMemoryWorkingSetBytes, static_cast<double>(*value));
    }
  }
}

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=12345" in microseconds, and the same for "full".
void ReadPressure(const PressureFile& file, std::string_view text, CgroupNumbers& numbers) {
  constexpr std::string_view kTotal = "total=";
  while (std::optional<std::string_view> line = NextLine(text)) {
    std::string_view kind = NextField(*line);
    std::size_t at = line->find(kTotal);
    if (at == std::string_view::npos) continue;
    std::optional<std::uint64_t> total = ParseUint(Trim(line->substr(at + kTotal.size())));
    if (!total) continue;
    double seconds = static_cast<double>(*total) * kMicrosecond;
    if (kind == "some") numbers.Set(file.some, seconds);
    if (kind == "full") numbers.Set(file.full, seconds);
  }
}

// "150000 100000": microseconds of processor time in each period of that many; or "max 100000".
void ReadCpuMax(std::string_view text, CgroupNumbers& numbers) {
  std::optional<std::uint64_t> quota = ParseUint(NextField(text));
  std::optional<std::uint64_t> period = ParseUint(NextField(text));
  if (!quota || !period || *period == 0) return;
  numbers.Set(kCpuLimitCores, static_cast<double>(*quota) / static_cast<double>(*period));
}

// "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0".
void ReadIo(std::string_view text, CgroupNumbers& numbers) {
  while (std::optional<std::string_view> line = NextLine(text)) {
    std::string_view device = NextField(*line);
    bool is_device = device.find(':') != std::string_view::npos;
    CgroupIo io{std::string(device)};
    int found = 0;
    for (std::string_view field = NextField(*line); !field.empty(); field = NextField(*line)) {
      std::size_t equals = std::min(field.find('='), field.size());
      std::optional<std::uint64_t> value =
          ParseUint(field.substr(std::min(equals + 1, field.size())));
      std::string_view key = field.substr(0, equals);
      std::uint64_t* place = key == "rbytes"   ? &io.read_bytes
                             : key == "wbytes" ? &io.written_bytes
                             : key == "rios"   ? &io.reads
                             : key == "wios"   ? &io.writes
                                               : nullptr;
      if (place == nullptr || !value) continue;
      *place = *value;
      ++found;
    }
    bool is_new = std::none_of(numbers.io.begin(), numbers.io.end(),
                               [&](const CgroupIo& other) { return other.device == io.device; });
    if (is_device && is_new && found == 4) numbers.io.push_back(std::move(io));
  }
}

}  // namespace

bool CgroupNumbers::empty() const {
  return io.empty() &&
         std::all_of(values.begin(), values.end(), [](double v) { return std::isnan(v); });
}

void ReadCgroupFile(std::string_view name, std::string_view text, CgroupNumbers& numbers) {
  for (const SingleFile& single : kSingles) {
    if (single.file != name) continue;
    std::optional<std::uint64_t> value = ParseUint(Trim(text));
    if (value) numbers.Set(single.number, static_cast<double>(*value));
    return;
  }
  for (const PressureFile& pressure : kPressures) {
    if (pressure.file == name) return ReadPressure(pressure, text, numbers);
  }
  if (name == "cpu.max") return ReadCpuMax(text, numbers);
  if (name == "io.stat") return ReadIo(text, numbers);
  ReadKeyed(name, text, numbers);
}

const std::vector<const char*>& CgroupFileNames() {
  static const std::vector<const char*> names = {
      "cpu.max",         "cpu.pressure",    "cpu.stat",      "io.pressure",
      "io.stat",         "memory.current",  "memory.events", "memory.high",
      "memory.max",      "memory.pressure", "memory.stat",   "memory.swap.current",
      "memory.swap.max", "pids.current",    "pids.events",   "pids.max"};
  return names;
}

void DeriveCgroupNumbers(CgroupNumbers& numbers) {
  double used = numbers.Get(kMemoryUsageBytes);
  double limit = numbers.Get(kMemoryLimitBytes);
  if (!std::isnan(used) && limit > 0) numbers.Set(kMemoryUsedRatio, used / limit);
  // NaN of either stays NaN: without usage there is no working set.
  double inactive = numbers.Get(kMemoryWorkingSetBytes);
  double working_set = std::isnan(used) ? used : std::max(used - inactive, 0.0);
  numbers.Set(kMemoryWorkingSetBytes, std::isnan(inactive) ? inactive : working_set);
}

}  // namespace skep::exporter

#include "exporter/collectors/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <map>
#include <memory>
#include <utility>

#include "exporter/collectors/cgroup_files.h"
#include "exporter/collectors/family_set.h"

namespace skep::exporter {

namespace {

struct Metric {
  std::string_view name;
  std::string_view help;
  MetricType type;
};

constexpr auto kC = MetricType::kCounter;
constexpr auto kG = MetricType::kGauge;

// In the order of CgroupNumber.
constexpr std::array<Metric, kCgroupNumbers> kCgroupMetrics = {{
    {"cgroup_cpu_limit_cores", "Processors that the group may use; absent without a limit.", kG},
    {"cgroup_cpu_periods_total", "Periods over which the processor limit was enforced.", kC},
    {"cgroup_cpu_system_seconds_total", "Processor time in the kernel.", kC},
    {"cgroup_cpu_throttled_periods_total", "Periods in which the group was throttled.", kC},
    {"cgroup_cpu_throttled_seconds_total", "Time that the group was throttled.", kC},
    {"cgroup_cpu_usage_seconds_total", "Processor time in all.", kC},
    {"cgroup_cpu_user_seconds_total", "Processor time in user mode.", kC},
    {"cgroup_memory_anon_bytes", "Memory that no file stands behind.", kG},
    {"cgroup_memory_events_high_total", "Times the group was throttled over memory.high.", kC},
    {"cgroup_memory_events_max_total", "Times the usage was about to go over memory.max.", kC},
    {"cgroup_memory_events_oom_total", "Times an allocation was about to fail at the limit.", kC},
    {"cgroup_memory_events_oom_kill_total", "Processes killed for want of memory.", kC},
    {"cgroup_memory_file_bytes", "Page cache.", kG},
    {"cgroup_memory_high_bytes", "Usage above which the group is slowed; absent without it.", kG},
    {"cgroup_memory_limit_bytes", "Most memory that the group may use; absent without a limit.",
     kG},
    {"cgroup_memory_swap_limit_bytes", "Most swap that the group may use; absent without it.", kG},
    {"cgroup_memory_swap_usage_bytes", "Swap in use.", kG},
    {"cgroup_memory_usage_bytes", "Memory in use, page cache included.", kG},
    {"cgroup_memory_used_ratio", "Memory in use over its limit, 0 to 1; absent without a limit.",
     kG},
    {"cgroup_memory_working_set_bytes", "Memory in use without inactive page cache.", kG},
    {"cgroup_pids", "Processes and threads.", kG},
    {"cgroup_pids_events_max_total", "Times a process was refused at the limit.", kC},
    {"cgroup_pids_limit", "Most processes and threads; absent without a limit.", kG},
    {"cgroup_pressure_cpu_stalled_seconds_total", "Time that all tasks waited for a processor.",
     kC},
    {"cgroup_pressure_cpu_waiting_seconds_total", "Time that some task waited for a processor.",
     kC},
    {"cgroup_pressure_io_stalled_seconds_total", "Time that all tasks waited for input or output.",
     kC},
    {"cgroup_pressure_io_waiting_seconds_total", "Time that some task waited for input or output.",
     kC},
    {"cgroup_pressure_memory_stalled_seconds_total", "Time that all tasks waited for memory.", kC},
    {"cgroup_pressure_memory_waiting_seconds_total", "Time that some task waited for memory.", kC},
}};

struct IoMetric {
  std::string_view name;
  std::string_view help;
  std::uint64_t CgroupIo::*value;
};
constexpr std::array<IoMetric, 4> kIoMetrics = {{
    {"cgroup_io_read_bytes_total", "Bytes read from the device.", &CgroupIo::read_bytes},
    {"cgroup_io_reads_total", "Reads of the device.", &CgroupIo::reads},
    {"cgroup_io_writes_total", "Writes to the device.", &CgroupIo::writes},
    {"cgroup_io_written_bytes_total", "Bytes written to the device.", &CgroupIo::written_bytes},
}};

struct Group {
  std::string path;    // "/" or "/a/b"
  std::string labels;  // rendered
  CgroupNumbers numbers;
};

struct Skipped {
  std::size_t by_depth = 0;
  std::size_t by_count = 0;
};

// Children of an open folder, by name. Takes the descriptor.
std::vector<std::string> ListChildren(int folder) {
  std::vector<std::string> names;
  std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(folder), ::closedir);
  if (entries == nullptr) {
    ::close(folder);
    return names;
  }
  while (const dirent* entry = ::readdir(entries.get())) {
    std::string_view name = entry->d_name;
    bool is_folder = entry->d_type == DT_DIR;
    if (is_folder && name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

class CgroupCollector : public Collector {
 public:
  CgroupCollector(const Paths& paths, CgroupOptions options)
      : paths_(paths), options_(std::move(options)) {}

  std::string_view name() const override { return "cgroup"; }

  Status Collect(CollectContext& context) override {
    std::string root = FindRoot();
    if (root.empty()) return NotFound("no cgroup version 2 hierarchy is mounted");
    groups_.clear();
    device_names_.clear();  // numbers are given to other devices in time
    Skipped skipped;
    bool complete = Walk(root, context, skipped);
    if (groups_.empty()) return NotFound("no control group below " + root + " tells anything");
    for (std::size_t i = 0; i < kCgroupNumbers; ++i) WriteMetric(context.page, i);
    for (const IoMetric& metric : kIoMetrics) WriteIo(context.page, metric);
    WriteSkipped(context.page, skipped);
    if (!complete) return Error(ErrorKind::kTimeout, "not all control groups could be read");
    return {};
  }

 private:
  // cgroup.controllers exists in version 2 only.
  std::string FindRoot() const {
    std::vector<std::string> places = {paths_.Sys("fs/cgroup"), paths_.Sys("fs/cgroup/unified")};
    if (!options_.root.empty()) places = {options_.root};
    for (const std::string& place : places) {
      if (FileExists(place + "/cgroup.controllers")) return place;
    }
    return {};
  }

  // Level by level, so that the cap takes the outermost groups. False: the deadline passed.
  bool Walk(const std::string& root, CollectContext& context, Skipped& skipped) {
    std::deque<std::pair<std::string, int>> queue = {{"", 0}};
    while (!queue.empty()) {
      if (std::chrono::steady_clock::now() > context.deadline) return false;
      auto [path, depth] = std::move(queue.front());
      queue.pop_front();
      int folder = ::open((root + path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      if (folder < 0) continue;  // gone since its parent was listed
      Visit(folder, path.empty() ? "/" : path, depth, skipped);
      for (const std::string& child : ListChildren(folder)) {
        queue.emplace_back(path + "/" + child, depth + 1);
      }
    }
    return true;
  }

  void Visit(int folder, const std::string& path, int depth, Skipped& skipped) {
    if (options_.include && !options_.include->FullMatch(path)) return;
    if (options_.exclude && options_.exclude->FullMatch(path)) return;
    if (depth > options_.max_depth) {
      ++skipped.by_depth;
    } else if (groups_.size() >= options_.max_groups) {
      ++skipped.by_count;
    } else {
      Group group{path, exposition::RenderLabels({{"cgroup", ValidUtf8(path)}}), {}};
      ReadGroup(folder, group.numbers);
      if (!group.numbers.empty()) groups_.push_back(std::move(group));
    }
  }

  // Which files there are depends on the kernel and on the controllers that the parent passes down.
  void ReadGroup(int folder, CgroupNumbers& numbers) {
    for (const char* name : CgroupFileNames()) {
      std::optional<std::string_view> text = ReadAt(folder, name);
      if (text) ReadCgroupFile(name, *text, numbers);
    }
    DeriveCgroupNumbers(numbers);
  }

  std::optional<std::string_view> ReadAt(int folder, const char* name) {
    int file = ::openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (file < 0) return std::nullopt;
    std::size_t used = 0;
    ssize_t size = 0;
    std::size_t room = 0;
    // These files come in one piece: what does not fill the room was all, without another read that
    // finds the end.
    do {
      if (buffer_.size() - used < 4096) buffer_.resize(buffer_.size() + 16384);
      room = buffer_.size() - used;
      size = ::read(file, buffer_.data() + used, room);
      if (size > 0) used += static_cast<std::size_t>(size);
    } while (size > 0 && static_cast<std::size_t>(size) == room);
    ::close(file);
    if (size < 0) return std::nullopt;
    return std::string_view(buffer_.data(), used);
  }

  void WriteMetric(exposition::PageWriter& page, std::size_t index) const {
    const Metric& metric = kCgroupMetrics[index];
    bool announced = false;
    for (const Group& group : groups_) {
      double value = group.numbers.values[index];
      if (std::isnan(value)) continue;
      if (!announced) page.Family(metric.name, metric.help, metric.type);
      announced = true;
      page.RenderedSample(group.labels, value);
    }
  }

  void WriteIo(exposition::PageWriter& page, const IoMetric& metric) {
    bool announced = false;
    for (const Group& group : groups_) {
      for (const CgroupIo& io : group.numbers.io) {
        if (!announced) page.Family(metric.name, metric.help, kC);
        announced = true;
        labels_ = group.labels;
        exposition::AppendRenderedLabel(labels_, "device", DeviceName(io.device));
        page.RenderedSample(labels_, static_cast<double>(io.*metric.value));
      }
    }
  }

  // "sda" for "8:0"; numbers without a name stay numbers.
  const std::string& DeviceName(const std::string& number) {
    auto at = device_names_.find(number);
    if (at == device_names_.end()) {
      std::string name = LinkBaseName(paths_.Sys("dev/block/" + number));
      at = device_names_.emplace(number, name.empty() ? number : ValidUtf8(name)).first;
    }
    return at->second;
  }

  void WriteSkipped(exposition::PageWriter& page, const Skipped& skipped) const {
    page.Family("cgroup_groups", "Control groups shown.", kG);
    page.Sample(static_cast<double>(groups_.size()));
    page.Family("cgroup_groups_skipped",
                "Control groups left out because they are too deep or too many.", kG);
    page.Sample({{"reason", "count"}}, static_cast<double>(skipped.by_count));
    page.Sample({{"reason", "depth"}}, static_cast<double>(skipped.by_depth));
  }

  const Paths paths_;
  const CgroupOptions options_;
  std::vector<Group> groups_;
  std::map<std::string, std::string> device_names_;
  std::string buffer_;
  std::string labels_;
};

}  // namespace

CollectorPtr MakeCgroupCollector(const Paths& paths, CgroupOptions options) {
  return std::make_unique<CgroupCollector>(paths, std::move(options));
}

}  // namespace skep::exporter

#include "exporter/collectors/process_group.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>

#include "common/base/file.h"
#include "common/base/number.h"
#include "common/base/quote.h"
#include "exporter/collectors/family_set.h"

namespace skep::exporter {

namespace {

constexpr int kNoGroup = -1;
// A process this young may still be the shell that becomes another program.
constexpr double kUnsettledSeconds = 5;

struct Io {
  std::uint64_t read_bytes = 0;
  std::uint64_t written_bytes = 0;
};

// One process between two scans. The start makes it another one when its number is reused.
struct Process {
  std::uint64_t start_ticks = 0;
  int group = kNoGroup;
  bool is_settled = false;  // old enough for its group to be final
  bool is_counted = false;  // in its group's counters
  std::string comm;
  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
  Io io;
  std::uint64_t scan = 0;  // the last that saw it
};

// What one scan found, and the sums since the beginning.
struct Totals {
  std::uint64_t processes = 0;
  std::uint64_t threads = 0;
  std::uint64_t resident_pages = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t fds_unreadable = 0;
  std::uint64_t io_unreadable = 0;
  double fd_ratio_max = 0;
  std::uint64_t oldest_start_ticks = std::numeric_limits<std::uint64_t>::max();

  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
  std::uint64_t starts = 0;
  Io io;

  void BeginScan() {
    Totals kept;
    kept.user_ticks = user_ticks;
    kept.system_ticks = system_ticks;
    kept.starts = starts;
    kept.io = io;
    *this = kept;
  }
};

// Numbers of the kernel only grow; if one does not, the file was not what it was.
std::uint64_t Growth(std::uint64_t now, std::uint64_t before) {
  return now > before ? now - before : 0;
}

bool IsNumber(const char* name) { return *name >= '0' && *name <= '9'; }

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

// The files of /proc/PID, read through its folder's descriptor so that all are of one process.
class ProcessFiles {
 public:
  explicit ProcessFiles(std::string& buffer) : buffer_(buffer) {}

  // The view lives until the next reading.
  std::optional<std::string_view> Read(int folder, const char* name) {
    Descriptor file(::openat(folder, name, O_RDONLY | O_CLOEXEC));
    if (!file) return std::nullopt;
    std::size_t used = 0;
    ssize_t size = 0;
    std::size_t room = 0;
    // These files come in one piece: what does not fill the room was all, without another read that
    // finds the end.
    do {
      if (buffer_.size() - used < 4096) buffer_.resize(buffer_.size() + 8192);
      room = buffer_.size() - used;
      size = ::read(file.get(), buffer_.data() + used, room);
      if (size > 0) used += static_cast<std::size_t>(size);
    } while (size > 0 && static_cast<std::size_t>(size) == room && used < kMostBytes);
    if (size < 0) return std::nullopt;
    return std::string_view(buffer_.data(), used);
  }

  // Arguments joined by blanks. They are the process's own memory, hence any bytes.
  std::string CommandLine(int folder) {
    std::string text(Read(folder, "cmdline").value_or(""));
    while (!text.empty() && text.back() == '\0') text.pop_back();
    std::replace(text.begin(), text.end(), '\0', ' ');
    return text;
  }

  static std::string Program(int folder) {
    std::array<char, 4096> target;
    ssize_t size = ::readlinkat(folder, "exe", target.data(), target.size());
    if (size <= 0) return {};
    std::string_view path(target.data(), static_cast<std::size_t>(size));
    constexpr std::string_view kDeleted = " (deleted)";  // the file was replaced by an update
    if (path.ends_with(kDeleted)) path.remove_suffix(kDeleted.size());
    return std::string(path);
  }

  std::optional<Io> ReadIo(int folder) {
    std::optional<std::string_view> text = Read(folder, "io");
    if (!text || text->empty()) return std::nullopt;
    Io io;
    while (std::optional<std::string_view> line = NextLine(*text)) {
      std::string_view key = NextField(*line);
      std::uint64_t value = ParseUint(NextField(*line)).value_or(0);
      if (key == "read_bytes:") io.read_bytes = value;
      if (key == "write_bytes:") io.written_bytes = value;
    }
    return io;
  }

  // `is_procfs`: not a copy of it.
  static std::optional<std::uint64_t> CountFds(int folder, bool is_procfs) {
    int fds = ::openat(folder, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fds < 0) return std::nullopt;
    // Since Linux 6.2 the folder's size is the count; before, it is 0.
    struct stat info {};
    if (is_procfs && ::fstat(fds, &info) == 0 && info.st_size > 0) {
      ::close(fds);
      return static_cast<std::uint64_t>(info.st_size);
    }
    std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(fds), ::closedir);
    if (entries == nullptr) {
      ::close(fds);
      return std::nullopt;
    }
    std::uint64_t count = 0;
    while (const dirent* entry = ::readdir(entries.get())) count += IsNumber(entry->d_name);
    return count;
  }

  // The soft limit of "Max open files  1024  1048576  files"; nothing for "unlimited".
  std::optional<std::uint64_t> FdLimit(int folder) {
    constexpr std::string_view kKey = "Max open files";
    std::optional<std::string_view> text = Read(folder, "limits");
    if (!text) return std::nullopt;
    while (std::optional<std::string_view> line = NextLine(*text)) {
      if (!line->starts_with(kKey)) continue;
      line->remove_prefix(kKey.size());
      return ParseUint(NextField(*line));
    }
    return std::nullopt;
  }

 private:
  static constexpr std::size_t kMostBytes = 1UL << 20;

  std::string& buffer_;
};

class ProcessGroupCollector : public Collector {
 public:
  ProcessGroupCollector(const Paths& paths, std::vector<ProcessGroup> groups)
      : paths_(paths), groups_(std::move(groups)), totals_(groups_.size()) {
    for (const ProcessGroup& group : groups_) {
      labels_.push_back(exposition::RenderLabels({{"group", ValidUtf8(group.name)}}));
    }
  }

  std::string_view name() const override { return "process_group"; }

  Status Collect(CollectContext& context) override {
    if (groups_.empty()) return {};
    Result<double> uptime = Uptime();
    if (!uptime) return uptime.error();
    uptime_seconds_ = *uptime;
    Status scanned = Scan(context);
    // A scan that was cut short would tell half the sums as if they were whole.
    RETURN_IF_ERROR(scanned);
    Write(context.page);
    return {};
  }

 private:
  Result<double> Uptime() {
    std::string path = paths_.Proc("uptime");
    std::string text = ReadText(path).value_or("");
    std::optional<double> seconds = ParseDouble(text.substr(0, text.find(' ')));
    if (!seconds) return Error(ErrorKind::kIo, "no number in " + path);
    return *seconds;
  }

  Status Scan(CollectContext& context) {
    std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir(paths_.procfs.c_str()), ::closedir);
    if (proc == nullptr) return FromErrno("open " + paths_.procfs, errno);
    struct statfs system {};
    is_procfs_ = ::fstatfs(::dirfd(proc.get()), &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
    ++scan_;
    for (Totals& totals : totals_) totals.BeginScan();
    while (const dirent* entry = ::readdir(proc.get())) {
      if (!IsNumber(entry->d_name)) continue;
      if (std::chrono::steady_clock::now() > context.deadline) {
        return Error(ErrorKind::kTimeout, "too many processes for the time");
      }
      int pid = std::atoi(entry->d_name);
      if (IsKnownStranger(::dirfd(proc.get()), entry->d_name, pid)) continue;
      Descriptor folder(::openat(::dirfd(proc.get()), entry->d_name, O_PATH | O_CLOEXEC));
      if (folder) Look(folder.get(), pid);
    }
    std::erase_if(processes_, [&](const auto& entry) { return entry.second.scan != scan_; });
    is_first_ = false;
    return {};
  }

  // Most processes belong to no group: for those that are known to, half the system calls do.
  bool IsKnownStranger(int proc, const char* name, int pid) {
    auto at = processes_.find(pid);
    if (at == processes_.end()) return false;
    Process& process = at->second;
    if (process.group != kNoGroup || !process.is_settled) return false;
    path_.assign(name).append("/stat");
    std::optional<std::string_view> line = files_.Read(proc, path_.c_str());
    std::optional<ProcessStat> stat = line ? ParseProcessStat(*line) : std::nullopt;
    bool is_same = stat && stat->start_ticks == process.start_ticks && stat->comm == process.comm;
    if (is_same) process.scan = scan_;
    return is_same;
  }

  void Look(int folder, int pid) {
    std::optional<std::string_view> line = files_.Read(folder, "stat");
    std::optional<ProcessStat> stat = line ? ParseProcessStat(*line) : std::nullopt;
    if (!stat) return;  // ended meanwhile
    Process& process = processes_[pid];
    if (process.scan == 0 || process.start_ticks != stat->start_ticks) {
      process = Process();
      process.start_ticks = stat->start_ticks;
    }
    process.scan = scan_;
    ProcessStat kept = *stat;
    if (!process.is_settled || process.comm != stat->comm) {
      process.comm = stat->comm;
      kept.comm = process.comm;  // the buffer is read over while the group is sought
      int group = FindGroup(folder, process.comm);
      if (group != process.group) process.is_counted = false;
      process.group = group;
      process.is_settled = AgeSeconds(process) > kUnsettledSeconds;
    }
    if (process.group != kNoGroup && kept.state != 'Z') Count(folder, kept, process);
  }

  double AgeSeconds(const Process& process) const {
    return uptime_seconds_ - static_cast<double>(process.start_ticks) / ticks_per_second_;
  }

  // The first group all of whose conditions hold. What needs a system call is asked for last, and
  // once.
  int FindGroup(int folder, const std::string& comm) {
    std::optional<std::string> command_line;
    std::optional<std::string> program;
    std::optional<std::uint32_t> user;
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      const ProcessGroup& group = groups_[i];
      if (group.comm && !group.comm->FullMatch(comm)) continue;
      if (group.user_id) {
        if (!user) user = Owner(folder);
        if (*user != *group.user_id) continue;
      }
      if (group.cmdline) {
        if (!command_line) command_line = files_.CommandLine(folder);
        if (!group.cmdline->PartialMatch(*command_line)) continue;
      }
      if (group.exe) {
        if (!program) program = ProcessFiles::Program(folder);
        if (!group.exe->FullMatch(*program)) continue;
      }
      return static_cast<int>(i);
    }
    return kNoGroup;
  }

  static std::uint32_t Owner(int folder) {
    struct stat info {};
    if (::fstatat(folder, "", &info, AT_EMPTY_PATH) != 0) {
      return std::numeric_limits<std::uint32_t>::max();
    }
    return info.st_uid;
  }

  void Count(int folder, const ProcessStat& stat, Process& process) {
    Totals& totals = totals_[static_cast<std::size_t>(process.group)];
    ++totals.processes;
    totals.threads += stat.threads;
    totals.resident_pages += stat.resident_pages;
    totals.oldest_start_ticks = std::min(totals.oldest_start_ticks, stat.start_ticks);
    if (!process.is_counted && !is_first_) ++totals.starts;
    process.is_counted = true;
    totals.user_ticks += Growth(stat.user_ticks, process.user_ticks);
    totals.system_ticks += Growth(stat.system_ticks, process.system_ticks);
    process.user_ticks = stat.user_ticks;
    process.system_ticks = stat.system_ticks;
    CountFds(folder, totals);
    CountIo(folder, totals, process);
  }

  void CountFds(int folder, Totals& totals) {
    std::optional<std::uint64_t> count = ProcessFiles::CountFds(folder, is_procfs_);
    if (!count) {
      ++totals.fds_unreadable;
      return;
    }
    totals.open_fds += *count;
    std::optional<std::uint64_t> limit = files_.FdLimit(folder);
    if (!limit || *limit == 0) return;
    double ratio = static_cast<double>(*count) / static_cast<double>(*limit);
    totals.fd_ratio_max = std::max(totals.fd_ratio_max, ratio);
  }

  void CountIo(int folder, Totals& totals, Process& process) {
    std::optional<Io> io = files_.ReadIo(folder);
    if (!io) {
      ++totals.io_unreadable;
      return;
    }
    totals.io.read_bytes += Growth(io->read_bytes, process.io.read_bytes);
    totals.io.written_bytes += Growth(io->written_bytes, process.io.written_bytes);
    process.io = *io;
  }

  // One sample for each group of which `value` knows one.
  template <typename Value>
  void WriteFamily(exposition::PageWriter& page, std::string_view name, std::string_view help,
                   MetricType type, const Value& value) const {
    bool announced = false;
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      std::optional<double> number = value(totals_[i]);
      if (!number) continue;
      if (!announced) page.Family(name, help, type);
      announced = true;
      page.RenderedSample(labels_[i], *number);
    }
  }

  void Write(exposition::PageWriter& page) const {
    WriteProcessor(page);
    WriteFamily(page, "process_group_io_read_bytes_total",
                "Bytes read from storage by processes whose counts may be read.",
                MetricType::kCounter, [](const Totals& t) -> std::optional<double> {
                  return static_cast<double>(t.io.read_bytes);
                });
    WriteFamily(page, "process_group_io_written_bytes_total",
                "Bytes written to storage by processes whose counts may be read.",
                MetricType::kCounter, [](const Totals& t) -> std::optional<double> {
                  return static_cast<double>(t.io.written_bytes);
                });
    WriteDescriptors(page);
    WriteFamily(
        page, "process_group_processes", "Processes that run.", MetricType::kGauge,
        [](const Totals& t) -> std::optional<double> { return static_cast<double>(t.processes); });
    WriteFamily(page, "process_group_resident_memory_bytes",
                "Resident memory; what processes share counts for each.", MetricType::kGauge,
                [&](const Totals& t) -> std::optional<double> {
                  return static_cast<double>(t.resident_pages) * page_bytes_;
                });
    WriteStarts(page);
    WriteFamily(
        page, "process_group_threads", "Threads that run.", MetricType::kGauge,
        [](const Totals& t) -> std::optional<double> { return static_cast<double>(t.threads); });
    WriteUnreadable(page);
  }

  void WriteProcessor(exposition::PageWriter& page) const {
    page.Family("process_group_cpu_seconds_total",
                "Processor time of all processes seen, those that ended included.",
                MetricType::kCounter);
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      WriteMode(page, i, "system", totals_[i].system_ticks);
      WriteMode(page, i, "user", totals_[i].user_ticks);
    }
  }

  void WriteMode(exposition::PageWriter& page, std::size_t group, std::string_view mode,
                 std::uint64_t ticks) const {
    std::string labels = labels_[group];
    exposition::AppendRenderedLabel(labels, "mode", mode);
    page.RenderedSample(labels, static_cast<double>(ticks) / ticks_per_second_);
  }

  // A group none of whose processes may be looked into says nothing rather than 0.
  void WriteDescriptors(exposition::PageWriter& page) const {
    auto readable = [](const Totals& t) {
      return t.processes == 0 || t.fds_unreadable < t.processes;
    };
    WriteFamily(page, "process_group_open_fds",
                "Open file descriptors of processes that may be looked into.", MetricType::kGauge,
                [&](const Totals& t) {
                  return readable(t) ? std::optional(static_cast<double>(t.open_fds))
                                     : std::nullopt;
                });
    WriteFamily(page, "process_group_open_fds_ratio_max",
                "Open file descriptors over their limit, of the process nearest to it, 0 to 1.",
                MetricType::kGauge, [&](const Totals& t) {
                  bool known = t.processes > 0 && readable(t);
                  return known ? std::optional(t.fd_ratio_max) : std::nullopt;
                });
  }

  void WriteStarts(exposition::PageWriter& page) const {
    WriteFamily(page, "process_group_oldest_start_time_seconds",
                "When the oldest running process started, in unix time.", MetricType::kGauge,
                [&](const Totals& t) -> std::optional<double> {
                  if (t.processes == 0) return std::nullopt;
                  return BootTime() + static_cast<double>(t.oldest_start_ticks) / ticks_per_second_;
                });
    WriteFamily(
        page, "process_group_starts_total",
        "Processes that appeared since the first scrape, without those that lived only between "
        "two scrapes.",
        MetricType::kCounter,
        [](const Totals& t) -> std::optional<double> { return static_cast<double>(t.starts); });
  }

  void WriteUnreadable(exposition::PageWriter& page) const {
    page.Family("process_group_unreadable_processes",
                "Processes whose file descriptors (fd) or storage counts (io) may not be read.",
                MetricType::kGauge);
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      for (auto [source, count] : {std::pair("fd", totals_[i].fds_unreadable),
                                   std::pair("io", totals_[i].io_unreadable)}) {
        std::string labels = labels_[i];
        exposition::AppendRenderedLabel(labels, "source", source);
        page.RenderedSample(labels, static_cast<double>(count));
      }
    }
  }

  // Line "btime" of /proc/stat: as steady as the clock that set it.
  double BootTime() const {
    Result<std::string> text = ReadFile(paths_.Proc("stat"));
    std::string_view rest = text ? std::string_view(*text) : std::string_view();
    while (std::optional<std::string_view> line = NextLine(rest)) {
      if (NextField(*line) != "btime") continue;
      return static_cast<double>(ParseUint(NextField(*line)).value_or(0));
    }
    return 0;
  }

  const Paths paths_;
  const std::vector<ProcessGroup> groups_;
  std::vector<std::string> labels_;  // of groups_
  std::vector<Totals> totals_;       // of groups_
  std::unordered_map<int, Process> processes_;
  std::uint64_t scan_ = 0;
  bool is_first_ = true;
  bool is_procfs_ = false;
  double uptime_seconds_ = 0;
  const double ticks_per_second_ = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const double page_bytes_ = static_cast<double>(::sysconf(_SC_PAGESIZE));
  std::string path_;
  std::string buffer_;
  ProcessFiles files_{buffer_};
};

Result<std::uint32_t> FindUser(const yaml::Node& node) {
  Result<std::string> name = node.AsString();
  if (!name) return name.error();
  std::optional<std::uint64_t> number = ParseUint(*name);
  if (number && *number < std::numeric_limits<std::uint32_t>::max()) {
    return static_cast<std::uint32_t>(*number);
  }
  std::vector<char> buffer(16384);
  passwd entry{};
  passwd* found = nullptr;
  ::getpwnam_r(name->c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) return node.Complain("no user " + Quote(*name) + " on this machine");
  return found->pw_uid;
}

Status ReadPattern(yaml::MapReader& map, std::string_view key, std::optional<Regex>& out) {
  yaml::Node node = map.Take(key);
  if (node.IsNull()) return {};
  Result<std::string> text = node.AsString();
  if (!text) return text.error();
  Result<Regex> regex = Regex::Create(*text);
  if (!regex) return node.Complain(regex.error().message());
  out = *regex;
  return {};
}

Result<ProcessGroup> ParseGroup(const yaml::Node& node) {
  ProcessGroup group;
  yaml::MapReader map(node);
  map.Require("name", group.name);
  RETURN_IF_ERROR(ReadPattern(map, "comm", group.comm));
  RETURN_IF_ERROR(ReadPattern(map, "cmdline", group.cmdline));
  RETURN_IF_ERROR(ReadPattern(map, "exe", group.exe));
  if (yaml::Node user = map.Take("user"); !user.IsNull()) {
    Result<std::uint32_t> id = FindUser(user);
    if (!id) return id.error();
    group.user_id = *id;
  }
  RETURN_IF_ERROR(map.Finish("process group"));
  if (group.name.empty()) return node.Get("name").Complain("a process group needs a name");
  if (!group.comm && !group.cmdline && !group.exe && !group.user_id) {
    return node.Complain("process group " + Quote(group.name) +
                         " needs one of comm, cmdline, exe, user");
  }
  return group;
}

}  // namespace

Result<std::vector<ProcessGroup>> ParseProcessGroups(const yaml::Node& node) {
  std::vector<ProcessGroup> groups;
  if (node.IsNull()) return groups;
  if (!node.IsSequence()) return node.Complain("expected a sequence of process groups");
  std::set<std::string> names;
  for (const yaml::Node& item : node.items()) {
    Result<ProcessGroup> group = ParseGroup(item);
    if (!group) return group.error();
    if (!names.insert(group->name).second) {
      return item.Complain("process group " + Quote(group->name) + " stands here a second time");
    }
    groups.push_back(std::move(*group));
  }
  return groups;
}

CollectorPtr MakeProcessGroupCollector(const Paths& paths, std::vector<ProcessGroup> groups) {
  return std::make_unique<ProcessGroupCollector>(paths, std::move(groups));
}

}  // namespace skep::exporter

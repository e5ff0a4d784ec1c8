#include "exporter/stores/process_census.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

#include "common/base/file.h"
#include "common/base/number.h"
#include "exporter/collectors/process_group.h"

namespace skep::stores {
namespace {

using exporter::ParseProcessStat;
using exporter::ProcessStat;

// Between fork and exec a process looks like its parent.
constexpr double kUnsettledSeconds = 3;
constexpr std::array<std::string_view, 4> kPrograms{"claude-flow", "ruflo", "ruv-swarm",
                                                    "claude-flow-novice"};
constexpr std::array<std::pair<SwarmProcess, std::string_view>, 4> kKinds{
    {{SwarmProcess::kClaude, "claude"},
     {SwarmProcess::kCli, "cli"},
     {SwarmProcess::kDaemon, "daemon"},
     {SwarmProcess::kMcp, "mcp"}}};

bool IsInterpreter(std::string_view program) {
  const std::string_view name = BaseName(program);
  return name == "node" || name == "nodejs" || name == "bun" || name == "deno";
}

// A script of one of the packages: by its own name, or installed below node_modules.
bool IsFlowScript(std::string_view path) {
  std::string_view name = BaseName(path);
  if (name.ends_with(".js") || name.ends_with(".ts")) name.remove_suffix(3);
  if (std::ranges::find(kPrograms, name) != kPrograms.end()) return true;
  constexpr std::string_view kModules = "/node_modules/";
  const std::size_t at = path.rfind(kModules);
  if (at == std::string_view::npos) return false;
  std::string_view package = path.substr(at + kModules.size());
  if (package.starts_with("@claude-flow/cli")) return true;
  package = package.substr(0, package.find('/'));
  return std::ranges::find(kPrograms, package) != kPrograms.end();
}

bool HasWords(const std::vector<std::string_view>& arguments, std::string_view first,
              std::string_view second) {
  for (std::size_t i = 0; i + 1 < arguments.size(); ++i) {
    if (arguments[i] == first && arguments[i + 1] == second) return true;
  }
  return false;
}

std::vector<std::string_view> SplitArguments(std::string_view text) {
  std::vector<std::string_view> arguments;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\0'), text.size());
    arguments.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return arguments;
}

bool IsInside(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

}  // namespace

SwarmProcess ClassifyProcess(const std::vector<std::string_view>& arguments) {
  if (arguments.empty()) return SwarmProcess::kNone;
  std::string_view script = arguments[0];
  if (IsInterpreter(script)) {
    auto first = std::find_if(arguments.begin() + 1, arguments.end(),
                              [](std::string_view a) { return !a.starts_with('-'); });
    script = first == arguments.end() ? std::string_view() : *first;
  }
  if (BaseName(script) == "claude" ||
      script.find("/@anthropic-ai/claude-code/") != std::string_view::npos) {
    return SwarmProcess::kClaude;
  }
  if (!IsFlowScript(script)) return SwarmProcess::kNone;
  if (HasWords(arguments, "daemon", "start")) return SwarmProcess::kDaemon;
  if (HasWords(arguments, "mcp", "start")) return SwarmProcess::kMcp;
  return SwarmProcess::kCli;
}

std::string_view WorkspaceArgument(const std::vector<std::string_view>& arguments) {
  constexpr std::string_view kFlag = "--workspace";
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == kFlag && i + 1 < arguments.size()) return arguments[i + 1];
    if (arguments[i].starts_with("--workspace=")) return arguments[i].substr(kFlag.size() + 1);
  }
  return {};
}

ProcessCensus::ProcessCensus(const exporter::Paths& paths)
    : paths_(paths),
      ticks_per_second_(static_cast<double>(::sysconf(_SC_CLK_TCK))),
      page_bytes_(static_cast<double>(::sysconf(_SC_PAGESIZE))) {}

Status ProcessCensus::Scan(const std::vector<std::string>& workspaces) {
  Result<std::vector<std::string>> names = exporter::ListFolder(paths_.procfs);
  if (!names) return Error(ErrorKind::kIo, names.error().message());
  uptime_seconds_ = exporter::ReadNumber(paths_.Proc("uptime")).value_or(uptime_seconds_);
  ++scan_;
  if (workspaces != workspaces_) {
    workspaces_ = workspaces;
    for (auto& [pid, process] : processes_) process.settled = false;
  }
  for (auto& [key, totals] : totals_) totals = {.ticks = totals.ticks};
  for (const std::string& name : *names) {
    if (std::optional<std::int64_t> pid = ParseInt(name)) Look(*pid);
  }
  std::erase_if(processes_, [this](const auto& entry) { return entry.second.scan != scan_; });
  return {};
}

std::string ProcessCensus::PathOf(std::int64_t pid, std::string_view name) const {
  return paths_.Proc(std::to_string(pid)) + "/" + std::string(name);
}

void ProcessCensus::Look(std::int64_t pid) {
  Result<std::string> line = ReadFile(PathOf(pid, "stat"), 4096);
  if (!line) return;
  std::optional<ProcessStat> stat = ParseProcessStat(*line);
  if (!stat || stat->state == 'Z' || stat->state == 'X') return;
  auto [entry, is_new] = processes_.try_emplace(pid);
  Process& process = entry->second;
  if (!is_new && process.start_ticks != stat->start_ticks) {
    process = {};
    is_new = true;
  }
  process.scan = scan_;
  process.start_ticks = stat->start_ticks;
  const std::uint64_t ticks = stat->user_ticks + stat->system_ticks;
  // What was used before we looked for the first time is not ours to count.
  if (is_new && scan_ == 1) process.ticks = ticks;
  if (!process.settled) Classify(pid, process);
  if (process.kind != SwarmProcess::kNone) Count(pid, process, ticks, stat->resident_pages);
}

void ProcessCensus::Classify(std::int64_t pid, Process& process) {
  const double age = uptime_seconds_ - static_cast<double>(process.start_ticks) / ticks_per_second_;
  process.settled = age > kUnsettledSeconds;
  process.kind = SwarmProcess::kNone;
  Result<std::string> text = ReadFile(PathOf(pid, "cmdline"), 1UL << 20);
  if (!text) return;
  const std::vector<std::string_view> arguments = SplitArguments(*text);
  process.kind = ClassifyProcess(arguments);
  if (process.kind == SwarmProcess::kNone) return;
  // `daemon start` runs for a moment itself before it has started the one that stays.
  const bool is_foreground = std::ranges::find(arguments, "--foreground") != arguments.end();
  if (process.kind == SwarmProcess::kDaemon && !is_foreground && !process.settled) {
    process.kind = SwarmProcess::kCli;
  }
  std::string folder(WorkspaceArgument(arguments));
  std::error_code ignored;
  if (folder.empty()) folder = std::filesystem::read_symlink(PathOf(pid, "cwd"), ignored).string();
  process.workspace.clear();
  for (const std::string& workspace : workspaces_) {
    const bool deeper = workspace.size() > process.workspace.size();
    if (deeper && IsInside(folder, workspace)) process.workspace = workspace;
  }
}

void ProcessCensus::Count(std::int64_t pid, Process& process, std::uint64_t ticks,
                          std::uint64_t pages) {
  Totals& totals = totals_[{process.workspace, process.kind}];
  totals.processes += 1;
  totals.resident_pages += static_cast<double>(pages);
  totals.ticks += ticks > process.ticks ? ticks - process.ticks : 0;
  process.ticks = std::max(process.ticks, ticks);
  Result<std::vector<std::string>> files = exporter::ListFolder(PathOf(pid, "fd"));
  if (files) totals.open_files += static_cast<double>(files->size());
  if (!files) totals.unreadable += 1;
}

std::vector<swarm::ProcessKind> ProcessCensus::Kinds(const std::string& workspace) const {
  std::vector<swarm::ProcessKind> kinds;
  for (const auto& [kind, name] : kKinds) {
    swarm::ProcessKind& out = kinds.emplace_back(swarm::ProcessKind{.kind = std::string(name)});
    auto found = totals_.find({workspace, kind});
    const Totals totals = found == totals_.end() ? Totals() : found->second;
    out.processes = totals.processes;
    out.cpu_seconds = static_cast<double>(totals.ticks) / ticks_per_second_;
    out.resident_bytes = totals.resident_pages * page_bytes_;
    // Those that may not be looked into would make the sum too small.
    if (totals.unreadable == 0) out.open_files = totals.open_files;
  }
  return kinds;
}

bool ProcessCensus::IsDaemon(std::int64_t pid, const std::string& workspace) const {
  auto process = processes_.find(pid);
  return process != processes_.end() && process->second.kind == SwarmProcess::kDaemon &&
         process->second.workspace == workspace;
}

std::size_t ProcessCensus::Daemons(const std::string& workspace) const {
  auto totals = totals_.find({workspace, SwarmProcess::kDaemon});
  return totals == totals_.end() ? 0 : static_cast<std::size_t>(totals->second.processes);
}

}  // namespace skep::stores

#include "exporter/stores/stores.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/thread.h"
#include "exporter/stores/budget_poller.h"
#include "exporter/stores/mcp_poller.h"
#include "exporter/stores/notice_board.h"
#include "exporter/stores/process_census.h"
#include "exporter/stores/sinks.h"
#include "exporter/stores/workspace_list.h"
#include "exporter/stores/workspace_poller.h"

namespace skep::stores {
namespace {

// Processes of no workspace.
constexpr const char* kNoWorkspace = "";
const swarm::SourceKey kOtherProcesses{kNoWorkspace, "processes"};

bool SameBudget(const AiBudgetOptions& a, const AiBudgetOptions& b) {
  return a.enabled == b.enabled && a.folder == b.folder &&
         a.folder_is_configured == b.folder_is_configured && a.max_concurrent == b.max_concurrent &&
         a.max_per_hour == b.max_per_hour && a.max_per_day == b.max_per_day;
}

}  // namespace

struct Stores::Impl {
  Impl(Options initial, const StoresSetup& setup, StoreFamilies defined)
      : families(defined),
        sinks{setup.board,     setup.flow,  setup.store, families,
              setup.positions, setup.clock, setup.log},
        paths(setup.paths),
        notices(setup.clock),
        options(std::move(initial)),
        census(setup.paths) {
    ReplaceMcpServers();
  }

  void Run();
  void Poll();
  void FollowWorkspaces(const Options& now, NoticeBoard::Round& notice);
  void FollowBudget(const AiBudgetOptions& now);
  bool LookAtProcesses(const Options& now);
  void PollWorkspaces(const WorkspaceContext& context, NoticeBoard::Round& notice);
  void PollBudget(const Round& round, NoticeBoard::Round& notice);
  void CountFailedChecks(const NoticeBoard::Round& notice);
  void ReplaceMcpServers();
  Options Current() {
    const std::lock_guard lock(mutex);
    return options;
  }

  const StoreFamilies families;
  const Sinks sinks;
  const exporter::Paths paths;
  NoticeBoard notices;
  std::unique_ptr<Wakeup> wakeup = std::make_unique<Wakeup>();  // another one for each Start

  std::mutex mutex;
  Options options;  // guarded by mutex

  // The polling thread's, or the caller's of Poll.
  ProcessCensus census;
  bool census_failed = false;
  bool has_others = false;  // processes outside of workspaces are on the board
  std::map<std::string, std::unique_ptr<WorkspacePoller>> workspaces;  // by name
  std::unique_ptr<BudgetPoller> budget;

  // The owner's: Apply, Start and Stop.
  bool started = false;
  std::vector<std::unique_ptr<McpPoller>> mcp;
  std::jthread thread;
};

void Stores::Impl::ReplaceMcpServers() {
  for (auto& server : mcp) server->Stop();
  std::vector<std::unique_ptr<McpPoller>> old = std::exchange(mcp, {});
  for (auto& server : old) server->Forget();
  for (const McpOptions& one : Current().mcp) {
    mcp.push_back(std::make_unique<McpPoller>(one, sinks, notices));
    if (started) mcp.back()->Start();
  }
}

void Stores::Impl::Run() {
  Clock::Steady next = sinks.clock.SteadyNow();
  while (!wakeup->stopped()) {
    Poll();
    next = std::max(next + Current().interval, sinks.clock.SteadyNow());
    // A new configuration wakes it: then the rhythm begins anew.
    if (!wakeup->WaitUntil(next)) return;
    next = std::min(next, sinks.clock.SteadyNow());
  }
}

void Stores::Impl::Poll() {
  const Options now = Current();
  const Round round{
      .now = sinks.clock.Now(),
      .steady_now = sinks.clock.SteadyNow(),
      .max_age = now.board.max_age,
      .max_bytes = now.max_file_bytes,
      .pause = [this](Duration d) { return wakeup->WaitUntil(sinks.clock.SteadyNow() + d); },
      .clock = &sinks.clock};
  const DatabaseOptions databases{.query_timeout = now.query_timeout,
                                  .max_copy_bytes = now.max_copy_bytes};
  NoticeBoard::Round notice{.interval = now.interval};
  FollowWorkspaces(now, notice);
  FollowBudget(now.ai_budget);
  const bool has_census = LookAtProcesses(now);
  PollWorkspaces({.round = round,
                  .databases = databases,
                  .task_timeout = now.board.task_timeout,
                  .census = has_census ? &census : nullptr},
                 notice);
  PollBudget(round, notice);
  CountFailedChecks(notice);
  const std::chrono::duration<double> took = sinks.clock.SteadyNow() - round.steady_now;
  notice.seconds = took.count();
  notices.Show(std::move(notice));
}

// Pollers keep what they know as long as their workspace stays the same.
void Stores::Impl::FollowWorkspaces(const Options& now, NoticeBoard::Round& notice) {
  WorkspaceList list = ResolveWorkspaces(now.workspaces, now.max_workspaces);
  notice.workspaces = list.workspaces.size();
  notice.skipped = list.skipped;
  std::map<std::string, std::unique_ptr<WorkspacePoller>> kept;
  for (Workspace& workspace : list.workspaces) {
    auto old = workspaces.find(workspace.name);
    const bool is_same = old != workspaces.end() && old->second->workspace() == workspace;
    std::string name = workspace.name;
    kept[name] = is_same ? std::move(old->second)
                         : std::make_unique<WorkspacePoller>(std::move(workspace), sinks);
  }
  for (auto& [name, old] : workspaces) {
    if (old != nullptr) old->Forget();
  }
  workspaces = std::move(kept);
}

void Stores::Impl::FollowBudget(const AiBudgetOptions& now) {
  if (budget != nullptr && !SameBudget(budget->options(), now)) {
    budget->Forget();
    budget.reset();
  }
  if (budget == nullptr && now.enabled) budget = std::make_unique<BudgetPoller>(now, sinks);
}

// Whether there is a census.
bool Stores::Impl::LookAtProcesses(const Options& now) {
  if (!now.processes || workspaces.empty()) {
    if (std::exchange(has_others, false)) sinks.board.Forget(kOtherProcesses);
    return false;
  }
  std::vector<std::string> folders;
  for (const auto& [name, poller] : workspaces) folders.push_back(poller->workspace().path);
  const Status scanned = census.Scan(folders);
  if (!scanned) {
    if (!std::exchange(census_failed, true)) {
      sinks.log.Warn("no census of processes", {{"err", scanned.error()}});
    }
    return false;
  }
  census_failed = false;
  swarm::Snapshot others;
  others.key = kOtherProcesses;
  others.processes = census.Kinds(kNoWorkspace);
  Status published = sinks.board.Publish(std::move(others));
  if (!published) sinks.log.Warn("swarm state not kept", {{"err", published.error()}});
  has_others = true;
  return true;
}

void Stores::Impl::PollWorkspaces(const WorkspaceContext& context, NoticeBoard::Round& notice) {
  for (const auto& [name, poller] : workspaces) {
    if (wakeup->stopped()) return;
    poller->Poll(context);
    notice.extras[name] = poller->extras();
    notice.components[name] = poller->components();
  }
}

void Stores::Impl::PollBudget(const Round& round, NoticeBoard::Round& notice) {
  if (budget == nullptr) return;
  budget->Poll(round, [this](std::int64_t pid) {
    return exporter::FileExists(paths.Proc(std::to_string(pid) + "/stat"));
  });
  if (const auto* jobs = budget->jobs(round)) notice.jobs = *jobs;
}

void Stores::Impl::CountFailedChecks(const NoticeBoard::Round& notice) {
  std::vector<std::pair<std::string_view, const ComponentCheck*>> failed;
  for (const auto& [workspace, checks] : notice.components) {
    for (const ComponentCheck& check : checks) {
      if (!check.up) failed.emplace_back(workspace, &check);
    }
  }
  if (failed.empty()) return;
  Status counted = sinks.store.Update([&](state::Changes& changes) {
    for (const auto& [workspace, check] : failed) {
      families.CheckFailed(changes, workspace, check->component, check->reason);
    }
    return Status();
  });
  if (!counted) sinks.log.Warn("swarm state not kept", {{"err", counted.error()}});
}

Result<std::unique_ptr<Stores>> Stores::Create(Options options, const StoresSetup& setup) {
  Result<StoreFamilies> families = StoreFamilies::Define(setup.store);
  if (!families) return families.error();
  return std::unique_ptr<Stores>(
      new Stores(std::make_unique<Impl>(std::move(options), setup, *families)));
}

Stores::Stores(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Stores::~Stores() { Stop(); }

void Stores::Start() {
  if (std::exchange(impl_->started, true)) return;
  impl_->wakeup = std::make_unique<Wakeup>();
  impl_->thread = StartThread(
      "stores", [this] { impl_->Run(); },
      [this](const std::string& what) {
        impl_->sinks.log.Error("reading stores ended", {{"err", what}});
      });
  for (auto& server : impl_->mcp) server->Start();
}

void Stores::Stop() {
  impl_->started = false;
  impl_->wakeup->Stop();
  for (auto& server : impl_->mcp) server->Stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

void Stores::Apply(Options options) {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->options = std::move(options);
  }
  impl_->ReplaceMcpServers();
  impl_->wakeup->Notify();
}

void Stores::Poll() { impl_->Poll(); }

void Stores::AskMcpServers() {
  for (auto& server : impl_->mcp) server->Ask();
}

std::unique_ptr<exporter::Collector> Stores::MakeCollector() {
  return impl_->notices.MakeCollector();
}

}  // namespace skep::stores

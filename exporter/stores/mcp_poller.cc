#include "exporter/stores/mcp_poller.h"

#include <chrono>
#include <utility>

namespace skep::stores {

McpPoller::McpPoller(McpOptions options, const Sinks& sinks, NoticeBoard& notices)
    : options_(std::move(options)), sinks_(sinks), notices_(notices) {
  Result<std::unique_ptr<McpProbe>> probe = McpProbe::Create(options_);
  if (probe) {
    probe_ = std::move(*probe);
  } else {
    sinks_.log.Error("MCP server cannot be asked",
                     {{"workspace", options_.name}, {"err", probe.error()}});
  }
}

McpPoller::~McpPoller() { Stop(); }

void McpPoller::Start() {
  thread_ = StartThread(
      "mcp", [this] { Run(); },
      [this](const std::string& what) {
        sinks_.log.Error("asking an MCP server ended", {{"err", what}});
      });
}

void McpPoller::Stop() {
  wakeup_.Stop();
  if (probe_ != nullptr) probe_->Cancel();
  if (thread_.joinable()) thread_.join();
}

void McpPoller::Run() {
  Clock::Steady next = sinks_.clock.SteadyNow();
  while (!wakeup_.stopped()) {
    Ask();
    next += options_.interval;
    next = std::max(next, sinks_.clock.SteadyNow());
    if (!wakeup_.WaitUntil(next)) return;
  }
}

void McpPoller::Ask() {
  const Clock::Steady begin = sinks_.clock.SteadyNow();
  McpAnswer answer;
  answer.server.up = false;
  answer.reason = "config";
  if (probe_ != nullptr) answer = probe_->Ask();
  if (wakeup_.stopped()) return;  // canceled: says nothing of the server
  const std::chrono::duration<double> took = sinks_.clock.SteadyNow() - begin;
  Publish(answer, took.count());
}

void McpPoller::Publish(const McpAnswer& answer, double seconds) {
  swarm::Snapshot snapshot;
  snapshot.key = {options_.name, "claude_flow_mcp"};
  snapshot.is_complete = answer.reason.empty();
  snapshot.mcp = answer.server;
  const ComponentCheck check{.component = "mcpServer",
                             .up = answer.up,
                             .reason = answer.up ? std::string_view() : answer.reason,
                             .seconds = seconds};
  Status published = sinks_.board.Publish(std::move(snapshot), [&](state::Changes& changes) {
    if (!answer.reason.empty()) {
      sinks_.families.McpFailed(changes, options_.name, answer.reason);
    }
    if (!check.up) {
      sinks_.families.CheckFailed(changes, options_.name, check.component, check.reason);
    }
    return Status();
  });
  if (!published) sinks_.log.Warn("swarm state not kept", {{"err", published.error()}});
  notices_.ShowMcp(options_.name, check);
}

void McpPoller::Forget() {
  sinks_.board.Forget({options_.name, "claude_flow_mcp"});
  notices_.ForgetMcp(options_.name);
}

}  // namespace skep::stores

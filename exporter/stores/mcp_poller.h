// Asks the configured MCP servers in their own rhythm, each from a thread of its own: one that does
// not answer holds up nobody else.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/base/thread.h"
#include "exporter/stores/mcp_probe.h"
#include "exporter/stores/notice_board.h"
#include "exporter/stores/options.h"
#include "exporter/stores/sinks.h"

namespace skep::stores {

// Source `claude_flow_mcp` of the workspace that the server is named for. Thread-compatible.
class McpPoller {
 public:
  McpPoller(McpOptions options, const Sinks& sinks, NoticeBoard& notices);
  ~McpPoller();  // stops

  void Start();
  // Ends the thread and a question under way.
  void Stop();
  // Asks once. Not beside a started thread.
  void Ask();
  // The server is configured no more. Requires: stopped.
  void Forget();

 private:
  void Run();
  void Publish(const McpAnswer& answer, double seconds);

  const McpOptions options_;
  const Sinks& sinks_;
  NoticeBoard& notices_;
  std::unique_ptr<McpProbe> probe_;  // null: its options cannot be used
  Wakeup wakeup_;
  std::jthread thread_;
};

}  // namespace skep::stores

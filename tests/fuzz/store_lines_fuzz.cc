// Lines that claude-flow appends: receipts of the AI budget, outcomes of the router, the daemon's
// log; and the cursors that say how far such a file was read.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "exporter/stores/ai_budget.h"
#include "exporter/stores/line_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace skep::stores;  // NOLINT: a test
  std::string_view text(reinterpret_cast<const char*>(data), size);
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    Reading<BudgetReceipt> receipt = ParseBudgetReceipt(line);
    if (receipt && receipt->duration_seconds && !(*receipt->duration_seconds >= 0)) std::abort();
    Reading<TrajectoryRecord> routed = ParseTrajectory(line);
    if (routed && routed->cost_usd && !(*routed->cost_usd >= 0)) std::abort();
    std::optional<DeferralRecord> deferral = ParseDeferral(line);
    if (deferral && (deferral->worker.empty() || deferral->worker.size() > 64)) std::abort();
    skep::Result<LineCursor> cursor = LineCursor::Parse(line);
    if (cursor && *LineCursor::Parse(cursor->Format()) != *cursor) std::abort();
  }
  return 0;
}

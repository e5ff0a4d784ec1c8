// Summaries that the engine makes itself, where many windows of one series overlap.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "evaluator/engine/summary_window.h"
#include "evaluator/engine/window.h"
#include "evaluator/storage/querier.h"

namespace skep::engine {

// A series' samples in pieces of sixteen, each with its summary: a window of 240 samples is then
// fifteen pieces and at most thirty samples beside them. Reused for one series after the other.
// Thread-compatible.
class Pieces {
 public:
  static constexpr std::size_t kLength = 16;
  // Shorter windows are not worth it.
  static constexpr std::size_t kLeastSamples = 64;

  void Clear() { is_made_ = false; }
  // The same window, whose samples begin at `low` in `samples`: of one series until the next Clear.
  // None where it is too short, or a sample in it is no finite number. Valid until the next call.
  std::optional<SummaryWindow> Of(const storage::SampleColumns& samples, std::size_t low,
                                  const Window& window);

 private:
  void Make(const storage::SampleColumns& samples);

  bool is_made_ = false;
  std::vector<SummaryWindow::Run> runs_;
  std::vector<std::uint32_t> without_;  // how many pieces before this one have no summary
  // The samples of a window in front of its pieces and behind them.
  std::array<Timestamp, 2 * kLength> times_;
  std::array<double, 2 * kLength> values_;
};

}  // namespace skep::engine

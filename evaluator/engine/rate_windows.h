// The windows of rate, increase and delta over series that have the same times.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/base/time.h"
#include "evaluator/engine/selector.h"
#include "evaluator/engine/table.h"

namespace skep::engine {

// All series of one target are scraped at the same times. What a window's first and last sample and
// their distance to its ends come to is then computed once for all of them, which leaves three
// divisions of seven and no search. The answers have the same bits as those of window by window
// (window.h). Thread-compatible.
class RateWindows {
 public:
  // Of a step, its samples from `low` to before `high`; seconds.
  struct Window {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    double covered = 0;   // from the first sample to the last
    double to_start = 0;  // by how much the change is stretched to either side; a counter's first
    double to_end = 0;    // value may limit the first
  };
  struct List {
    std::vector<Timestamp> times;
    std::vector<Window> windows;  // of each step
    std::size_t samples = 0;      // in all windows together
  };

  // Both are borrowed. Requires: a plain selector, neither anchored nor smoothed.
  RateWindows(const Steps& steps, const RangeSpec& spec) : steps_(steps), spec_(spec) {}

  // Of a series that has these times; valid until the next call. Requires: some.
  const List& Of(const std::vector<Timestamp>& times);

 private:
  // Those of a few targets; of more, neighbours still share theirs. Each takes 8 bytes a sample and
  // 32 a step.
  static constexpr std::size_t kLists = 8;

  void Fill(const std::vector<Timestamp>& times, List& list) const;
  Window WindowAt(const std::vector<Timestamp>& times, const Window& before,
                  std::int64_t end) const;

  const Steps& steps_;
  const RangeSpec& spec_;
  std::array<List, kLists> lists_;  // by their first time
};

struct RateKind {
  bool counter = false;      // rate, increase
  double range_seconds = 0;  // rate: what to divide by; 0: it is a difference
};

// What a series with `list.times` comes to at each step, into `out`; steps of fewer than two
// samples stay as they are. Returns whether there was any other.
bool FillRates(const RateKind& kind, const RateWindows::List& list,
               const std::vector<double>& values, double* out);

}  // namespace skep::engine

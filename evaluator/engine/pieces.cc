#include "evaluator/engine/pieces.h"

#include <algorithm>
#include <span>

#include "evaluator/storage/float_summary.h"

namespace skep::engine {

void Pieces::Make(const storage::SampleColumns& samples) {
  is_made_ = true;
  runs_.clear();
  without_.assign(1, 0);
  for (std::size_t begin = 0; begin + kLength <= samples.size(); begin += kLength) {
    const auto summary = storage::Summarize(std::span(samples.values).subspan(begin, kLength));
    // Where it stands among a window's samples is told by SummaryWindow::before.
    runs_.push_back({summary.value_or(storage::FloatSummary()), samples.times[begin],
                     samples.times[begin + kLength - 1], kLength});
    without_.push_back(without_.back() + (summary ? 0 : 1));
  }
}

std::optional<SummaryWindow> Pieces::Of(const storage::SampleColumns& samples, std::size_t low,
                                        const Window& window) {
  if (window.size < kLeastSamples) return std::nullopt;
  if (!is_made_) Make(samples);
  const std::size_t high = low + window.size;
  const std::size_t first = (low + kLength - 1) / kLength;
  const std::size_t last = high / kLength;
  if (without_[first] != without_[last]) return std::nullopt;
  const std::size_t before = first * kLength - low;
  const std::size_t behind = high - last * kLength;
  const auto copy = [&](const auto* from, auto& to) {
    std::copy_n(from, before, to.begin());
    std::copy_n(from + window.size - behind, behind, to.begin() + before);
  };
  copy(window.times, times_);
  copy(window.values, values_);
  Window ends = window;
  ends.times = times_.data();
  ends.values = values_.data();
  ends.size = before + behind;
  return SummaryWindow{ends, std::span(runs_).subspan(first, last - first), kLength - before,
                       window.size};
}

}  // namespace skep::engine

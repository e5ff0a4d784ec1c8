#include "evaluator/engine/rate_windows.h"

#include <algorithm>
#include <cstring>

#include "evaluator/engine/first_behind.h"

namespace skep::engine {
namespace {

static_assert(sizeof(Timestamp) == sizeof(std::int64_t));

bool Equal(const std::vector<Timestamp>& a, const std::vector<Timestamp>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(a[0])) == 0;
}

double Seconds(Duration duration) { return static_cast<double>(duration.count()) / 1000; }

// Looked for once in all samples: most counters never fall, and their windows need not ask.
bool Falls(const std::vector<double>& values) {
  bool falls = false;
  for (std::size_t i = 1; i < values.size(); ++i) falls |= values[i] < values[i - 1];
  return falls;
}

// What resets took away within the window: added in the order of Prometheus, for equal rounding.
double ChangeOver(const double* values, const RateWindows::Window& w, double change) {
  for (std::size_t i = w.low + 1U; i < w.high; ++i) {
    if (values[i] < values[i - 1]) change += values[i - 1];
  }
  return change;
}

// The same operations in the same order as Factor in window.cc.
double Stretched(const RateKind& kind, const RateWindows::Window& w, double first, double change) {
  double to_start = w.to_start;
  if (kind.counter && change > 0 && first >= 0) {
    const double to_zero = w.covered * (first / change);
    if (to_zero < to_start) to_start = to_zero;
  }
  double factor = (w.covered + to_start + w.to_end) / w.covered;
  if (kind.range_seconds != 0) factor /= kind.range_seconds;
  return change * factor;
}

template <bool kFalls>
bool FillEach(const RateKind& kind, const RateWindows::List& list, const double* values,
              double* out) {
  bool any = false;
  for (std::size_t s = 0; s < list.windows.size(); ++s) {
    const RateWindows::Window& w = list.windows[s];
    if (w.high - w.low < 2) continue;
    double change = values[w.high - 1] - values[w.low];
    if (kFalls) change = ChangeOver(values, w, change);
    out[s] = Stretched(kind, w, values[w.low], change);
    any = true;
  }
  return any;
}

}  // namespace

const RateWindows::List& RateWindows::Of(const std::vector<Timestamp>& times) {
  constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15;
  const auto first = static_cast<std::uint64_t>(ToMillis(times.front()));
  List& list = lists_[(first * kSpread >> 32U) % kLists];
  if (!Equal(list.times, times)) Fill(times, list);
  return list;
}

void RateWindows::Fill(const std::vector<Timestamp>& times, List& list) const {
  list.times = times;
  list.windows.resize(steps_.count);
  list.samples = 0;
  Window window;
  for (std::size_t s = 0; s < steps_.count; ++s) {
    window = WindowAt(times, window, spec_.End(steps_.At(s)));
    list.windows[s] = window;
    list.samples += window.high - window.low;
  }
}

RateWindows::Window RateWindows::WindowAt(const std::vector<Timestamp>& times, const Window& before,
                                          std::int64_t end) const {
  const Timestamp start = FromMillis(end - spec_.range_ms);
  Window w;
  w.high = static_cast<std::uint32_t>(FirstBehind(times, before.high, FromMillis(end)));
  w.low = std::min(w.high, static_cast<std::uint32_t>(FirstBehind(times, before.low, start)));
  if (w.high - w.low < 2) return w;
  const Timestamp first = times[w.low];
  const Timestamp last = times[w.high - 1];
  w.covered = Seconds(last - first);
  const double between = w.covered / static_cast<double>(w.high - w.low - 1);
  const double threshold = between * 1.1;  // a larger gap: the series begins or ends in the range
  w.to_start = Seconds(first - start);
  if (w.to_start >= threshold) w.to_start = between / 2;
  w.to_end = Seconds(FromMillis(end) - last);
  if (w.to_end >= threshold) w.to_end = between / 2;
  return w;
}

bool FillRates(const RateKind& kind, const RateWindows::List& list,
               const std::vector<double>& values, double* out) {
  return kind.counter && Falls(values) ? FillEach<true>(kind, list, values.data(), out)
                                       : FillEach<false>(kind, list, values.data(), out);
}

}  // namespace skep::engine

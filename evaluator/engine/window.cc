#include "evaluator/engine/window.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "common/model/histogram.h"
#include "evaluator/engine/float_math.h"

namespace skep::engine {
namespace {

using promql::FunctionId;

// --- rate, increase, delta ---

// Whether the starts tell of a reset between sample i - 1 and i.
bool StartReset(const Window& w, std::size_t i) {
  return w.starts != nullptr &&
         IsStartReset(w.starts[i - 1], w.times[i - 1], w.starts[i], w.times[i]);
}

// The change adds up in the order in which Prometheus adds, for equal rounding.
double ChangeInWindow(const Window& w, bool counter) {
  double change = w.values[w.size - 1] - w.values[0];
  if (!counter) return change;
  if (w.starts == nullptr && w.falls[w.size - 1] == w.falls[0]) return change;
  for (std::size_t i = 1; i < w.size; ++i) {
    if (w.values[i] < w.values[i - 1] || StartReset(w, i)) change += w.values[i - 1];
  }
  return change;
}

// In sight of its caller, which is the hottest of all: a call would cost 16 ns a window.
inline double Factor(const Extent& e, std::optional<double> first_of_change) {
  const double covered = static_cast<double>(e.last - e.first) / 1000;
  const double between = e.size > 1 ? covered / static_cast<double>(e.size - 1) : 0;
  // A gap of more than 1.1 intervals: the series begins (or ends) inside the range.
  const double threshold = between * 1.1;
  const double sampled = e.zero ? static_cast<double>(e.last - *e.zero) / 1000 : covered;
  double to_start = 0;
  if (!e.zero) {
    to_start = static_cast<double>(e.first - e.range_start) / 1000;
    if (to_start >= threshold) to_start = between / 2;
    // A counter was never below zero: do not extrapolate further back than to there.
    if (first_of_change && sampled * *first_of_change < to_start) {
      to_start = sampled * *first_of_change;
    }
  }
  double to_end = static_cast<double>(e.range_end - e.last) / 1000;
  if (to_end >= threshold) to_end = between / 2;
  return sampled == 0 ? 1 : (sampled + to_start + to_end) / sampled;
}

double Extrapolate(const Window& w, bool counter, bool per_second) {
  Extent extent{w.start, w.end, w.time(0), w.time(w.size - 1), w.size, std::nullopt};
  if (counter && w.starts != nullptr) extent.zero = ZeroInside(extent, w.starts[0]);
  if (w.size < 2 && !extent.zero) return kAbsent;
  double change = ChangeInWindow(w, counter);
  std::optional<double> first_of_change;
  if (counter && change > 0 && w.values[0] >= 0) first_of_change = w.values[0] / change;
  if (extent.zero) change += w.values[0];
  double factor = Factor(extent, first_of_change);
  if (per_second) factor /= w.range_seconds;
  change *= factor;
  return change;
}

// On the line from sample `i` to the next, at `at`. A counter that fell started again at zero.
double OnLine(const Window& w, std::size_t i, std::int64_t at, bool counter) {
  double y0 = w.values[i];
  const double y1 = w.values[i + 1];
  if (counter && y1 < y0) y0 = 0;
  return y0 + (y1 - y0) * static_cast<double>(at - w.time(i)) /
                  static_cast<double>(w.time(i + 1) - w.time(i));
}

// First index in [0, limit) that `holds`, else limit.
template <typename Holds>
std::size_t FirstIndex(std::size_t limit, Holds holds) {
  std::size_t low = 0;
  std::size_t high = limit;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (holds(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

// The newest sample at or before the start of the range, else the first.
std::size_t SampleAtStart(const Window& w, std::size_t limit) {
  const std::size_t behind = FirstIndex(limit, [&w](std::size_t i) { return w.time(i) > w.start; });
  return behind == 0 ? 0 : behind - 1;
}

double ResetsBetween(const Window& w, double left, double right, std::size_t begin,
                     std::size_t end) {
  double correction = 0;
  double before = left;
  for (std::size_t i = begin; i < end; ++i) {
    if (w.values[i] < before) correction += before;
    before = w.values[i];
  }
  if (right < before) correction += before;
  return correction;
}

// Anchored: between the samples at the ends of the range. Smoothed: between interpolated values
// exactly at its ends.
double Extended(const Window& w, bool counter, bool per_second) {
  std::size_t last = w.size - 1;
  std::size_t first = SampleAtStart(w, last);
  if (w.smoothed) {
    last = FirstIndex(last, [&w](std::size_t i) { return w.time(i) >= w.end; });
  }
  if (w.time(last) <= w.start) return kAbsent;
  if (w.smoothed && w.time(first) > w.end) return kAbsent;

  const double left =
      w.smoothed && w.time(first) < w.start ? OnLine(w, first, w.start, counter) : w.values[first];
  const double right = w.smoothed && last > 0 && w.time(last) > w.end
                           ? OnLine(w, last - 1, w.end, counter)
                           : w.values[last];
  double change = right - left;
  if (counter) {
    const std::size_t begin = w.time(first) <= w.start ? first + 1 : first;
    const std::size_t end = w.time(last) >= w.end ? last : last + 1;
    change += ResetsBetween(w, left, right, begin, end);
  }
  return per_second ? change / w.range_seconds : change;
}

double Difference(const Window& w, bool counter, bool per_second) {
  return w.anchored || w.smoothed ? Extended(w, counter, per_second)
                                  : Extrapolate(w, counter, per_second);
}

double Rate(const Window& w, const WindowArguments&) { return Difference(w, true, true); }
double Increase(const Window& w, const WindowArguments&) { return Difference(w, true, false); }
double Delta(const Window& w, const WindowArguments&) { return Difference(w, false, false); }

double LastTwo(const Window& w, bool counter) {
  if (w.size < 2) return kAbsent;
  const double before = w.values[w.size - 2];
  const double last = w.values[w.size - 1];
  const std::int64_t interval = w.time(w.size - 1) - w.time(w.size - 2);
  if (interval == 0) return kAbsent;
  const bool reset = counter && (last < before || StartReset(w, w.size - 1));
  const double change = reset ? last : last - before;
  return counter ? change / (static_cast<double>(interval) / 1000) : change;
}

double Irate(const Window& w, const WindowArguments&) { return LastTwo(w, true); }
double Idelta(const Window& w, const WindowArguments&) { return LastTwo(w, false); }

// --- counting ---

// Where resets and changes begin to compare; the window's size where they have nothing to say.
std::size_t FirstCompared(const Window& w) {
  if (!w.anchored) return 0;
  if (w.time(w.size - 1) <= w.start) return w.size;
  return SampleAtStart(w, w.size - 1);
}

double Resets(const Window& w, const WindowArguments&) {
  const std::size_t first = FirstCompared(w);
  if (first == w.size) return kAbsent;
  if (w.starts == nullptr) return static_cast<double>(w.falls[w.size - 1] - w.falls[first]);
  std::size_t resets = 0;
  for (std::size_t i = first + 1; i < w.size; ++i) {
    if (w.values[i] < w.values[i - 1] || StartReset(w, i)) ++resets;
  }
  return static_cast<double>(resets);
}

double Changes(const Window& w, const WindowArguments&) {
  const std::size_t first = FirstCompared(w);
  if (first == w.size) return kAbsent;
  std::size_t changes = 0;
  for (std::size_t i = first + 1; i < w.size; ++i) {
    const double a = w.values[i - 1];
    const double b = w.values[i];
    if (a != b && !(std::isnan(a) && std::isnan(b))) ++changes;
  }
  return static_cast<double>(changes);
}

double Count(const Window& w, const WindowArguments&) { return static_cast<double>(w.size); }
double Present(const Window&, const WindowArguments&) { return 1; }

// --- sums and moments ---

double Sum(const Window& w, const WindowArguments&) {
  CompensatedSum sum;
  for (std::size_t i = 0; i < w.size; ++i) sum.Add(w.values[i]);
  return std::isinf(sum.sum) ? sum.sum : sum.total();
}

double Avg(const Window& w, const WindowArguments&) {
  CompensatedMean mean(w.values[0]);
  for (std::size_t i = 1; i < w.size; ++i) mean.Add(w.values[i]);
  return mean.value();
}

double Stdvar(const Window& w, const WindowArguments&) {
  CompensatedSum mean;
  CompensatedSum squares;
  double count = 0;
  for (std::size_t i = 0; i < w.size; ++i) {
    count += 1;
    const double delta = w.values[i] - mean.total();
    mean.Add(delta / count);
    squares.Add(delta * (w.values[i] - mean.total()));
  }
  return squares.total() / count;
}

double Stddev(const Window& w, const WindowArguments& a) { return std::sqrt(Stdvar(w, a)); }

// --- order ---

template <typename Better>
double ExtremeOneByOne(const Window& w, Better better) {
  double best = w.values[0];
  for (std::size_t i = 1; i < w.size; ++i) {
    if (better(w.values[i], best) || std::isnan(best)) best = w.values[i];
  }
  return best;
}

// In lanes that need not wait for each other, three times as fast. A lane that begins with NaN
// keeps it, and of zeros of both signs the first one counts: then one by one.
template <typename Better>
double Extreme(const Window& w, Better better) {
  constexpr std::size_t kLanes = 4;
  if (w.size < 2 * kLanes) return ExtremeOneByOne(w, better);
  std::array<double, kLanes> best;
  std::copy_n(w.values, kLanes, best.begin());
  std::size_t i = kLanes;
  for (; i + kLanes <= w.size; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double value = w.values[i + lane];
      best[lane] = better(value, best[lane]) ? value : best[lane];
    }
  }
  for (; i < w.size; ++i) best[0] = better(w.values[i], best[0]) ? w.values[i] : best[0];
  double extreme = best[0];
  bool has_nan = std::isnan(extreme);
  for (std::size_t lane = 1; lane < kLanes; ++lane) {
    has_nan = has_nan || std::isnan(best[lane]);
    if (better(best[lane], extreme)) extreme = best[lane];
  }
  return has_nan || extreme == 0 ? ExtremeOneByOne(w, better) : extreme;
}

double Max(const Window& w, const WindowArguments&) { return Extreme(w, std::greater<>()); }
double Min(const Window& w, const WindowArguments&) { return Extreme(w, std::less<>()); }

// The last sample with the extreme value.
template <typename Better>
double TimeOfExtreme(const Window& w, Better better) {
  std::size_t best = 0;
  for (std::size_t i = 0; i < w.size; ++i) {
    if (better(w.values[i], w.values[best]) || std::isnan(w.values[best])) best = i;
  }
  return w.seconds(best);
}

double TimeOfMax(const Window& w, const WindowArguments&) {
  return TimeOfExtreme(w, [](double x, double best) { return x >= best; });
}
double TimeOfMin(const Window& w, const WindowArguments&) {
  return TimeOfExtreme(w, [](double x, double best) { return x <= best; });
}

double First(const Window& w, const WindowArguments&) { return w.values[0]; }
double Last(const Window& w, const WindowArguments&) { return w.values[w.size - 1]; }
double TimeOfFirst(const Window& w, const WindowArguments&) { return w.seconds(0); }
double TimeOfLast(const Window& w, const WindowArguments&) { return w.seconds(w.size - 1); }

double QuantileOverTime(const Window& w, const WindowArguments& a) {
  return Quantile(a.first, {w.values, w.size}, *a.scratch);
}

double Mad(const Window& w, const WindowArguments& a) {
  std::vector<double> distances(w.values, w.values + w.size);
  for (const double value : distances) {
    if (std::isnan(value)) return kNormalNaN;
  }
  const double median = Quantile(0.5, distances, *a.scratch);
  for (double& value : distances) value = std::fabs(value - median);
  return Quantile(0.5, distances, *a.scratch);
}

// --- trends ---

struct Line {
  double slope = 0;
  double intercept = 0;
};

// Least squares over seconds from `origin`.
Line Regress(const Window& w, std::int64_t origin) {
  CompensatedSum x_sum, y_sum, xy_sum, xx_sum;
  bool constant = true;
  for (std::size_t i = 0; i < w.size; ++i) {
    if (i > 0 && w.values[i] != w.values[0]) constant = false;
    const double x = static_cast<double>(w.time(i) - origin) / 1e3;
    x_sum.Add(x);
    y_sum.Add(w.values[i]);
    xy_sum.Add(x * w.values[i]);
    xx_sum.Add(x * x);
  }
  if (constant) {
    if (std::isinf(w.values[0])) return {kNormalNaN, kNormalNaN};
    return {0, w.values[0]};
  }
  const double n = static_cast<double>(w.size);
  const double x = x_sum.total();
  const double y = y_sum.total();
  const double covariance = xy_sum.total() - x * y / n;
  const double variance = xx_sum.total() - x * x / n;
  const double slope = covariance / variance;
  return {slope, y / n - slope * x / n};
}

double Deriv(const Window& w, const WindowArguments&) {
  if (w.size < 2) return kAbsent;
  return Regress(w, w.time(0)).slope;
}

double PredictLinear(const Window& w, const WindowArguments& a) {
  if (w.size < 2) return kAbsent;
  const Line line = Regress(w, w.step_time);
  return line.slope * a.first + line.intercept;
}

// Holt's linear trend.
double DoubleExponentialSmoothing(const Window& w, const WindowArguments& a) {
  if (w.size < 2) return kAbsent;
  const double level_factor = a.first;
  const double trend_factor = a.second;
  double before = 0;
  double level = w.values[0];
  double trend = w.values[1] - w.values[0];
  for (std::size_t i = 1; i < w.size; ++i) {
    const double x = level_factor * w.values[i];
    if (i > 1) trend = trend_factor * (level - before) + (1 - trend_factor) * trend;
    const double y = (1 - level_factor) * (level + trend);
    before = level;
    level = x + y;
  }
  return level;
}

struct Entry {
  FunctionId id;
  WindowFunction function;
};

constexpr Entry kFunctions[] = {
    {FunctionId::kAbsentOverTime, Present},
    {FunctionId::kAvgOverTime, Avg},
    {FunctionId::kChanges, Changes},
    {FunctionId::kCountOverTime, Count},
    {FunctionId::kDelta, Delta},
    {FunctionId::kDeriv, Deriv},
    {FunctionId::kDoubleExponentialSmoothing, DoubleExponentialSmoothing},
    {FunctionId::kFirstOverTime, First},
    {FunctionId::kIdelta, Idelta},
    {FunctionId::kIncrease, Increase},
    {FunctionId::kIrate, Irate},
    {FunctionId::kLastOverTime, Last},
    {FunctionId::kMadOverTime, Mad},
    {FunctionId::kMaxOverTime, Max},
    {FunctionId::kMinOverTime, Min},
    {FunctionId::kPredictLinear, PredictLinear},
    {FunctionId::kPresentOverTime, Present},
    {FunctionId::kQuantileOverTime, QuantileOverTime},
    {FunctionId::kRate, Rate},
    {FunctionId::kResets, Resets},
    {FunctionId::kStddevOverTime, Stddev},
    {FunctionId::kStdvarOverTime, Stdvar},
    {FunctionId::kSumOverTime, Sum},
    {FunctionId::kTsOfFirstOverTime, TimeOfFirst},
    {FunctionId::kTsOfLastOverTime, TimeOfLast},
    {FunctionId::kTsOfMaxOverTime, TimeOfMax},
    {FunctionId::kTsOfMinOverTime, TimeOfMin},
};

}  // namespace

bool IsStartReset(Timestamp start_before, Timestamp before, Timestamp start, Timestamp now) {
  // A start at the sample itself is how OpenTelemetry says that it does not know.
  if (start == kNoStart || start >= now || start < before) return false;
  if (start > before) return true;
  // It begins where the one before ended: a delta, if that one knew its own start; else a
  // cumulative series that does not know when it began.
  return start_before != kNoStart && start_before < before;
}

std::optional<std::int64_t> ZeroInside(const Extent& extent, Timestamp start) {
  const std::int64_t at = ToMillis(start);
  if (start == kNoStart || at <= extent.range_start || at >= extent.first) return std::nullopt;
  return at;
}

double ExtrapolationFactor(const Extent& extent, std::optional<double> first_of_change) {
  return Factor(extent, first_of_change);
}

WindowFunction FindWindowFunction(FunctionId id) {
  for (const Entry& entry : kFunctions) {
    if (entry.id == id) return entry.function;
  }
  return nullptr;
}

bool NeedsFalls(FunctionId id) {
  return id == FunctionId::kRate || id == FunctionId::kIncrease || id == FunctionId::kResets;
}

}  // namespace skep::engine

#include "tests/support/promql_oracle/over_time.h"

#include <cmath>
#include <limits>
#include <map>

#include "tests/support/promql_oracle/arithmetic.h"

namespace skep::oracle {
namespace {

using Answer = std::optional<double>;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double SecondsBetween(Timestamp from, Timestamp to) { return ToSeconds(to - from); }

std::vector<double> Values(const Window& w) {
  std::vector<double> values;
  for (const Sample& sample : w.samples) values.push_back(sample.value);
  return values;
}

// --- rate, increase, delta ---

enum class Kind { kCounter, kGauge };

// From the first to the last value; what a counter lost by resets is added.
double Change(const Window& w, Kind kind) {
  double change = w.samples.back().value - w.samples.front().value;
  for (std::size_t i = 1; kind == Kind::kCounter && i < w.samples.size(); ++i) {
    if (w.samples[i].value < w.samples[i - 1].value) change += w.samples[i - 1].value;
  }
  return change;
}

// A series whose samples come near an end of the range (within 1.1 mean intervals) is taken to go
// on to that end, else for half an interval; a counter not further back than to where it was zero.
// The stretched change is divided by `seconds`, as one factor: so Prometheus rounds.
Answer Extrapolated(const Window& w, Kind kind, double seconds) {
  if (w.samples.size() < 2) return std::nullopt;
  const Sample& first = w.samples.front();
  const double change = Change(w, kind);
  const double sampled = SecondsBetween(first.time, w.samples.back().time);
  const double interval = sampled / static_cast<double>(w.samples.size() - 1);
  const double near = interval * 1.1;
  double before = SecondsBetween(w.end - w.range, first.time);
  if (before >= near) before = interval / 2;
  if (kind == Kind::kCounter && change > 0 && first.value >= 0) {
    const double to_zero = sampled * (first.value / change);
    if (to_zero < before) before = to_zero;
  }
  double behind = SecondsBetween(w.samples.back().time, w.end);
  if (behind >= near) behind = interval / 2;
  return change * ((sampled + before + behind) / sampled / seconds);
}

Answer Rate(const Window& w) { return Extrapolated(w, Kind::kCounter, ToSeconds(w.range)); }
Answer Increase(const Window& w) { return Extrapolated(w, Kind::kCounter, 1); }
Answer Delta(const Window& w) { return Extrapolated(w, Kind::kGauge, 1); }

// --- the last two samples ---

Answer Idelta(const Window& w) {
  if (w.samples.size() < 2) return std::nullopt;
  return w.samples.back().value - w.samples[w.samples.size() - 2].value;
}

Answer Irate(const Window& w) {
  if (w.samples.size() < 2) return std::nullopt;
  const Sample& last = w.samples.back();
  const Sample& before = w.samples[w.samples.size() - 2];
  const double change = last.value < before.value ? last.value : last.value - before.value;
  return change / SecondsBetween(before.time, last.time);
}

// --- counting ---

Answer Resets(const Window& w) {
  double count = 0;
  for (std::size_t i = 1; i < w.samples.size(); ++i) {
    if (w.samples[i].value < w.samples[i - 1].value) count += 1;
  }
  return count;
}

Answer Changes(const Window& w) {
  double count = 0;
  for (std::size_t i = 1; i < w.samples.size(); ++i) {
    const double a = w.samples[i - 1].value;
    const double b = w.samples[i].value;
    if (a != b && !(std::isnan(a) && std::isnan(b))) count += 1;
  }
  return count;
}

Answer Count(const Window& w) { return static_cast<double>(w.samples.size()); }
Answer Present(const Window&) { return 1; }

// --- values over time ---

Answer SumOverTime(const Window& w) { return Sum(Values(w)); }
Answer AvgOverTime(const Window& w) { return Mean(Values(w)); }

Answer Stdvar(const Window& w) {
  PreciseSum mean;
  PreciseSum squares;
  double count = 0;
  for (const Sample& sample : w.samples) {
    count += 1;
    const double off = sample.value - mean.total();
    mean.Add(off / count);
    squares.Add(off * (sample.value - mean.total()));
  }
  return squares.total() / count;
}
Answer Stddev(const Window& w) { return std::sqrt(*Stdvar(w)); }

// The first of the largest (smallest) values, NaN only where there is nothing else.
template <typename Beats>
const Sample& Best(const Window& w, Beats beats) {
  const Sample* best = w.samples.data();
  for (const Sample& sample : w.samples) {
    if (std::isnan(best->value) || beats(sample.value, best->value)) {
      best = &sample;
    }
  }
  return *best;
}

Answer Max(const Window& w) {
  return Best(w, [](double x, double best) { return x > best; }).value;
}
Answer Min(const Window& w) {
  return Best(w, [](double x, double best) { return x < best; }).value;
}
// The last of equal ones.
Answer TimeOfMax(const Window& w) {
  return ToSeconds(Best(w, [](double x, double best) { return x >= best; }).time);
}
Answer TimeOfMin(const Window& w) {
  return ToSeconds(Best(w, [](double x, double best) { return x <= best; }).time);
}

Answer First(const Window& w) { return w.samples.front().value; }
Answer Last(const Window& w) { return w.samples.back().value; }
Answer TimeOfFirst(const Window& w) { return ToSeconds(w.samples.front().time); }
Answer TimeOfLast(const Window& w) { return ToSeconds(w.samples.back().time); }

// The median distance from the median.
Answer Mad(const Window& w) {
  std::vector<double> values = Values(w);
  for (const double value : values) {
    if (std::isnan(value)) return kNan;
  }
  const double median = Quantile(0.5, values);
  for (double& value : values) value = std::fabs(value - median);
  return Quantile(0.5, values);
}

// --- lines through the samples ---

struct Line {
  double slope = 0;
  double at_origin = 0;
};

// Least squares; x in seconds from `origin`.
Line Fit(const Window& w, Timestamp origin) {
  bool all_equal = true;
  PreciseSum x, y, xy, xx;
  for (const Sample& sample : w.samples) {
    const double seconds = SecondsBetween(origin, sample.time);
    if (&sample != &w.samples.front() && sample.value != w.samples.front().value) all_equal = false;
    x.Add(seconds);
    y.Add(sample.value);
    xy.Add(seconds * sample.value);
    xx.Add(seconds * seconds);
  }
  if (all_equal) {
    const double value = w.samples.front().value;
    return std::isinf(value) ? Line{kNan, kNan} : Line{0, value};
  }
  const double n = static_cast<double>(w.samples.size());
  const double covariance = xy.total() - x.total() * y.total() / n;
  const double variance = xx.total() - x.total() * x.total() / n;
  const double slope = covariance / variance;
  return {slope, y.total() / n - slope * x.total() / n};
}

Answer Deriv(const Window& w) {
  if (w.samples.size() < 2) return std::nullopt;
  return Fit(w, w.samples.front().time).slope;
}

// --- functions with scalar arguments ---

Result<Answer> QuantileOverTime(const Window& w, const std::vector<double>& scalars) {
  return Answer(Quantile(scalars[0], Values(w)));
}

Result<Answer> PredictLinear(const Window& w, const std::vector<double>& scalars) {
  if (w.samples.size() < 2) return Answer();
  const Line line = Fit(w, w.at);
  return Answer(line.slope * scalars[0] + line.at_origin);
}

// Holt's linear method: a level and a trend, both smoothed.
Result<Answer> Holt(const Window& w, const std::vector<double>& scalars) {
  const double level_factor = scalars[0];
  const double trend_factor = scalars[1];
  if (level_factor <= 0 || level_factor >= 1) return Invalid("smoothing factor out of range");
  if (trend_factor <= 0 || trend_factor >= 1) return Invalid("trend factor out of range");
  if (w.samples.size() < 2) return Answer();
  double level = w.samples[0].value;
  double trend = w.samples[1].value - w.samples[0].value;
  double level_before = level;
  for (std::size_t i = 1; i < w.samples.size(); ++i) {
    if (i > 1) trend = trend_factor * (level - level_before) + (1 - trend_factor) * trend;
    level_before = level;
    level = level_factor * w.samples[i].value + (1 - level_factor) * (level + trend);
  }
  return Answer(level);
}

using Plain = Answer (*)(const Window&);
const std::map<std::string_view, Plain>& PlainFunctions() {
  static const std::map<std::string_view, Plain> functions{
      {"avg_over_time", AvgOverTime},
      {"changes", Changes},
      {"count_over_time", Count},
      {"delta", Delta},
      {"deriv", Deriv},
      {"first_over_time", First},
      {"idelta", Idelta},
      {"increase", Increase},
      {"irate", Irate},
      {"last_over_time", Last},
      {"mad_over_time", Mad},
      {"max_over_time", Max},
      {"min_over_time", Min},
      {"present_over_time", Present},
      {"rate", Rate},
      {"resets", Resets},
      {"stddev_over_time", Stddev},
      {"stdvar_over_time", Stdvar},
      {"sum_over_time", SumOverTime},
      {"ts_of_first_over_time", TimeOfFirst},
      {"ts_of_last_over_time", TimeOfLast},
      {"ts_of_max_over_time", TimeOfMax},
      {"ts_of_min_over_time", TimeOfMin},
  };
  return functions;
}

}  // namespace

Result<Answer> OverTime(std::string_view name, const Window& window,
                        const std::vector<double>& scalars) {
  if (name == "quantile_over_time") return QuantileOverTime(window, scalars);
  if (name == "predict_linear") return PredictLinear(window, scalars);
  if (name == "double_exponential_smoothing") return Holt(window, scalars);
  const auto function = PlainFunctions().find(name);
  if (function == PlainFunctions().end()) return Internal("no such function over a range");
  return function->second(window);
}

}  // namespace skep::oracle

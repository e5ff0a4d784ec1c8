#include "evaluator/engine/summary_window.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "common/base/compensated_sum.h"

namespace skep::engine {
namespace {

using promql::FunctionId;
using storage::FloatSummary;

// on_sample(value) and on_run(summary) for all of the window, in the order of time.
template <typename OnSample, typename OnRun>
void Walk(const SummaryWindow& w, OnSample on_sample, OnRun on_run) {
  std::size_t i = 0;
  for (const SummaryWindow::Run& run : w.runs) {
    for (; i < run.after - w.before; ++i) on_sample(w.samples.values[i]);
    on_run(run.summary);
  }
  for (; i < w.samples.size; ++i) on_sample(w.samples.values[i]);
}

// on_step(value, next value) for each step that lies in no run, on_run(summary) for those that do.
template <typename OnStep, typename OnRun>
void WalkSteps(const SummaryWindow& w, OnStep on_step, OnRun on_run) {
  std::optional<double> before;
  const auto step = [&](double value) {
    if (before) on_step(*before, value);
    before = value;
  };
  Walk(w, step, [&](const FloatSummary& run) {
    step(run.first);
    on_run(run);
    before = run.last;
  });
}

// --- the samples at the ends ---

struct TimedValue {
  std::int64_t time = 0;
  double value = 0;
};

TimedValue FirstOf(const SummaryWindow& w) {
  const SummaryWindow::Run& run = w.runs.front();
  if (run.after > w.before) return {w.samples.time(0), w.samples.values[0]};
  return {ToMillis(run.first_time), run.summary.first};
}

TimedValue LastOf(const SummaryWindow& w) {
  const SummaryWindow::Run& run = w.runs.back();
  const std::size_t size = w.samples.size;
  if (run.after < w.before + size) return {w.samples.time(size - 1), w.samples.values[size - 1]};
  return {ToMillis(run.last_time), run.summary.last};
}

double First(const SummaryWindow& w) { return FirstOf(w).value; }
double Last(const SummaryWindow& w) { return LastOf(w).value; }
double TimeOfFirst(const SummaryWindow& w) { return static_cast<double>(FirstOf(w).time) / 1000; }
double TimeOfLast(const SummaryWindow& w) { return static_cast<double>(LastOf(w).time) / 1000; }

// --- rate, increase, delta ---

// In the order in which the plain function adds.
double WithBeforeResets(const SummaryWindow& w, double change) {
  WalkSteps(
      w,
      [&change](double before, double value) {
        if (value < before) change += before;
      },
      [&change](const FloatSummary& run) {
        if (run.resets > 0) change += run.before_resets;
      });
  return change;
}

double Difference(const SummaryWindow& w, bool counter, bool per_second) {
  if (w.size < 2) return kAbsent;
  const TimedValue first = FirstOf(w);
  const TimedValue last = LastOf(w);
  double change = last.value - first.value;
  if (counter) change = WithBeforeResets(w, change);
  std::optional<double> first_of_change;
  if (counter && change > 0 && first.value >= 0) first_of_change = first.value / change;
  const Extent extent{w.samples.start, w.samples.end, first.time, last.time, w.size, std::nullopt};
  double factor = ExtrapolationFactor(extent, first_of_change);
  if (per_second) factor /= w.samples.range_seconds;
  return change * factor;
}

double Rate(const SummaryWindow& w) { return Difference(w, true, true); }
double Increase(const SummaryWindow& w) { return Difference(w, true, false); }
double Delta(const SummaryWindow& w) { return Difference(w, false, false); }

// --- counting ---

double Resets(const SummaryWindow& w) {
  std::size_t resets = 0;
  WalkSteps(
      w, [&resets](double before, double value) { resets += value < before ? 1 : 0; },
      [&resets](const FloatSummary& run) { resets += run.resets; });
  return static_cast<double>(resets);
}

double Changes(const SummaryWindow& w) {
  std::size_t changes = 0;
  WalkSteps(
      w,
      [&changes](double a, double b) {
        if (a != b && !(std::isnan(a) && std::isnan(b))) ++changes;
      },
      [&changes](const FloatSummary& run) { changes += run.changes; });
  return static_cast<double>(changes);
}

double Count(const SummaryWindow& w) { return static_cast<double>(w.size); }
double Present(const SummaryWindow&) { return 1; }

// --- order ---

double Max(const SummaryWindow& w) {
  double best = First(w);
  const auto look = [&best](double value) {
    if (value > best || std::isnan(best)) best = value;
  };
  Walk(w, look, [&look](const FloatSummary& run) { look(run.max); });
  return best;
}

double Min(const SummaryWindow& w) {
  double best = First(w);
  const auto look = [&best](double value) {
    if (value < best || std::isnan(best)) best = value;
  };
  Walk(w, look, [&look](const FloatSummary& run) { look(run.min); });
  return best;
}

// --- sums and moments ---

bool IsConstant(const FloatSummary& run) { return run.min == run.max; }

// What rounding took from the run's sum, where that is known: without it the mean of a constant
// might differ from it in the last bit, and a score divide that by a deviation of zero.
double LostOf(const FloatSummary& run) {
  return IsConstant(run) ? std::fma(static_cast<double>(run.count), run.min, -run.sum) : 0.0;
}

double Sum(const SummaryWindow& w) {
  CompensatedSum sum;
  Walk(
      w, [&sum](double value) { sum.Add(value); },
      [&sum](const FloatSummary& run) {
        sum.Add(run.sum);
        sum.lost += LostOf(run);
      });
  return std::isinf(sum.sum) ? sum.sum : sum.total();
}

// CompensatedMean (float_math.h) over parts of several samples.
class MeanOfParts {
 public:
  void Add(double sum, double lost, double count) {
    const double before = count_;
    count_ += count;
    if (before == 0) {
      sum_ = {sum, lost};
      return;
    }
    if (!running_ && AddToSum(sum, lost)) return;
    if (!running_) sum_ = {sum_.sum / before, sum_.lost / before};
    running_ = true;
    const double weight = before / count_;
    sum_ = {weight * sum_.sum, weight * sum_.lost};
    sum_.Add(sum / count_);
  }
  double value() const {
    if (count_ == 0) return kNormalNaN;
    if (!running_) return sum_.sum / count_ + sum_.lost / count_;
    return sum_.sum + sum_.lost;
  }

 private:
  // False, and nothing is done, where it would overflow.
  bool AddToSum(double sum, double lost) {
    CompensatedSum next = sum_;
    next.Add(sum);
    if (std::isinf(next.sum)) return false;
    next.lost += lost;
    sum_ = next;
    return true;
  }

  CompensatedSum sum_;  // the mean itself once running_
  double count_ = 0;
  bool running_ = false;
};

double Avg(const SummaryWindow& w) {
  MeanOfParts mean;
  Walk(
      w, [&mean](double value) { mean.Add(value, 0, 1); },
      [&mean](const FloatSummary& run) {
        mean.Add(run.sum, LostOf(run), static_cast<double>(run.count));
      });
  return mean.value();
}

// Of the run's values less `origin`. No digit is lost to the size of an offset that all have.
double SumAbout(double origin, const FloatSummary& run) {
  const auto count = static_cast<double>(run.count);
  if (IsConstant(run)) return (run.min - origin) * count;
  return std::fma(-count, origin, run.sum);
}

// Squared distances of the run's values from origin + mean.
double SquaresAbout(double origin, double mean, const FloatSummary& run) {
  if (IsConstant(run)) {
    const double distance = run.min - origin - mean;
    return distance * distance * static_cast<double>(run.count);
  }
  const double distance = SumAbout(origin, run) / static_cast<double>(run.count) - mean;
  return run.squares + distance * distance * static_cast<double>(run.count);
}

double Stdvar(const SummaryWindow& w) {
  const double origin = w.runs.front().summary.first;  // a value, and a finite one
  CompensatedSum sum;
  Walk(
      w, [&](double value) { sum.Add(value - origin); },
      [&](const FloatSummary& run) { sum.Add(SumAbout(origin, run)); });
  const auto count = static_cast<double>(w.size);
  const double mean = sum.total() / count;
  CompensatedSum squares;
  Walk(
      w,
      [&](double value) {
        const double distance = value - origin - mean;
        squares.Add(distance * distance);
      },
      [&](const FloatSummary& run) { squares.Add(SquaresAbout(origin, mean, run)); });
  return squares.total() / count;
}

double Stddev(const SummaryWindow& w) { return std::sqrt(Stdvar(w)); }

struct Entry {
  FunctionId id;
  SummaryFunction function;
};

constexpr Entry kFunctions[] = {
    {FunctionId::kAbsentOverTime, Present},
    {FunctionId::kAvgOverTime, Avg},
    {FunctionId::kChanges, Changes},
    {FunctionId::kCountOverTime, Count},
    {FunctionId::kDelta, Delta},
    {FunctionId::kFirstOverTime, First},
    {FunctionId::kIncrease, Increase},
    {FunctionId::kLastOverTime, Last},
    {FunctionId::kMaxOverTime, Max},
    {FunctionId::kMinOverTime, Min},
    {FunctionId::kPresentOverTime, Present},
    {FunctionId::kRate, Rate},
    {FunctionId::kResets, Resets},
    {FunctionId::kStddevOverTime, Stddev},
    {FunctionId::kStdvarOverTime, Stdvar},
    {FunctionId::kSumOverTime, Sum},
    {FunctionId::kTsOfFirstOverTime, TimeOfFirst},
    {FunctionId::kTsOfLastOverTime, TimeOfLast},
};

}  // namespace

bool LooksAtEverySample(FunctionId id) {
  constexpr std::array kThose{FunctionId::kAvgOverTime,    FunctionId::kChanges,
                              FunctionId::kMaxOverTime,    FunctionId::kMinOverTime,
                              FunctionId::kStddevOverTime, FunctionId::kStdvarOverTime,
                              FunctionId::kSumOverTime};
  return std::ranges::find(kThose, id) != kThose.end();
}

SummaryFunction FindSummaryFunction(FunctionId id) {
  for (const Entry& entry : kFunctions) {
    if (entry.id == id) return entry.function;
  }
  return nullptr;
}

}  // namespace skep::engine

#include "evaluator/engine/histogram_window.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

namespace skep::engine {
namespace {

using promql::FunctionId;

bool IsGauge(const Histogram& h) { return h.reset_hint == CounterResetHint::kGauge; }

// into += other, with remarks. False where they do not mix.
bool AddWithRemarks(Histogram& into, const Histogram& other, const HistogramRemarker& remarks) {
  const auto added = Add(into, other);
  if (!added) remarks.MixOfBuckets();
  if (added) remarks.NoteBounds(*added, "addition");
  return added.has_value();
}

bool SubtractWithRemarks(Histogram& from, const Histogram& other,
                         const HistogramRemarker& remarks) {
  const auto subtracted = Subtract(from, other);
  if (!subtracted) remarks.MixOfBuckets();
  if (subtracted) remarks.NoteBounds(*subtracted, "subtraction");
  return subtracted.has_value();
}

// Whether the counter was reset between histogram i - 1 and i.
bool ResetAt(const HistogramWindow& w, std::size_t i) {
  return IsStartReset(w.starts[i - 1], w.times[i - 1], w.starts[i], w.times[i]) ||
         IsReset(*w.values[i], *w.values[i - 1]);
}

bool StartOverlapsAt(const HistogramWindow& w, std::size_t i) {
  return w.starts[i] != kNoStart && w.starts[i] < w.times[i - 1] && w.starts[i] != w.starts[i - 1];
}

// --- rate, increase, delta: from sample to sample ---

// The change from the first histogram to the last, resets made up for.
class Change {
 public:
  Change(const HistogramWindow& window, bool counter, const HistogramRemarker& remarks)
      : w_(window), counter_(counter), remarks_(remarks) {}

  // Empty, with a remark, where the histograms do not mix. Requires: two or more.
  std::optional<Histogram> Run() {
    const std::size_t last = w_.size - 1;
    // A first histogram before a reset is not looked at, whatever its layout.
    first_counts_ = !counter_ || !ResetAt(w_, 1);
    if (!CheckKinds()) return std::nullopt;
    Histogram change = *w_.values[last];
    if (!change.custom()) ReduceSchema(change, LowestSchema());
    if (!SubtractWithRemarks(change, First(), remarks_)) return std::nullopt;
    if (counter_ && !AddResets(change)) return std::nullopt;
    change.reset_hint = CounterResetHint::kGauge;
    Compact(change);
    return change;
  }

 private:
  std::size_t begin() const { return first_counts_ ? 0 : 1; }

  // In the place of one before a reset stands nothing, in the layout of the second.
  Histogram First() const {
    if (first_counts_) return *w_.values[0];
    Histogram nothing;
    nothing.schema = w_.values[1]->schema;
    nothing.bounds = w_.values[1]->bounds;
    return nothing;
  }

  bool CheckKinds() const {
    const std::size_t last = w_.size - 1;
    if (!counter_) {
      if (!IsGauge(*w_.values[0]) || !IsGauge(*w_.values[last])) remarks_.NotGauge();
      if (w_.values[0]->custom() == w_.values[last]->custom()) return true;
      remarks_.MixOfBuckets();
      return false;
    }
    for (std::size_t i = begin(); i < w_.size; ++i) {
      if (w_.values[i]->custom() != w_.values[last]->custom()) {
        remarks_.MixOfBuckets();
        return false;
      }
    }
    const bool gauge = std::any_of(w_.values, w_.values + w_.size,
                                   [](const HistogramPtr& h) { return IsGauge(*h); });
    if (gauge) remarks_.NotCounter();
    return true;
  }

  int LowestSchema() const {
    int schema = w_.values[w_.size - 1]->schema;
    if (!counter_) return std::min(schema, w_.values[0]->schema);
    for (std::size_t i = begin(); i < w_.size; ++i) schema = std::min(schema, w_.values[i]->schema);
    return schema;
  }

  bool AddResets(Histogram& change) const {
    for (std::size_t i = 1; i < w_.size; ++i) {
      if (StartOverlapsAt(w_, i)) remarks_.StartOverlaps();
      if (i == 1 && !first_counts_) continue;  // would add what was not subtracted
      if (ResetAt(w_, i) && !AddWithRemarks(change, *w_.values[i - 1], remarks_)) return false;
    }
    return true;
  }

  const HistogramWindow& w_;
  const bool counter_;
  const HistogramRemarker& remarks_;
  bool first_counts_ = true;
};

HistogramPtr Extrapolated(const Window& range, const HistogramWindow& w, bool counter,
                          bool per_second, const HistogramRemarker& remarks) {
  Extent extent{range.start, range.end, w.time(0), w.time(w.size - 1), w.size, std::nullopt};
  if (counter) extent.zero = ZeroInside(extent, w.starts[0]);
  std::optional<Histogram> change;
  if (w.size > 1) change = Change(w, counter, remarks).Run();
  if (w.size > 1 && !change) return nullptr;
  const double first = w.values[0]->count;
  std::optional<double> first_of_change;
  if (counter && change && change->count > 0 && first >= 0) first_of_change = first / change->count;
  if (extent.zero) {
    if (!change) {
      change = *w.values[0];
      change->reset_hint = CounterResetHint::kGauge;
    } else if (!AddWithRemarks(*change, *w.values[0], remarks)) {
      return nullptr;
    }
  }
  if (!change) return nullptr;
  double factor = ExtrapolationFactor(extent, first_of_change);
  if (per_second) factor /= range.range_seconds;
  Multiply(*change, factor);
  return std::make_shared<const Histogram>(std::move(*change));
}

// --- rate, increase, delta: anchored and smoothed ---

// First index in [0, limit) that `holds`, else limit.
template <typename Holds>
std::size_t FirstIndex(std::size_t limit, Holds holds) {
  std::size_t i = 0;
  while (i < limit && !holds(i)) ++i;
  return i;
}

class Extended {
 public:
  Extended(const Window& range, const HistogramWindow& window, bool counter,
           const HistogramRemarker& remarks)
      : range_(range), w_(window), counter_(counter), remarks_(remarks), last_(window.size - 1) {}

  HistogramPtr Run(bool per_second) {
    const std::size_t behind =
        FirstIndex(last_, [this](std::size_t i) { return w_.time(i) > range_.start; });
    first_ = behind == 0 ? 0 : behind - 1;
    if (range_.smoothed) {
      last_ = FirstIndex(last_, [this](std::size_t i) { return w_.time(i) >= range_.end; });
    }
    if (w_.time(last_) <= range_.start) return nullptr;
    if (range_.smoothed && w_.time(first_) > range_.end) return nullptr;
    if (!CheckKinds()) return nullptr;
    const HistogramPtr left = Left();
    const HistogramPtr right = left == nullptr ? nullptr : Right();
    if (right == nullptr) return nullptr;
    if (!counter_ && (!IsGauge(*left) || !IsGauge(*right))) remarks_.NotGauge();
    Histogram change = *right;
    if (!SubtractWithRemarks(change, *left, remarks_)) return nullptr;
    if (counter_ && !AddResets(change, *left, *right)) return nullptr;
    if (per_second) Divide(change, range_.range_seconds);
    change.reset_hint = CounterResetHint::kGauge;
    Compact(change);
    return std::make_shared<const Histogram>(std::move(change));
  }

 private:
  HistogramSample At(std::size_t i) const { return {w_.times[i], w_.values[i]}; }

  bool CheckKinds() const {
    for (std::size_t i = first_; i <= last_; ++i) {
      if (w_.values[i]->custom() != w_.values[first_]->custom()) {
        remarks_.MixOfBuckets();
        return false;
      }
      if (counter_ && IsGauge(*w_.values[i])) remarks_.NotCounter();
    }
    return true;
  }

  bool LeftIsBetween() const { return range_.smoothed && w_.time(first_) < range_.start; }
  HistogramPtr Left() const {
    if (!LeftIsBetween()) return w_.values[first_];
    return Interpolate(At(first_), At(first_ + 1), range_.start, counter_, remarks_);
  }
  HistogramPtr Right() const {
    const bool between = range_.smoothed && last_ > 0 && w_.time(last_) > range_.end;
    if (!between) return w_.values[last_];
    return Interpolate(At(last_ - 1), At(last_), range_.end, counter_, remarks_);
  }

  // Resets between the ends; one that an interpolated left end spans is in it already.
  bool AddResets(Histogram& change, const Histogram& left, const Histogram& right) const {
    const Histogram* before = &left;
    std::size_t i = first_ + 1;
    if (LeftIsBetween() && IsReset(*w_.values[i], *w_.values[first_]))
      before = w_.values[i++].get();
    if (i > last_) return true;
    for (; i < last_; ++i) {
      if (IsReset(*w_.values[i], *before) && !AddWithRemarks(change, *before, remarks_))
        return false;
      before = w_.values[i].get();
    }
    return !IsReset(right, *before) || AddWithRemarks(change, *before, remarks_);
  }

  const Window& range_;
  const HistogramWindow& w_;
  const bool counter_;
  const HistogramRemarker& remarks_;
  std::size_t first_ = 0;
  std::size_t last_;
};

HistogramPtr Difference(const Window& range, const HistogramWindow& w, bool counter,
                        bool per_second, const HistogramRemarker& remarks) {
  if (range.anchored || range.smoothed) {
    return Extended(range, w, counter, remarks).Run(per_second);
  }
  return Extrapolated(range, w, counter, per_second, remarks);
}

// --- irate, idelta ---

HistogramPtr LastTwo(const HistogramWindow& w, bool counter, const HistogramRemarker& remarks) {
  const std::size_t last = w.size - 1;
  const Histogram& before = *w.values[last - 1];
  Histogram change = *w.values[last];
  if (counter && (IsGauge(change) || IsGauge(before))) remarks.NotCounter();
  if (!counter && (!IsGauge(change) || !IsGauge(before))) remarks.NotGauge();
  if (!counter || !ResetAt(w, last)) {
    if (!SubtractWithRemarks(change, before, remarks)) return nullptr;
  }
  change.reset_hint = CounterResetHint::kGauge;
  Compact(change);
  if (counter) Divide(change, static_cast<double>(w.time(last) - w.time(last - 1)) / 1000);
  return std::make_shared<const Histogram>(std::move(change));
}

WindowResult LastTwoOfAny(FunctionId id, const Window& floats, const HistogramWindow& w,
                          const WindowArguments& arguments, const HistogramRemarker& remarks) {
  if (floats.size + w.size < 2) return {};
  if (floats.size > 1 && floats.time(floats.size - 2) > w.time(w.size - 1)) {
    return {FindWindowFunction(id)(floats, arguments), nullptr};
  }
  const std::int64_t newest_float = floats.size == 0 ? w.time(0) - 1 : floats.time(floats.size - 1);
  // Two histograms where no float is newer than the last but one.
  if (w.size > 1 && newest_float < w.time(w.size - 2)) {
    return {kAbsent, LastTwo(w, id == FunctionId::kIrate, remarks)};
  }
  remarks.MixOfFloats();
  return {};
}

// --- sums and means ---

WindowResult Fold(FunctionId id, const Window& floats, const HistogramWindow& w,
                  const HistogramRemarker& remarks) {
  if (floats.size > 0) {
    remarks.MixOfFloats();
    return {};
  }
  std::vector<const Histogram*> list;
  for (std::size_t i = 0; i < w.size; ++i) list.push_back(w.values[i].get());
  auto folded = id == FunctionId::kSumOverTime ? SumOf(list) : MeanOf(list);
  if (!folded) {
    remarks.MixOfBuckets();
    return {};
  }
  remarks.Note(folded->remarks, "aggregation");
  return {kAbsent, std::make_shared<const Histogram>(std::move(folded->value))};
}

// --- both kinds in the order of time ---

// A sample of either kind.
struct Point {
  std::int64_t time = 0;
  std::size_t index = 0;
  bool histogram = false;
};

std::vector<Point> InOrder(const Window& floats, const HistogramWindow& w) {
  std::vector<Point> points;
  for (std::size_t i = 0; i < floats.size; ++i) points.push_back({floats.time(i), i, false});
  for (std::size_t i = 0; i < w.size; ++i) points.push_back({w.time(i), i, true});
  std::sort(points.begin(), points.end(),
            [](const Point& a, const Point& b) { return a.time < b.time; });
  return points;
}

bool Changed(const Window& floats, const HistogramWindow& w, const Point& a, const Point& b) {
  if (a.histogram != b.histogram) return true;
  if (a.histogram) return !SameHistogram(*w.values[a.index], *w.values[b.index]);
  const double x = floats.values[a.index];
  const double y = floats.values[b.index];
  return x != y && !(std::isnan(x) && std::isnan(y));
}

bool WasReset(const Window& floats, const HistogramWindow& w, const Point& a, const Point& b) {
  if (a.histogram != b.histogram) return true;
  if (a.histogram) return ResetAt(w, b.index);
  if (floats.values[b.index] < floats.values[a.index]) return true;
  return floats.starts != nullptr && IsStartReset(floats.starts[a.index], floats.times[a.index],
                                                  floats.starts[b.index], floats.times[b.index]);
}

double CountSteps(FunctionId id, const Window& floats, const HistogramWindow& w) {
  const std::vector<Point> points = InOrder(floats, w);
  std::size_t first = 0;
  if (floats.anchored) {
    if (points.back().time <= floats.start) return kAbsent;
    while (first + 1 < points.size() && points[first + 1].time <= floats.start) ++first;
  }
  std::size_t count = 0;
  for (std::size_t i = first + 1; i < points.size(); ++i) {
    const bool counts = id == FunctionId::kChanges ? Changed(floats, w, points[i - 1], points[i])
                                                   : WasReset(floats, w, points[i - 1], points[i]);
    if (counts) ++count;
  }
  return static_cast<double>(count);
}

WindowResult OneOf(const Window& floats, const HistogramWindow& w, bool newest) {
  const std::size_t f = newest ? floats.size - 1 : 0;
  const std::size_t h = newest ? w.size - 1 : 0;
  const bool histogram =
      floats.size == 0 || (newest ? w.time(h) > floats.time(f) : w.time(h) < floats.time(f));
  if (histogram) return {kAbsent, w.values[h]};
  return {floats.values[f], nullptr};
}

double TimeOf(const Window& floats, const HistogramWindow& w, bool newest) {
  std::int64_t time = w.time(newest ? w.size - 1 : 0);
  if (floats.size > 0) {
    const std::int64_t other = floats.time(newest ? floats.size - 1 : 0);
    time = newest ? std::max(time, other) : std::min(time, other);
  }
  return static_cast<double>(time) / 1000;
}

WindowResult RateOfAny(FunctionId id, const Window& floats, const HistogramWindow& w,
                       const HistogramRemarker& remarks) {
  if (floats.size > 0) {
    remarks.MixOfFloats();
    return {};
  }
  const bool counter = id != FunctionId::kDelta;
  return {kAbsent, Difference(floats, w, counter, id == FunctionId::kRate, remarks)};
}

// Functions that look at floats alone.
WindowResult OfFloats(FunctionId id, const Window& floats, const WindowArguments& arguments,
                      const HistogramRemarker& remarks) {
  if (floats.size == 0) return {};
  remarks.IgnoredInRange();
  return {FindWindowFunction(id)(floats, arguments), nullptr};
}

}  // namespace

HistogramPtr Interpolate(const HistogramSample& left, const HistogramSample& right, std::int64_t at,
                         bool counter, const HistogramRemarker& remarks) {
  const std::int64_t t0 = ToMillis(left.time);
  const std::int64_t t1 = ToMillis(right.time);
  if (at == t0) return left.histogram;
  if (at == t1) return right.histogram;
  if (left.histogram->custom() != right.histogram->custom()) {
    remarks.MixOfBuckets();
    return nullptr;
  }
  const double part = static_cast<double>(at - t0) / static_cast<double>(t1 - t0);
  Histogram between = *right.histogram;
  const bool from_zero = counter && IsReset(between, *left.histogram);
  if (!from_zero && !SubtractWithRemarks(between, *left.histogram, remarks)) return nullptr;
  Multiply(between, part);
  if (!from_zero && !AddWithRemarks(between, *left.histogram, remarks)) return nullptr;
  return std::make_shared<const Histogram>(std::move(between));
}

WindowResult ApplyToHistograms(FunctionId id, const Window& floats,
                               const HistogramWindow& histograms, const WindowArguments& arguments,
                               const HistogramRemarker& remarks) {
  const HistogramWindow& w = histograms;
  switch (id) {
    case FunctionId::kRate:
    case FunctionId::kIncrease:
    case FunctionId::kDelta:
      return RateOfAny(id, floats, w, remarks);
    case FunctionId::kIrate:
    case FunctionId::kIdelta:
      return LastTwoOfAny(id, floats, w, arguments, remarks);
    case FunctionId::kSumOverTime:
    case FunctionId::kAvgOverTime:
      return Fold(id, floats, w, remarks);
    case FunctionId::kCountOverTime:
      return {static_cast<double>(floats.size + w.size), nullptr};
    case FunctionId::kPresentOverTime:
    case FunctionId::kAbsentOverTime:
      return {1, nullptr};
    case FunctionId::kFirstOverTime:
    case FunctionId::kLastOverTime:
      return OneOf(floats, w, id == FunctionId::kLastOverTime);
    case FunctionId::kTsOfFirstOverTime:
    case FunctionId::kTsOfLastOverTime:
      return {TimeOf(floats, w, id == FunctionId::kTsOfLastOverTime), nullptr};
    case FunctionId::kChanges:
    case FunctionId::kResets:
      return {CountSteps(id, floats, w), nullptr};
    default:
      return OfFloats(id, floats, arguments, remarks);
  }
}

}  // namespace skep::engine

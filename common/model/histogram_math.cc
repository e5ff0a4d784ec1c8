#include "common/model/histogram_math.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace skep {
namespace {

// --- numbers: plain ones, and sums that know what rounding took ---

void AddTo(double& into, double x) { into += x; }
void AddTo(CompensatedSum& into, double x) { into.Add(x); }
void AddTo(CompensatedSum& into, const CompensatedSum& x) {
  into.Add(x.sum);
  into.lost += x.lost;
}
double Plain(double x) { return x; }
double Plain(const CompensatedSum& x) { return x.sum; }

using WideHistogram = HistogramOf<CompensatedSum>;
using WideRuns = BucketRunsOf<CompensatedSum>;

// --- runs ---

// Walks the buckets of a run in rising order.
template <typename Number>
class Cursor {
 public:
  explicit Cursor(const BucketRunsOf<Number>& runs) : runs_(runs) {}

  bool done() const { return at_ == runs_.counts.size(); }
  std::int32_t index() const {
    return runs_.spans[span_].first + static_cast<std::int32_t>(in_span_);
  }
  const Number& count() const { return runs_.counts[at_]; }
  void Next() {
    ++at_;
    if (++in_span_ < runs_.spans[span_].length) return;
    ++span_;
    in_span_ = 0;
  }

 private:
  const BucketRunsOf<Number>& runs_;
  std::size_t at_ = 0;
  std::size_t span_ = 0;
  std::uint32_t in_span_ = 0;
};

// Every bucket moves to index map(index), which rises with the index; what meets is added up.
template <typename Number, typename Map>
BucketRunsOf<Number> Remap(const BucketRunsOf<Number>& runs, Map map) {
  BucketRunsOf<Number> out;
  std::int32_t last = 0;
  runs.ForEach([&](std::int32_t index, const Number& count) {
    const std::int32_t to = map(index);
    if (!out.empty() && to == last) {
      AddTo(out.counts.back(), count);
    } else {
      out.Append(to, count);
      last = to;
    }
  });
  return out;
}

template <typename Number>
BucketRunsOf<Number> Coarser(const BucketRunsOf<Number>& runs, int by) {
  return Remap(runs, [by](std::int32_t index) {
    return static_cast<std::int32_t>(((std::int64_t{index} - 1) >> by) + 1);
  });
}

// into += sign * other. Buckets of equal layout, the usual case, are added in place.
template <typename Number>
void AddRuns(BucketRunsOf<Number>& into, const BucketRuns& other, double sign) {
  if (other.empty()) return;
  if (into.spans == other.spans) {
    for (std::size_t i = 0; i < other.counts.size(); ++i) {
      AddTo(into.counts[i], sign * other.counts[i]);
    }
    return;
  }
  BucketRunsOf<Number> out;
  out.counts.reserve(into.counts.size() + other.counts.size());
  Cursor<Number> a(into);
  Cursor<double> b(other);
  while (!a.done() || !b.done()) {
    if (b.done() || (!a.done() && a.index() < b.index())) {
      out.Append(a.index(), a.count());
      a.Next();
      continue;
    }
    Number count{};
    const std::int32_t index = b.index();
    if (!a.done() && a.index() == index) {
      count = a.count();
      a.Next();
    }
    AddTo(count, sign * b.count());
    out.Append(index, count);
    b.Next();
  }
  into = std::move(out);
}

template <typename Number, typename Keep>
BucketRunsOf<Number> FilterRuns(const BucketRunsOf<Number>& runs, Keep keep) {
  BucketRunsOf<Number> out;
  runs.ForEach([&](std::int32_t index, const Number& count) {
    if (keep(index, count)) out.Append(index, count);
  });
  return out;
}

template <typename Number>
BucketRunsOf<Number> Above(const BucketRunsOf<Number>& runs, int schema, double threshold) {
  return FilterRuns(runs, [&](std::int32_t index, const Number&) {
    return ExponentialBound(schema, index) > threshold;
  });
}

// --- the zero bucket ---

template <typename Number>
struct ZeroBucket {
  Number count{};
  double threshold = 0;
};

// Adds to `zero` what one side has below the threshold, which grows to the end of a populated
// bucket that it would cut. True if it grew.
template <typename Number>
bool Swallow(const BucketRunsOf<Number>& runs, int schema, ZeroBucket<Number>& zero) {
  const double before = zero.threshold;
  for (Cursor<Number> at(runs); !at.done(); at.Next()) {
    if (ExponentialBound(schema, std::int64_t{at.index()} - 1) >= zero.threshold) break;
    AddTo(zero.count, at.count());
    const double upper = ExponentialBound(schema, at.index());
    if (upper <= zero.threshold) continue;
    if (Plain(at.count()) != 0) zero.threshold = upper;
    break;
  }
  return zero.threshold != before;
}

// The zero bucket that `h` would have with a threshold of at least `threshold`, which is not below
// its own.
template <typename Number>
ZeroBucket<Number> WiderZero(const HistogramOf<Number>& h, double threshold) {
  ZeroBucket<Number> zero{h.zero_count, threshold};
  if (threshold == h.zero_threshold) return zero;
  while (true) {
    zero.count = h.zero_count;
    Swallow(h.positive, h.schema, zero);
    // A threshold that the negative side pushed out may reach another positive bucket.
    if (!Swallow(h.negative, h.schema, zero)) return zero;
  }
}

// Gives both the same threshold: changes `h`, returns what the other's zero bucket would count.
template <typename Number>
double ReconcileZero(HistogramOf<Number>& h, const Histogram& other) {
  ZeroBucket<double> theirs{other.zero_count, other.zero_threshold};
  while (theirs.threshold < h.zero_threshold || theirs.threshold > h.zero_threshold) {
    if (h.zero_threshold > theirs.threshold) theirs = WiderZero(other, h.zero_threshold);
    if (theirs.threshold > h.zero_threshold) {
      const ZeroBucket<Number> mine = WiderZero(h, theirs.threshold);
      h.zero_count = mine.count;
      h.zero_threshold = mine.threshold;
      h.positive = Above(h.positive, h.schema, h.zero_threshold);
      h.negative = Above(h.negative, h.schema, h.zero_threshold);
    }
  }
  return theirs.count;
}

// --- custom bounds ---

bool SameBounds(std::span<const double> a, std::span<const double> b) {
  return a.data() == b.data() ? a.size() == b.size()
                              : std::equal(a.begin(), a.end(), b.begin(), b.end());
}

std::shared_ptr<const std::vector<double>> CommonBounds(std::span<const double> a,
                                                        std::span<const double> b) {
  auto common = std::make_shared<std::vector<double>>();
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(*common));
  return common;
}

// The buckets of `from` in the coarser bounds `to`, all of which `from` has too.
template <typename Number>
BucketRunsOf<Number> ToBounds(const BucketRunsOf<Number>& runs, std::span<const double> from,
                              std::span<const double> to) {
  return Remap(runs, [&](std::int32_t index) {
    if (index < 0 || static_cast<std::size_t>(index) >= from.size()) {
      return static_cast<std::int32_t>(to.size());
    }
    const double upper = from[static_cast<std::size_t>(index)];
    return static_cast<std::int32_t>(std::lower_bound(to.begin(), to.end(), upper) - to.begin());
  });
}

// --- adding ---

// True where the hints contradict each other.
bool JoinHints(CounterResetHint& hint, CounterResetHint other) {
  if (hint == other || hint == CounterResetHint::kGauge) return false;
  if (other == CounterResetHint::kGauge) {
    hint = CounterResetHint::kGauge;
    return false;
  }
  const bool conflict = hint != CounterResetHint::kUnknown && other != CounterResetHint::kUnknown;
  hint = CounterResetHint::kUnknown;
  return conflict;
}

template <typename Number>
bool AddCustom(HistogramOf<Number>& into, const Histogram& other, double sign) {
  if (SameBounds(into.custom_bounds(), other.custom_bounds())) {
    AddRuns(into.positive, other.positive, sign);
    return false;
  }
  auto bounds = CommonBounds(into.custom_bounds(), other.custom_bounds());
  into.positive = ToBounds(into.positive, into.custom_bounds(), *bounds);
  AddRuns(into.positive, ToBounds(other.positive, other.custom_bounds(), *bounds), sign);
  into.bounds = std::move(bounds);
  return true;
}

template <typename Number>
void LowerSchema(HistogramOf<Number>& h, int schema) {
  if (schema >= h.schema) return;
  h.positive = Coarser(h.positive, h.schema - schema);
  h.negative = Coarser(h.negative, h.schema - schema);
  h.schema = schema;
}

// The buckets of one side of `other` as `into` can take them.
template <typename Number>
void AddSide(BucketRunsOf<Number>& side, const BucketRuns& theirs, int their_schema,
             const HistogramOf<Number>& into, double sign) {
  const int by = their_schema - into.schema;
  const bool cut = !theirs.empty() && ExponentialBound(their_schema, theirs.spans.front().first) <=
                                          into.zero_threshold;
  if (by == 0 && !cut) return AddRuns(side, theirs, sign);
  // First cut, then made coarse: a coarse bucket may reach over the threshold.
  const BucketRuns rest = cut ? Above(theirs, their_schema, into.zero_threshold) : theirs;
  AddRuns(side, by == 0 ? rest : Coarser(rest, by), sign);
}

template <typename Number>
void AddExponential(HistogramOf<Number>& into, const Histogram& other, double sign) {
  AddTo(into.zero_count, sign * ReconcileZero(into, other));
  LowerSchema(into, other.schema);
  AddSide(into.positive, other.positive, other.schema, into, sign);
  AddSide(into.negative, other.negative, other.schema, into, sign);
}

template <typename Number>
std::optional<HistogramRemarks> AddSigned(HistogramOf<Number>& into, const Histogram& other,
                                          double sign) {
  if (into.custom() != other.custom()) return std::nullopt;
  HistogramRemarks remarks;
  remarks.reset_conflict = JoinHints(into.reset_hint, other.reset_hint);
  AddTo(into.count, sign * other.count);
  AddTo(into.sum, sign * other.sum);
  if (into.custom()) {
    remarks.bounds_reconciled = AddCustom(into, other, sign);
  } else {
    AddExponential(into, other, sign);
  }
  return remarks;
}

// Calls f with every number of the histogram.
template <typename Number, typename F>
void ForEachNumber(HistogramOf<Number>& h, F f) {
  f(h.zero_count);
  f(h.count);
  f(h.sum);
  for (Number& count : h.positive.counts) f(count);
  for (Number& count : h.negative.counts) f(count);
}

// --- resets ---

// Whether some bucket counts less than before.
bool Fell(const BucketRuns& now, const BucketRuns& before) {
  Cursor<double> a(now);
  for (Cursor<double> b(before); !b.done(); b.Next()) {
    while (!a.done() && a.index() < b.index()) a.Next();
    if (a.done() || a.index() != b.index()) {
      if (b.count() != 0) return true;
    } else if (a.count() < b.count()) {
      return true;
    }
  }
  return false;
}

bool FellCustom(const Histogram& now, const Histogram& before) {
  const auto now_bounds = now.custom_bounds();
  const auto before_bounds = before.custom_bounds();
  if (SameBounds(now_bounds, before_bounds)) return Fell(now.positive, before.positive);
  const auto common = CommonBounds(now_bounds, before_bounds);
  return Fell(ToBounds(now.positive, now_bounds, *common),
              ToBounds(before.positive, before_bounds, *common));
}

bool FellExponential(const Histogram& now, const Histogram& before) {
  if (now.schema > before.schema || now.zero_threshold < before.zero_threshold) return true;
  const ZeroBucket<double> zero = WiderZero(before, now.zero_threshold);
  if (zero.threshold != now.zero_threshold || now.zero_count < zero.count) return true;
  if (now.schema == before.schema && now.zero_threshold == before.zero_threshold) {
    return Fell(now.positive, before.positive) || Fell(now.negative, before.negative);
  }
  const auto side = [&](const BucketRuns& runs, int schema) {
    return Coarser(Above(runs, schema, now.zero_threshold), schema - now.schema);
  };
  return Fell(now.positive, side(before.positive, before.schema)) ||
         Fell(now.negative, side(before.negative, before.schema));
}

// --- folding ---

WideRuns Widen(const BucketRuns& runs) {
  WideRuns wide{runs.spans, {}};
  wide.counts.reserve(runs.counts.size());
  for (const double count : runs.counts) wide.counts.push_back({count, 0});
  return wide;
}

BucketRuns Narrow(const WideRuns& runs) {
  BucketRuns narrow{runs.spans, {}};
  narrow.counts.reserve(runs.counts.size());
  for (const CompensatedSum& count : runs.counts) narrow.counts.push_back(count.total());
  return narrow;
}

WideHistogram Widen(const Histogram& h) {
  return {h.reset_hint, h.schema,          h.zero_threshold,  {h.zero_count, 0}, {h.count, 0},
          {h.sum, 0},   Widen(h.positive), Widen(h.negative), h.bounds};
}

Histogram Narrow(const WideHistogram& h) {
  return {h.reset_hint,         h.schema,           h.zero_threshold,
          h.zero_count.total(), h.count.total(),    h.sum.total(),
          Narrow(h.positive),   Narrow(h.negative), h.bounds};
}

void DivideAll(WideHistogram& h, double divisor) {
  ForEachNumber(h, [divisor](CompensatedSum& n) { n = {n.sum / divisor, n.lost / divisor}; });
}

// The sum, or the running mean, of the first histograms of a list.
class Folder {
 public:
  explicit Folder(std::span<const Histogram* const> list)
      : list_(list), total_(Widen(*list.front())) {
    for (const Histogram* histogram : list) {
      reset_ = reset_ || histogram->reset_hint == CounterResetHint::kReset;
      not_reset_ = not_reset_ || histogram->reset_hint == CounterResetHint::kNotReset;
    }
  }

  // False: exponential and custom buckets do not mix.
  bool Add(std::size_t i) { return Join(AddSigned(total_, *list_[i], 1)); }
  // Requires: the total is the mean of the first `i`.
  bool AddToMean(std::size_t i) {
    const auto count = static_cast<double>(i + 1);
    const double weight = static_cast<double>(i) / count;
    ForEachNumber(total_, [weight](CompensatedSum& n) { n = {weight * n.sum, weight * n.lost}; });
    Histogram part = *list_[i];
    skep::Divide(part, count);
    return Join(AddSigned(total_, part, 1));
  }
  void Divide(double divisor) { DivideAll(total_, divisor); }
  bool Overflowed() {
    bool any = false;
    ForEachNumber(total_, [&any](const CompensatedSum& n) { any = any || std::isinf(n.sum); });
    return any;
  }
  FoldedHistogram Finish(double divisor) {
    if (divisor != 1) Divide(divisor);
    // Contradicting hints count also where others stand between them.
    remarks_.reset_conflict = reset_ && not_reset_;
    return {Narrow(total_), remarks_};
  }

 private:
  bool Join(const std::optional<HistogramRemarks>& added) {
    if (added) remarks_.Join(*added);
    return added.has_value();
  }

  const std::span<const Histogram* const> list_;
  WideHistogram total_;
  HistogramRemarks remarks_;
  bool reset_ = false;
  bool not_reset_ = false;
};

// --- trimming ---

// The middle of what is left of a bucket: on a line where its observations are taken to lie evenly,
// else on the logarithmic scale.
double Middle(double lower, double upper, bool positive, bool linear) {
  if (std::isinf(lower)) {
    if (std::isinf(upper)) return 0;
    return upper > 0 ? upper / 2 : upper;
  }
  if (std::isinf(upper)) return lower;
  if (linear) return (lower + upper) / 2;
  const double middle = std::sqrt(std::fabs(lower * upper));
  return positive ? middle : -middle;
}

// What a trim leaves of a bucket.
struct Rest {
  double count = 0;
  double middle = 0;
};

double FiniteOrZero(double x) { return std::isinf(x) ? 0 : x; }

// A bucket without an end: nothing is known of how its observations lie, so it mostly goes whole.
Rest TrimEndless(const HistogramBucket& bucket, double edge, KeepSide keep) {
  const bool below = keep == KeepSide::kBelow;
  if (std::isinf(bucket.lower)) {
    const bool finite = !std::isinf(bucket.upper);
    if (below) {
      // Observations are rarely negative: from zero on, if the bound allows it.
      if (edge > 0 && bucket.upper > 0 && finite) {
        return {bucket.count * edge / bucket.upper, edge / 2};
      }
      if (bucket.upper <= 0) return {bucket.count, edge};
    } else if (edge >= 0 && bucket.upper > edge && finite) {
      return {bucket.count * (1 - edge / bucket.upper), (edge + bucket.upper) / 2};
    }
    return {0, FiniteOrZero(bucket.upper)};
  }
  if (!below && edge >= bucket.lower) return {bucket.count, edge};
  return {0, FiniteOrZero(bucket.lower)};
}

// The part of a bucket below `edge`, which lies inside.
double PartBelow(const HistogramBucket& bucket, double edge, bool positive, bool linear) {
  if (linear) return (edge - bucket.lower) / (bucket.upper - bucket.lower);
  const double lower = std::log2(std::fabs(bucket.lower));
  const double upper = std::log2(std::fabs(bucket.upper));
  const double at = std::log2(std::fabs(edge));
  return positive ? (at - lower) / (upper - lower) : 1 - (at - upper) / (lower - upper);
}

Rest TrimInside(const HistogramBucket& bucket, double edge, KeepSide keep, bool positive,
                bool linear) {
  if (std::isinf(bucket.lower) || std::isinf(bucket.upper)) {
    return TrimEndless(bucket, edge, keep);
  }
  const double below = bucket.count * PartBelow(bucket, edge, positive, linear);
  if (keep == KeepSide::kBelow) return {below, Middle(bucket.lower, edge, positive, linear)};
  return {bucket.count - below, Middle(edge, bucket.upper, positive, linear)};
}

Rest TrimBucket(const HistogramBucket& bucket, double edge, KeepSide keep, bool positive,
                bool linear) {
  const bool below = keep == KeepSide::kBelow;
  if (below ? bucket.upper <= edge : bucket.lower >= edge) {
    return {bucket.count, Middle(bucket.lower, bucket.upper, positive, linear)};
  }
  if (below ? bucket.lower < edge : bucket.upper > edge) {
    return TrimInside(bucket, edge, keep, positive, linear);
  }
  return {};
}

// The zero bucket's observations lie evenly, on the populated side if there is only one.
Rest TrimZero(const Histogram& h, double edge, KeepSide keep, bool has_positive,
              bool has_negative) {
  HistogramBucket zero{-h.zero_threshold, h.zero_threshold, true, true, h.zero_count};
  if (has_negative && !has_positive) zero.upper = 0;
  if (has_positive && !has_negative) zero.lower = 0;
  const double width = zero.upper - zero.lower;
  const bool all = keep == KeepSide::kBelow ? edge >= zero.upper : edge <= zero.lower;
  const bool none = keep == KeepSide::kBelow ? edge <= zero.lower : edge >= zero.upper;
  if (keep == KeepSide::kBelow && none) return {};
  if (all) return {zero.count, (zero.lower + zero.upper) / 2};
  if (none) return {};
  if (keep == KeepSide::kBelow) {
    return {zero.count * ((edge - zero.lower) / width), (zero.lower + edge) / 2};
  }
  return {zero.count * ((zero.upper - edge) / width), (edge + zero.upper) / 2};
}

class Trimmer {
 public:
  Trimmer(const Histogram& histogram, double edge, KeepSide keep)
      : from_(histogram), out_(histogram), edge_(edge), keep_(keep) {}

  Histogram Run() {
    std::vector<HistogramBucket> buckets;
    ListBuckets(from_, buckets);
    const std::size_t negatives = from_.negative.counts.size();
    const std::size_t positives = from_.positive.counts.size();
    for (std::size_t i = 0; i < positives; ++i) {
      Cut(buckets[buckets.size() - positives + i], true, out_.positive.counts[i]);
    }
    // The list has the negative buckets from the far end.
    for (std::size_t i = 0; i < negatives; ++i) {
      Cut(buckets[negatives - 1 - i], false, out_.negative.counts[i]);
    }
    if (from_.zero_count > 0) {
      const Rest rest = TrimZero(from_, edge_, keep_, has_positive_, has_negative_);
      Take(rest, out_.zero_count);
    }
    if (changed_) {
      out_.count = count_;
      out_.sum = sum_;
      Compact(out_);
    }
    return std::move(out_);
  }

 private:
  void Cut(const HistogramBucket& bucket, bool positive, double& count) {
    if (bucket.count == 0) return;
    (positive ? has_positive_ : has_negative_) = true;
    Take(TrimBucket(bucket, edge_, keep_, positive, from_.custom()), count);
  }
  void Take(const Rest& rest, double& count) {
    count_ += rest.count;
    sum_ += rest.middle * rest.count;
    if (count != rest.count) changed_ = true;
    count = rest.count;
  }

  const Histogram& from_;
  Histogram out_;
  const double edge_;
  const KeepSide keep_;
  double count_ = 0;
  double sum_ = 0;
  bool changed_ = false;
  bool has_positive_ = false;
  bool has_negative_ = false;
};

}  // namespace

std::optional<HistogramRemarks> Add(Histogram& into, const Histogram& other) {
  return AddSigned(into, other, 1);
}

std::optional<HistogramRemarks> Subtract(Histogram& into, const Histogram& other) {
  return AddSigned(into, other, -1);
}

void Multiply(Histogram& histogram, double factor) {
  ForEachNumber(histogram, [factor](double& n) { n *= factor; });
  if (factor < 0) histogram.reset_hint = CounterResetHint::kGauge;
}

void Divide(Histogram& histogram, double divisor) {
  ForEachNumber(histogram, [divisor](double& n) { n /= divisor; });
  if (divisor < 0) histogram.reset_hint = CounterResetHint::kGauge;
  if (divisor != 0) return;
  histogram.positive = {};
  histogram.negative = {};
}

void Compact(Histogram& histogram) {
  for (BucketRuns* runs : {&histogram.positive, &histogram.negative}) {
    if (std::find(runs->counts.begin(), runs->counts.end(), 0.0) == runs->counts.end()) continue;
    *runs = FilterRuns(*runs, [](std::int32_t, double count) { return count != 0; });
  }
}

void ReduceSchema(Histogram& histogram, int schema) { LowerSchema(histogram, schema); }

bool IsReset(const Histogram& now, const Histogram& before) {
  if (now.reset_hint == CounterResetHint::kReset) return true;
  if (now.reset_hint == CounterResetHint::kNotReset) return false;
  if (now.count < before.count || now.custom() != before.custom()) return true;
  return now.custom() ? FellCustom(now, before) : FellExponential(now, before);
}

CounterResetHint StoredHint(const Histogram& now, const Histogram* before) {
  if (now.reset_hint == CounterResetHint::kGauge) return CounterResetHint::kGauge;
  const bool counters = before != nullptr && before->reset_hint != CounterResetHint::kGauge;
  if (!counters || now.reset_hint == CounterResetHint::kReset) return CounterResetHint::kUnknown;
  Histogram unhinted = now;
  unhinted.reset_hint = CounterResetHint::kUnknown;
  const bool same_layout = now.schema == before->schema &&
                           now.zero_threshold == before->zero_threshold &&
                           SameBounds(now.custom_bounds(), before->custom_bounds());
  return same_layout && !IsReset(unhinted, *before) ? CounterResetHint::kNotReset
                                                    : CounterResetHint::kUnknown;
}

Histogram Trim(const Histogram& histogram, double edge, KeepSide keep) {
  return Trimmer(histogram, edge, keep).Run();
}

std::optional<FoldedHistogram> SumOf(std::span<const Histogram* const> histograms) {
  Folder folder(histograms);
  for (std::size_t i = 1; i < histograms.size(); ++i) {
    if (!folder.Add(i)) return std::nullopt;
  }
  return folder.Finish(1);
}

std::optional<FoldedHistogram> MeanOf(std::span<const Histogram* const> histograms) {
  Folder folder(histograms);
  std::size_t done = 1;
  while (done < histograms.size()) {
    if (!folder.Add(done)) return std::nullopt;
    if (folder.Overflowed()) break;
    ++done;
  }
  if (done == histograms.size()) return folder.Finish(static_cast<double>(done));
  // The one that was too much came in: begin again and stop before it.
  Folder running(histograms);
  for (std::size_t i = 1; i < done; ++i) {
    if (!running.Add(i)) return std::nullopt;
  }
  running.Divide(static_cast<double>(done));
  for (std::size_t i = done; i < histograms.size(); ++i) {
    if (!running.AddToMean(i)) return std::nullopt;
  }
  return running.Finish(1);
}

}  // namespace skep

// Arithmetic of native histograms, as Prometheus defines it: layouts that differ are brought to the
// coarsest that both can be shown in.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "common/base/compensated_sum.h"
#include "common/model/histogram.h"

namespace skep {

// What happened besides the arithmetic.
struct HistogramRemarks {
  bool reset_conflict = false;     // one said "reset", the other "no reset"
  bool bounds_reconciled = false;  // custom bounds differed: only the common ones are left

  void Join(const HistogramRemarks& other) {
    reset_conflict = reset_conflict || other.reset_conflict;
    bounds_reconciled = bounds_reconciled || other.bounds_reconciled;
  }
};

// into += other, into -= other. Empty: one has exponential and the other custom buckets; `into` is
// as it was. The reset hint becomes what is true of both.
std::optional<HistogramRemarks> Add(Histogram& into, const Histogram& other);
std::optional<HistogramRemarks> Subtract(Histogram& into, const Histogram& other);

// A negative factor makes a gauge of it.
void Multiply(Histogram& histogram, double factor);
// By zero: the totals become infinite or NaN, the buckets vanish.
void Divide(Histogram& histogram, double divisor);

// Takes empty buckets away.
void Compact(Histogram& histogram);
// Requires: an exponential schema; `schema` is not above it.
void ReduceSchema(Histogram& histogram, int schema);

// Whether a counter that was `before` must have been reset to be `now`: by its hint, else because
// some count fell, or because the buckets became finer.
bool IsReset(const Histogram& now, const Histogram& before);

// What a store can say about a counter reset between a histogram and the one right before it in its
// series (null: there is none, or a float or a staleness marker lies between). Never kReset: what
// lay before may be deleted later.
CounterResetHint StoredHint(const Histogram& now, const Histogram* before);

// What lies below (or above) `edge`; the bucket around it is interpolated, the sum estimated from
// the middles of the buckets that are left.
enum class KeepSide : std::uint8_t { kBelow, kAbove };
Histogram Trim(const Histogram& histogram, double edge, KeepSide keep);

// Sums over many histograms, with compensation in every bucket.
struct FoldedHistogram {
  Histogram value;
  HistogramRemarks remarks;
};
// Empty: exponential and custom buckets are mixed. Requires: not empty, no null.
std::optional<FoldedHistogram> SumOf(std::span<const Histogram* const> histograms);
// As the sum divided by how many there are; as a running mean from where the sum would overflow.
std::optional<FoldedHistogram> MeanOf(std::span<const Histogram* const> histograms);

}  // namespace skep

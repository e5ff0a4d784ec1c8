// What native histograms say: quantiles, fractions, moments.
#pragma once

#include "common/model/histogram.h"
#include "evaluator/promql/function.h"

namespace skep::engine {

// A number of a histogram, and whether observations of NaN had a part in it.
struct HistogramNumber {
  double value = 0;
  bool nan_observations = false;
};

// The q-quantile, interpolated on the logarithmic scale of exponential buckets, on a line in custom
// ones and in the zero bucket. Observations of NaN count as the largest.
HistogramNumber HistogramQuantileOf(double q, const Histogram& histogram);

// The part of all observations between the bounds; of those NaN is never one.
HistogramNumber HistogramFractionOf(double lower, double upper, const Histogram& histogram);

// histogram_count, _sum, _avg, _stddev, _stdvar. Null for other functions.
using HistogramFunction = double (*)(const Histogram& histogram);
HistogramFunction FindHistogramFunction(promql::FunctionId id);

}  // namespace skep::engine

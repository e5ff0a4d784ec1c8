// Quantiles and fractions of classic histograms: one series per bucket, label `le`.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "evaluator/engine/annotations.h"
#include "evaluator/engine/context.h"
#include "evaluator/engine/table.h"

namespace skep::engine {

struct Bucket {
  double upper_bound = 0;
  double count = 0;  // of observations up to the bound: cumulative
};

// The q-quantile, interpolated within its bucket. `buckets` are sorted by bound; equal bounds are
// added up, falling counts lifted. `forced` tells about the latter; its largest_fall is 0 where
// nothing fell.
double BucketQuantile(double q, std::vector<Bucket>& buckets, Annotations::Monotonicity& forced);

// The part of the observations between the bounds.
double BucketFraction(double lower, double upper, std::vector<Bucket>& buckets);

// "quantile value should be between 0 and 1" for each value that is not.
void WarnBadQuantiles(QueryContext& context, const Column& q, promql::PosRange place);

// histogram_quantile(q, table). `place` is that of the vector argument.
Result<Table> HistogramQuantile(QueryContext& context, const Steps& steps, const Column& q,
                                Table table, promql::PosRange place);
// histogram_fraction(lower, upper, table).
Result<Table> HistogramFraction(QueryContext& context, const Column& lower, const Column& upper,
                                Table table, promql::PosRange place);
// histogram_quantiles(table, label, q...): the quantile as label `label`.
Result<Table> HistogramQuantiles(QueryContext& context, const Steps& steps,
                                 const std::string& label, const std::vector<Column>& qs,
                                 Table table, promql::PosRange place);

}  // namespace skep::engine

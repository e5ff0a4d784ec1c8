// Quantiles and fractions of histograms whose buckets are series with a label `le`.
#pragma once

#include <functional>
#include <vector>

#include "tests/support/promql_oracle/values.h"

namespace skep::oracle {

struct Bucket {
  double upper = 0;
  double count = 0;  // of all observations up to there
};

// The buckets by rising bound; those of one bound are added up. Not empty.
double QuantileOfBuckets(double q, std::vector<Bucket> buckets);
double FractionOfBuckets(double lower, double upper, const std::vector<Bucket>& buckets);

// `compute` over the buckets of each histogram: the elements that are equal but for `le`. Elements
// whose `le` is no number are left out. The result has neither `le` nor a name. kInvalid where two
// results have one label set.
Result<Elements> OfHistograms(const Elements& elements,
                              const std::function<double(const std::vector<Bucket>&)>& compute);

}  // namespace skep::oracle

// Quantiles and fractions of histograms whose buckets are series with a label `le`, beside native
// ones.
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

struct HistogramNumber {
  std::function<double(const std::vector<Bucket>&)> of_buckets;
  std::function<double(const Native&)> of_native;
};

// A number of each histogram: the floats that are equal but for `le`, and the native ones. Floats
// whose `le` is no number are left out, and so are a classic and a native histogram of one label
// set. The result of a classic one has no `le`, and none has a name. kInvalid where two results
// have one label set.
Result<Elements> OfHistograms(const Elements& elements, const HistogramNumber& number);

}  // namespace skep::oracle

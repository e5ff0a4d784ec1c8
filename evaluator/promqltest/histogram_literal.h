// A histogram as a literal of test scripts.
#pragma once

#include <string>

#include "common/model/histogram.h"

namespace skep::promqltest {

// `{{schema:1 count:3 sum:4.5 buckets:[1 2] offset:-1}}`, as Prometheus's TestExpression prints it:
// no field that is zero, no empty bucket at either end, empty ones between others as 0. Equal texts
// are equal histograms.
std::string FormatHistogramLiteral(const Histogram& histogram);

}  // namespace skep::promqltest

// What histogram_quantile() and the like say of one native histogram.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "tests/support/promql_oracle/native.h"

namespace skep::oracle {

double QuantileOfNative(double q, const Native& native);
double FractionOfNative(double lower, double upper, const Native& native);

bool IsNativeFunction(std::string_view name);
// histogram_count, _sum, _avg, _stddev, _stdvar. Requires: IsNativeFunction(name).
double OfNative(std::string_view name, const Native& native);

}  // namespace skep::oracle

// Functions of a range vector, for one series that has native histograms at one step.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "tests/support/promql_oracle/extended.h"
#include "tests/support/promql_oracle/over_time.h"

namespace skep::oracle {

// As OverTime and OverExtended. Requires: the window has a histogram; CheckExtended accepts.
Result<std::optional<Quantity>> OverNatives(std::string_view name, Extension extension,
                                            const Window& window,
                                            const std::vector<double>& scalars);

// The value at `at` between two histograms, of a counter where neither is a gauge's. Null: one has
// exponential and one custom buckets.
NativePtr BetweenNatives(const NativeSample& left, const NativeSample& right, Timestamp at,
                         bool counter);

}  // namespace skep::oracle

// Functions of a range vector, for one series at one step.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "tests/support/promql_oracle/values.h"

namespace skep::oracle {

// The samples of one series in (end - range, end].
struct Window {
  std::span<const Sample> samples;  // not empty, unless there are histograms
  Timestamp end;
  Duration range{0};
  Timestamp at;  // the step, which `offset` and `@` do not move
  std::span<const NativeSample> natives = {};
};

// What function `name` says of the window; empty: nothing. `scalars`: its other arguments in order.
// kInvalid: an argument out of range. Requires: `name` is a function of one range vector, not
// absent_over_time; the window has no histograms.
Result<std::optional<double>> OverTime(std::string_view name, const Window& window,
                                       const std::vector<double>& scalars);

}  // namespace skep::oracle

// Range and instant selectors that look beyond their ends: `anchored` and `smoothed`.
#pragma once

#include <optional>
#include <string_view>

#include "tests/support/promql_oracle/over_time.h"

namespace skep::oracle {

// kNone: what is in the range, nothing else. kAnchored: from the newest sample at or before the
// start (at most a lookback older) to the newest in the range. kSmoothed: between the values at the
// ends, on the lines through the samples on either side (at most a lookback away).
enum class Extension { kNone, kAnchored, kSmoothed };

// kInvalid where an extension stands with functions other than rate, increase, delta and, anchored,
// changes and resets.
Status CheckExtended(std::string_view name, Extension extension);

// One of those over `window`, whose samples are those of the range and of a lookback on the sides
// that `extension` looks at, no histograms. Empty: nothing.
std::optional<double> OverExtended(std::string_view name, Extension extension,
                                   const Window& window);

// A smoothed instant selector: the value at `at` on the line between the samples around it, which
// are in (at - lookback, at + lookback]; behind the last one, that one's. Empty: nothing before.
std::optional<double> Smoothed(std::span<const Sample> samples, Timestamp at);

}  // namespace skep::oracle

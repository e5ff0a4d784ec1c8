// Points in time and spans as the whole program uses them, and the text forms that Prometheus users
// write.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace skep {

// Prometheus counts in milliseconds; so do we, everywhere.
using Duration = std::chrono::milliseconds;
using Timestamp = std::chrono::time_point<std::chrono::system_clock, Duration>;

constexpr Timestamp kMinTimestamp{Duration{std::numeric_limits<std::int64_t>::min()}};
constexpr Timestamp kMaxTimestamp{Duration{std::numeric_limits<std::int64_t>::max()}};

// Milliseconds since 1970-01-01T00:00:00Z, and back.
constexpr std::int64_t ToMillis(Timestamp t) { return t.time_since_epoch().count(); }
constexpr Timestamp FromMillis(std::int64_t ms) { return Timestamp{Duration{ms}}; }
// Seconds with fraction since 1970; of a duration: seconds with fraction.
constexpr double ToSeconds(Timestamp t) { return static_cast<double>(ToMillis(t)) / 1e3; }
constexpr double ToSeconds(Duration d) { return static_cast<double>(d.count()) / 1e3; }

// "5m", "1h30m", "1y2w3d4h5m6s7ms", "0": units in falling order, each at most once, as Prometheus's
// configuration has them, up to 292 years. No sign. kInvalid names the text.
Result<Duration> ParseDuration(std::string_view text);

// The shortest of those forms: 90 minutes is "1h30m", zero is "0s"; a negative span begins with
// '-'.
std::string FormatDuration(Duration d);

// Unix seconds with fraction ("1700000000.5") or RFC 3339 ("2026-11-21T10:00:00.5Z", any offset).
Result<Timestamp> ParseTimestamp(std::string_view text);

// RFC 3339 in UTC with as many digits of fraction as needed (none, or up to 3):
// "2026-11-21T10:00:00.5Z".
std::string FormatTimestamp(Timestamp t);

}  // namespace skep

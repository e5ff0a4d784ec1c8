// Functions that change each value of an instant vector by itself.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace skep::oracle {

// A value of function `name`: mathematics, parts of dates, clamp, clamp_min, clamp_max, round,
// sgn, deg, rad. `scalars`: its other arguments in order. Empty: the element goes.
// Requires: IsValueFunction(name).
std::optional<double> OfValue(std::string_view name, double value,
                              const std::vector<double>& scalars);

bool IsValueFunction(std::string_view name);
// year, month, day_of_month, …: seconds since 1970 to a part of the date in UTC.
bool IsDateFunction(std::string_view name);

}  // namespace skep::oracle

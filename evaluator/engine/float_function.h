// Functions of one float: abs, ln, sin, round, clamp, the parts of a date.
#pragma once

#include <optional>

#include "evaluator/promql/function.h"

namespace skep::engine {

// f(value). Null for functions that are not of this kind.
using FloatFunction = double (*)(double value);
FloatFunction FindFloatFunction(promql::FunctionId id);

// A part of the UTC date of `seconds` since 1970. Null for other functions.
using DateFunction = double (*)(double seconds);
DateFunction FindDateFunction(promql::FunctionId id);

// Ties up.
double RoundTo(double value, double to_nearest);
// Requires: low <= high or one of them NaN.
double Clamp(double value, double low, double high);

}  // namespace skep::engine

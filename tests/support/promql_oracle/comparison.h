// Two answers of one query, side by side.
#pragma once

#include <string>

#include "evaluator/promql/value.h"

namespace skep::oracle {

// What the first difference is, for a person; "" where there is none. Numbers are equal if they are
// within 1e-9 of the larger one, or both NaN; of histograms, of the largest number in both. The
// order of series does not count, nor do buckets that count nothing.
std::string Difference(const promql::Value& engine, const promql::Value& oracle);

}  // namespace skep::oracle

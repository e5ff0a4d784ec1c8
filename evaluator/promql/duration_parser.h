// Durations of ranges, steps and offsets: plain ones and, behind an option, arithmetic over them.
// For the parser of this folder only.
#pragma once

#include <string_view>

#include "common/base/time.h"
#include "evaluator/promql/token_reader.h"

namespace skep::promql {

// What stands in brackets. A plain duration there is above 0. `context` and `expected` are for the
// message where none begins here.
DurationExprPtr ParseDurationInBrackets(TokenReader& tokens, std::string_view context,
                                        std::string_view expected);

// Behind `offset` arithmetic needs parentheses: `foo offset 1m + 2` adds 2 to the vector.
DurationExprPtr ParseOffsetDuration(TokenReader& tokens);

// A plain one becomes `fixed`, arithmetic stays an expression.
void SetDuration(DurationExprPtr from, Duration& fixed, DurationExprPtr& expr);

}  // namespace skep::promql

// Calls of functions and aggregations. For the parser of this folder only.
#pragma once

#include "evaluator/promql/token_reader.h"

namespace skep::promql {

// Whether the present token and the next begin one: `rate(`, `sum(`, `sum by`.
bool AtCall(const TokenReader& tokens);
bool AtAggregate(const TokenReader& tokens);

// Requires: AtCall.
ExprPtr ParseCall(TokenReader& tokens);
// Requires: AtAggregate.
ExprPtr ParseAggregate(TokenReader& tokens);

}  // namespace skep::promql

// Brackets behind an expression: ranges and subqueries. For the parser of this folder only.
#pragma once

#include "evaluator/promql/token_reader.h"

namespace skep::promql {

// [range] or [range:step] behind `expr`, which becomes part of the result. Requires: the present
// token is the bracket.
ExprPtr ParseBrackets(TokenReader& tokens, ExprPtr expr);

}  // namespace skep::promql

// Expressions: operators, parentheses and what stands between them. For the parser of this folder
// only.
#pragma once

#include "evaluator/promql/token_reader.h"

namespace skep::promql {

// The longest expression that begins at the present token. Its types are not checked.
ExprPtr ParseExpression(TokenReader& tokens);

}  // namespace skep::promql

// What stands behind a selector or subquery: offset, @, anchored, smoothed. For the parser of this
// folder only.
#pragma once

#include "evaluator/promql/token_reader.h"

namespace skep::promql {

// Each reads its modifier, the word (or @) being the present token, and sets it in `expr`, whose
// position then ends with it. Fails where `expr` cannot carry it or has it already.
void ParseOffset(TokenReader& tokens, Expr& expr);
void ParseAt(TokenReader& tokens, Expr& expr);
void ParseExtendedRange(TokenReader& tokens, Expr& expr);

}  // namespace skep::promql

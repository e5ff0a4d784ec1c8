// How tightly binary operators bind. For the parser of this folder only.
#pragma once

#include <optional>

#include "evaluator/promql/ast.h"
#include "evaluator/promql/lexer.h"

namespace skep::promql {

struct OperatorRow {
  BinaryOp op;
  int precedence;  // higher binds tighter
};

constexpr int kUnaryPrecedence = 5;

// The operator that the token is, if it is one.
std::optional<OperatorRow> FindOperator(const Token& token);

}  // namespace skep::promql

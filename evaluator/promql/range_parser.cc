#include "evaluator/promql/range_parser.h"

#include <cstdint>
#include <memory>
#include <utility>

#include "evaluator/promql/duration_parser.h"

namespace skep::promql {
namespace {

ExprPtr MakeMatrix(TokenReader& tokens, ExprPtr expr, DurationExprPtr range, PosRange brackets) {
  auto* const selector = As<VectorSelector>(*expr);
  if (!selector) {
    tokens.Fail(brackets, "ranges only allowed for vector selectors");
  } else if (selector->modifiers.offset != Duration{0} || selector->modifiers.offset_expr) {
    tokens.Fail(brackets, "no offset modifiers allowed before range");
  } else if (selector->modifiers.at != AtKind::kNone) {
    tokens.Fail(brackets, "no @ modifiers allowed before range");
  }
  if (tokens.failed()) return nullptr;
  auto matrix = std::make_unique<MatrixSelector>();
  matrix->vector.reset(static_cast<VectorSelector*>(expr.release()));
  SetDuration(std::move(range), matrix->range, matrix->range_expr);
  const std::uint32_t start = matrix->vector->position.start;
  return tokens.Finish(std::move(matrix), start, 1);
}

ExprPtr ParseSubquery(TokenReader& tokens, ExprPtr expr, DurationExprPtr range) {
  tokens.Take();
  auto subquery = std::make_unique<Subquery>();
  SetDuration(std::move(range), subquery->range, subquery->range_expr);
  if (tokens.Now().kind != TokenKind::kRightBracket) {
    DurationExprPtr step = ParseDurationInBrackets(tokens, "subquery selector",
                                                   "number, duration, step(), range(), or \"]\"");
    if (!step) return nullptr;
    SetDuration(std::move(step), subquery->step, subquery->step_expr);
  }
  if (!tokens.TakeIf(TokenKind::kRightBracket)) {
    tokens.Unexpected("subquery selector", "\"]\"");
    return nullptr;
  }
  const std::uint32_t start = expr->position.start;
  const std::uint32_t below = expr->height;
  subquery->expr = std::move(expr);
  return tokens.Finish(std::move(subquery), start, below);
}

}  // namespace

ExprPtr ParseBrackets(TokenReader& tokens, ExprPtr expr) {
  const Token open = tokens.Take();
  DurationExprPtr range = ParseDurationInBrackets(tokens, "subquery or range selector",
                                                  "number, duration, step(), or range()");
  if (!range) return nullptr;
  if (tokens.Now().kind == TokenKind::kColon) {
    return ParseSubquery(tokens, std::move(expr), std::move(range));
  }
  if (!tokens.TakeIf(TokenKind::kRightBracket)) {
    tokens.Unexpected("subquery or range", "\":\" or \"]\"");
    return nullptr;
  }
  return MakeMatrix(tokens, std::move(expr), std::move(range), {open.start, tokens.last_end()});
}

}  // namespace skep::promql

#include "evaluator/promql/expression_parser.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "evaluator/promql/call_parser.h"
#include "evaluator/promql/literal_parser.h"
#include "evaluator/promql/matching_parser.h"
#include "evaluator/promql/modifier_parser.h"
#include "evaluator/promql/operator_precedence.h"
#include "evaluator/promql/range_parser.h"
#include "evaluator/promql/selector_parser.h"

namespace skep::promql {
namespace {

// Operators from `least` up; those that bind looser are left to the caller.
ExprPtr ParseBinary(TokenReader& tokens, int least);

ExprPtr ParseParen(TokenReader& tokens) {
  const std::uint32_t start = tokens.Take().start;
  auto paren = std::make_unique<Paren>();
  paren->expr = ParseExpression(tokens);
  if (!paren->expr) return nullptr;
  if (!tokens.TakeIf(TokenKind::kRightParen)) {
    tokens.Unexpected();
    return nullptr;
  }
  const std::uint32_t below = paren->expr->height;
  return tokens.Finish(std::move(paren), start, below);
}

ExprPtr ParsePrimary(TokenReader& tokens) {
  const TokenKind kind = tokens.Now().kind;
  if (kind == TokenKind::kNumber || kind == TokenKind::kDuration) return ParseNumberLiteral(tokens);
  if (kind == TokenKind::kString) return ParseStringLiteral(tokens);
  if (kind == TokenKind::kLeftParen) return ParseParen(tokens);
  if (AtAggregate(tokens)) return ParseAggregate(tokens);
  if (AtCall(tokens)) return ParseCall(tokens);
  return ParseVectorSelector(tokens);
}

ExprPtr ParsePostfix(TokenReader& tokens) {
  ExprPtr expr = ParsePrimary(tokens);
  while (expr && !tokens.failed()) {
    if (tokens.Now().kind == TokenKind::kLeftBracket) {
      expr = ParseBrackets(tokens, std::move(expr));
    } else if (tokens.Now().kind == TokenKind::kAt) {
      ParseAt(tokens, *expr);
    } else if (tokens.IsWord(Keyword::kOffset)) {
      ParseOffset(tokens, *expr);
    } else if (tokens.IsWord(Keyword::kAnchored) || tokens.IsWord(Keyword::kSmoothed)) {
      ParseExtendedRange(tokens, *expr);
    } else {
      break;
    }
  }
  return tokens.failed() ? nullptr : std::move(expr);
}

ExprPtr ParseUnary(TokenReader& tokens) {
  const Token op = tokens.Now();
  if (op.kind != TokenKind::kAdd && op.kind != TokenKind::kSub) return ParsePostfix(tokens);
  tokens.Take();
  ExprPtr expr = ParseBinary(tokens, kUnaryPrecedence + 1);
  if (!expr) return nullptr;
  if (auto* number = As<NumberLiteral>(*expr)) {
    if (op.kind == TokenKind::kSub) number->value = -number->value;
    number->position.start = op.start;
    return expr;
  }
  auto unary = std::make_unique<Unary>();
  unary->negative = op.kind == TokenKind::kSub;
  const std::uint32_t below = expr->height;
  const std::uint32_t end = expr->position.end;
  unary->expr = std::move(expr);
  unary = tokens.Finish(std::move(unary), op.start, below);
  if (unary) unary->position.end = end;
  return unary;
}

ExprPtr ParseBinary(TokenReader& tokens, int least) {
  ExprPtr left = tokens.Descend() ? ParseUnary(tokens) : nullptr;
  while (left) {
    const std::optional<OperatorRow> row = FindOperator(tokens.Now());
    if (!row || row->precedence < least) break;
    tokens.Take();
    auto binary = std::make_unique<Binary>();
    binary->op = row->op;
    binary->left = std::move(left);
    if (!ParseBinaryModifiers(tokens, *binary)) break;
    // All operators lean left, only ^ leans right.
    binary->right = ParseBinary(tokens, row->precedence + (row->op == BinaryOp::kPow ? 0 : 1));
    if (!binary->right) break;
    const std::uint32_t start = binary->left->position.start;
    const std::uint32_t below = std::max(binary->left->height, binary->right->height);
    const std::uint32_t end = binary->right->position.end;
    left = tokens.Finish(std::move(binary), start, below);
    if (left) left->position.end = end;
  }
  tokens.Ascend();
  return tokens.failed() ? nullptr : std::move(left);
}

}  // namespace

ExprPtr ParseExpression(TokenReader& tokens) { return ParseBinary(tokens, 0); }

}  // namespace skep::promql

#include "evaluator/promql/operator_precedence.h"

namespace skep::promql {
namespace {

std::optional<OperatorRow> FindSymbol(TokenKind kind) {
  switch (kind) {
    case TokenKind::kAdd:
      return OperatorRow{BinaryOp::kAdd, 4};
    case TokenKind::kSub:
      return OperatorRow{BinaryOp::kSub, 4};
    case TokenKind::kMul:
      return OperatorRow{BinaryOp::kMul, 5};
    case TokenKind::kDiv:
      return OperatorRow{BinaryOp::kDiv, 5};
    case TokenKind::kMod:
      return OperatorRow{BinaryOp::kMod, 5};
    case TokenKind::kPow:
      return OperatorRow{BinaryOp::kPow, 6};
    case TokenKind::kTrimUpper:
      return OperatorRow{BinaryOp::kTrimUpper, 3};
    case TokenKind::kTrimLower:
      return OperatorRow{BinaryOp::kTrimLower, 3};
    case TokenKind::kEqual:
      return OperatorRow{BinaryOp::kEqual, 3};
    case TokenKind::kNotEqual:
      return OperatorRow{BinaryOp::kNotEqual, 3};
    case TokenKind::kLess:
      return OperatorRow{BinaryOp::kLess, 3};
    case TokenKind::kLessEqual:
      return OperatorRow{BinaryOp::kLessEqual, 3};
    case TokenKind::kGreater:
      return OperatorRow{BinaryOp::kGreater, 3};
    case TokenKind::kGreaterEqual:
      return OperatorRow{BinaryOp::kGreaterEqual, 3};
    case TokenKind::kEnd:
    case TokenKind::kError:
    case TokenKind::kIdentifier:
    case TokenKind::kMetricIdentifier:
    case TokenKind::kNumber:
    case TokenKind::kDuration:
    case TokenKind::kString:
    case TokenKind::kLeftParen:
    case TokenKind::kRightParen:
    case TokenKind::kLeftBrace:
    case TokenKind::kRightBrace:
    case TokenKind::kLeftBracket:
    case TokenKind::kRightBracket:
    case TokenKind::kComma:
    case TokenKind::kColon:
    case TokenKind::kAssign:
    case TokenKind::kRegexMatch:
    case TokenKind::kRegexNotMatch:
    case TokenKind::kAt:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<OperatorRow> FindWord(Keyword keyword) {
  if (keyword == Keyword::kAtan2) return OperatorRow{BinaryOp::kAtan2, 5};
  if (keyword == Keyword::kAnd) return OperatorRow{BinaryOp::kAnd, 2};
  if (keyword == Keyword::kUnless) return OperatorRow{BinaryOp::kUnless, 2};
  if (keyword == Keyword::kOr) return OperatorRow{BinaryOp::kOr, 1};
  return std::nullopt;
}

}  // namespace

std::optional<OperatorRow> FindOperator(const Token& token) {
  const std::optional<OperatorRow> symbol = FindSymbol(token.kind);
  return symbol ? symbol : FindWord(token.keyword);
}

}  // namespace skep::promql

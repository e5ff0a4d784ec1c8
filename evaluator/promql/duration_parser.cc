#include "evaluator/promql/duration_parser.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "evaluator/promql/literal_parser.h"
#include "evaluator/promql/operator_precedence.h"

namespace skep::promql {
namespace {

// A Prometheus duration is nanoseconds in 64 bits.
constexpr double kMaxDurationSeconds = 9223372036.854775807;

// The operator among durations that the token is, if it is one, and how tightly it binds.
std::optional<DurationOp> FindDurationOperator(const Token& token, int& precedence) {
  const std::optional<OperatorRow> row = FindOperator(token);
  if (!row) return std::nullopt;
  precedence = row->precedence;
  switch (row->op) {
    case BinaryOp::kAdd:
      return DurationOp::kAdd;
    case BinaryOp::kSub:
      return DurationOp::kSub;
    case BinaryOp::kMul:
      return DurationOp::kMul;
    case BinaryOp::kDiv:
      return DurationOp::kDiv;
    case BinaryOp::kMod:
      return DurationOp::kMod;
    case BinaryOp::kPow:
      return DurationOp::kPow;
    case BinaryOp::kAtan2:
    case BinaryOp::kTrimUpper:
    case BinaryOp::kTrimLower:
    case BinaryOp::kEqual:
    case BinaryOp::kNotEqual:
    case BinaryOp::kLess:
    case BinaryOp::kLessEqual:
    case BinaryOp::kGreater:
    case BinaryOp::kGreaterEqual:
    case BinaryOp::kAnd:
    case BinaryOp::kOr:
    case BinaryOp::kUnless:
      return std::nullopt;
  }
  return std::nullopt;
}

bool BeginsDuration(const Token& token) {
  return token.kind == TokenKind::kNumber || token.kind == TokenKind::kDuration ||
         token.kind == TokenKind::kAdd || token.kind == TokenKind::kSub ||
         token.kind == TokenKind::kLeftParen || token.keyword >= Keyword::kStep;
}

DurationOp DurationCallOp(Keyword keyword) {
  if (keyword == Keyword::kRange) return DurationOp::kRange;
  if (keyword == Keyword::kMinOf) return DurationOp::kMin;
  if (keyword == Keyword::kMaxOf) return DurationOp::kMax;
  return DurationOp::kStep;
}

// One duration. Its nodes are counted, so there is one object for each.
class DurationParser {
 public:
  explicit DurationParser(TokenReader& tokens) : tokens_(tokens) {}

  DurationExprPtr ParseBinary(int least) {
    DurationExprPtr left = tokens_.Descend() ? ParseUnary(true) : nullptr;
    while (left) {
      int precedence = 0;
      const std::optional<DurationOp> op = FindDurationOperator(tokens_.Now(), precedence);
      if (!op || precedence < least) break;
      const Token token = tokens_.Now();
      if (!Allow(left->position)) break;
      tokens_.Take();
      DurationExprPtr right = ParseBinary(precedence + (*op == DurationOp::kPow ? 0 : 1));
      if (!right) break;
      if ((*op == DurationOp::kDiv || *op == DurationOp::kMod) &&
          right->op == DurationOp::kLiteral && right->seconds == 0) {
        tokens_.Fail(Place(token), *op == DurationOp::kDiv ? "division by zero" : "modulo by zero");
        break;
      }
      const std::uint32_t start = left->position.start;
      left = Make(*op, std::move(left), std::move(right), start);
    }
    tokens_.Ascend();
    return tokens_.failed() ? nullptr : std::move(left);
  }

  DurationExprPtr ParseUnary(bool power_binds_tighter) {
    const Token sign = tokens_.Now();
    if (sign.kind != TokenKind::kAdd && sign.kind != TokenKind::kSub) return ParsePrimary();
    tokens_.Take();
    DurationExprPtr inner =
        power_binds_tighter ? ParseBinary(kUnaryPrecedence + 1) : ParsePrimary();
    if (!inner) return nullptr;
    if (inner->op != DurationOp::kLiteral) {
      if (sign.kind == TokenKind::kAdd) return inner;
      return Make(DurationOp::kSub, nullptr, std::move(inner), sign.start);
    }
    if (sign.kind == TokenKind::kSub) inner->seconds = -inner->seconds;
    inner->position.start = sign.start;
    return inner;
  }

 private:
  bool Allow(PosRange place) {
    if (tokens_.options().duration_expressions) return true;
    tokens_.Fail(place, "experimental duration expression is not enabled");
    return false;
  }

  DurationExprPtr Make(DurationOp op, DurationExprPtr left, DurationExprPtr right,
                       std::uint32_t start) {
    auto duration = std::make_unique<DurationExpr>();
    duration->op = op;
    duration->left = std::move(left);
    duration->right = std::move(right);
    duration->position = {start, tokens_.last_end()};
    // Chains lean left and grow deep without recursion here, so nodes are counted, not levels.
    if (!tokens_.Enter(++nodes_)) return nullptr;
    return duration;
  }

  DurationExprPtr ParsePrimary() {
    const Token token = tokens_.Now();
    if (token.kind == TokenKind::kLeftParen) return ParseParen();
    if (token.keyword >= Keyword::kStep) return ParseCall();
    const std::optional<double> seconds = ParseNumber(tokens_);
    if (!seconds) {
      tokens_.Unexpected("duration", "number, duration, step(), or range()");
      return nullptr;
    }
    if (!(std::abs(*seconds) <= kMaxDurationSeconds)) {
      tokens_.Fail(Place(token), "duration out of range");
      return nullptr;
    }
    DurationExprPtr literal = Make(DurationOp::kLiteral, nullptr, nullptr, token.start);
    if (!literal) return nullptr;
    literal->seconds = *seconds;
    literal->written_as_duration = token.kind == TokenKind::kDuration;
    return literal;
  }

  DurationExprPtr ParseParen() {
    const Token open = tokens_.Take();
    if (!Allow(Place(open))) return nullptr;
    DurationExprPtr inner = ParseBinary(0);
    if (!inner) return nullptr;
    if (!tokens_.TakeIf(TokenKind::kRightParen)) {
      tokens_.Unexpected();
      return nullptr;
    }
    inner->parenthesised = inner->op != DurationOp::kLiteral;
    inner->position = {open.start, tokens_.last_end()};
    return inner;
  }

  // step(), range(), min_of(a, b), max_of(a, b)
  DurationExprPtr ParseCall() {
    const Token name = tokens_.Take();
    if (!Allow(Place(name))) return nullptr;
    const bool two = name.keyword == Keyword::kMinOf || name.keyword == Keyword::kMaxOf;
    DurationExprPtr left, right;
    bool good = tokens_.TakeIf(TokenKind::kLeftParen);
    if (good && two) {
      left = ParseBinary(0);
      good = left && tokens_.TakeIf(TokenKind::kComma);
      if (good) right = ParseBinary(0);
      good = good && right;
    }
    if (!good || !tokens_.TakeIf(TokenKind::kRightParen)) {
      tokens_.Unexpected();
      return nullptr;
    }
    return Make(DurationCallOp(name.keyword), std::move(left), std::move(right), name.start);
  }

  TokenReader& tokens_;
  std::size_t nodes_ = 0;
};

}  // namespace

DurationExprPtr ParseDurationInBrackets(TokenReader& tokens, std::string_view context,
                                        std::string_view expected) {
  if (!BeginsDuration(tokens.Now())) {
    tokens.Unexpected(context, expected);
    return nullptr;
  }
  DurationExprPtr duration = DurationParser(tokens).ParseBinary(0);
  if (duration && duration->op == DurationOp::kLiteral && !(duration->seconds > 0)) {
    tokens.Fail(duration->position, "duration must be greater than 0");
  }
  return tokens.failed() ? nullptr : std::move(duration);
}

DurationExprPtr ParseOffsetDuration(TokenReader& tokens) {
  if (!BeginsDuration(tokens.Now())) {
    tokens.Unexpected("offset", "number, duration, step(), or range()");
    return nullptr;
  }
  return DurationParser(tokens).ParseUnary(/*power_binds_tighter=*/false);
}

void SetDuration(DurationExprPtr from, Duration& fixed, DurationExprPtr& expr) {
  if (from->op == DurationOp::kLiteral) {
    // Prometheus rounds to nanoseconds, then cuts to milliseconds.
    const double nanos = std::round(from->seconds * 1e9);
    fixed = Duration{static_cast<std::int64_t>(nanos / 1e6)};
  } else {
    expr = std::move(from);
  }
}

}  // namespace skep::promql

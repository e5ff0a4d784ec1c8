#include "evaluator/promql/call_parser.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/quote.h"
#include "evaluator/promql/expression_parser.h"
#include "evaluator/promql/matching_parser.h"
#include "evaluator/promql/selector_parser.h"

namespace skep::promql {
namespace {

bool BeginsExpr(const Token& token) {
  return token.kind == TokenKind::kNumber || token.kind == TokenKind::kDuration ||
         token.kind == TokenKind::kString || token.kind == TokenKind::kLeftParen ||
         token.kind == TokenKind::kLeftBrace || token.kind == TokenKind::kAdd ||
         token.kind == TokenKind::kSub || IsMetricName(token);
}

// ( expr, expr ): false where failed.
bool ParseArguments(TokenReader& tokens, std::vector<ExprPtr>& arguments) {
  if (!tokens.TakeIf(TokenKind::kLeftParen)) {
    tokens.Unexpected();
    return false;
  }
  if (tokens.TakeIf(TokenKind::kRightParen)) return true;
  while (true) {
    arguments.push_back(ParseExpression(tokens));
    if (tokens.failed()) return false;
    if (tokens.TakeIf(TokenKind::kRightParen)) return true;
    const Token comma = tokens.Now();
    if (!tokens.TakeIf(TokenKind::kComma)) {
      tokens.Unexpected();
      return false;
    }
    if (tokens.Now().kind != TokenKind::kError && !BeginsExpr(tokens.Now())) {
      tokens.Fail(Place(comma), "trailing commas not allowed in function call args");
      return false;
    }
  }
}

std::uint32_t Highest(const std::vector<ExprPtr>& list) {
  std::uint32_t height = 0;
  for (const ExprPtr& expr : list) height = std::max(height, expr->height);
  return height;
}

bool AtAggregateModifier(const TokenReader& tokens) {
  return tokens.IsWord(Keyword::kBy) || tokens.IsWord(Keyword::kWithout);
}

bool ParseAggregateModifier(TokenReader& tokens, Aggregate& aggregate) {
  aggregate.without = tokens.Take().keyword == Keyword::kWithout;
  return ParseGroupingLabels(tokens, aggregate.grouping);
}

bool TakeAggregateArguments(TokenReader& tokens, Aggregate& aggregate,
                            std::vector<ExprPtr>& arguments, const Token& name) {
  const bool experimental =
      aggregate.op == AggregateOp::kLimitk || aggregate.op == AggregateOp::kLimitRatio;
  const std::size_t want = TakesParameter(aggregate.op) ? 2 : 1;
  if (arguments.empty()) {
    tokens.Fail(Place(name), "no arguments for aggregate expression provided");
  } else if (experimental && !tokens.options().experimental_functions) {
    tokens.Fail(Place(name), std::string(AggregateOpName(aggregate.op)) +
                                 "() is experimental and must be enabled with "
                                 "--enable-feature=promql-experimental-functions");
  } else if (arguments.size() != want) {
    tokens.Fail(Place(name),
                "wrong number of arguments for aggregate expression provided, expected " +
                    std::to_string(want) + ", got " + std::to_string(arguments.size()));
  }
  if (tokens.failed()) return false;
  aggregate.expr = std::move(arguments.back());
  if (want == 2) aggregate.parameter = std::move(arguments.front());
  return true;
}

}  // namespace

bool AtCall(const TokenReader& tokens) {
  const Token& token = tokens.Now();
  // Words from kStart on name a function as well.
  return token.kind == TokenKind::kIdentifier && tokens.Ahead().kind == TokenKind::kLeftParen &&
         (token.keyword == Keyword::kNone || token.keyword >= Keyword::kStart);
}

bool AtAggregate(const TokenReader& tokens) {
  const Token& token = tokens.Now();
  const Token& next = tokens.Ahead();
  return token.kind == TokenKind::kIdentifier && token.keyword >= Keyword::kSum &&
         token.keyword <= Keyword::kLimitRatio &&
         (next.kind == TokenKind::kLeftParen || next.keyword == Keyword::kBy ||
          next.keyword == Keyword::kWithout);
}

ExprPtr ParseCall(TokenReader& tokens) {
  const Token name = tokens.Take();
  auto call = std::make_unique<Call>();
  if (!ParseArguments(tokens, call->arguments)) return nullptr;
  // A function's name is not folded: RATE() is unknown, as in Prometheus.
  call->function = FindFunction(tokens.Text(name));
  if (!call->function) {
    tokens.Fail(Place(name), "unknown function with name " + Quote(tokens.Text(name)));
    return nullptr;
  }
  if (call->function->experimental && !tokens.options().experimental_functions) {
    tokens.Fail(Place(name), "function " + Quote(tokens.Text(name)) + " is not enabled");
    return nullptr;
  }
  const std::uint32_t below = Highest(call->arguments);
  return tokens.Finish(std::move(call), name.start, below);
}

ExprPtr ParseAggregate(TokenReader& tokens) {
  const Token name = tokens.Take();
  const bool outer = tokens.SetInAggregation(true);
  auto aggregate = std::make_unique<Aggregate>();
  aggregate->op =
      static_cast<AggregateOp>(static_cast<int>(name.keyword) - static_cast<int>(Keyword::kSum));
  std::vector<ExprPtr> arguments;
  const bool before = AtAggregateModifier(tokens);
  const bool good =
      (!before || ParseAggregateModifier(tokens, *aggregate)) &&
      ParseArguments(tokens, arguments) &&
      (before || !AtAggregateModifier(tokens) || ParseAggregateModifier(tokens, *aggregate));
  // Prometheus has looked one token ahead for `by` when it counts the arguments.
  if (good && tokens.Now().kind == TokenKind::kError) tokens.Unexpected();
  tokens.SetInAggregation(outer);
  if (tokens.failed() || !TakeAggregateArguments(tokens, *aggregate, arguments, name)) {
    return nullptr;
  }
  const std::uint32_t below =
      std::max(aggregate->expr->height, aggregate->parameter ? aggregate->parameter->height : 0U);
  return tokens.Finish(std::move(aggregate), name.start, below);
}

}  // namespace skep::promql

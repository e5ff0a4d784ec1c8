#include "evaluator/promql/matching_parser.h"

#include <optional>
#include <string_view>
#include <utility>

#include "common/base/quote.h"
#include "common/model/labels.h"
#include "evaluator/promql/literal_parser.h"

namespace skep::promql {
namespace {

bool ParseGroupingLabel(TokenReader& tokens, std::vector<std::string>& labels) {
  const Token token = tokens.Now();
  if (token.kind == TokenKind::kIdentifier || token.kind == TokenKind::kMetricIdentifier) {
    labels.emplace_back(tokens.Text(tokens.Take()));
    return true;
  }
  if (token.kind != TokenKind::kString) {
    tokens.Unexpected("grouping opts", "label");
    return false;
  }
  labels.push_back(Unquoted(tokens, tokens.Take()));
  if (!IsUtf8Name(labels.back())) {
    tokens.Fail(Place(token), "invalid label name for grouping: " + Quote(labels.back()));
  }
  return !tokens.failed();
}

std::optional<double> ParseFillValue(TokenReader& tokens) {
  tokens.Take();  // the parenthesis: without it the lexer sees a name
  const std::optional<double> value = ParseSignedNumber(tokens);
  if (!value || !tokens.TakeIf(TokenKind::kRightParen)) {
    tokens.Unexpected("fill", value ? "\")\"" : "number");
  }
  return tokens.failed() ? std::nullopt : value;
}

bool ParseFill(TokenReader& tokens, VectorMatching& matching) {
  const Keyword first = tokens.Now().keyword;
  if (first < Keyword::kFill || first > Keyword::kFillRight) return true;
  if (!tokens.options().binop_fill_modifiers) {
    tokens.Fail(Place(tokens.Now()), "binop fill modifiers are experimental and not enabled");
    return false;
  }
  tokens.Take();
  const std::optional<double> value = ParseFillValue(tokens);
  if (!value) return false;
  if (first != Keyword::kFillRight) matching.fill_left = value;
  if (first != Keyword::kFillLeft) matching.fill_right = value;
  const Keyword other = first == Keyword::kFillLeft ? Keyword::kFillRight : Keyword::kFillLeft;
  if (first == Keyword::kFill || !tokens.IsWord(other)) return true;
  tokens.Take();
  (other == Keyword::kFillLeft ? matching.fill_left : matching.fill_right) = ParseFillValue(tokens);
  return !tokens.failed();
}

}  // namespace

bool ParseGroupingLabels(TokenReader& tokens, std::vector<std::string>& labels) {
  constexpr std::string_view kContext = "grouping opts";
  if (!tokens.TakeIf(TokenKind::kLeftParen)) {
    tokens.Unexpected(kContext, "\"(\"");
    return false;
  }
  while (!tokens.TakeIf(TokenKind::kRightParen)) {
    if (!ParseGroupingLabel(tokens, labels)) return false;
    if (tokens.Now().kind == TokenKind::kRightParen) continue;
    if (!tokens.TakeIf(TokenKind::kComma)) {
      tokens.Unexpected(kContext, "\",\" or \")\"");
      return false;
    }
  }
  return true;
}

bool ParseBinaryModifiers(TokenReader& tokens, Binary& binary) {
  VectorMatching matching;
  if (tokens.IsWord(Keyword::kBool)) {
    tokens.Take();
    binary.return_bool = true;
  }
  if (tokens.IsWord(Keyword::kOn) || tokens.IsWord(Keyword::kIgnoring)) {
    matching.on = tokens.Take().keyword == Keyword::kOn;
    if (!ParseGroupingLabels(tokens, matching.labels)) return false;
    if (tokens.IsWord(Keyword::kGroupLeft) || tokens.IsWord(Keyword::kGroupRight)) {
      matching.cardinality = tokens.Take().keyword == Keyword::kGroupLeft ? Cardinality::kManyToOne
                                                                          : Cardinality::kOneToMany;
      if (tokens.Now().kind == TokenKind::kLeftParen &&
          !ParseGroupingLabels(tokens, matching.include)) {
        return false;
      }
    }
  }
  if (!ParseFill(tokens, matching)) return false;
  binary.matching = std::move(matching);
  return true;
}

}  // namespace skep::promql

#include "evaluator/promql/selector_parser.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/model/matcher.h"
#include "evaluator/promql/literal_parser.h"

namespace skep::promql {
namespace {

// No series has a longer name or value: rules and functions refuse to make one.
constexpr std::size_t kLongestLabel = 262'144;

// Words that can only be a label, never the name of a metric.
bool IsReserved(Keyword keyword) {
  return keyword == Keyword::kAtan2 || keyword == Keyword::kBool || keyword == Keyword::kOn ||
         keyword == Keyword::kIgnoring || keyword == Keyword::kGroupLeft ||
         keyword == Keyword::kGroupRight;
}

std::optional<MatchType> FindMatchType(TokenKind kind) {
  if (kind == TokenKind::kAssign) return MatchType::kEqual;
  if (kind == TokenKind::kNotEqual) return MatchType::kNotEqual;
  if (kind == TokenKind::kRegexMatch) return MatchType::kRegex;
  if (kind == TokenKind::kRegexNotMatch) return MatchType::kNotRegex;
  return std::nullopt;
}

bool ParseMatcher(TokenReader& tokens, std::vector<Matcher>& matchers) {
  constexpr std::string_view kContext = "label matching";
  const Token name = tokens.Now();
  if (name.kind != TokenKind::kIdentifier && name.kind != TokenKind::kString) {
    tokens.Unexpected(kContext, "identifier or \"}\"");
    return false;
  }
  tokens.Take();
  const std::string label =
      name.kind == TokenKind::kString ? Unquoted(tokens, name) : std::string(tokens.Text(name));
  if (tokens.failed()) return false;
  const std::optional<MatchType> type = FindMatchType(tokens.Now().kind);
  if (!type) {
    if (name.kind == TokenKind::kString) {  // {"my.metric"}
      matchers.push_back(Matcher::Equal(kMetricName, label));
      return true;
    }
    tokens.Unexpected(kContext, "label matching operator");
    return false;
  }
  tokens.Take();
  if (tokens.Now().kind != TokenKind::kString) {
    tokens.Unexpected(kContext, "string");
    return false;
  }
  const std::string value = Unquoted(tokens, tokens.Take());
  if (tokens.failed()) return false;
  if (std::max(label.size(), value.size()) > kLongestLabel) {
    tokens.Fail(Place(name),
                "label matcher longer than " + std::to_string(kLongestLabel) + " bytes");
    return false;
  }
  Result<Matcher> matcher = Matcher::Create(*type, label, value);
  if (!matcher) {
    tokens.Fail(Place(name), matcher.error().message());
    return false;
  }
  matchers.push_back(*std::move(matcher));
  return true;
}

bool ParseMatchers(TokenReader& tokens, std::vector<Matcher>& matchers) {
  tokens.Take();
  while (!tokens.TakeIf(TokenKind::kRightBrace)) {
    if (!ParseMatcher(tokens, matchers)) return false;
    if (tokens.Now().kind == TokenKind::kRightBrace) continue;
    if (!tokens.TakeIf(TokenKind::kComma)) {
      tokens.Unexpected("label matching", "\",\" or \"}\"");
      return false;
    }
  }
  return true;
}

}  // namespace

bool IsMetricName(const Token& token) {
  return token.kind == TokenKind::kMetricIdentifier ||
         (token.kind == TokenKind::kIdentifier && !IsReserved(token.keyword));
}

std::unique_ptr<VectorSelector> ParseVectorSelector(TokenReader& tokens) {
  const std::uint32_t start = tokens.Now().start;
  auto selector = std::make_unique<VectorSelector>();
  if (IsMetricName(tokens.Now())) {
    selector->name = tokens.Text(tokens.Take());
  } else if (tokens.Now().kind != TokenKind::kLeftBrace) {
    tokens.Unexpected();
    return nullptr;
  }
  if (tokens.Now().kind == TokenKind::kLeftBrace && !ParseMatchers(tokens, selector->matchers)) {
    return nullptr;
  }
  if (!selector->name.empty()) {
    selector->matchers.push_back(Matcher::Equal(kMetricName, selector->name));
  }
  return tokens.Finish(std::move(selector), start);
}

void ParseLabelSet(TokenReader& tokens, LabelsBuilder& labels) {
  constexpr std::string_view kContext = "label set";
  tokens.Take();
  while (!tokens.failed() && !tokens.TakeIf(TokenKind::kRightBrace)) {
    const Token name = tokens.Now();
    if (name.kind != TokenKind::kIdentifier && name.kind != TokenKind::kString) {
      return tokens.Unexpected(kContext, "identifier or \"}\"");
    }
    tokens.Take();
    const std::string label =
        name.kind == TokenKind::kString ? Unquoted(tokens, name) : std::string(tokens.Text(name));
    if (tokens.Now().kind == TokenKind::kAssign) {
      tokens.Take();
      if (tokens.Now().kind != TokenKind::kString) return tokens.Unexpected(kContext, "string");
      labels.Set(label, Unquoted(tokens, tokens.Take()));
    } else if (name.kind == TokenKind::kString) {
      labels.Set(kMetricName, label);
    } else {
      return tokens.Unexpected(kContext, "\"=\"");
    }
    if (tokens.Now().kind == TokenKind::kRightBrace || tokens.TakeIf(TokenKind::kComma)) continue;
    tokens.Unexpected(kContext, "\",\" or \"}\"");
  }
}

}  // namespace skep::promql

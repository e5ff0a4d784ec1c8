#include "evaluator/promql/literal_parser.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>

#include "common/base/number.h"
#include "common/base/quote.h"
#include "common/base/time.h"

namespace skep::promql {
namespace {

bool AllOctal(std::string_view digits) {
  return digits.size() > 1 && digits.front() == '0' &&
         digits.find_first_not_of("01234567") == std::string_view::npos;
}

// As Go reads a number: 0x1f, 0755 (octal), 1_000, 1e3, Inf.
std::optional<double> ReadNumber(std::string_view text) {
  std::string digits(text);
  std::erase(digits, '_');
  const bool hex = digits.size() > 1 && (digits[1] == 'x' || digits[1] == 'X');
  if (hex || AllOctal(digits)) {
    double value = 0;
    for (const char c : std::string_view(digits).substr(hex ? 2 : 1)) {
      const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
      value = value * (hex ? 16 : 8) + digit;
    }
    if (value > static_cast<double>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
    return value;
  }
  const std::optional<double> value = ParseDouble(digits);
  const bool overflow = value && std::isinf(*value) && digits.back() >= '0' && digits.back() <= '9';
  return overflow ? std::nullopt : value;
}

}  // namespace

std::optional<double> ParseNumber(TokenReader& tokens) {
  const Token token = tokens.Now();
  if (token.kind != TokenKind::kNumber && token.kind != TokenKind::kDuration) return std::nullopt;
  tokens.Take();
  if (token.kind == TokenKind::kNumber) {
    const std::optional<double> value = ReadNumber(tokens.Text(token));
    if (!value) {
      tokens.Fail(Place(token),
                  "error parsing number: " + Quote(tokens.Text(token)) + " is out of range");
    }
    return value;
  }
  const Result<Duration> duration = ParseDuration(tokens.Text(token));
  if (duration) return ToSeconds(*duration);
  tokens.Fail(Place(token), duration.error().message());
  return std::nullopt;
}

std::optional<double> ParseSignedNumber(TokenReader& tokens) {
  const bool negative = tokens.Now().kind == TokenKind::kSub;
  if (negative || tokens.Now().kind == TokenKind::kAdd) tokens.Take();
  const std::optional<double> value = ParseNumber(tokens);
  return value && negative ? -*value : value;
}

std::string Unquoted(TokenReader& tokens, const Token& token) {
  const std::string_view quoted = tokens.Text(token);
  const std::string_view inside = quoted.substr(1, quoted.size() - 2);
  if (quoted.front() == '`') return std::string(inside);
  Result<std::string> content = Unescape(inside);
  if (content) return *std::move(content);
  tokens.Fail(Place(token), content.error().message());
  return {};
}

ExprPtr ParseNumberLiteral(TokenReader& tokens) {
  const Token token = tokens.Now();
  const std::optional<double> value = ParseNumber(tokens);
  if (!value) return nullptr;
  auto literal = std::make_unique<NumberLiteral>();
  literal->value = *value;
  literal->written_as_duration = token.kind == TokenKind::kDuration;
  return tokens.Finish(std::move(literal), token.start);
}

ExprPtr ParseStringLiteral(TokenReader& tokens) {
  const Token token = tokens.Take();
  auto literal = std::make_unique<StringLiteral>();
  literal->value = Unquoted(tokens, token);
  if (tokens.failed()) return nullptr;
  return tokens.Finish(std::move(literal), token.start);
}

}  // namespace skep::promql

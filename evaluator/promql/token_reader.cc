#include "evaluator/promql/token_reader.h"

#include <algorithm>
#include <utility>

namespace skep::promql {
namespace {

// Positions are 32 bits wide, and no query comes near.
constexpr std::size_t kMaxTextBytes = 256UL << 20;

}  // namespace

TokenReader::TokenReader(std::string_view text, const ParseOptions& options)
    : text_(text), options_(options) {
  if (text.size() > kMaxTextBytes) {
    Fail({}, "query of " + std::to_string(text.size()) + " bytes is too long");
    tokens_.list.emplace_back();
    return;
  }
  tokens_ = Tokenize(text);
}

const Token& TokenReader::Ahead() const {
  return tokens_.list[std::min(at_ + 1, tokens_.list.size() - 1)];
}

const Token& TokenReader::Take() {
  const Token& token = Now();
  last_end_ = token.end;
  if (at_ + 1 < tokens_.list.size()) ++at_;
  return token;
}

bool TokenReader::TakeIf(TokenKind kind) {
  if (Now().kind != kind) return false;
  Take();
  return true;
}

void TokenReader::Fail(PosRange place, std::string message) {
  if (failed()) return;
  error_ = Invalid(FormatPosition(text_, place.start) + ": parse error: " + message);
}

void TokenReader::Unexpected(std::string_view context, std::string_view expected) {
  if (Now().kind == TokenKind::kError) return Fail(Place(Now()), tokens_.error);
  std::string message = "unexpected " + DescribeToken(Now(), text_);
  if (!context.empty()) message.append(" in ").append(context);
  if (!expected.empty()) message.append(", expected ").append(expected);
  Fail(Place(Now()), std::move(message));
}

bool TokenReader::SetInAggregation(bool in_aggregation) {
  return std::exchange(in_aggregation_, in_aggregation);
}

bool TokenReader::Enter(std::size_t depth) {
  if (depth <= options_.max_depth) return true;
  Fail(Place(Now()),
       "expression is nested more than " + std::to_string(options_.max_depth) + " levels deep");
  return false;
}

}  // namespace skep::promql

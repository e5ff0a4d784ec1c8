// Text to tokens. For the parser of this folder only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace skep::promql {

enum class TokenKind : std::uint8_t {
  kEnd,
  kError,  // always the last one; what is wrong stands in Tokens::error
  kIdentifier,
  kMetricIdentifier,  // with a colon
  kNumber,
  kDuration,
  kString,  // with its quotes
  kLeftParen,
  kRightParen,
  kLeftBrace,
  kRightBrace,
  kLeftBracket,
  kRightBracket,
  kComma,
  kColon,
  kAssign,         // =
  kRegexMatch,     // =~
  kRegexNotMatch,  // !~
  // Operators, in messages as <op:+>. The words and, or, unless, atan2 are keywords below.
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kPow,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kTrimUpper,  // </
  kTrimLower,  // >/
  kAt,
};

// What an identifier means where the grammar has a word there; elsewhere it is a name.
enum class Keyword : std::uint8_t {
  kNone,
  // Operators.
  kAnd,
  kOr,
  kUnless,
  kAtan2,
  // Aggregations, in the order of AggregateOp.
  kSum,
  kAvg,
  kCount,
  kMin,
  kMax,
  kGroup,
  kStddev,
  kStdvar,
  kTopk,
  kBottomk,
  kCountValues,
  kQuantile,
  kLimitk,
  kLimitRatio,
  // Words.
  kOffset,
  kSmoothed,
  kAnchored,
  kBy,
  kWithout,
  kOn,
  kIgnoring,
  kGroupLeft,
  kGroupRight,
  kFill,
  kFillLeft,
  kFillRight,
  kBool,
  // Names with a meaning of their own in some places.
  kStart,
  kEnd,
  kStep,
  kRange,
  kMinOf,
  kMaxOf,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  Keyword keyword = Keyword::kNone;
  std::uint32_t start = 0;
  std::uint32_t end = 0;
};

struct Tokens {
  std::vector<Token> list;  // never empty; ends with kEnd or kError
  std::string error;
};

// Comments and spaces are left out. `text` is shorter than 4 GiB.
Tokens Tokenize(std::string_view text);

// As an error names it: `identifier "foo"`, `<op:+>`, `<by>`, `")"`, `end of input`.
std::string DescribeToken(const Token& token, std::string_view text);

}  // namespace skep::promql

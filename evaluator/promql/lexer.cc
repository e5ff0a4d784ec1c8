#include "evaluator/promql/lexer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "common/base/ascii.h"
#include "common/base/quote.h"
#include "common/model/labels.h"

namespace skep::promql {
namespace {

struct Word {
  std::string_view text;
  Keyword keyword;
};

constexpr std::array kWords = {
    Word{"and", Keyword::kAnd},
    Word{"or", Keyword::kOr},
    Word{"unless", Keyword::kUnless},
    Word{"atan2", Keyword::kAtan2},
    Word{"sum", Keyword::kSum},
    Word{"avg", Keyword::kAvg},
    Word{"count", Keyword::kCount},
    Word{"min", Keyword::kMin},
    Word{"max", Keyword::kMax},
    Word{"group", Keyword::kGroup},
    Word{"stddev", Keyword::kStddev},
    Word{"stdvar", Keyword::kStdvar},
    Word{"topk", Keyword::kTopk},
    Word{"bottomk", Keyword::kBottomk},
    Word{"count_values", Keyword::kCountValues},
    Word{"quantile", Keyword::kQuantile},
    Word{"limitk", Keyword::kLimitk},
    Word{"limit_ratio", Keyword::kLimitRatio},
    Word{"offset", Keyword::kOffset},
    Word{"smoothed", Keyword::kSmoothed},
    Word{"anchored", Keyword::kAnchored},
    Word{"by", Keyword::kBy},
    Word{"without", Keyword::kWithout},
    Word{"on", Keyword::kOn},
    Word{"ignoring", Keyword::kIgnoring},
    Word{"group_left", Keyword::kGroupLeft},
    Word{"group_right", Keyword::kGroupRight},
    Word{"fill", Keyword::kFill},
    Word{"fill_left", Keyword::kFillLeft},
    Word{"fill_right", Keyword::kFillRight},
    Word{"bool", Keyword::kBool},
    Word{"start", Keyword::kStart},
    Word{"end", Keyword::kEnd},
    Word{"step", Keyword::kStep},
    Word{"range", Keyword::kRange},
    Word{"min_of", Keyword::kMinOf},
    Word{"max_of", Keyword::kMaxOf},
};
constexpr std::size_t kLongestWord = 12;

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsAlpha(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsAlphaNumeric(char c) { return IsAlpha(c) || IsDigit(c); }

// Keywords are read in any case.
std::string Lower(std::string_view word) {
  std::string lower(word);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

Keyword FindKeyword(std::string_view word) {
  if (word.size() > kLongestWord) return Keyword::kNone;
  const std::string lower = Lower(word);
  const auto* const at =
      std::find_if(kWords.begin(), kWords.end(), [&](const Word& w) { return w.text == lower; });
  return at == kWords.end() ? Keyword::kNone : at->keyword;
}

// The character at the front in single quotes, as a message shows it.
std::string QuoteCharacter(std::string_view rest) {
  if (rest.empty()) return "end of input";
  std::size_t length = 1;
  while (length < rest.size() && length < 4 && (rest[length] & 0xc0) == 0x80) ++length;
  std::string quoted = Quote(rest.substr(0, length));
  if (quoted == "\"'\"") return "'\\''";
  if (quoted == "\"\\\"\"") quoted = "\"\"\"";
  quoted.front() = quoted.back() = '\'';
  return quoted;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Tokens Run() {
    while (SkipBlanks(), start_ = at_, Step()) {
    }
    return std::move(tokens_);
  }

 private:
  char Peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  bool AtEnd() const { return at_ >= text_.size(); }
  std::string_view Rest() const { return text_.substr(std::min(at_, text_.size())); }

  void SkipBlanks() {
    while (!AtEnd()) {
      if (IsSpace(Peek())) {
        ++at_;
      } else if (Peek() == '#') {
        while (!AtEnd() && Peek() != '\n' && Peek() != '\r') ++at_;
      } else {
        return;
      }
    }
  }

  bool Emit(TokenKind kind, Keyword keyword = Keyword::kNone) {
    tokens_.list.push_back(
        {kind, keyword, static_cast<std::uint32_t>(start_), static_cast<std::uint32_t>(at_)});
    return true;
  }
  bool Take(std::size_t bytes, TokenKind kind) {
    at_ += bytes;
    return Emit(kind);
  }
  // An error ends the list. It stands where the token in question begins.
  bool Fail(std::string message) {
    tokens_.error = std::move(message);
    at_ = text_.size();
    Emit(TokenKind::kError);
    return false;
  }
  bool FailAt(std::size_t place, std::string message) {
    start_ = place;
    return Fail(std::move(message));
  }

  // One token. False at the end and after an error.
  bool Step() {
    if (in_braces_) return StepInBraces();
    if (AtEnd()) return Finish();
    const char c = Peek();
    if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return NumberOrDuration();
    if (c == '"' || c == '\'') return QuotedString(c);
    if (c == '`') return RawString();
    if (in_brackets_ && (IsAlpha(c) || c == ':')) return WordInBrackets();
    if (IsAlpha(c) || c == ':') return WordOrName();
    if (c == '(' || c == ')' || c == '[' || c == ']' || c == '{') return Bracket(c);
    return Symbol(c);
  }

  bool Finish() {
    if (parens_ > 0) return Fail("unclosed left parenthesis");
    if (in_brackets_) return Fail("unclosed left bracket");
    Emit(TokenKind::kEnd);
    return false;
  }

  bool Symbol(char c) {
    const char next = Peek(1);
    switch (c) {
      case ',':
        return Take(1, TokenKind::kComma);
      case '*':
        return Take(1, TokenKind::kMul);
      case '/':
        return Take(1, TokenKind::kDiv);
      case '%':
        return Take(1, TokenKind::kMod);
      case '+':
        return Take(1, TokenKind::kAdd);
      case '-':
        return Take(1, TokenKind::kSub);
      case '^':
        return Take(1, TokenKind::kPow);
      case '@':
        return Take(1, TokenKind::kAt);
      case '<':
        if (next == '/') return Take(2, TokenKind::kTrimUpper);
        return next == '=' ? Take(2, TokenKind::kLessEqual) : Take(1, TokenKind::kLess);
      case '>':
        if (next == '/') return Take(2, TokenKind::kTrimLower);
        return next == '=' ? Take(2, TokenKind::kGreaterEqual) : Take(1, TokenKind::kGreater);
      case '=':
        if (next == '~') return Fail("unexpected character after '=': '~'");
        return next == '=' ? Take(2, TokenKind::kEqual) : Take(1, TokenKind::kAssign);
      case '!':
        if (next == '=') return Take(2, TokenKind::kNotEqual);
        return Fail("unexpected character after '!': " + QuoteCharacter(Rest().substr(1)));
      default:
        return Fail("unexpected character: " + QuoteCharacter(Rest()));
    }
  }

  bool Bracket(char c) {
    switch (c) {
      case '(':
        ++parens_;
        return Take(1, TokenKind::kLeftParen);
      case ')':
        if (--parens_ < 0) return FailAt(at_ + 1, "unexpected right parenthesis ')'");
        return Take(1, TokenKind::kRightParen);
      case '[':
        if (in_brackets_) return Fail("unexpected left bracket '['");
        in_brackets_ = true;
        seen_colon_ = false;
        return Take(1, TokenKind::kLeftBracket);
      case ']':
        if (!in_brackets_) return Fail("unexpected right bracket ']'");
        in_brackets_ = false;
        return Take(1, TokenKind::kRightBracket);
      default:
        in_braces_ = true;
        return Take(1, TokenKind::kLeftBrace);
    }
  }

  // Inside of [ ] only durations and the words of duration expressions have a meaning.
  bool WordInBrackets() {
    if (Peek() == ':') {
      if (seen_colon_) return Fail("unexpected colon ':'");
      seen_colon_ = true;
      return Take(1, TokenKind::kColon);
    }
    std::size_t length = 0;
    while (IsAlphaNumeric(Peek(length))) ++length;
    const Keyword keyword = FindKeyword(Rest().substr(0, length));
    if (keyword != Keyword::kStep && keyword != Keyword::kRange && keyword != Keyword::kMinOf &&
        keyword != Keyword::kMaxOf) {
      return Fail("unexpected character in duration expression: " + QuoteCharacter(Rest()));
    }
    at_ += length;
    return Emit(TokenKind::kIdentifier, keyword);
  }

  bool WordOrName() {
    while (IsAlphaNumeric(Peek()) || Peek() == ':') ++at_;
    const std::string_view word = text_.substr(start_, at_ - start_);
    if (word.find(':') != std::string_view::npos) return Emit(TokenKind::kMetricIdentifier);
    if (word.size() == 3) {
      const std::string lower = Lower(word);
      if (lower == "inf" || lower == "nan") return Emit(TokenKind::kNumber);
    }
    Keyword keyword = FindKeyword(word);
    const bool fill = keyword == Keyword::kFill || keyword == Keyword::kFillLeft ||
                      keyword == Keyword::kFillRight;
    if (fill && !BeforeParen()) keyword = Keyword::kNone;
    return Emit(TokenKind::kIdentifier, keyword);
  }

  // fill, fill_left and fill_right came late: only before a parenthesis are they no names.
  bool BeforeParen() const {
    std::size_t ahead = 0;
    while (IsSpace(Peek(ahead))) ++ahead;
    return Peek(ahead) == '(';
  }

  bool StepInBraces() {
    if (AtEnd()) return Fail("unexpected end of input inside braces");
    const char c = Peek();
    if (IsAlpha(c)) {
      while (IsAlphaNumeric(Peek())) ++at_;
      return Emit(TokenKind::kIdentifier);
    }
    switch (c) {
      case ',':
        return Take(1, TokenKind::kComma);
      case '"':
      case '\'':
        return QuotedString(c);
      case '`':
        return RawString();
      case '=':
        return Peek(1) == '~' ? Take(2, TokenKind::kRegexMatch) : Take(1, TokenKind::kAssign);
      case '!':
        if (Peek(1) == '~') return Take(2, TokenKind::kRegexNotMatch);
        if (Peek(1) == '=') return Take(2, TokenKind::kNotEqual);
        return Fail("unexpected character after '!' inside braces: " +
                    QuoteCharacter(Rest().substr(1)));
      case '{':
        return Fail("unexpected left brace '{'");
      case '}':
        in_braces_ = false;
        return Take(1, TokenKind::kRightBrace);
      default:
        return Fail("unexpected character inside braces: " + QuoteCharacter(Rest()));
    }
  }

  bool QuotedString(char quote) {
    for (++at_; !AtEnd() && Peek() != quote; ++at_) {
      if (Peek() == '\n') break;
      if (Peek() == '\\') ++at_;
    }
    if (AtEnd() || Peek() != quote) return Fail("unterminated quoted string");
    ++at_;
    return FinishString();
  }

  bool RawString() {
    const std::size_t close = text_.find('`', at_ + 1);
    if (close == std::string_view::npos) return Fail("unterminated raw string");
    at_ = close + 1;
    return FinishString();
  }

  bool FinishString() {
    if (!IsUtf8(text_.substr(start_, at_ - start_))) return Fail("invalid UTF-8 rune");
    return Emit(TokenKind::kString);
  }

  bool NumberOrDuration() {
    if (ScanNumber()) return Emit(TokenKind::kNumber);
    if (ScanDurationUnits()) return Emit(TokenKind::kDuration);
    return Fail("bad number or duration syntax: " + Quote(text_.substr(start_, at_ - start_)));
  }

  // Digits with single underscores between them.
  bool ScanDigits(bool (*is_digit)(char)) {
    while (is_digit(Peek()) || (Peek() == '_' && is_digit(Peek(1)))) ++at_;
    return Peek() != '_';
  }

  bool ScanNumber() {
    if (Peek() == '0' && (Peek(1) == 'x' || Peek(1) == 'X')) {
      at_ += 2;
      const std::size_t digits = at_;
      if (Peek() == '_') ++at_;
      return ScanDigits(IsHexDigit) && at_ > digits && !IsAlphaNumeric(Peek()) && Peek() != '.';
    }
    if (!ScanDigits(IsDigit)) return false;
    if (Peek() == '.') {
      ++at_;
      if (Peek() == '.' || !ScanDigits(IsDigit)) return false;
      if (Peek() == '.') {
        ++at_;
        return false;
      }
    }
    if (Peek() == 'e' || Peek() == 'E') {
      ++at_;
      if (Peek() == '+' || Peek() == '-') ++at_;
      if (!IsDigit(Peek()) || !ScanDigits(IsDigit)) return false;
    }
    return !IsAlphaNumeric(Peek());
  }

  // The rest of a duration whose first number has been read: units with numbers between them.
  // Whether they stand in order is for ParseDuration to say.
  bool ScanDurationUnits() {
    const auto unit = [this] {
      if (std::string_view("smhdwy").find(Peek()) == std::string_view::npos || AtEnd()) {
        return false;
      }
      ++at_;
      if (Peek() == 's') ++at_;
      return true;
    };
    if (!unit()) return false;
    while (IsDigit(Peek())) {
      while (IsDigit(Peek())) ++at_;
      if (!unit()) return false;
    }
    if (!IsAlphaNumeric(Peek())) return true;
    ++at_;
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t start_ = 0;
  Tokens tokens_;
  std::int64_t parens_ = 0;
  bool in_braces_ = false;
  bool in_brackets_ = false;
  bool seen_colon_ = false;
};

// Go's %.10q: at most ten characters of it.
std::string QuoteShort(std::string_view text) {
  std::size_t at = 0;
  for (std::size_t characters = 0; at < text.size(); ++characters) {
    if (characters == 10) return Quote(text.substr(0, at)) + "...";
    ++at;
    while (at < text.size() && (text[at] & 0xc0) == 0x80) ++at;
  }
  return Quote(text);
}

std::string DescribeIdentifier(const Token& token, std::string_view word) {
  if (token.keyword == Keyword::kNone) return "identifier " + Quote(word);
  if (token.keyword <= Keyword::kAtan2) return "<op:" + std::string(word) + ">";
  if (token.keyword <= Keyword::kLimitRatio) return "<aggr:" + std::string(word) + ">";
  if (token.keyword <= Keyword::kBool) return "<" + std::string(word) + ">";
  return Quote(word);
}

}  // namespace

Tokens Tokenize(std::string_view text) { return Lexer(text).Run(); }

std::string DescribeToken(const Token& token, std::string_view text) {
  const std::string_view word = text.substr(token.start, token.end - token.start);
  switch (token.kind) {
    case TokenKind::kEnd:
      return "end of input";
    case TokenKind::kError:
      return "error";
    case TokenKind::kIdentifier:
      return DescribeIdentifier(token, word);
    case TokenKind::kMetricIdentifier:
      return "metric identifier " + Quote(word);
    case TokenKind::kNumber:
      return "number " + QuoteShort(word);
    case TokenKind::kDuration:
      return "duration " + QuoteShort(word);
    case TokenKind::kString:
      return "string " + QuoteShort(word);
    default:
      break;
  }
  if (token.kind >= TokenKind::kRegexMatch) return "<op:" + std::string(word) + ">";
  return Quote(word);
}

}  // namespace skep::promql

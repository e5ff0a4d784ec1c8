#include "evaluator/template/lexer.h"

#include <algorithm>
#include <array>

#include "common/base/ascii.h"
#include "common/base/quote.h"
#include "evaluator/template/format.h"

namespace skep::templates {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";
constexpr std::array<std::string_view, 11> kKeywords = {"break", "block",    "continue", "define",
                                                        "else",  "end",      "if",       "nil",
                                                        "range", "template", "with"};

bool IsSpace(char c) { return kSpaces.find(c) != std::string_view::npos; }
// Any byte of a multi-byte character counts as a letter.
bool IsWord(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || IsDigit(c) || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string Describe(std::string_view text) {
  const Rune rune = DecodeRune(text);
  std::string code = Sprintf("%U", std::array{Value(static_cast<std::int64_t>(rune.code))});
  if (rune.code >= 0x20 && rune.code != 0x7f) {
    code.append(" '").append(text.substr(0, rune.size)).append("'");
  }
  return code;
}

}  // namespace

Token Lexer::Make(TokenKind kind, std::size_t start) {
  return {kind, start, source_.substr(start, at_ - start)};
}

Token Lexer::Fail(std::size_t position, std::string message) {
  error_ = std::move(message);
  at_ = source_.size();
  return {TokenKind::kError, position, {}};
}

Token Lexer::Next() {
  if (!error_.empty()) return {TokenKind::kError, source_.size(), {}};
  return in_action_ ? NextInAction() : NextText();
}

Token Lexer::NextText() {
  if (trim_next_) {
    const std::size_t text = source_.find_first_not_of(kSpaces, at_);
    at_ = std::min(text, source_.size());
    trim_next_ = false;
  }
  const std::size_t start = at_;
  const std::size_t open = source_.find("{{", at_);
  if (open == std::string_view::npos) {
    at_ = source_.size();
    return start == at_ ? Token{TokenKind::kEnd, at_, {}} : Make(TokenKind::kText, start);
  }
  const bool trimmed =
      source_.size() > open + 3 && source_[open + 2] == '-' && IsSpace(source_[open + 3]);
  std::string_view text = source_.substr(start, open - start);
  if (trimmed) text = text.substr(0, text.find_last_not_of(kSpaces) + 1);
  if (!text.empty()) {
    at_ = open;
    return {TokenKind::kText, start, text};
  }
  at_ = open + (trimmed ? 4 : 2);
  if (rest().starts_with("/*")) return Comment(open);
  in_action_ = true;
  parens_ = 0;
  return {TokenKind::kLeftDelim, open, source_.substr(open, 2)};
}

Token Lexer::Comment(std::size_t start) {
  const std::size_t close = source_.find("*/", at_ + 2);
  if (close == std::string_view::npos) return Fail(start, "unclosed comment");
  at_ = close + 2;
  bool trimmed = false;
  if (!AtRightDelim(trimmed)) return Fail(at_, "comment ends before closing delimiter");
  (void)RightDelim(trimmed);  // not handed out
  return NextText();
}

bool Lexer::AtRightDelim(bool& trimmed) const {
  const std::string_view text = rest();
  trimmed = text.size() >= 4 && IsSpace(text[0]) && text.substr(1).starts_with("-}}");
  return trimmed || text.starts_with("}}");
}

Token Lexer::RightDelim(bool trimmed) {
  const std::size_t start = at_;
  at_ += trimmed ? 4 : 2;
  trim_next_ = trimmed;
  in_action_ = false;
  return Make(TokenKind::kRightDelim, start);
}

Token Lexer::NextInAction() {
  bool trimmed = false;
  if (AtRightDelim(trimmed)) {
    return parens_ == 0 ? RightDelim(trimmed) : Fail(at_, "unclosed left paren");
  }
  if (at_ >= source_.size()) return Fail(at_, "unclosed action");
  const std::size_t start = at_;
  const char c = source_[at_++];
  if (IsSpace(c)) {
    while (at_ < source_.size() && IsSpace(source_[at_]) && !AtRightDelim(trimmed)) ++at_;
    return Make(TokenKind::kSpace, start);
  }
  const char next = at_ < source_.size() ? source_[at_] : '\0';
  switch (c) {
    case '=':
      return Make(TokenKind::kAssign, start);
    case ':':
      if (next != '=') return Fail(start, "expected :=");
      ++at_;
      return Make(TokenKind::kDeclare, start);
    case '|':
      return Make(TokenKind::kPipe, start);
    case ',':
      return Make(TokenKind::kComma, start);
    case '"':
      return Quoted(start);
    case '`':
      return Raw(start);
    case '\'':
      return Char(start);
    case '$':
      return Name(start, TokenKind::kVariable);
    case '.':
      return IsDigit(next) ? Number(start) : Name(start, TokenKind::kField);
    case '(':
      ++parens_;
      return Make(TokenKind::kLeftParen, start);
    case ')':
      if (--parens_ < 0) return Fail(start, "unexpected right paren");
      return Make(TokenKind::kRightParen, start);
    default:
      break;
  }
  if (IsDigit(c) || c == '+' || c == '-') return Number(start);
  if (IsWord(c)) return Word(start);
  return Fail(start, "unrecognized character in action: " + Describe(source_.substr(start)));
}

Token Lexer::Quoted(std::size_t start) {
  for (; at_ < source_.size() && source_[at_] != '\n'; ++at_) {
    if (source_[at_] == '"') {
      ++at_;
      return Make(TokenKind::kString, start);
    }
    if (source_[at_] == '\\' && at_ + 1 < source_.size() && source_[at_ + 1] != '\n') ++at_;
  }
  return Fail(start, "unterminated quoted string");
}

Token Lexer::Raw(std::size_t start) {
  const std::size_t close = source_.find('`', at_);
  if (close == std::string_view::npos) return Fail(start, "unterminated raw quoted string");
  at_ = close + 1;
  return Make(TokenKind::kString, start);
}

Token Lexer::Char(std::size_t start) {
  for (; at_ < source_.size() && source_[at_] != '\n'; ++at_) {
    if (source_[at_] == '\'') {
      ++at_;
      return Make(TokenKind::kNumber, start);
    }
    if (source_[at_] == '\\' && at_ + 1 < source_.size() && source_[at_ + 1] != '\n') ++at_;
  }
  return Fail(start, "unterminated character constant");
}

Token Lexer::Number(std::size_t start) {
  while (at_ < source_.size()) {
    const char c = source_[at_];
    const char before = source_[at_ - 1];
    const bool exponent_sign = (c == '+' || c == '-') &&
                               (before == 'e' || before == 'E' || before == 'p' || before == 'P');
    if (!IsWord(c) && c != '.' && !exponent_sign) break;
    ++at_;
  }
  return Make(TokenKind::kNumber, start);
}

bool Lexer::AtTerminator() const {
  bool trimmed = false;
  if (at_ >= source_.size() || AtRightDelim(trimmed)) return true;
  return IsSpace(source_[at_]) ||
         std::string_view(".,|:)(").find(source_[at_]) != std::string_view::npos;
}

Token Lexer::Name(std::size_t start, TokenKind kind) {
  while (at_ < source_.size() && IsWord(source_[at_])) ++at_;
  if (kind == TokenKind::kField && at_ == start + 1) kind = TokenKind::kDot;
  if (!AtTerminator()) return Fail(at_, "bad character " + Describe(rest()));
  return Make(kind, start);
}

Token Lexer::Word(std::size_t start) {
  while (at_ < source_.size() && IsWord(source_[at_])) ++at_;
  if (!AtTerminator()) return Fail(at_, "bad character " + Describe(rest()));
  const Token token = Make(TokenKind::kIdentifier, start);
  const bool keyword = std::find(kKeywords.begin(), kKeywords.end(), token.text) != kKeywords.end();
  return keyword ? Make(TokenKind::kKeyword, start) : token;
}

}  // namespace skep::templates

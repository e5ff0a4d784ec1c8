// Text of a template to tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace skep::templates {

enum class TokenKind : std::uint8_t {
  kText,        // outside of actions, trimmed
  kLeftDelim,   // {{
  kRightDelim,  // }}
  kIdentifier,  // a function, or true and false
  kKeyword,     // break continue block define else end if nil range template with
  kField,       // .Name
  kDot,         // .
  kVariable,    // $ or $name
  kNumber,      // also 'c'
  kString,      // quoted or raw, quotes included
  kSpace,
  kPipe,  // |
  kLeftParen,
  kRightParen,
  kDeclare,  // :=
  kAssign,   // =
  kComma,
  kEnd,
  kError,  // `text` says what is wrong
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::size_t position = 0;  // byte in the text
  std::string_view text;     // of the source; of kError: see Lexer::error
};

// Hands out the tokens one by one. The source must outlive it. Comments are left out.
// Thread-compatible.
class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  // After kEnd or kError: the same again.
  Token Next();
  // What the kError token complains of.
  const std::string& error() const { return error_; }

 private:
  Token NextText();
  Token NextInAction();
  Token RightDelim(bool trimmed);
  Token Comment(std::size_t start);
  Token Quoted(std::size_t start);
  Token Raw(std::size_t start);
  Token Char(std::size_t start);
  Token Number(std::size_t start);
  Token Name(std::size_t start, TokenKind kind);
  Token Word(std::size_t start);
  Token Make(TokenKind kind, std::size_t start);
  Token Fail(std::size_t position, std::string message);
  // At "}}" or " -}}"; `trimmed` tells which.
  bool AtRightDelim(bool& trimmed) const;
  bool AtTerminator() const;
  std::string_view rest() const { return source_.substr(at_); }

  std::string_view source_;
  std::size_t at_ = 0;
  bool in_action_ = false;
  bool trim_next_ = false;  // the text that follows loses the space at its front
  int parens_ = 0;
  std::string error_;
};

}  // namespace skep::templates

// The tokens of one text and the first error found in it. For the parser of this folder only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "evaluator/promql/ast.h"
#include "evaluator/promql/lexer.h"
#include "evaluator/promql/parser.h"
#include "evaluator/promql/position.h"

namespace skep::promql {

// What all the parsing functions of this folder read from and complain to. Each of them that gives
// a pointer gives null exactly when failed() holds behind it.
// Thread-compatible. The text and the options outlive it.
class TokenReader {
 public:
  // A text that is too long to have positions is failed() from the start.
  TokenReader(std::string_view text, const ParseOptions& options);

  std::string_view text() const { return text_; }
  const ParseOptions& options() const { return options_; }
  bool failed() const { return error_.has_value(); }
  // Requires: failed().
  const Error& error() const { return *error_; }
  // Where the last token taken ends.
  std::uint32_t last_end() const { return last_end_; }

  const Token& Now() const { return tokens_.list[at_]; }
  const Token& Ahead() const;
  bool IsWord(Keyword keyword) const { return Now().keyword == keyword; }
  std::string_view Text(const Token& token) const {
    return text_.substr(token.start, token.end - token.start);
  }

  // The last token stays, however often it is taken.
  const Token& Take();
  bool TakeIf(TokenKind kind);

  // Only the first error counts, as Prometheus shows only that one.
  void Fail(PosRange place, std::string message);
  // Complains of the present token. `context` and `expected` may be "".
  void Unexpected(std::string_view context, std::string_view expected);
  void Unexpected() { Unexpected(in_aggregation_ ? "aggregation" : "", ""); }
  // Whether errors name an aggregation as their context. Returns what was set before.
  bool SetInAggregation(bool in_aggregation);

  // False, and failed, where `depth` is more than the options allow.
  bool Enter(std::size_t depth);
  // One level of recursion more, to be followed by Ascend also where it is false.
  bool Descend() { return Enter(++depth_); }
  void Ascend() { --depth_; }

  // Completes a node from `start` to the last token taken; `below` is the height of what it holds.
  // Null where it became too high.
  template <typename T>
  std::unique_ptr<T> Finish(std::unique_ptr<T> node, std::uint32_t start, std::uint32_t below = 0) {
    node->position = {start, last_end_};
    node->height = below + 1;
    if (!Enter(node->height)) return nullptr;
    return node;
  }

 private:
  std::string_view text_;
  const ParseOptions& options_;
  Tokens tokens_;
  std::size_t at_ = 0;
  std::uint32_t last_end_ = 0;
  std::size_t depth_ = 0;
  bool in_aggregation_ = false;
  std::optional<Error> error_;
};

inline PosRange Place(const Token& token) { return {token.start, token.end}; }

}  // namespace skep::promql

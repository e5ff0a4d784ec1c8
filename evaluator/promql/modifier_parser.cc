#include "evaluator/promql/modifier_parser.h"

#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/number.h"
#include "common/base/time.h"
#include "evaluator/promql/duration_parser.h"
#include "evaluator/promql/literal_parser.h"

namespace skep::promql {
namespace {

// The vector selector that carries the modifiers of `expr`, else null.
VectorSelector* Carrier(Expr& expr) {
  if (auto* matrix = As<MatrixSelector>(expr)) return matrix->vector.get();
  return As<VectorSelector>(expr);
}

// Null where failed. `what` names the modifier in the message.
TimeModifiers* ModifiersOf(TokenReader& tokens, Expr& expr, std::string_view what) {
  if (auto* subquery = As<Subquery>(expr)) return &subquery->modifiers;
  if (VectorSelector* selector = Carrier(expr)) return &selector->modifiers;
  tokens.Fail(expr.position,
              std::string(what) +
                  " modifier must be preceded by an instant vector selector or range "
                  "vector selector or a subquery");
  return nullptr;
}

void SetAt(TokenReader& tokens, Expr& expr, AtKind kind, double seconds) {
  constexpr double kMost = 9.2e15;  // seconds whose milliseconds fit 64 bits
  if (!(std::abs(seconds) < kMost)) {
    return tokens.Fail(expr.position,
                       "timestamp out of bounds for @ modifier: " + FormatPlainDouble(seconds));
  }
  TimeModifiers* const modifiers = ModifiersOf(tokens, expr, "@");
  if (!modifiers) return;
  if (modifiers->at != AtKind::kNone) {
    return tokens.Fail(expr.position, "@ <timestamp> may not be set multiple times");
  }
  modifiers->at = kind;
  modifiers->at_time = FromMillis(std::llround(seconds * 1000));
  expr.position.end = tokens.last_end();
}

}  // namespace

void ParseOffset(TokenReader& tokens, Expr& expr) {
  tokens.Take();
  DurationExprPtr offset = ParseOffsetDuration(tokens);
  if (!offset) return;
  TimeModifiers* const modifiers = ModifiersOf(tokens, expr, "offset");
  if (!modifiers) return;
  if (modifiers->offset != Duration{0} || modifiers->offset_expr) {
    return tokens.Fail(expr.position, "offset may not be set multiple times");
  }
  SetDuration(std::move(offset), modifiers->offset, modifiers->offset_expr);
  expr.position.end = tokens.last_end();
}

void ParseAt(TokenReader& tokens, Expr& expr) {
  tokens.Take();
  AtKind kind = AtKind::kTime;
  double seconds = 0;
  if (tokens.IsWord(Keyword::kStart) || tokens.IsWord(Keyword::kEnd)) {
    kind = tokens.IsWord(Keyword::kStart) ? AtKind::kStart : AtKind::kEnd;
    tokens.Take();
    if (!tokens.TakeIf(TokenKind::kLeftParen) || !tokens.TakeIf(TokenKind::kRightParen)) {
      return tokens.Unexpected("@", "timestamp");
    }
  } else {
    const std::optional<double> number = ParseSignedNumber(tokens);
    if (!number) return tokens.Unexpected("@", "timestamp");
    seconds = *number;
  }
  SetAt(tokens, expr, kind, seconds);
}

void ParseExtendedRange(TokenReader& tokens, Expr& expr) {
  const bool anchored = tokens.IsWord(Keyword::kAnchored);
  const std::string word = anchored ? "anchored" : "smoothed";
  if (!tokens.options().extended_range_selectors) {
    return tokens.Fail(expr.position, word + " modifier is experimental and not enabled");
  }
  tokens.Take();
  if (As<Subquery>(expr)) {
    return tokens.Fail(expr.position, word + " modifier is not supported for subqueries");
  }
  VectorSelector* const selector = Carrier(expr);
  if (!selector) return tokens.Fail(expr.position, word + " modifier not implemented");
  (anchored ? selector->anchored : selector->smoothed) = true;
  if (selector->anchored && selector->smoothed) {
    return tokens.Fail(expr.position, "anchored and smoothed modifiers cannot be used together");
  }
  expr.position.end = tokens.last_end();
}

}  // namespace skep::promql

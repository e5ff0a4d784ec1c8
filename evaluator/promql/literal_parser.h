// Numbers and strings. For the parser of this folder only.
#pragma once

#include <optional>
#include <string>

#include "evaluator/promql/token_reader.h"

namespace skep::promql {

// A number or a duration, the latter in seconds. Empty where the present token is neither, which is
// no failure yet, or where it is out of range, which is.
std::optional<double> ParseNumber(TokenReader& tokens);
// The same behind an optional sign.
std::optional<double> ParseSignedNumber(TokenReader& tokens);

// The content of a string token. "" where failed.
std::string Unquoted(TokenReader& tokens, const Token& token);

// Requires: the present token is a number or a duration.
ExprPtr ParseNumberLiteral(TokenReader& tokens);
// Requires: the present token is a string.
ExprPtr ParseStringLiteral(TokenReader& tokens);

}  // namespace skep::promql

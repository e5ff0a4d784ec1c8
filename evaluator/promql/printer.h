// Tree to text.
#pragma once

#include <string>

#include "evaluator/promql/ast.h"

namespace skep::promql {

// On one line, as Prometheus prints it: parsing it gives an equal tree. API and alerts show it.
std::string ToString(const Expr& expr);

// Over several lines where it is longer than 100 bytes, children indented by two spaces:
// `skep fmt` and /api/v1/format_query.
std::string Prettify(const Expr& expr);

// The arithmetic of a duration.
std::string ToString(const DurationExpr& expr);

}  // namespace skep::promql

// What the grammar alone does not see: types, numbers of arguments, modifiers that fit.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "evaluator/promql/ast.h"

namespace skep::promql {

struct Complaint {
  PosRange position;
  std::string message;
};

// The first thing wrong with `expr`, parsed from `text`, in Prometheus's order. Completes what
// follows from the types: cardinality of set operators, vector matching only between vectors,
// info()'s second argument.
std::optional<Complaint> CheckTypes(Expr& expr, std::string_view text);

}  // namespace skep::promql

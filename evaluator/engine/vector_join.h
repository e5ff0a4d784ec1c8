// Arithmetic and comparison between vectors.
#pragma once

#include "common/base/result.h"
#include "evaluator/engine/context.h"
#include "evaluator/engine/table.h"
#include "evaluator/promql/ast.h"

namespace skep::engine {

// Requires: `binary` has a matching and is no set operator.
Result<Table> JoinVectors(QueryContext& context, const promql::Binary& binary, Table left,
                          Table right);

}  // namespace skep::engine

// Binary operators: arithmetic, comparison, sets; between scalars and vectors.
#pragma once

#include "common/base/result.h"
#include "evaluator/engine/context.h"
#include "evaluator/engine/table.h"
#include "evaluator/promql/ast.h"

namespace skep::engine {

// Comparisons give 1 or 0.
Column ScalarBinary(promql::BinaryOp op, Column left, const Column& right);

// `scalar_first`: it stood on the left. A comparison without bool keeps the vector's values.
Result<Table> VectorScalarBinary(QueryContext& context, const promql::Binary& binary, Table vector,
                                 const Column& scalar, bool scalar_first);

Result<Table> VectorBinary(QueryContext& context, const promql::Binary& binary, Table left,
                           Table right);

}  // namespace skep::engine

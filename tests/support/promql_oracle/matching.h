// Binary operators: between numbers, between a vector and a number, between two vectors.
#pragma once

#include "evaluator/promql/ast.h"
#include "tests/support/promql_oracle/values.h"

namespace skep::oracle {

// Arithmetic, or 1 and 0 of a comparison. Requires: `op` is one of them.
double OfNumbers(promql::BinaryOp op, double left, double right);

enum class ScalarSide { kLeft, kRight };
// A comparison without `bool` lets the vector's element through.
Elements WithScalar(const promql::Binary& binary, const Elements& vector, double scalar,
                    ScalarSide side);

// Errors: more than one partner where one is allowed; results with one label set.
Result<Elements> OfVectors(const promql::Binary& binary, const Elements& left,
                           const Elements& right);

}  // namespace skep::oracle

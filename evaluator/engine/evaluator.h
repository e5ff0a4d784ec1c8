// Walks the tree of a query and hands columns from operator to operator.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "evaluator/engine/context.h"
#include "evaluator/engine/selector.h"
#include "evaluator/engine/table.h"
#include "evaluator/promql/ast.h"

namespace skep::engine {

// Thread-compatible. Recursion is as deep as the tree, which the parser bounds.
class Evaluator {
 public:
  explicit Evaluator(QueryContext& context) : context_(context) {}

  // Requires: `expr` is an instant vector.
  Result<Table> Vector(const promql::Expr& expr, const Steps& steps);
  // Requires: `expr` is a scalar.
  Result<Column> Scalar(const promql::Expr& expr, const Steps& steps);
  // The series of a range selector or subquery, and what they are in `spec`. Requires: `expr` is a
  // range vector.
  Result<std::unique_ptr<RangeSource>> Range(const promql::Expr& expr, const Steps& steps,
                                             RangeDetail detail, RangeSpec& spec);

 private:
  Result<Table> VectorAtSteps(const promql::Expr& expr, const Steps& steps);

  // part_evaluation.cc: what is computed once for several queries. `node` is the part here.
  Result<Table> VectorOfPart(SharedParts::Part& part, const promql::Expr& node, const Steps& steps);
  Result<Table> ComputeParts(SharedParts::Part& asked, const promql::Expr& node,
                             const Steps& steps);
  Result<std::vector<Table>> TablesOf(const std::vector<SharedParts::Part*>& parts,
                                      const promql::Expr& node, const Steps& steps);

  Result<Table> EvalUnary(const promql::Unary& unary, const Steps& steps);
  Result<Table> EvalBinary(const promql::Binary& binary, const Steps& steps);
  Result<Table> EvalAggregation(const promql::Aggregate& aggregate, const Steps& steps);
  Result<Column> EvalScalarCall(const promql::Call& call, const Steps& steps);
  Result<Column> EvalScalarOf(const promql::Call& call, const Steps& steps);

  // function.cc: calls that give an instant vector.
  Result<Table> EvalCall(const promql::Call& call, const Steps& steps);
  Result<Table> EvalRangeCall(const promql::Call& call, std::size_t range_argument,
                              const Steps& steps);
  Result<Table> EvalDate(const promql::Call& call, const Steps& steps);
  Result<Table> EvalRound(const promql::Call& call, const Steps& steps);
  Result<Table> EvalClamp(const promql::Call& call, const Steps& steps);
  Result<Table> EvalTimestamp(const promql::Call& call, const Steps& steps);
  Result<Table> EvalStartTimestamp(const promql::Call& call, const Steps& steps);
  Result<Table> EvalAbsent(const promql::Call& call, const Steps& steps);
  Result<Table> EvalVectorOf(const promql::Call& call, const Steps& steps);
  Result<Table> EvalSort(const promql::Call& call, const Steps& steps);
  Result<Table> EvalHistogram(const promql::Call& call, const Steps& steps);
  Result<Table> EvalLabelFunction(const promql::Call& call, const Steps& steps);

  QueryContext& context_;
};

// The text of a string argument.
const std::string& StringArgument(const promql::Call& call, std::size_t i);

}  // namespace skep::engine

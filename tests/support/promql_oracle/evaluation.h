// One query of the oracle: an expression at one step, from the top down, nothing remembered but
// what is said below.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "evaluator/promql/ast.h"
#include "tests/support/promql_oracle/aggregation.h"
#include "tests/support/promql_oracle/values.h"

namespace skep::oracle {

struct Settings {
  Duration lookback = std::chrono::minutes(5);
  Duration subquery_step = std::chrono::minutes(1);  // of those that name none
  AdditionOrder order = AdditionOrder::kAsFound;
};

// The steps of the whole query: what start(), end() and `@ start()` mean.
struct Span {
  Timestamp start;
  Timestamp end;
  Duration step{0};
};

// Thread-compatible. `data` outlives it. Errors are kInvalid: the expression has no answer.
class Evaluation {
 public:
  Evaluation(const DataSet& data, const Settings& settings, Span span)
      : data_(data), settings_(settings), span_(span) {}

  // Requires: `expr` is of that type.
  Result<double> Scalar(const promql::Expr& expr, Timestamp at);
  Result<Elements> Vector(const promql::Expr& expr, Timestamp at);
  Result<RangeVector> Range(const promql::Expr& expr, Timestamp at);

  // A subquery is a range query from the first to the last step that anybody can see: an error at
  // one of its steps is an error, also where no window reaches that step.
  Status CheckSubqueries(const promql::Expr& expr, Timestamp first, Timestamp last);

 private:
  Result<Elements> Select(const promql::VectorSelector& selector, Timestamp at);
  Elements SelectSmoothed(const promql::VectorSelector& selector, Timestamp at);
  Result<Elements> OfUnary(const promql::Unary& unary, Timestamp at);
  Result<Elements> OfBinary(const promql::Binary& binary, Timestamp at);
  Result<Elements> OfAggregation(const promql::Aggregate& aggregate, Timestamp at);
  Result<Elements> OfCall(const promql::Call& call, Timestamp at);
  Result<Elements> OfRangeFunction(const promql::Call& call, Timestamp at);
  Result<Elements> OfValueFunction(const promql::Call& call, Timestamp at);
  Result<Elements> OfHistogramFunction(const promql::Call& call, Timestamp at);
  Result<Elements> OfNatives(const promql::Call& call, Timestamp at);
  Result<Elements> OfLabelFunction(const promql::Call& call, Timestamp at);
  Result<Elements> Absent(const promql::Call& call, Timestamp at);
  Result<Elements> Timestamps(const promql::Call& call, Timestamp at);
  Result<double> OfScalarCall(const promql::Call& call, Timestamp at);
  Result<double> OnlyElement(const promql::Expr& vector, Timestamp at);
  // Of all scalar arguments, in order.
  Result<std::vector<double>> Scalars(const promql::Call& call, Timestamp at);

  RangeVector SelectRange(const promql::MatrixSelector& matrix, Timestamp at);
  Result<RangeVector> OfSubquery(const promql::Subquery& subquery, Timestamp at);
  std::vector<Timestamp> InnerSteps(const promql::Subquery& subquery, Timestamp first,
                                    Timestamp last) const;
  Timestamp Moved(const promql::TimeModifiers& modifiers, Timestamp at) const;
  // The series that match. Remembered, as it does not depend on the step.
  const std::vector<const Series*>& Matching(const promql::VectorSelector& selector);
  // A function over ranges makes one series of each: another one of the same result is an error,
  // whether or not they meet at a step.
  Status NoteSource(const promql::Call& call, const Labels& result, const Labels& source);

  const DataSet& data_;
  const Settings& settings_;
  const Span span_;
  std::map<const promql::VectorSelector*, std::vector<const Series*>> matching_;
  std::map<std::pair<const promql::Call*, Labels>, Labels> sources_;
};

}  // namespace skep::oracle

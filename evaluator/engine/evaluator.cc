#include "evaluator/engine/evaluator.h"

#include <algorithm>
#include <numbers>

#include "common/model/histogram_math.h"
#include "evaluator/engine/aggregate.h"
#include "evaluator/engine/binary.h"
#include "evaluator/engine/float_math.h"

namespace skep::engine {
namespace {

using promql::As;
using promql::Expr;
using promql::FunctionId;
using promql::NodeKind;
using promql::ValueType;

// One evaluation, shown at every step.
Table Repeat(QueryContext& context, const Table& once, std::size_t steps) {
  Table out(context.budget, steps);
  out.Reserve(once.size());
  for (std::size_t i = 0; i < once.size(); ++i) {
    std::fill_n(out.Add(once.row(i)), steps, once.values(i)[0]);
    const HistogramPtr histogram = once.SharedHistogram(i, 0);
    for (std::size_t s = 0; histogram != nullptr && s < steps; ++s) {
      out.SetHistogram(i, s, histogram);
    }
  }
  out.distinct_without_name = once.distinct_without_name;
  return out;
}

void Negate(Table& table) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    for (std::size_t s = 0; s < table.steps(); ++s) {
      const Histogram* const histogram = table.histogram(i, s);
      if (histogram == nullptr) continue;
      Histogram negative = *histogram;
      Multiply(negative, -1);
      table.SetHistogram(i, s, std::make_shared<const Histogram>(std::move(negative)));
    }
  }
}

}  // namespace

const std::string& StringArgument(const promql::Call& call, std::size_t i) {
  return As<promql::StringLiteral>(promql::StripParens(*call.arguments[i]))->value;
}

Result<Table> Evaluator::Vector(const Expr& expr, const Steps& steps) {
  RETURN_IF_ERROR(context_.Check());
  if (steps.count == 1 || !context_.IsStepInvariant(expr)) return VectorAtSteps(expr, steps);
  Result<Table> once = VectorAtSteps(expr, Steps::Once(steps.start));
  if (!once) return once;
  return Repeat(context_, *once, steps.count);
}

Result<Table> Evaluator::VectorAtSteps(const Expr& expr, const Steps& steps) {
  if (SharedParts::Part* const part = context_.SharedPart(expr, steps)) {
    return VectorOfPart(*part, expr, steps);
  }
  switch (expr.kind) {
    case NodeKind::kVectorSelector:
      return SelectVector(context_, *As<promql::VectorSelector>(expr), steps);
    case NodeKind::kParen:
      return Vector(*As<promql::Paren>(expr)->expr, steps);
    case NodeKind::kUnary:
      return EvalUnary(*As<promql::Unary>(expr), steps);
    case NodeKind::kBinary:
      return EvalBinary(*As<promql::Binary>(expr), steps);
    case NodeKind::kAggregate:
      return EvalAggregation(*As<promql::Aggregate>(expr), steps);
    case NodeKind::kCall:
      return EvalCall(*As<promql::Call>(expr), steps);
    case NodeKind::kNumberLiteral:
    case NodeKind::kStringLiteral:
    case NodeKind::kMatrixSelector:
    case NodeKind::kSubquery:
      break;
  }
  return Internal("an instant vector was expected");
}

Result<Table> Evaluator::EvalUnary(const promql::Unary& unary, const Steps& steps) {
  Result<Table> table = Vector(*unary.expr, steps);
  if (!table || !unary.negative) return table;
  for (std::size_t i = 0; i < table->size(); ++i) {
    double* values = table->values(i);
    for (std::size_t s = 0; s < steps.count; ++s) {
      if (IsPresent(values[s])) values[s] = -values[s];
    }
  }
  if (table->has_histograms()) Negate(*table);
  context_.DropName(*table);
  RETURN_IF_ERROR(context_.MergeAfterDrop(*table));
  return table;
}

Result<Table> Evaluator::EvalBinary(const promql::Binary& binary, const Steps& steps) {
  const bool left_scalar = binary.left->type() == ValueType::kScalar;
  const bool right_scalar = binary.right->type() == ValueType::kScalar;
  if (!left_scalar && !right_scalar) {
    Result<Table> left = Vector(*binary.left, steps);
    if (!left) return left;
    Result<Table> right = Vector(*binary.right, steps);
    if (!right) return right;
    return VectorBinary(context_, binary, std::move(*left), std::move(*right));
  }
  const Result<Column> scalar = Scalar(left_scalar ? *binary.left : *binary.right, steps);
  if (!scalar) return scalar.error();
  Result<Table> vector = Vector(left_scalar ? *binary.right : *binary.left, steps);
  if (!vector) return vector;
  return VectorScalarBinary(context_, binary, std::move(*vector), *scalar, left_scalar);
}

Result<Table> Evaluator::EvalAggregation(const promql::Aggregate& aggregate, const Steps& steps) {
  Column parameter;
  const bool counts_values = aggregate.op == promql::AggregateOp::kCountValues;
  if (aggregate.parameter != nullptr && !counts_values) {
    Result<Column> column = Scalar(*aggregate.parameter, steps);
    if (!column) return column.error();
    parameter = std::move(*column);
  }
  Result<Table> input = Vector(*aggregate.expr, steps);
  if (!input) return input;
  if (!counts_values) {
    return EvalAggregate(context_, aggregate, parameter, std::move(*input));
  }
  const auto* label = As<promql::StringLiteral>(promql::StripParens(*aggregate.parameter));
  return EvalCountValues(context_, aggregate, label->value, std::move(*input));
}

Result<Column> Evaluator::Scalar(const Expr& expr, const Steps& steps) {
  RETURN_IF_ERROR(context_.Check());
  if (const auto* number = As<promql::NumberLiteral>(expr)) {
    return Column(steps.count, number->value);
  }
  if (const auto* paren = As<promql::Paren>(expr)) return Scalar(*paren->expr, steps);
  if (const auto* call = As<promql::Call>(expr)) return EvalScalarCall(*call, steps);
  if (const auto* unary = As<promql::Unary>(expr)) {
    Result<Column> column = Scalar(*unary->expr, steps);
    if (!column || !unary->negative) return column;
    for (double& value : *column) value = -value;
    return column;
  }
  if (const auto* binary = As<promql::Binary>(expr)) {
    Result<Column> left = Scalar(*binary->left, steps);
    if (!left) return left;
    const Result<Column> right = Scalar(*binary->right, steps);
    if (!right) return right.error();
    return ScalarBinary(binary->op, std::move(*left), *right);
  }
  return Internal("a scalar was expected");
}

Result<Column> Evaluator::EvalScalarCall(const promql::Call& call, const Steps& steps) {
  const QueryOptions& when = context_.when();
  const FunctionId id = call.function->id;
  if (id == FunctionId::kScalar) return EvalScalarOf(call, steps);
  if (id == FunctionId::kPi) return Column(steps.count, std::numbers::pi);
  if (id == FunctionId::kStart) return Column(steps.count, ToSeconds(when.start));
  if (id == FunctionId::kEnd) return Column(steps.count, ToSeconds(when.end));
  if (id == FunctionId::kStep) return Column(steps.count, ToSeconds(when.step));
  if (id == FunctionId::kRange) return Column(steps.count, ToSeconds(when.end - when.start));
  if (id == FunctionId::kTime) {
    Column column(steps.count);
    for (std::size_t s = 0; s < steps.count; ++s) {
      column[s] = static_cast<double>(steps.At(s)) / 1000;
    }
    return column;
  }
  if (id != FunctionId::kMinOf && id != FunctionId::kMaxOf) {
    return Internal("no scalar function: " + std::string(call.function->name));
  }
  Result<Column> a = Scalar(*call.arguments[0], steps);
  if (!a) return a;
  const Result<Column> b = Scalar(*call.arguments[1], steps);
  if (!b) return b.error();
  for (std::size_t s = 0; s < steps.count; ++s) {
    (*a)[s] = id == FunctionId::kMinOf ? GoMin((*a)[s], (*b)[s]) : GoMax((*a)[s], (*b)[s]);
  }
  return a;
}

// scalar(v): the value of the only series, else NaN.
Result<Column> Evaluator::EvalScalarOf(const promql::Call& call, const Steps& steps) {
  const Result<Table> table = Vector(*call.arguments[0], steps);
  if (!table) return table.error();
  Column column(steps.count, kNormalNaN);
  for (std::size_t s = 0; s < steps.count; ++s) {
    std::size_t found = 0;
    for (std::size_t i = 0; i < table->size() && found < 2; ++i) {
      const double value = table->values(i)[s];
      if (!IsPresent(value)) continue;
      column[s] = ++found == 1 ? value : kNormalNaN;
    }
  }
  return column;
}

Result<std::unique_ptr<RangeSource>> Evaluator::Range(const Expr& expr, const Steps& steps,
                                                      RangeDetail detail, RangeSpec& spec) {
  const Expr& bare = promql::StripParens(expr);
  if (const auto* matrix = As<promql::MatrixSelector>(bare)) {
    spec = SpecOf(context_, *matrix, detail);
    return SelectRange(context_, *matrix, steps, spec);
  }
  const auto* subquery = As<promql::Subquery>(bare);
  if (subquery == nullptr) return Internal("a range vector was expected");
  spec = SpecOf(context_, *subquery);
  const std::optional<Steps> inner = InnerSteps(context_, *subquery, steps, spec);
  if (!inner) return RangeOver(Table(context_.budget, 1), Steps{});
  if (!context_.budget.Fits(inner->count)) {
    return Invalid("query processing would load too many samples into memory in query execution");
  }
  if (subquery->expr->type() == ValueType::kScalar) {
    const Result<Column> column = Scalar(*subquery->expr, *inner);
    if (!column) return column.error();
    Table table(context_.budget, inner->count);
    std::copy(column->begin(), column->end(), table.Add({context_.Own(Labels()), false}));
    return RangeOver(std::move(table), *inner);
  }
  Result<Table> table = Vector(*subquery->expr, *inner);
  if (!table) return table.error();
  return RangeOver(std::move(*table), *inner);
}

}  // namespace skep::engine

#include "evaluator/promql/ast.h"

#include <array>

namespace skep::promql {
namespace {

TimeModifiers CloneModifiers(const TimeModifiers& modifiers);

DurationExprPtr CloneDuration(const DurationExprPtr& expr) {
  if (!expr) return nullptr;
  auto copy = std::make_unique<DurationExpr>();
  copy->op = expr->op;
  copy->seconds = expr->seconds;
  copy->written_as_duration = expr->written_as_duration;
  copy->parenthesised = expr->parenthesised;
  copy->position = expr->position;
  copy->left = CloneDuration(expr->left);
  copy->right = CloneDuration(expr->right);
  return copy;
}

TimeModifiers CloneModifiers(const TimeModifiers& modifiers) {
  return {.offset = modifiers.offset,
          .offset_expr = CloneDuration(modifiers.offset_expr),
          .at = modifiers.at,
          .at_time = modifiers.at_time};
}

ExprPtr CloneOptional(const ExprPtr& expr) { return expr ? Clone(*expr) : nullptr; }

std::unique_ptr<VectorSelector> CloneVector(const VectorSelector& selector) {
  auto copy = std::make_unique<VectorSelector>();
  copy->position = selector.position;
  copy->height = selector.height;
  copy->name = selector.name;
  copy->matchers = selector.matchers;
  copy->modifiers = CloneModifiers(selector.modifiers);
  copy->anchored = selector.anchored;
  copy->smoothed = selector.smoothed;
  copy->labels_only = selector.labels_only;
  return copy;
}

ExprPtr CloneMatrix(const MatrixSelector& selector) {
  auto copy = std::make_unique<MatrixSelector>();
  copy->vector = CloneVector(*selector.vector);
  copy->range = selector.range;
  copy->range_expr = CloneDuration(selector.range_expr);
  return copy;
}

ExprPtr CloneSubquery(const Subquery& subquery) {
  auto copy = std::make_unique<Subquery>();
  copy->expr = Clone(*subquery.expr);
  copy->range = subquery.range;
  copy->range_expr = CloneDuration(subquery.range_expr);
  copy->step = subquery.step;
  copy->step_expr = CloneDuration(subquery.step_expr);
  copy->modifiers = CloneModifiers(subquery.modifiers);
  return copy;
}

ExprPtr CloneBinary(const Binary& binary) {
  auto copy = std::make_unique<Binary>();
  copy->op = binary.op;
  copy->left = Clone(*binary.left);
  copy->right = Clone(*binary.right);
  copy->return_bool = binary.return_bool;
  copy->matching = binary.matching;
  return copy;
}

ExprPtr CloneAggregate(const Aggregate& aggregate) {
  auto copy = std::make_unique<Aggregate>();
  copy->op = aggregate.op;
  copy->parameter = CloneOptional(aggregate.parameter);
  copy->expr = Clone(*aggregate.expr);
  copy->without = aggregate.without;
  copy->grouping = aggregate.grouping;
  return copy;
}

ExprPtr CloneCall(const Call& call) {
  auto copy = std::make_unique<Call>();
  copy->function = call.function;
  for (const ExprPtr& argument : call.arguments) copy->arguments.push_back(Clone(*argument));
  return copy;
}

ExprPtr CloneNode(const Expr& expr) {
  switch (expr.kind) {
    case NodeKind::kNumberLiteral: {
      auto copy = std::make_unique<NumberLiteral>();
      copy->value = As<NumberLiteral>(expr)->value;
      copy->written_as_duration = As<NumberLiteral>(expr)->written_as_duration;
      return copy;
    }
    case NodeKind::kStringLiteral: {
      auto copy = std::make_unique<StringLiteral>();
      copy->value = As<StringLiteral>(expr)->value;
      return copy;
    }
    case NodeKind::kVectorSelector:
      return CloneVector(*As<VectorSelector>(expr));
    case NodeKind::kMatrixSelector:
      return CloneMatrix(*As<MatrixSelector>(expr));
    case NodeKind::kSubquery:
      return CloneSubquery(*As<Subquery>(expr));
    case NodeKind::kParen: {
      auto copy = std::make_unique<Paren>();
      copy->expr = Clone(*As<Paren>(expr)->expr);
      return copy;
    }
    case NodeKind::kUnary: {
      auto copy = std::make_unique<Unary>();
      copy->negative = As<Unary>(expr)->negative;
      copy->expr = Clone(*As<Unary>(expr)->expr);
      return copy;
    }
    case NodeKind::kBinary:
      return CloneBinary(*As<Binary>(expr));
    case NodeKind::kAggregate:
      return CloneAggregate(*As<Aggregate>(expr));
    case NodeKind::kCall:
      return CloneCall(*As<Call>(expr));
  }
  return nullptr;
}

}  // namespace

ValueType Expr::type() const {
  switch (kind) {
    case NodeKind::kNumberLiteral:
      return ValueType::kScalar;
    case NodeKind::kStringLiteral:
      return ValueType::kString;
    case NodeKind::kMatrixSelector:
    case NodeKind::kSubquery:
      return ValueType::kMatrix;
    case NodeKind::kVectorSelector:
    case NodeKind::kAggregate:
      return ValueType::kVector;
    case NodeKind::kParen:
      return As<Paren>(*this)->expr->type();
    case NodeKind::kUnary:
      return As<Unary>(*this)->expr->type();
    case NodeKind::kCall:
      return As<Call>(*this)->function->result;
    case NodeKind::kBinary: {
      // A chain of a thousand operators must not cost a million steps: the right side first, it is
      // the short one, and one vector decides.
      const auto& binary = *As<Binary>(*this);
      const bool scalars =
          binary.right->type() == ValueType::kScalar && binary.left->type() == ValueType::kScalar;
      return scalars ? ValueType::kScalar : ValueType::kVector;
    }
  }
  return ValueType::kScalar;
}

std::string_view BinaryOpName(BinaryOp op) {
  static constexpr std::array<std::string_view, 18> kNames = {
      "+",  "-",  "*", "/",  "%", "^",  "atan2", "</", ">/",
      "==", "!=", "<", "<=", ">", ">=", "and",   "or", "unless"};
  return kNames.at(static_cast<std::size_t>(op));
}

std::string_view CardinalityName(Cardinality cardinality) {
  switch (cardinality) {
    case Cardinality::kOneToOne:
      return "one-to-one";
    case Cardinality::kManyToOne:
      return "many-to-one";
    case Cardinality::kOneToMany:
      return "one-to-many";
    case Cardinality::kManyToMany:
      return "many-to-many";
  }
  return "";
}

std::string_view AggregateOpName(AggregateOp op) {
  static constexpr std::array<std::string_view, 14> kNames = {
      "sum",    "avg",  "count",   "min",          "max",      "group",  "stddev",
      "stdvar", "topk", "bottomk", "count_values", "quantile", "limitk", "limit_ratio"};
  return kNames.at(static_cast<std::size_t>(op));
}

std::vector<const Expr*> Children(const Expr& expr) {
  std::vector<const Expr*> children;
  switch (expr.kind) {
    case NodeKind::kNumberLiteral:
    case NodeKind::kStringLiteral:
    case NodeKind::kVectorSelector:
      break;
    case NodeKind::kMatrixSelector:
      children = {As<MatrixSelector>(expr)->vector.get()};
      break;
    case NodeKind::kSubquery:
      children = {As<Subquery>(expr)->expr.get()};
      break;
    case NodeKind::kParen:
      children = {As<Paren>(expr)->expr.get()};
      break;
    case NodeKind::kUnary:
      children = {As<Unary>(expr)->expr.get()};
      break;
    case NodeKind::kBinary:
      children = {As<Binary>(expr)->left.get(), As<Binary>(expr)->right.get()};
      break;
    case NodeKind::kAggregate:
      if (As<Aggregate>(expr)->parameter) children = {As<Aggregate>(expr)->parameter.get()};
      children.push_back(As<Aggregate>(expr)->expr.get());
      break;
    case NodeKind::kCall:
      for (const ExprPtr& argument : As<Call>(expr)->arguments) children.push_back(argument.get());
      break;
  }
  return children;
}

void Walk(const Expr& expr, const std::function<bool(const Expr&)>& visit) {
  if (!visit(expr)) return;
  for (const Expr* child : Children(expr)) Walk(*child, visit);
}

std::vector<const VectorSelector*> Selectors(const Expr& expr) {
  std::vector<const VectorSelector*> selectors;
  Walk(expr, [&selectors](const Expr& node) {
    if (const auto* selector = As<VectorSelector>(node)) selectors.push_back(selector);
    return true;
  });
  return selectors;
}

ExprPtr Clone(const Expr& expr) {
  ExprPtr copy = CloneNode(expr);
  copy->position = expr.position;
  copy->height = expr.height;
  return copy;
}

const Expr& StripParens(const Expr& expr) {
  const Expr* inner = &expr;
  while (const auto* paren = As<Paren>(*inner)) inner = paren->expr.get();
  return *inner;
}

}  // namespace skep::promql

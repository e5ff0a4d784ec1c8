#include "evaluator/promql/duration_expr.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace skep::promql {
namespace {

constexpr double kMaxSeconds = 9223372036.854775807;  // nanoseconds in 64 bits, as Prometheus

enum class Sign : std::uint8_t { kPositive, kAny };

class Resolver {
 public:
  Resolver(std::string_view text, QueryTimes times) : text_(text), times_(times) {}

  Status Resolve(Expr& expr) {
    switch (expr.kind) {
      case NodeKind::kNumberLiteral:
      case NodeKind::kStringLiteral:
        return {};
      case NodeKind::kVectorSelector:
        return ResolveOffset(As<VectorSelector>(expr)->modifiers);
      case NodeKind::kMatrixSelector: {
        auto& matrix = *As<MatrixSelector>(expr);
        RETURN_IF_ERROR(Set(matrix.range_expr, matrix.range, Sign::kPositive));
        return ResolveOffset(matrix.vector->modifiers);
      }
      case NodeKind::kSubquery: {
        auto& subquery = *As<Subquery>(expr);
        RETURN_IF_ERROR(ResolveOffset(subquery.modifiers));
        RETURN_IF_ERROR(Set(subquery.step_expr, subquery.step, Sign::kPositive));
        RETURN_IF_ERROR(Set(subquery.range_expr, subquery.range, Sign::kPositive));
        return Resolve(*subquery.expr);
      }
      case NodeKind::kParen:
        return Resolve(*As<Paren>(expr)->expr);
      case NodeKind::kUnary:
        return Resolve(*As<Unary>(expr)->expr);
      case NodeKind::kBinary:
        RETURN_IF_ERROR(Resolve(*As<Binary>(expr)->left));
        return Resolve(*As<Binary>(expr)->right);
      case NodeKind::kAggregate: {
        auto& aggregate = *As<Aggregate>(expr);
        if (aggregate.parameter) RETURN_IF_ERROR(Resolve(*aggregate.parameter));
        return Resolve(*aggregate.expr);
      }
      case NodeKind::kCall:
        for (const ExprPtr& argument : As<Call>(expr)->arguments) {
          RETURN_IF_ERROR(Resolve(*argument));
        }
        return {};
    }
    return {};
  }

 private:
  Error Complain(const DurationExpr& expr, std::string_view message) const {
    return Invalid(FormatPosition(text_, expr.position.start) + ": " + std::string(message));
  }

  Status ResolveOffset(TimeModifiers& modifiers) const {
    return Set(modifiers.offset_expr, modifiers.offset, Sign::kAny);
  }

  Status Set(const DurationExprPtr& expr, Duration& out, Sign sign) const {
    if (!expr) return {};
    const Result<double> seconds = Evaluate(*expr);
    if (!seconds) return seconds.error();
    if (sign == Sign::kPositive && !(*seconds > 0)) {
      return Complain(*expr, "duration must be greater than 0");
    }
    if (!(std::abs(*seconds) <= kMaxSeconds)) {
      return Complain(*expr, "duration is out of range");
    }
    out = Duration{static_cast<std::int64_t>(*seconds * 1000)};
    return {};
  }

  Result<double> Evaluate(const DurationExpr& expr) const {
    double left = 0;
    double right = 0;
    for (const auto& [side, value] :
         {std::pair{expr.left.get(), &left}, std::pair{expr.right.get(), &right}}) {
      if (!side) continue;
      const Result<double> result = Evaluate(*side);
      if (!result) return result;
      *value = *result;
    }
    return Apply(expr, left, right);
  }

  Result<double> Apply(const DurationExpr& expr, double left, double right) const {
    switch (expr.op) {
      case DurationOp::kLiteral:
        return expr.seconds;
      case DurationOp::kAdd:
        return left + right;
      case DurationOp::kSub:
        return left - right;
      case DurationOp::kMul:
        return left * right;
      case DurationOp::kDiv:
        if (right == 0) return Complain(expr, "division by zero");
        return left / right;
      case DurationOp::kMod:
        if (right == 0) return Complain(expr, "modulo by zero");
        return std::fmod(left, right);
      case DurationOp::kPow:
        return std::pow(left, right);
      case DurationOp::kMin:
        return std::min(left, right);
      case DurationOp::kMax:
        return std::max(left, right);
      case DurationOp::kStep:
        return ToSeconds(times_.step);
      case DurationOp::kRange:
        return ToSeconds(times_.range);
    }
    return 0.0;
  }

  std::string_view text_;
  QueryTimes times_;
};

}  // namespace

bool HasDurationExpr(const Expr& expr) {
  bool found = false;
  Walk(expr, [&found](const Expr& node) {
    if (const auto* selector = As<VectorSelector>(node)) {
      found = found || selector->modifiers.offset_expr;
    } else if (const auto* matrix = As<MatrixSelector>(node)) {
      found = found || matrix->range_expr;
    } else if (const auto* subquery = As<Subquery>(node)) {
      found =
          found || subquery->range_expr || subquery->step_expr || subquery->modifiers.offset_expr;
    }
    return !found;
  });
  return found;
}

Status ResolveDurations(Expr& expr, std::string_view text, QueryTimes times) {
  return Resolver(text, times).Resolve(expr);
}

}  // namespace skep::promql

#include "evaluator/promql/type_check.h"

#include <algorithm>

#include "common/base/quote.h"

namespace skep::promql {
namespace {

using Wrong = std::optional<Complaint>;

std::string Quoted(std::string_view text) { return Quote(text); }

Wrong Complain(const Expr& expr, std::string message) {
  return Complaint{expr.position, std::move(message)};
}

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool IsScalarOrVector(ValueType type) {
  return type == ValueType::kScalar || type == ValueType::kVector;
}

class Checker {
 public:
  explicit Checker(std::string_view text) : text_(text) {}

  Wrong Check(Expr& expr) {
    switch (expr.kind) {
      case NodeKind::kNumberLiteral:
      case NodeKind::kStringLiteral:
        return std::nullopt;
      case NodeKind::kVectorSelector:
        return CheckSelector(*As<VectorSelector>(expr));
      case NodeKind::kMatrixSelector:
        return Check(*As<MatrixSelector>(expr)->vector);
      case NodeKind::kSubquery:
        return CheckSubquery(*As<Subquery>(expr));
      case NodeKind::kParen:
        return Check(*As<Paren>(expr)->expr);
      case NodeKind::kUnary:
        return CheckUnary(*As<Unary>(expr));
      case NodeKind::kBinary:
        return CheckBinary(*As<Binary>(expr));
      case NodeKind::kAggregate:
        return CheckAggregate(*As<Aggregate>(expr));
      case NodeKind::kCall:
        return CheckCall(*As<Call>(expr));
    }
    return std::nullopt;
  }

 private:
  // The operator and its modifiers, without spaces around.
  PosRange OperatorRange(const Binary& binary) const {
    PosRange range{binary.left->position.end, binary.right->position.start};
    while (range.start < range.end && IsSpace(text_[range.start])) ++range.start;
    while (range.end > range.start && IsSpace(text_[range.end - 1])) --range.end;
    return range;
  }

  Wrong Expect(Expr& expr, ValueType want, std::string_view context) {
    if (Wrong wrong = Check(expr)) return wrong;
    const ValueType type = expr.type();
    if (type == want) return std::nullopt;
    return Complain(expr, "expected type " + std::string(DocumentedType(want)) + " in " +
                              std::string(context) + ", got " + std::string(DocumentedType(type)));
  }

  static Wrong CheckSelector(const VectorSelector& selector) {
    const auto& matchers = selector.matchers;
    if (!selector.name.empty()) {
      for (std::size_t i = 0; i + 1 < matchers.size(); ++i) {
        if (matchers[i].name() != kMetricName) continue;
        return Complain(selector, "metric name must not be set twice: " + Quoted(selector.name) +
                                      " or " + Quoted(matchers[i].value()));
      }
      return std::nullopt;
    }
    const bool selective = std::any_of(matchers.begin(), matchers.end(),
                                       [](const Matcher& m) { return !m.MatchesEmpty(); });
    if (selective || selector.labels_only) return std::nullopt;
    return Complain(selector, "vector selector must contain at least one non-empty matcher");
  }

  Wrong CheckSubquery(Subquery& subquery) {
    if (Wrong wrong = Check(*subquery.expr)) return wrong;
    const ValueType type = subquery.expr->type();
    if (type == ValueType::kVector) return std::nullopt;
    return Complain(subquery, "subquery is only allowed on instant vector, got " +
                                  std::string(ValueTypeName(type)) + " instead");
  }

  Wrong CheckUnary(Unary& unary) {
    if (Wrong wrong = Check(*unary.expr)) return wrong;
    const ValueType type = unary.expr->type();
    if (IsScalarOrVector(type)) return std::nullopt;
    return Complain(unary,
                    "unary expression only allowed on expressions of type scalar or instant "
                    "vector, got " +
                        Quoted(DocumentedType(type)));
  }

  Wrong CheckBinary(Binary& binary) {
    if (Wrong wrong = Check(*binary.left)) return wrong;
    if (Wrong wrong = Check(*binary.right)) return wrong;
    if (Wrong wrong = CheckOperator(binary)) return wrong;
    const ValueType left = binary.left->type();
    const ValueType right = binary.right->type();
    for (const Expr* side : {binary.left.get(), binary.right.get()}) {
      if (IsScalarOrVector(side->type())) continue;
      return Complain(*side, "binary expression must contain only scalar and instant vector types");
    }
    if (left == ValueType::kVector && right == ValueType::kVector) return CheckMatching(binary);
    return CheckScalarSide(binary);
  }

  Wrong CheckOperator(const Binary& binary) const {
    if (binary.return_bool && !IsComparison(binary.op)) {
      return Complaint{OperatorRange(binary),
                       "bool modifier can only be used on comparison operators"};
    }
    if (IsComparison(binary.op) && !binary.return_bool &&
        binary.right->type() == ValueType::kScalar && binary.left->type() == ValueType::kScalar) {
      return Complaint{OperatorRange(binary), "comparisons between scalars must use BOOL modifier"};
    }
    if (!binary.matching->on) return std::nullopt;
    for (const std::string& label : binary.matching->labels) {
      const auto& include = binary.matching->include;
      if (std::find(include.begin(), include.end(), label) == include.end()) continue;
      return Complaint{OperatorRange(binary),
                       "label " + Quoted(label) + " must not occur in ON and GROUP clause at once"};
    }
    return std::nullopt;
  }

  static bool Fills(const VectorMatching& matching) {
    return matching.fill_left.has_value() || matching.fill_right.has_value();
  }

  static Wrong CheckScalarSide(Binary& binary) {
    if (!binary.matching->labels.empty()) {
      return Complain(binary, "vector matching only allowed between instant vectors");
    }
    if (Fills(*binary.matching)) {
      return Complain(binary, "filling in missing series only allowed between instant vectors");
    }
    binary.matching.reset();
    if (!IsSetOperator(binary.op)) return std::nullopt;
    return Complain(binary, "set operator " + Quoted(BinaryOpName(binary.op)) +
                                " not allowed in binary scalar expression");
  }

  static Wrong CheckMatching(Binary& binary) {
    VectorMatching& matching = *binary.matching;
    if (!IsSetOperator(binary.op)) return std::nullopt;
    if (matching.cardinality != Cardinality::kOneToOne) {
      return Complain(binary,
                      "no grouping allowed for " + Quoted(BinaryOpName(binary.op)) + " operation");
    }
    matching.cardinality = Cardinality::kManyToMany;
    if (!Fills(matching)) return std::nullopt;
    return Complain(binary, "filling in missing series not allowed for set operators");
  }

  Wrong CheckAggregate(Aggregate& aggregate) {
    if (Wrong wrong = Expect(*aggregate.expr, ValueType::kVector, "aggregation expression")) {
      return wrong;
    }
    if (!aggregate.parameter) return std::nullopt;
    const ValueType want =
        aggregate.op == AggregateOp::kCountValues ? ValueType::kString : ValueType::kScalar;
    return Expect(*aggregate.parameter, want, "aggregation parameter");
  }

  static Wrong CheckArgumentCount(const Call& call) {
    const Function& function = *call.function;
    const std::size_t given = call.arguments.size();
    std::size_t least = function.arguments.size();
    std::string_view how;
    if (function.variadic == 0) {
      if (given == least) return std::nullopt;
    } else {
      --least;
      const std::size_t most = least + static_cast<std::size_t>(std::max(function.variadic, 0));
      if (given < least) {
        how = "at least ";
      } else if (function.variadic > 0 && given > most) {
        how = "at most ";
        least = most;
      } else {
        return std::nullopt;
      }
    }
    return Complain(call, "expected " + std::string(how) + std::to_string(least) +
                              " argument(s) in call to " + Quoted(function.name) + ", got " +
                              std::to_string(given));
  }

  // The second argument of info() is no selector of series but a list of matchers in that form.
  static Wrong CheckInfo(Call& call) {
    if (call.function->id != FunctionId::kInfo || call.arguments.size() < 2) return std::nullopt;
    Expr& second = *call.arguments[1];
    if (second.type() != ValueType::kVector) {
      return Complain(call, "expected type instant vector in call to function \"info\", got " +
                                std::string(DocumentedType(second.type())));
    }
    auto* const selector = As<VectorSelector>(second);
    if (!selector) return Complain(second, "expected label selectors only");
    if (!selector->name.empty()) {
      return Complain(second, "expected label selectors only, got vector selector instead");
    }
    selector->labels_only = true;
    return std::nullopt;
  }

  Wrong CheckCall(Call& call) {
    if (Wrong wrong = CheckArgumentCount(call)) return wrong;
    if (Wrong wrong = CheckInfo(call)) return wrong;
    const auto types = call.function->arguments;
    const std::string context = "call to function " + Quoted(call.function->name);
    for (std::size_t i = 0; i < call.arguments.size(); ++i) {
      const ValueType want = types[std::min(i, types.size() - 1)];
      if (Wrong wrong = Expect(*call.arguments[i], want, context)) return wrong;
    }
    return std::nullopt;
  }

  std::string_view text_;
};

}  // namespace

std::optional<Complaint> CheckTypes(Expr& expr, std::string_view text) {
  return Checker(text).Check(expr);
}

}  // namespace skep::promql

// The tree of a parsed expression. Plain structs: the parser makes them, everybody else reads them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/time.h"
#include "common/model/matcher.h"
#include "evaluator/promql/function.h"
#include "evaluator/promql/position.h"
#include "evaluator/promql/value.h"

namespace skep::promql {

enum class NodeKind : std::uint8_t {
  kNumberLiteral,
  kStringLiteral,
  kVectorSelector,
  kMatrixSelector,
  kSubquery,
  kParen,
  kUnary,
  kBinary,
  kAggregate,
  kCall,
};

// A node of the tree. Owns its children. Reading from many threads is safe.
// No tree of the parser is deeper than ParseOptions::max_depth, so recursion over it is safe.
struct Expr {
  virtual ~Expr() = default;

  const NodeKind kind;
  PosRange position;         // from the first to the last byte, modifiers included
  std::uint32_t height = 1;  // nodes on the longest way down, this one counted

  // What it evaluates to.
  ValueType type() const;

 protected:
  explicit Expr(NodeKind k) : kind(k) {}
};
using ExprPtr = std::unique_ptr<Expr>;

// The node as `T` where it is one, else null: `if (const auto* call = As<Call>(expr))`.
template <typename T>
const T* As(const Expr& expr) {
  return expr.kind == T::kKind ? static_cast<const T*>(&expr) : nullptr;
}
template <typename T>
T* As(Expr& expr) {
  return expr.kind == T::kKind ? static_cast<T*>(&expr) : nullptr;
}

// Common part of all node types.
template <NodeKind K>
struct Node : Expr {
  static constexpr NodeKind kKind = K;
  Node() : Expr(K) {}
};

enum class DurationOp : std::uint8_t {
  kLiteral,  // `seconds`
  kAdd,      // both sides, or the right one alone
  kSub,      // both sides, or the right one alone: its negative
  kMul,
  kDiv,
  kMod,
  kPow,
  kMin,
  kMax,
  kStep,   // the step of the query; 0 at an instant query
  kRange,  // the range of the query; 0 at an instant query
};

// Arithmetic in the place of a duration (a feature behind an option): `[5m + step()]`.
struct DurationExpr {
  DurationOp op = DurationOp::kLiteral;
  double seconds = 0;
  bool written_as_duration = false;  // "5m" rather than "300"
  bool parenthesised = false;
  std::unique_ptr<DurationExpr> left, right;
  PosRange position;
};
using DurationExprPtr = std::unique_ptr<DurationExpr>;

enum class AtKind : std::uint8_t { kNone, kTime, kStart, kEnd };

// `offset` and `@` of a selector or subquery, as written.
struct TimeModifiers {
  Duration offset{0};           // may be negative
  DurationExprPtr offset_expr;  // null where `offset` was a plain duration
  AtKind at = AtKind::kNone;
  Timestamp at_time;  // of kTime
};

// 1.5; also 5m, which is 300.
struct NumberLiteral : Node<NodeKind::kNumberLiteral> {
  double value = 0;
  bool written_as_duration = false;
};

struct StringLiteral : Node<NodeKind::kStringLiteral> {
  std::string value;
};

// name{label="value"} with modifiers.
struct VectorSelector : Node<NodeKind::kVectorSelector> {
  std::string name;               // as it stands before the brace; "" where it does not
  std::vector<Matcher> matchers;  // as written; that of `name` comes last
  TimeModifiers modifiers;
  // Experimental range selectors; on a matrix selector they stand at its vector.
  bool anchored = false;
  bool smoothed = false;
  // It is the second argument of info(): it may match the empty label set.
  bool labels_only = false;
};

// selector[range] with modifiers; those stand in `vector`.
struct MatrixSelector : Node<NodeKind::kMatrixSelector> {
  std::unique_ptr<VectorSelector> vector;  // never null
  Duration range{0};                       // > 0, unless range_expr is to be resolved yet
  DurationExprPtr range_expr;              // null where `range` was a plain duration
};

// expr[range:step] with modifiers.
struct Subquery : Node<NodeKind::kSubquery> {
  ExprPtr expr;
  Duration range{0};
  DurationExprPtr range_expr;
  Duration step{0};  // 0: the default, which the engine is told
  DurationExprPtr step_expr;
  TimeModifiers modifiers;
};

// (expr)
struct Paren : Node<NodeKind::kParen> {
  ExprPtr expr;
};

// -expr or +expr
struct Unary : Node<NodeKind::kUnary> {
  bool negative = false;
  ExprPtr expr;
};

enum class BinaryOp : std::uint8_t {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kPow,
  kAtan2,
  kTrimUpper,  // </ : a native histogram without what lies above
  kTrimLower,  // >/ : ... below
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kAnd,
  kOr,
  kUnless,
};
// "+", "==", "unless", ...
std::string_view BinaryOpName(BinaryOp op);
constexpr bool IsComparison(BinaryOp op) {
  return op >= BinaryOp::kEqual && op <= BinaryOp::kGreaterEqual;
}
constexpr bool IsSetOperator(BinaryOp op) { return op >= BinaryOp::kAnd; }

enum class Cardinality : std::uint8_t { kOneToOne, kManyToOne, kOneToMany, kManyToMany };
// "one-to-one", ...
std::string_view CardinalityName(Cardinality cardinality);

// How the series of two instant vectors find each other.
struct VectorMatching {
  Cardinality cardinality = Cardinality::kOneToOne;  // set operators: kManyToMany
  bool on = false;                                   // `labels` are compared; else all but them are
  std::vector<std::string> labels;
  std::vector<std::string> include;  // labels in parentheses behind group_left or group_right
  // Value that stands for a missing partner on that side (a feature behind an option).
  std::optional<double> fill_left, fill_right;
};

struct Binary : Node<NodeKind::kBinary> {
  BinaryOp op = BinaryOp::kAdd;
  ExprPtr left, right;
  bool return_bool = false;
  // Present when both sides are instant vectors.
  std::optional<VectorMatching> matching;
};

enum class AggregateOp : std::uint8_t {
  kSum,
  kAvg,
  kCount,
  kMin,
  kMax,
  kGroup,
  kStddev,
  kStdvar,
  kTopk,
  kBottomk,
  kCountValues,
  kQuantile,
  kLimitk,
  kLimitRatio,
};
// "sum", "count_values", ...
std::string_view AggregateOpName(AggregateOp op);
constexpr bool TakesParameter(AggregateOp op) { return op >= AggregateOp::kTopk; }

struct Aggregate : Node<NodeKind::kAggregate> {
  AggregateOp op = AggregateOp::kSum;
  ExprPtr parameter;  // null for operators that take none
  ExprPtr expr;
  bool without = false;
  std::vector<std::string> grouping;  // as written
};

struct Call : Node<NodeKind::kCall> {
  const Function* function = nullptr;
  std::vector<ExprPtr> arguments;
};

// Direct children in the order of the text (an aggregation's parameter first). A matrix selector's
// vector is one.
std::vector<const Expr*> Children(const Expr& expr);

// Calls `visit` for `expr` and everything below it, parents first. False from `visit` leaves out
// what is below that node.
void Walk(const Expr& expr, const std::function<bool(const Expr&)>& visit);

// The vector selectors in the order of the text, those within matrix selectors included.
std::vector<const VectorSelector*> Selectors(const Expr& expr);

// A deep copy.
ExprPtr Clone(const Expr& expr);

// `expr` without parentheses around it.
const Expr& StripParens(const Expr& expr);

}  // namespace skep::promql

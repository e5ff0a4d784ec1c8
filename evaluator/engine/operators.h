// What a binary operator makes of two values. Internal to binary expressions.
#pragma once

#include <cmath>
#include <cstddef>
#include <optional>

#include "evaluator/engine/context.h"
#include "evaluator/engine/histogram_binary.h"
#include "evaluator/engine/histogram_remarks.h"
#include "evaluator/engine/table.h"
#include "evaluator/promql/ast.h"

namespace skep::engine {

// Functors, so that the loops over columns are specialised.

// Calls `use` with the arithmetic functor of `op`.
template <typename Use>
void WithArithmetic(promql::BinaryOp op, Use use) {
  switch (op) {
    case promql::BinaryOp::kAdd:
      return use([](double a, double b) { return a + b; });
    case promql::BinaryOp::kSub:
      return use([](double a, double b) { return a - b; });
    case promql::BinaryOp::kMul:
      return use([](double a, double b) { return a * b; });
    case promql::BinaryOp::kDiv:
      return use([](double a, double b) { return a / b; });
    case promql::BinaryOp::kMod:
      return use([](double a, double b) { return std::fmod(a, b); });
    case promql::BinaryOp::kPow:
      return use([](double a, double b) { return std::pow(a, b); });
    case promql::BinaryOp::kAtan2:
      return use([](double a, double b) { return std::atan2(a, b); });
    case promql::BinaryOp::kEqual:
    case promql::BinaryOp::kNotEqual:
    case promql::BinaryOp::kLess:
    case promql::BinaryOp::kLessEqual:
    case promql::BinaryOp::kGreater:
    case promql::BinaryOp::kGreaterEqual:
    case promql::BinaryOp::kAnd:
    case promql::BinaryOp::kOr:
    case promql::BinaryOp::kUnless:
    case promql::BinaryOp::kTrimUpper:
    case promql::BinaryOp::kTrimLower:
      return;  // none of them is arithmetic
  }
}

// Calls `use` with the predicate of the comparison `op`.
template <typename Use>
void WithComparison(promql::BinaryOp op, Use use) {
  switch (op) {
    case promql::BinaryOp::kEqual:
      return use([](double a, double b) { return a == b; });
    case promql::BinaryOp::kNotEqual:
      return use([](double a, double b) { return a != b; });
    case promql::BinaryOp::kLess:
      return use([](double a, double b) { return a < b; });
    case promql::BinaryOp::kLessEqual:
      return use([](double a, double b) { return a <= b; });
    case promql::BinaryOp::kGreater:
      return use([](double a, double b) { return a > b; });
    case promql::BinaryOp::kGreaterEqual:
      return use([](double a, double b) { return a >= b; });
    case promql::BinaryOp::kAdd:
    case promql::BinaryOp::kSub:
    case promql::BinaryOp::kMul:
    case promql::BinaryOp::kDiv:
    case promql::BinaryOp::kMod:
    case promql::BinaryOp::kPow:
    case promql::BinaryOp::kAtan2:
    case promql::BinaryOp::kAnd:
    case promql::BinaryOp::kOr:
    case promql::BinaryOp::kUnless:
    case promql::BinaryOp::kTrimUpper:
    case promql::BinaryOp::kTrimLower:
      return;  // none of them compares
  }
}

// Calls `use` with a function of (left, right, kept) that is the whole operator: arithmetic; 1 or
// 0; or `kept` where the comparison holds and kAbsent where not.
template <typename Use>
void WithOperator(const promql::Binary& binary, Use use) {
  if (!promql::IsComparison(binary.op)) {
    WithArithmetic(binary.op,
                   [&use](auto f) { use([f](double a, double b, double) { return f(a, b); }); });
  } else if (binary.return_bool) {
    WithComparison(binary.op, [&use](auto holds) {
      use([holds](double a, double b, double) { return holds(a, b) ? 1.0 : 0.0; });
    });
  } else {
    WithComparison(binary.op, [&use](auto holds) {
      use([holds](double a, double b, double kept) { return holds(a, b) ? kept : kAbsent; });
    });
  }
}

inline bool IsTrim(promql::BinaryOp op) {
  return op == promql::BinaryOp::kTrimUpper || op == promql::BinaryOp::kTrimLower;
}

// Arithmetic and bool change what the value means; filters do not.
inline bool ChangesMeaning(const promql::Binary& binary) {
  return !(promql::IsComparison(binary.op) || IsTrim(binary.op)) || binary.return_bool;
}

// Trimming cuts native histograms; between floats there is nothing to cut.
void NoteTrimOfFloats(QueryContext& context, const promql::Binary& binary);

// The operator where at least one side is a histogram. `kept`: what a comparison that holds lets
// through; kAbsent where it does not hold. Empty: the operator is not defined, and the two are no
// pair.
std::optional<Operand> ApplyToHistograms(const promql::Binary& binary, const Operand& left,
                                         const Operand& right, const Operand& kept,
                                         const HistogramRemarker& remarks);

// What came of it, to its place; nothing where it is empty.
void PutOperand(const std::optional<Operand>& operand, std::size_t row, std::size_t step,
                Table& table);

}  // namespace skep::engine

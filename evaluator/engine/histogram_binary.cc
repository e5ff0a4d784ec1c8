#include "evaluator/engine/histogram_binary.h"

#include <utility>

#include "common/model/histogram_math.h"

namespace skep::engine {
namespace {

using promql::BinaryOp;

std::optional<Combined> Give(Histogram histogram) {
  return Combined{{0, std::make_shared<const Histogram>(std::move(histogram))}};
}

std::optional<Combined> Scaled(const Histogram& histogram, double factor) {
  Histogram scaled = histogram;
  Multiply(scaled, factor);
  Compact(scaled);
  return Give(std::move(scaled));
}

std::optional<Combined> Divided(const Histogram& histogram, double divisor) {
  Histogram divided = histogram;
  Divide(divided, divisor);
  Compact(divided);
  return Give(std::move(divided));
}

std::optional<Combined> Summed(BinaryOp op, const Histogram& left, const Histogram& right,
                               const HistogramRemarker& remarks) {
  const bool subtract = op == BinaryOp::kSub;
  Histogram result = left;
  const auto done = subtract ? Subtract(result, right) : Add(result, right);
  if (!done) {
    remarks.IncompatibleLayouts(promql::BinaryOpName(op));
    return std::nullopt;
  }
  remarks.Note(*done, subtract ? "subtraction" : "addition");
  if (subtract) result.reset_hint = CounterResetHint::kGauge;
  Compact(result);
  return Give(std::move(result));
}

std::optional<Combined> Undefined(BinaryOp op, const Operand& left, const Operand& right,
                                  const HistogramRemarker& remarks) {
  const auto kind = [](const Operand& operand) {
    return operand.histogram == nullptr ? "float" : "histogram";
  };
  remarks.IncompatibleTypes(promql::BinaryOpName(op), kind(left), kind(right));
  return std::nullopt;
}

std::optional<Combined> OfTwoHistograms(BinaryOp op, const Operand& left, const Operand& right,
                                        const HistogramRemarker& remarks) {
  if (op == BinaryOp::kAdd || op == BinaryOp::kSub) {
    return Summed(op, *left.histogram, *right.histogram, remarks);
  }
  if (op != BinaryOp::kEqual && op != BinaryOp::kNotEqual) {
    return Undefined(op, left, right, remarks);
  }
  const bool equal = SameHistogram(*left.histogram, *right.histogram);
  return Combined{left, equal == (op == BinaryOp::kEqual)};
}

std::optional<Combined> OfHistogramAndFloat(BinaryOp op, const Operand& left, const Operand& right,
                                            const HistogramRemarker& remarks) {
  const Histogram& histogram = *left.histogram;
  if (op == BinaryOp::kMul) return Scaled(histogram, right.value);
  if (op == BinaryOp::kDiv) return Divided(histogram, right.value);
  if (op == BinaryOp::kTrimUpper) return Give(Trim(histogram, right.value, KeepSide::kBelow));
  if (op == BinaryOp::kTrimLower) return Give(Trim(histogram, right.value, KeepSide::kAbove));
  return Undefined(op, left, right, remarks);
}

}  // namespace

std::optional<Combined> CombineHistograms(BinaryOp op, const Operand& left, const Operand& right,
                                          const HistogramRemarker& remarks) {
  if (left.histogram != nullptr && right.histogram != nullptr) {
    return OfTwoHistograms(op, left, right, remarks);
  }
  if (left.histogram != nullptr) return OfHistogramAndFloat(op, left, right, remarks);
  if (op == BinaryOp::kMul) return Scaled(*right.histogram, left.value);
  return Undefined(op, left, right, remarks);
}

}  // namespace skep::engine

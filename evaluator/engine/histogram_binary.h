// Binary operators of which at least one side is a native histogram.
#pragma once

#include <optional>

#include "common/model/histogram.h"
#include "evaluator/engine/histogram_remarks.h"
#include "evaluator/promql/ast.h"

namespace skep::engine {

// One side of an operator at one step: a histogram, or a float where that is null.
struct Operand {
  double value = 0;
  HistogramPtr histogram;
};

// What the operator makes of two operands that are not both floats. A comparison that holds gives
// the left one. Empty: nothing, because it does not hold or (with a remark) is not defined.
struct Combined {
  Operand result;
  bool holds = true;  // of comparisons
};
std::optional<Combined> CombineHistograms(promql::BinaryOp op, const Operand& left,
                                          const Operand& right, const HistogramRemarker& remarks);

}  // namespace skep::engine

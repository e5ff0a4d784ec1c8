#include "evaluator/engine/operators.h"

namespace skep::engine {

void NoteTrimOfFloats(QueryContext& context, const promql::Binary& binary) {
  HistogramRemarker(context, "", binary.position)
      .IncompatibleTypes(promql::BinaryOpName(binary.op), "float", "float");
}

std::optional<Operand> ApplyToHistograms(const promql::Binary& binary, const Operand& left,
                                         const Operand& right, const Operand& kept,
                                         const HistogramRemarker& remarks) {
  const auto combined = CombineHistograms(binary.op, left, right, remarks);
  if (!combined) return std::nullopt;
  if (!promql::IsComparison(binary.op)) return combined->result;
  if (binary.return_bool) return Operand{combined->holds ? 1.0 : 0.0, nullptr};
  return combined->holds ? kept : Operand{kAbsent, nullptr};
}

void PutOperand(const std::optional<Operand>& operand, std::size_t row, std::size_t step,
                Table& table) {
  if (!operand) {
    table.Clear(row, step);
  } else if (operand->histogram != nullptr) {
    table.SetHistogram(row, step, operand->histogram);
  } else {
    table.Clear(row, step);
    table.values(row)[step] = operand->value;
  }
}

}  // namespace skep::engine

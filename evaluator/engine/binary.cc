#include "evaluator/engine/binary.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "evaluator/engine/match_groups.h"
#include "evaluator/engine/operators.h"
#include "evaluator/engine/vector_join.h"

namespace skep::engine {
namespace {

using promql::BinaryOp;

// --- set operators ---

// Per match group and step: whether any row is present.
std::vector<char> Coverage(const Table& table, const std::vector<std::size_t>& of,
                           std::size_t groups) {
  std::vector<char> covered(groups * table.steps(), 0);
  for (std::size_t i = 0; i < table.size(); ++i) {
    char* group = covered.data() + of[i] * table.steps();
    for (std::size_t s = 0; s < table.steps(); ++s) {
      if (table.PresentAt(i, s)) group[s] = 1;
    }
  }
  return covered;
}

// Blanks `table` wherever its group's coverage is not `wanted`.
void Mask(Table& table, const std::vector<std::size_t>& of, const std::vector<char>& covered,
          bool wanted) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    const char* group = covered.data() + of[i] * table.steps();
    for (std::size_t s = 0; s < table.steps(); ++s) {
      if ((group[s] != 0) != wanted) table.Clear(i, s);
    }
  }
  table.RemoveEmpty();
}

void AppendRows(Table& to, const Table& from) {
  to.Reserve(to.size() + from.size());
  for (std::size_t i = 0; i < from.size(); ++i) to.AddCopy(from, i);
}

Result<Table> SetOperator(QueryContext& context, const promql::Binary& binary, Table left,
                          Table right) {
  const MatchGroups groups(context, binary, left, right);
  const std::size_t count = groups.index.size();
  if (binary.op != BinaryOp::kOr) {
    Mask(left, groups.of_left, Coverage(right, groups.of_right, count),
         binary.op == BinaryOp::kAnd);
    return left;
  }
  Mask(right, groups.of_right, Coverage(left, groups.of_left, count), false);
  if (right.empty()) return left;
  AppendRows(left, right);
  left.distinct_without_name = false;
  // An instant query with delayed removal finds duplicates at its end only.
  if (left.steps() > 1 || !context.delayed_name_removal()) {
    RETURN_IF_ERROR(context.MergeEqual(left));
  }
  return left;
}

// --- with a scalar ---

bool AnyFloats(const Table& table) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table.HasFloats(i)) return true;
  }
  return false;
}

// There is nothing to cut from floats: they go.
void TrimFloats(QueryContext& context, const promql::Binary& binary, Table& vector) {
  if (!AnyFloats(vector)) return;
  NoteTrimOfFloats(context, binary);
  for (std::size_t i = 0; i < vector.size(); ++i) {
    std::fill_n(vector.values(i), vector.steps(), kAbsent);
  }
}

// The operator where the vector has histograms.
void ScalarHistograms(QueryContext& context, const promql::Binary& binary, const Column& scalar,
                      bool scalar_first, Table& vector) {
  const HistogramRemarker remarks(context, "", binary.position);
  for (std::size_t i = 0; i < vector.size(); ++i) {
    for (std::size_t s = 0; s < vector.steps(); ++s) {
      const Operand histogram{0, vector.SharedHistogram(i, s)};
      if (histogram.histogram == nullptr) continue;
      const Operand number{scalar[s], nullptr};
      const auto result = scalar_first
                              ? ApplyToHistograms(binary, number, histogram, histogram, remarks)
                              : ApplyToHistograms(binary, histogram, number, histogram, remarks);
      PutOperand(result, i, s, vector);
    }
  }
}

}  // namespace

Column ScalarBinary(BinaryOp op, Column left, const Column& right) {
  const auto apply = [&](auto f) {
    for (std::size_t s = 0; s < left.size(); ++s) left[s] = f(left[s], right[s]);
  };
  if (promql::IsComparison(op)) {
    WithComparison(op, [&apply](auto holds) {
      apply([holds](double a, double b) { return holds(a, b) ? 1.0 : 0.0; });
    });
  } else {
    WithArithmetic(op, apply);
  }
  return left;
}

Result<Table> VectorScalarBinary(QueryContext& context, const promql::Binary& binary, Table vector,
                                 const Column& scalar, bool scalar_first) {
  if (IsTrim(binary.op)) TrimFloats(context, binary, vector);
  if (vector.has_histograms()) ScalarHistograms(context, binary, scalar, scalar_first, vector);
  WithOperator(binary, [&](auto f) {
    for (std::size_t i = 0; i < vector.size(); ++i) {
      double* values = vector.values(i);
      for (std::size_t s = 0; s < vector.steps(); ++s) {
        const double v = values[s];
        if (!IsPresent(v)) continue;
        values[s] = scalar_first ? f(scalar[s], v, v) : f(v, scalar[s], v);
      }
    }
  });
  RETURN_IF_ERROR(context.Check());
  if (!ChangesMeaning(binary)) {
    vector.RemoveEmpty();
    return vector;
  }
  context.DropName(vector);
  RETURN_IF_ERROR(context.MergeAfterDrop(vector));
  return vector;
}

Result<Table> VectorBinary(QueryContext& context, const promql::Binary& binary, Table left,
                           Table right) {
  if (promql::IsSetOperator(binary.op)) {
    return SetOperator(context, binary, std::move(left), std::move(right));
  }
  return JoinVectors(context, binary, std::move(left), std::move(right));
}

}  // namespace skep::engine

#include "evaluator/engine/range_function.h"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <string>

#include "evaluator/engine/absence.h"
#include "evaluator/engine/counter_judge.h"
#include "evaluator/engine/slider.h"

namespace skep::engine {
namespace {

using promql::FunctionId;

// Whether the extended selector may stand in this function.
Status CheckExtended(const promql::Call& call, const RangeSpec& spec) {
  constexpr std::array kSmoothed{FunctionId::kDelta, FunctionId::kIncrease, FunctionId::kRate};
  constexpr std::array kAnchored{FunctionId::kChanges, FunctionId::kDelta, FunctionId::kIncrease,
                                 FunctionId::kRate, FunctionId::kResets};
  const FunctionId id = call.function->id;
  const std::string name(call.function->name);
  if (spec.anchored && std::find(kAnchored.begin(), kAnchored.end(), id) == kAnchored.end()) {
    return Invalid(
        "anchored modifier can only be used with: changes, delta, increase, rate, resets - not "
        "with " +
        name);
  }
  if (spec.smoothed && std::find(kSmoothed.begin(), kSmoothed.end(), id) == kSmoothed.end()) {
    return Invalid("smoothed modifier can only be used with: delta, increase, rate - not with " +
                   name);
  }
  return {};
}

bool KeepsName(FunctionId id) {
  return id == FunctionId::kLastOverTime || id == FunctionId::kFirstOverTime;
}

}  // namespace

std::optional<std::size_t> RangeArgument(const promql::Call& call) {
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    if (call.arguments[i]->type() == promql::ValueType::kMatrix) return i;
  }
  return std::nullopt;
}

namespace {

// One of the functions over a range.
struct Sliding {
  Sliding(QueryContext& context, const promql::Call& call, const SliderInput& input,
          CounterJudge::Names names)
      : slider(context, call, input),
        table(context.budget, input.steps.count),
        keeps_name(KeepsName(call.function->id)) {
    if (!IsRate(call.function->id)) return;
    judge.emplace(context, call.arguments[*RangeArgument(call)]->position, names);
  }

  // The series' row, where it comes to anything.
  Status Take(const RangeSeries& series) {
    Row row = series.row;
    row.drop_name = row.drop_name || !keeps_name;
    table.Add(row);
    const auto filled = slider.Run(series, table);
    if (!filled) return filled.error();
    if (!filled->any) table.RemoveLast();
    if (judge && filled->floats) judge->Look(series.row);
    return {};
  }

  Slider slider;
  Table table;
  const bool keeps_name;
  std::optional<CounterJudge> judge;  // of rates
};

// Slides all functions over one series after the other. `scalars` are other arguments of a single
// one.
Result<std::vector<Table>> SlideAll(QueryContext& context,
                                    const std::vector<const promql::Call*>& calls,
                                    RangeSource& source, const SliderInput& input) {
  const promql::Expr& argument = *calls.front()->arguments[*RangeArgument(*calls.front())];
  const auto* const matrix = promql::As<promql::MatrixSelector>(promql::StripParens(argument));
  const auto names = matrix != nullptr && FixesName(matrix->vector->matchers)
                         ? CounterJudge::Names::kEqual
                         : CounterJudge::Names::kAny;
  std::deque<Sliding> slidings;
  for (const promql::Call* call : calls) slidings.emplace_back(context, *call, input, names);
  RangeSeries series;
  while (true) {
    const Result<bool> more = source.Next(series);
    if (!more) return more.error();
    if (!*more) break;
    for (Sliding& sliding : slidings) RETURN_IF_ERROR(sliding.Take(series));
  }
  std::vector<Table> tables;
  for (Sliding& sliding : slidings) {
    sliding.table.distinct_without_name = source.distinct_without_name();
    tables.push_back(std::move(sliding.table));
  }
  return tables;
}

}  // namespace

Result<Table> EvalRangeFunction(QueryContext& context, const promql::Call& call, const Steps& steps,
                                RangeSource& source, const RangeSpec& spec,
                                const std::vector<Column>& scalars) {
  RETURN_IF_ERROR(CheckExtended(call, spec));
  Result<std::vector<Table>> tables = SlideAll(context, {&call}, source, {steps, spec, scalars});
  if (!tables) return tables.error();
  Table table = std::move(tables->front());
  if (call.function->id == FunctionId::kAbsentOverTime) {
    return Absence(context, table, *call.arguments[*RangeArgument(call)]);
  }
  if (!KeepsName(call.function->id)) RETURN_IF_ERROR(context.RefuseEqual(table));
  return table;
}

Result<std::vector<Table>> EvalRangeFunctions(QueryContext& context,
                                              const std::vector<const promql::Call*>& calls,
                                              const Steps& steps, RangeSource& source,
                                              const RangeSpec& spec) {
  Result<std::vector<Table>> tables = SlideAll(context, calls, source, {steps, spec, {}});
  if (!tables) return tables;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (!KeepsName(calls[i]->function->id)) RETURN_IF_ERROR(context.RefuseEqual((*tables)[i]));
  }
  return tables;
}

}  // namespace skep::engine

// Calls that give an instant vector: which code computes which function.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "evaluator/engine/absence.h"
#include "evaluator/engine/classic_histogram.h"
#include "evaluator/engine/evaluator.h"
#include "evaluator/engine/float_function.h"
#include "evaluator/engine/float_math.h"
#include "evaluator/engine/histogram_function.h"
#include "evaluator/engine/info.h"
#include "evaluator/engine/label_function.h"
#include "evaluator/engine/natural_order.h"
#include "evaluator/engine/range_function.h"
#include "evaluator/engine/summary_window.h"

namespace skep::engine {
namespace {

using promql::As;
using promql::Call;
using promql::FunctionId;

// f(value, step) over every float; the values are no longer the metric's. Histograms are passed
// over.
template <typename F>
Result<Table> Map(QueryContext& context, Table table, F f) {
  table.DropHistograms();
  for (std::size_t i = 0; i < table.size(); ++i) {
    RETURN_IF_ERROR(context.Check());
    double* values = table.values(i);
    for (std::size_t s = 0; s < table.steps(); ++s) {
      if (IsPresent(values[s])) values[s] = f(values[s], s);
    }
  }
  context.DropName(table);
  RETURN_IF_ERROR(context.MergeAfterDrop(table));
  return table;
}

// The table's rows in another order.
Table Reorder(QueryContext& context, const Table& table, const std::vector<std::size_t>& order) {
  Table out(context.budget, table.steps());
  out.Reserve(order.size());
  for (const std::size_t i : order) out.AddCopy(table, i);
  out.distinct_without_name = table.distinct_without_name;
  return out;
}

// The argument of `call` that is a vector; there is one.
const promql::Expr& VectorArgument(const Call& call) {
  const auto is_vector = [](const promql::ExprPtr& argument) {
    return argument->type() == promql::ValueType::kVector;
  };
  return **std::find_if(call.arguments.begin(), call.arguments.end(), is_vector);
}

// NaN comes last either way.
bool ValueBefore(double a, double b, bool descending) {
  if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
  return descending ? a > b : a < b;
}

class LabelOrder {
 public:
  LabelOrder(const Call& call, bool descending) : descending_(descending) {
    for (std::size_t i = 1; i < call.arguments.size(); ++i) {
      names_.push_back(StringArgument(call, i));
    }
  }
  bool operator()(const Labels& a, const Labels& b) const {
    for (const std::string& name : names_) {
      const std::string_view x = a.Get(name);
      const std::string_view y = b.Get(name);
      if (x != y) return descending_ ? NaturalBefore(y, x) : NaturalBefore(x, y);
    }
    return descending_ ? b < a : a < b;
  }

 private:
  std::vector<std::string> names_;
  bool descending_;
};

bool IsSort(FunctionId id) {
  return id == FunctionId::kSort || id == FunctionId::kSortDesc || id == FunctionId::kSortByLabel ||
         id == FunctionId::kSortByLabelDesc;
}

bool IsClassicHistogram(FunctionId id) {
  return id == FunctionId::kHistogramQuantile || id == FunctionId::kHistogramFraction ||
         id == FunctionId::kHistogramQuantiles;
}

// f(histogram) over every histogram; floats are passed over.
Result<Table> MapHistograms(QueryContext& context, const Table& table, HistogramFunction f) {
  Table out(context.budget, table.steps());
  for (std::size_t i = 0; i < table.size(); ++i) {
    const HistogramPtr* const row = table.histograms(i);
    if (row == nullptr) continue;
    RETURN_IF_ERROR(context.Check());
    double* const values = out.Add({table.row(i).labels, true});
    for (std::size_t s = 0; s < table.steps(); ++s) {
      if (row[s] != nullptr) values[s] = f(*row[s]);
    }
  }
  out.distinct_without_name = table.distinct_without_name;
  RETURN_IF_ERROR(context.MergeAfterDrop(out));
  return out;
}

bool IsClamp(FunctionId id) {
  return id == FunctionId::kClamp || id == FunctionId::kClampMin || id == FunctionId::kClampMax;
}

bool IsLabelFunction(FunctionId id) {
  return id == FunctionId::kLabelReplace || id == FunctionId::kLabelJoin;
}

}  // namespace

Result<Table> Evaluator::EvalCall(const Call& call, const Steps& steps) {
  const FunctionId id = call.function->id;
  if (const auto range = RangeArgument(call)) return EvalRangeCall(call, *range, steps);
  if (const FloatFunction f = FindFloatFunction(id)) {
    Result<Table> table = Vector(*call.arguments[0], steps);
    if (!table) return table;
    return Map(context_, std::move(*table), [f](double v, std::size_t) { return f(v); });
  }
  if (FindDateFunction(id) != nullptr) return EvalDate(call, steps);
  if (id == FunctionId::kRound) return EvalRound(call, steps);
  if (IsClamp(id)) return EvalClamp(call, steps);
  if (id == FunctionId::kTimestamp) return EvalTimestamp(call, steps);
  if (id == FunctionId::kStartTimestamp) return EvalStartTimestamp(call, steps);
  if (id == FunctionId::kAbsent) return EvalAbsent(call, steps);
  if (id == FunctionId::kVector) return EvalVectorOf(call, steps);
  if (IsSort(id)) return EvalSort(call, steps);
  if (IsClassicHistogram(id)) return EvalHistogram(call, steps);
  if (IsLabelFunction(id)) return EvalLabelFunction(call, steps);
  const HistogramFunction of_histogram = FindHistogramFunction(id);
  if (id == FunctionId::kInfo || of_histogram != nullptr) {
    Result<Table> table = Vector(*call.arguments[0], steps);
    if (!table) return table;
    if (of_histogram != nullptr) return MapHistograms(context_, *table, of_histogram);
    return EvalInfo(context_, call, steps, std::move(*table));
  }
  return Internal("no function: " + std::string(call.function->name));
}

Result<Table> Evaluator::EvalRangeCall(const Call& call, std::size_t range_argument,
                                       const Steps& steps) {
  std::vector<Column> scalars;
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    if (i == range_argument) continue;
    Result<Column> column = Scalar(*call.arguments[i], steps);
    if (!column) return column.error();
    scalars.push_back(std::move(*column));
  }
  RangeSpec spec;
  const RangeDetail detail = FindSummaryFunction(call.function->id) == nullptr
                                 ? RangeDetail::kSamples
                                 : RangeDetail::kSummaries;
  const auto source = Range(*call.arguments[range_argument], steps, detail, spec);
  if (!source) return source.error();
  return EvalRangeFunction(context_, call, steps, **source, spec, scalars);
}

Result<Table> Evaluator::EvalDate(const Call& call, const Steps& steps) {
  const DateFunction part = FindDateFunction(call.function->id);
  if (!call.arguments.empty()) {
    Result<Table> table = Vector(*call.arguments[0], steps);
    if (!table) return table;
    return Map(context_, std::move(*table), [part](double v, std::size_t) { return part(v); });
  }
  Table table(context_.budget, steps.count);
  double* values = table.Add({context_.Own(Labels()), false});
  for (std::size_t s = 0; s < steps.count; ++s) {
    const auto seconds = steps.At(s) / 1000;
    values[s] = part(static_cast<double>(seconds));
  }
  return table;
}

Result<Table> Evaluator::EvalRound(const Call& call, const Steps& steps) {
  Column to_nearest(steps.count, 1);
  if (call.arguments.size() > 1) {
    Result<Column> column = Scalar(*call.arguments[1], steps);
    if (!column) return column.error();
    to_nearest = std::move(*column);
  }
  Result<Table> table = Vector(*call.arguments[0], steps);
  if (!table) return table;
  return Map(context_, std::move(*table),
             [&to_nearest](double v, std::size_t s) { return RoundTo(v, to_nearest[s]); });
}

Result<Table> Evaluator::EvalClamp(const Call& call, const Steps& steps) {
  const FunctionId id = call.function->id;
  Column low(steps.count, -std::numeric_limits<double>::infinity());
  Column high(steps.count, std::numeric_limits<double>::infinity());
  Result<Column> first = Scalar(*call.arguments[1], steps);
  if (!first) return first.error();
  (id == FunctionId::kClampMax ? high : low) = std::move(*first);
  if (id == FunctionId::kClamp) {
    Result<Column> second = Scalar(*call.arguments[2], steps);
    if (!second) return second.error();
    high = std::move(*second);
  }
  Result<Table> table = Vector(*call.arguments[0], steps);
  if (!table) return table;
  return Map(context_, std::move(*table), [&](double v, std::size_t s) {
    return high[s] < low[s] ? kAbsent : Clamp(v, low[s], high[s]);
  });
}

Result<Table> Evaluator::EvalTimestamp(const Call& call, const Steps& steps) {
  // Only a bare selector knows its samples' times; parentheses make an expression of it no more
  // than in Prometheus, which takes those of arguments away.
  const promql::Expr& argument = promql::StripParens(*call.arguments[0]);
  if (const auto* selector = As<promql::VectorSelector>(argument)) {
    Result<Table> table = SelectVector(context_, *selector, steps, SelectorValue::kTimestamp);
    if (!table) return table;
    return Map(context_, std::move(*table), [](double v, std::size_t) { return v; });
  }
  Result<Table> table = Vector(argument, steps);
  if (!table) return table;
  for (std::size_t i = 0; i < table->size(); ++i) {
    double* const values = table->values(i);
    for (std::size_t s = 0; s < steps.count; ++s) {
      if (table->PresentAt(i, s)) values[s] = static_cast<double>(steps.At(s)) / 1000;
    }
  }
  return Map(context_, std::move(*table), [](double v, std::size_t) { return v; });
}

Result<Table> Evaluator::EvalStartTimestamp(const Call& call, const Steps& steps) {
  const promql::Expr& argument = promql::StripParens(*call.arguments[0]);
  const auto* selector = As<promql::VectorSelector>(argument);
  if (selector == nullptr || !context_.use_start_timestamps()) {  // an expression has lost them
    const Result<Table> table = Vector(argument, steps);
    if (!table) return table.error();
    return Table(context_.budget, steps.count);
  }
  Result<Table> table = SelectVector(context_, *selector, steps, SelectorValue::kStart);
  if (!table) return table;
  return Map(context_, std::move(*table), [](double v, std::size_t) { return v; });
}

Result<Table> Evaluator::EvalAbsent(const Call& call, const Steps& steps) {
  const Result<Table> table = Vector(*call.arguments[0], steps);
  if (!table) return table.error();
  return Absence(context_, *table, *call.arguments[0]);
}

Result<Table> Evaluator::EvalVectorOf(const Call& call, const Steps& steps) {
  const Result<Column> column = Scalar(*call.arguments[0], steps);
  if (!column) return column.error();
  Table table(context_.budget, steps.count);
  std::copy(column->begin(), column->end(), table.Add({context_.Own(Labels()), false}));
  return table;
}

Result<Table> Evaluator::EvalSort(const Call& call, const Steps& steps) {
  Result<Table> table = Vector(*call.arguments[0], steps);
  if (!table) return table;
  const FunctionId id = call.function->id;
  const bool by_value = id == FunctionId::kSort || id == FunctionId::kSortDesc;
  if (by_value) table->DropHistograms();  // they have no order
  if (context_.is_range_query()) {
    context_.annotations.Warn(
        "sort is ineffective for range queries since results are always ordered by labels",
        call.position);
    return table;
  }
  context_.Settle(*table);
  std::vector<std::size_t> order(table->size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (by_value) {
    const bool descending = id == FunctionId::kSortDesc;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return ValueBefore(table->values(a)[0], table->values(b)[0], descending);
    });
  } else {
    const LabelOrder before(call, id == FunctionId::kSortByLabelDesc);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return before(*table->row(a).labels, *table->row(b).labels);
    });
  }
  return Reorder(context_, *table, order);
}

Result<Table> Evaluator::EvalHistogram(const Call& call, const Steps& steps) {
  const FunctionId id = call.function->id;
  std::vector<Column> scalars;
  for (const promql::ExprPtr& argument : call.arguments) {
    if (argument->type() != promql::ValueType::kScalar) continue;
    Result<Column> column = Scalar(*argument, steps);
    if (!column) return column.error();
    if (id != FunctionId::kHistogramFraction) {
      WarnBadQuantiles(context_, *column, argument->position);
    }
    scalars.push_back(std::move(*column));
  }
  const promql::Expr& vector = VectorArgument(call);
  Result<Table> table = Vector(vector, steps);
  if (!table) return table;
  if (id == FunctionId::kHistogramQuantile) {
    return HistogramQuantile(context_, steps, scalars[0], std::move(*table), vector.position);
  }
  if (id == FunctionId::kHistogramFraction) {
    return HistogramFraction(context_, scalars[0], scalars[1], std::move(*table), vector.position);
  }
  return HistogramQuantiles(context_, steps, StringArgument(call, 1), scalars, std::move(*table),
                            vector.position);
}

Result<Table> Evaluator::EvalLabelFunction(const Call& call, const Steps& steps) {
  std::vector<std::string> texts;
  for (std::size_t i = 1; i < call.arguments.size(); ++i) {
    texts.push_back(StringArgument(call, i));
  }
  const bool replace = call.function->id == FunctionId::kLabelReplace;
  Result<LabelEdit> edit = replace ? LabelEdit::Replace(texts) : LabelEdit::Join(texts);
  if (!edit) return edit.error();
  Result<Table> table = Vector(*call.arguments[0], steps);
  if (!table) return table;
  RETURN_IF_ERROR(edit->Apply(context_, *table));
  return table;
}

}  // namespace skep::engine

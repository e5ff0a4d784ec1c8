// Parts of the tree that other queries of the same round have too: one of them computes, the others
// take a copy.
#include <algorithm>
#include <utility>

#include "evaluator/engine/evaluator.h"
#include "evaluator/engine/prepared_plan.h"
#include "evaluator/engine/range_function.h"
#include "evaluator/engine/shared_parts.h"
#include "evaluator/engine/summary_window.h"

namespace skep::engine {
namespace {

using promql::As;

// The selector of a node that is a part.
const promql::VectorSelector& SelectorIn(const promql::Expr& node) {
  if (const auto* selector = As<promql::VectorSelector>(node)) return *selector;
  const promql::Call& call = *As<promql::Call>(node);
  return *As<promql::MatrixSelector>(promql::StripParens(*call.arguments[0]))->vector;
}

// A copy of `table` (one step) that outlives its query.
std::shared_ptr<SharedVector> ToShared(const Table& table) {
  auto shared = std::make_shared<SharedVector>();
  shared->rows.reserve(table.size());
  shared->values.reserve(table.size());
  if (table.has_histograms()) shared->histograms.reserve(table.size());
  for (std::size_t i = 0; i < table.size(); ++i) {
    shared->rows.push_back(table.row(i));
    shared->values.push_back(table.values(i)[0]);
    if (table.has_histograms()) shared->histograms.push_back(table.SharedHistogram(i, 0));
  }
  shared->distinct_without_name = table.distinct_without_name;
  return shared;
}

// As if `selector` had been evaluated by this query.
Table ToTable(QueryContext& context, const promql::VectorSelector& selector,
              const SharedVector& shared) {
  PreparedPlan::Selector* const kept =
      context.plan() == nullptr ? nullptr : context.plan()->SelectorOf(selector);
  if (kept != nullptr) context.plan()->NoteGeneration(*kept, shared.generation);
  Table table(context.budget, 1);
  table.Reserve(shared.rows.size());
  for (std::size_t i = 0; i < shared.rows.size(); ++i) {
    Row row = shared.rows[i];
    row.selector = kept == nullptr ? std::uint16_t{0} : kept->number;
    if (kept == nullptr) row.slot = 0;
    *table.Add(row) = shared.values[i];
    if (!shared.histograms.empty() && shared.histograms[i] != nullptr) {
      table.SetHistogram(i, 0, shared.histograms[i]);
    }
  }
  table.distinct_without_name = shared.distinct_without_name;
  for (const std::shared_ptr<storage::SeriesSet>& set : shared.sets) context.Own(set);
  return table;
}

// The parts of a reading, that of `node` first.
std::vector<SharedParts::Part*> PartsOf(SharedParts::Part& asked) {
  std::vector<SharedParts::Part*> parts{&asked};
  for (auto& [function, part] : asked.reading->parts) {
    if (&part != &asked) parts.push_back(&part);
  }
  return parts;
}

}  // namespace

Result<Table> Evaluator::VectorOfPart(SharedParts::Part& part, const promql::Expr& node,
                                      const Steps& steps) {
  SharedParts::Reading& reading = *part.reading;
  std::shared_ptr<const SharedVector> value;
  {
    const std::lock_guard lock(reading.mutex);
    if (reading.time != FromMillis(steps.start) || part.value == nullptr) {
      return ComputeParts(part, node, steps);
    }
    value = part.value;
    if (--part.left == 0) part.value.reset();
  }
  RETURN_IF_ERROR(context_.Check());
  context_.stats.samples_read += value->samples_read;
  return ToTable(context_, SelectorIn(node), *value);
}

// Requires: the reading is locked.
Result<Table> Evaluator::ComputeParts(SharedParts::Part& asked, const promql::Expr& node,
                                      const Steps& steps) {
  const std::vector<SharedParts::Part*> parts = PartsOf(asked);
  const std::size_t sets_before = context_.sets().size();
  const std::size_t read_before = context_.stats.samples_read;
  const QueryContext::SharingSets sharing(context_);
  Result<std::vector<Table>> tables = TablesOf(parts, node, steps);
  if (!tables) return tables.error();
  // All parts look at the same samples; the others' are counted where they are taken.
  const std::size_t read = (context_.stats.samples_read - read_before) / parts.size();
  context_.stats.samples_read = read_before + read;
  const auto first_set = context_.sets().begin() + static_cast<std::ptrdiff_t>(sets_before);
  const PreparedPlan::Selector* const kept =
      context_.plan() == nullptr ? nullptr : context_.plan()->SelectorOf(SelectorIn(node));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i]->left = parts[i]->users - (i == 0 ? 1 : 0);
    parts[i]->value.reset();
    if (parts[i]->left == 0) continue;
    const std::shared_ptr<SharedVector> shared = ToShared((*tables)[i]);
    shared->samples_read = read;
    shared->generation = kept == nullptr ? 0 : kept->generation;
    shared->sets.assign(first_set, context_.sets().end());
    parts[i]->value = shared;
  }
  asked.reading->time = FromMillis(steps.start);
  return std::move(tables->front());
}

// Of each part; the first one is that of `node`.
Result<std::vector<Table>> Evaluator::TablesOf(const std::vector<SharedParts::Part*>& parts,
                                               const promql::Expr& node, const Steps& steps) {
  std::vector<Table> tables;
  if (const auto* selector = As<promql::VectorSelector>(node)) {
    Result<Table> table = SelectVector(context_, *selector, steps);
    if (!table) return table.error();
    tables.push_back(std::move(*table));
    return tables;
  }
  std::vector<const promql::Call*> calls{As<promql::Call>(node)};
  for (std::size_t i = 1; i < parts.size(); ++i) calls.push_back(parts[i]->call);
  const bool summaries = std::all_of(calls.begin(), calls.end(), [](const promql::Call* call) {
    return FindSummaryFunction(call->function->id) != nullptr;
  });
  RangeSpec spec;
  const auto source = Range(*calls.front()->arguments[0], steps,
                            summaries ? RangeDetail::kSummaries : RangeDetail::kSamples, spec);
  if (!source) return source.error();
  return EvalRangeFunctions(context_, calls, steps, **source, spec);
}

}  // namespace skep::engine

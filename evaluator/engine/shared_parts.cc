#include "evaluator/engine/shared_parts.h"

#include "evaluator/engine/plan.h"
#include "evaluator/engine/selector.h"
#include "evaluator/engine/window.h"
#include "evaluator/promql/duration_expr.h"
#include "evaluator/promql/printer.h"

namespace skep::engine {
namespace {

using promql::As;
using promql::FunctionId;

// The range selector that `call` is a function of, and of nothing else. Null: it is none.
const promql::MatrixSelector* OnlyRange(const promql::Call& call) {
  if (call.arguments.size() != 1 || FindWindowFunction(call.function->id) == nullptr) {
    return nullptr;
  }
  // Its labels are made up.
  if (call.function->id == FunctionId::kAbsentOverTime) return nullptr;
  const auto* range = As<promql::MatrixSelector>(promql::StripParens(*call.arguments[0]));
  // Not every function may stand before an extended selector.
  return range == nullptr || range->vector->anchored || range->vector->smoothed ? nullptr : range;
}

// Functions that look at a bare selector's samples themselves.
bool ReadsByItself(const promql::Call& call) {
  return call.function->id == FunctionId::kTimestamp ||
         call.function->id == FunctionId::kStartTimestamp || call.function->id == FunctionId::kInfo;
}

}  // namespace

void SharedParts::Add(const promql::Expr& expr, const EpochOf& epoch) {
  // The nodes of such a tree are copied at every run, and histograms are read otherwise where only
  // their statistics count.
  if (promql::HasDurationExpr(expr) || !StatsOnly(expr).empty()) return;
  AddPartsOf(expr, epoch);
}

void SharedParts::AddPartsOf(const promql::Expr& expr, const EpochOf& epoch) {
  // A subquery looks at other times.
  if (As<promql::Subquery>(expr) != nullptr || As<promql::MatrixSelector>(expr) != nullptr) return;
  if (const auto* selector = As<promql::VectorSelector>(expr)) {
    return AddPart(expr, *selector, expr, epoch);
  }
  if (const auto* call = As<promql::Call>(expr)) {
    const promql::MatrixSelector* const range = OnlyRange(*call);
    if (range != nullptr) return AddPart(expr, *range->vector, *range, epoch);
    if (ReadsByItself(*call)) return;
  }
  for (const promql::Expr* child : promql::Children(expr)) AddPartsOf(*child, epoch);
}

void SharedParts::AddPart(const promql::Expr& node, const promql::VectorSelector& selector,
                          const promql::Expr& samples, const EpochOf& epoch) {
  // With it no two series become equal by losing their names, and rows keep the labels of the
  // series.
  if (!FixesName(selector.matchers)) return;
  const std::string key = promql::ToString(samples) + '\n' + std::to_string(epoch(selector));
  std::unique_ptr<Reading>& reading = readings_[key];
  if (reading == nullptr) reading = std::make_unique<Reading>();
  ++reading->users;
  const auto* const call = As<promql::Call>(node);
  Part& part = reading->parts[call == nullptr ? std::string() : std::string(call->function->name)];
  if (part.users == 0) {
    part.reading = reading.get();
    part.call = call;
    part.selector = &selector;
  }
  part.left = ++part.users;
  by_node_[&node] = &part;
}

SharedParts::Part* SharedParts::Find(const promql::Expr& node) const {
  const auto found = by_node_.find(&node);
  return found == by_node_.end() || found->second->reading->users < 2 ? nullptr : found->second;
}

void SharedParts::EndRound() {
  for (const auto& [key, reading] : readings_) {
    const std::lock_guard lock(reading->mutex);
    reading->time.reset();
    for (auto& [function, part] : reading->parts) part.value.reset();
  }
}

}  // namespace skep::engine

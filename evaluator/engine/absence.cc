#include "evaluator/engine/absence.h"

#include <algorithm>
#include <string>
#include <vector>

namespace skep::engine {
namespace {

const promql::VectorSelector* SelectorOf(const promql::Expr& argument) {
  const promql::Expr& bare = promql::StripParens(argument);
  if (const auto* matrix = promql::As<promql::MatrixSelector>(bare)) return matrix->vector.get();
  return promql::As<promql::VectorSelector>(bare);
}

}  // namespace

Labels AbsentLabels(const promql::Expr& argument) {
  const promql::VectorSelector* selector = SelectorOf(argument);
  if (selector == nullptr) return {};
  LabelsBuilder labels;
  std::vector<std::string_view> seen;
  for (const Matcher& matcher : selector->matchers) {
    if (matcher.name() == kMetricName) continue;
    const bool again = std::find(seen.begin(), seen.end(), matcher.name()) != seen.end();
    if (matcher.type() == MatchType::kEqual && !again) {
      labels.Set(matcher.name(), matcher.value());
      seen.push_back(matcher.name());
    } else {
      labels.Delete(matcher.name());
    }
  }
  return labels.Build();
}

Table Absence(QueryContext& context, const Table& found, const promql::Expr& argument) {
  std::vector<char> covered(found.steps(), 0);
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (std::size_t s = 0; s < found.steps(); ++s) {
      if (found.PresentAt(i, s)) covered[s] = 1;
    }
  }
  Table table(context.budget, found.steps());
  double* out = table.Add({context.Own(AbsentLabels(argument)), false});
  for (std::size_t s = 0; s < found.steps(); ++s) {
    if (covered[s] == 0) out[s] = 1;
  }
  if (!table.HasAny(0)) table.RemoveLast();
  return table;
}

}  // namespace skep::engine

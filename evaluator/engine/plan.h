// What is known about an expression before it runs.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_set>

#include "evaluator/engine/engine.h"
#include "evaluator/promql/ast.h"
#include "evaluator/storage/querier.h"

namespace skep::engine {

// The moment that `@` fixes, in milliseconds; `@ start()` and `@ end()` mean those of the query.
std::optional<std::int64_t> FixedTime(const promql::TimeModifiers& modifiers,
                                      const QueryOptions& when);

// Where an expression looks at its samples: a moment that does not move with the steps, or the step
// itself, minus an offset.
struct Reference {
  std::optional<std::int64_t> fixed;
  std::int64_t offset_ms = 0;

  std::int64_t At(std::int64_t step_time) const { return fixed.value_or(step_time) - offset_ms; }
};
// That of the first selector of `expr`, subqueries around it included: info() looks at its info
// series there.
Reference ReferenceTime(const promql::Expr& expr, const QueryOptions& when);

// The subtrees that are fixed by `@` and hence the same at every step: evaluated once.
std::unordered_set<const promql::Expr*> StepInvariant(const promql::Expr& expr);

// The selectors of whose histograms only count and sum are asked for (histogram_count and its kin,
// not over a subquery, nothing that needs buckets between). There Prometheus finds resets while it
// reads, and so must we: the hints decide what is remarked.
std::unordered_set<const promql::Expr*> StatsOnly(const promql::Expr& expr);

// The samples that the selectors of `expr` can look at.
storage::TimeRange TimesNeeded(const promql::Expr& expr, const QueryOptions& when,
                               Duration lookback);

}  // namespace skep::engine

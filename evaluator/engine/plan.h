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

// The subtrees that are fixed by `@` and hence the same at every step: evaluated once.
std::unordered_set<const promql::Expr*> StepInvariant(const promql::Expr& expr);

// The samples that the selectors of `expr` can look at.
storage::TimeRange TimesNeeded(const promql::Expr& expr, const QueryOptions& when,
                               Duration lookback);

}  // namespace skep::engine

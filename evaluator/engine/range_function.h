// Functions over range vectors: rate and its kin, *_over_time, regressions.
#pragma once

#include <memory>
#include <vector>

#include "common/base/result.h"
#include "evaluator/engine/context.h"
#include "evaluator/engine/selector.h"
#include "evaluator/engine/table.h"
#include "evaluator/promql/ast.h"

namespace skep::engine {

// Whether `call` takes a range vector, and at which argument.
std::optional<std::size_t> RangeArgument(const promql::Call& call);

// The call at every step. `scalars` are its other arguments, in order.
Result<Table> EvalRangeFunction(QueryContext& context, const promql::Call& call, const Steps& steps,
                                RangeSource& source, const RangeSpec& spec,
                                const std::vector<Column>& scalars);

// The same for several functions of the range alone, over samples that are read once: a table for
// each. What there is to remark stands at the place of the first one's range.
Result<std::vector<Table>> EvalRangeFunctions(QueryContext& context,
                                              const std::vector<const promql::Call*>& calls,
                                              const Steps& steps, RangeSource& source,
                                              const RangeSpec& spec);

}  // namespace skep::engine

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

}  // namespace skep::engine

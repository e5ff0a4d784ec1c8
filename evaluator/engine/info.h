// info(): labels of info metrics such as target_info joined to the series of the same target.
#pragma once

#include "common/base/result.h"
#include "evaluator/engine/context.h"
#include "evaluator/engine/table.h"
#include "evaluator/promql/ast.h"

namespace skep::engine {

// `base` is the call's first argument. kInvalid where two info series of one target disagree.
Result<Table> EvalInfo(QueryContext& context, const promql::Call& call, const Steps& steps,
                       Table base);

}  // namespace skep::engine

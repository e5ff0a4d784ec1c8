// sum, avg, topk and their kin.
#pragma once

#include <string>

#include "common/base/result.h"
#include "evaluator/engine/context.h"
#include "evaluator/engine/table.h"
#include "evaluator/promql/ast.h"

namespace skep::engine {

// `parameter`: k, ratio or quantile at every step; empty for operators without.
Result<Table> EvalAggregate(QueryContext& context, const promql::Aggregate& aggregate,
                            const Column& parameter, Table input);

// count_values(label, input).
Result<Table> EvalCountValues(QueryContext& context, const promql::Aggregate& aggregate,
                              const std::string& label, Table input);

}  // namespace skep::engine

// What absent() and absent_over_time() report.
#pragma once

#include "common/model/labels.h"
#include "evaluator/engine/context.h"
#include "evaluator/engine/table.h"
#include "evaluator/promql/ast.h"

namespace skep::engine {

// What the equality matchers of a plain selector say, each label once; {} for anything else.
Labels AbsentLabels(const promql::Expr& argument);

// One series of ones at the steps where no row of `found` is present, with AbsentLabels(argument).
Table Absence(QueryContext& context, const Table& found, const promql::Expr& argument);

}  // namespace skep::engine

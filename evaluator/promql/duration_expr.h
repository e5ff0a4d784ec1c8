// Duration expressions turned into durations once the query's step and range are known.
#pragma once

#include "common/base/result.h"
#include "common/base/time.h"
#include "evaluator/promql/ast.h"

namespace skep::promql {

// What step() and range() stand for. Both 0 at an instant query.
struct QueryTimes {
  Duration step{0};
  Duration range{0};
};

// Whether any duration of `expr` is still an expression.
bool HasDurationExpr(const Expr& expr);

// Sets range, step and offset wherever an expression stands for them; the expressions stay for
// printing. kInvalid with the place in `text` (what `expr` was parsed from): division by zero, a
// range or step that is not positive, out of range.
Status ResolveDurations(Expr& expr, std::string_view text, QueryTimes times);

}  // namespace skep::promql

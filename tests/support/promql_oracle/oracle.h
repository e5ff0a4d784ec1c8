// A PromQL evaluator that is plain and slow: each step by itself, each operator as its definition
// reads (Prometheus 3: querying/basics, operators and functions of its documentation). What the
// engine, which works on columns, is compared with; nothing of the engine is used here.
//
// Left out: info(), limit_ratio (it chooses by a hash), arithmetic in durations, start timestamps,
// delayed removal of names, the trimming of histograms, remarks, and the order of answers.
#pragma once

#include "evaluator/promql/ast.h"
#include "evaluator/promql/value.h"
#include "tests/support/promql_oracle/evaluation.h"

namespace skep::oracle {

// An instant query: a scalar, a vector, or the samples of a range vector.
// kInvalid where the expression has no answer over these samples.
Result<promql::Value> At(const DataSet& data, const promql::Expr& expr, Timestamp time,
                         const Settings& settings = {});

// A range query: a matrix. Requires: `expr` is a scalar or an instant vector, span.step > 0.
Result<promql::Value> Over(const DataSet& data, const promql::Expr& expr, const Span& span,
                           const Settings& settings = {});

}  // namespace skep::oracle

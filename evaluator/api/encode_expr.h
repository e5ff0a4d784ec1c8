// The tree of an expression as JSON: what /api/v1/parse_query answers and Prometheus's page draws.
#pragma once

#include "common/json/writer.h"
#include "evaluator/promql/ast.h"

namespace skep::api {

// Objects with "type" and the fields that Prometheus gives each; spans in milliseconds.
void WriteExpr(json::JsonWriter& json, const promql::Expr& expr);

}  // namespace skep::api

// Selectors without range and modifiers, and the labels of a series. For the parser of this folder
// only.
#pragma once

#include <memory>

#include "common/model/labels.h"
#include "evaluator/promql/token_reader.h"

namespace skep::promql {

// Whether the token can be the name of a metric.
bool IsMetricName(const Token& token);

// name{label="value"}
std::unique_ptr<VectorSelector> ParseVectorSelector(TokenReader& tokens);

// {a="b", "c.d"="e", "my.metric"} of a series. Requires: the present token is the brace.
void ParseLabelSet(TokenReader& tokens, LabelsBuilder& labels);

}  // namespace skep::promql

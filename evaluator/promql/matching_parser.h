// Words between the two sides of a binary operator, and lists of labels. For the parser of this
// folder only.
#pragma once

#include <string>
#include <vector>

#include "evaluator/promql/token_reader.h"

namespace skep::promql {

// ( label, label, ): appends to `labels`. False where failed.
bool ParseGroupingLabels(TokenReader& tokens, std::vector<std::string>& labels);

// bool, on, ignoring, group_left, group_right, fill: what stands of them goes into `binary`. False
// where failed.
bool ParseBinaryModifiers(TokenReader& tokens, Binary& binary);

}  // namespace skep::promql

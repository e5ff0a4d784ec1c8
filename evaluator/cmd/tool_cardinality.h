// How many series each metric of a page has: `skep check metrics --extended`.
#pragma once

#include <string_view>

#include "common/exposition/format.h"
#include "evaluator/cmd/tool_io.h"

namespace skep::tool {

// Writes promtool's table: the metric with most series first, a histogram and a summary with all of
// theirs. Requires: the page can be read.
void PrintCardinality(ToolIo& io, std::string_view page, exposition::Format format);

}  // namespace skep::tool

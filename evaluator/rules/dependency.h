// Which rules of a group may run side by side.
#pragma once

#include <cstddef>
#include <vector>

#include "evaluator/promql/parser.h"
#include "evaluator/rules/rule_file.h"

namespace skep::rules {

// Positions of `rules` in levels: rules of one level neither read nor write what another one of it
// writes, and all that a rule has to wait for, or to be waited for, stands in another level.
// Running level after level gives what running one after the other gives. A rule whose templates
// query on their own may read anything.
std::vector<std::vector<std::size_t>> Levels(const std::vector<RuleDefinition>& rules,
                                             const promql::ParseOptions& options);

}  // namespace skep::rules

// Which rules of a group may run side by side.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "evaluator/promql/ast.h"
#include "evaluator/promql/parser.h"
#include "evaluator/rules/rule_file.h"

namespace skep::rules {

// Positions of `rules` in levels: rules of one level neither read nor write what another one of it
// writes, and all that a rule has to wait for, or to be waited for, stands in another level.
// Running level after level gives what running one after the other gives. A rule whose templates
// query on their own may read anything.
std::vector<std::vector<std::size_t>> Levels(const std::vector<RuleDefinition>& rules,
                                             const promql::ParseOptions& options);

// What the rules of a group write, in the order of their levels. Immutable.
class GroupWrites {
 public:
  GroupWrites(const std::vector<RuleDefinition>& rules,
              const std::vector<std::vector<std::size_t>>& levels);

  // How many rules of levels before that of `reader` write a series that `selector` may match;
  // for alerting rules that is ALERTS and ALERTS_FOR_STATE.
  std::size_t Before(std::size_t reader, const promql::VectorSelector& selector) const;

 private:
  struct Write {
    bool alerts = false;
    std::string name;
    std::size_t level = 0;
  };
  std::vector<Write> writes_;  // by rule
};

}  // namespace skep::rules

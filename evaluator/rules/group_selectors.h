// Which groups' expressions select a series.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/model/labels.h"
#include "common/model/matcher.h"
#include "evaluator/promql/parser.h"
#include "evaluator/rules/rule_file.h"

namespace skep::rules {

// Selectors are found by metric name, so that a series whose name stands in no rule costs one
// look-up; those that name no metric are all tried. Queries inside templates do not count.
// Thread-compatible; after the last Add immutable.
class GroupSelectors {
 public:
  // Requires: `number` is above all before.
  void Add(const GroupDefinition& group, std::uint32_t number, const promql::ParseOptions& options);

  // Appends the numbers of the groups that select the series: rising, none twice.
  void Find(const Labels& labels, std::vector<std::uint32_t>& out) const;

 private:
  struct Selector {
    std::uint32_t group;
    std::vector<Matcher> matchers;  // without the one on the name that it was found by
  };

  std::map<std::string, std::vector<Selector>, std::less<>> by_name_;
  std::vector<Selector> nameless_;
};

}  // namespace skep::rules

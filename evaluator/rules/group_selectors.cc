#include "evaluator/rules/group_selectors.h"

#include <algorithm>
#include <utility>

#include "evaluator/promql/ast.h"

namespace skep::rules {

void GroupSelectors::Add(const GroupDefinition& group, std::uint32_t number,
                         const promql::ParseOptions& options) {
  const auto names_metric = [](const Matcher& matcher) {
    return matcher.name() == kMetricName && matcher.type() == MatchType::kEqual;
  };
  for (const RuleDefinition& rule : group.rules) {
    const Result<promql::ExprPtr> expr = promql::ParseExpr(rule.expr, options);
    if (!expr) continue;  // it was parsed at the load; what fails now selects nothing at a round
    for (const promql::VectorSelector* selector : promql::Selectors(**expr)) {
      Selector one{number, selector->matchers};
      const auto name = std::find_if(one.matchers.begin(), one.matchers.end(), names_metric);
      if (name == one.matchers.end()) {
        nameless_.push_back(std::move(one));
        continue;
      }
      std::vector<Selector>& same_name = by_name_[name->value()];
      one.matchers.erase(name);
      same_name.push_back(std::move(one));
    }
  }
}

void GroupSelectors::Find(const Labels& labels, std::vector<std::uint32_t>& out) const {
  const auto begin = static_cast<std::ptrdiff_t>(out.size());
  const auto look = [&](const std::vector<Selector>& selectors) {
    for (const Selector& selector : selectors) {
      const bool known = std::find(out.begin() + begin, out.end(), selector.group) != out.end();
      if (!known && MatchesAll(selector.matchers, labels)) out.push_back(selector.group);
    }
  };
  const auto found = by_name_.find(labels.metric_name());
  if (found != by_name_.end()) look(found->second);
  look(nameless_);
  std::sort(out.begin() + begin, out.end());
}

}  // namespace skep::rules

#include "evaluator/rules/dependency.h"

#include <algorithm>
#include <string_view>

#include "common/model/matcher.h"
#include "evaluator/promql/ast.h"
#include "evaluator/template/alert_template.h"

namespace skep::rules {
namespace {

struct Access {
  // Conditions on the name, per selector; one without any may read everything.
  std::vector<std::vector<Matcher>> reads;
  bool reads_all = false;
  bool alerts = false;  // writes ALERTS and ALERTS_FOR_STATE
  std::string name;     // else this
};

bool MayQuery(const RuleDefinition& rule) {
  for (const Labels* texts : {&rule.labels, &rule.annotations}) {
    for (const LabelView text : *texts) {
      const auto parsed = templates::AlertTemplate::Parse(rule.name, text.value);
      if (parsed && parsed->queries()) return true;
    }
  }
  return false;
}

std::vector<Matcher> OnName(const promql::VectorSelector& selector) {
  std::vector<Matcher> on_name;
  for (const Matcher& matcher : selector.matchers) {
    if (matcher.name() == kMetricName) on_name.push_back(matcher);
  }
  return on_name;
}

Access AccessOf(const RuleDefinition& rule, const promql::ParseOptions& options) {
  Access access;
  access.alerts = rule.kind == RuleKind::kAlerting;
  access.name = rule.name;
  const Result<promql::ExprPtr> expr = promql::ParseExpr(rule.expr, options);
  access.reads_all = !expr || (access.alerts && MayQuery(rule));
  if (access.reads_all) return access;
  for (const promql::VectorSelector* selector : promql::Selectors(**expr)) {
    access.reads.push_back(OnName(*selector));
  }
  return access;
}

bool ReadsName(const Access& reader, std::string_view name) {
  if (reader.reads_all) return true;
  return std::any_of(reader.reads.begin(), reader.reads.end(), [&](const auto& matchers) {
    return std::all_of(matchers.begin(), matchers.end(),
                       [&](const Matcher& matcher) { return matcher.Matches(name); });
  });
}

bool ReadsWhatWrites(const Access& reader, const Access& writer) {
  if (!writer.alerts) return ReadsName(reader, writer.name);
  return ReadsName(reader, "ALERTS") || ReadsName(reader, "ALERTS_FOR_STATE");
}

bool Touch(const Access& a, const Access& b) {
  const bool same_series = a.alerts == b.alerts && a.name == b.name;
  return same_series || ReadsWhatWrites(a, b) || ReadsWhatWrites(b, a);
}

}  // namespace

GroupWrites::GroupWrites(const std::vector<RuleDefinition>& rules,
                         const std::vector<std::vector<std::size_t>>& levels) {
  for (const RuleDefinition& rule : rules) {
    writes_.push_back({rule.kind == RuleKind::kAlerting, rule.name, 0});
  }
  for (std::size_t level = 0; level < levels.size(); ++level) {
    for (const std::size_t rule : levels[level]) writes_[rule].level = level;
  }
}

std::size_t GroupWrites::Before(std::size_t reader, const promql::VectorSelector& selector) const {
  Access reads;
  reads.reads.push_back(OnName(selector));
  const auto matched = [&](const Write& write) {
    Access writer;
    writer.alerts = write.alerts;
    writer.name = write.name;
    return write.level < writes_[reader].level && ReadsWhatWrites(reads, writer);
  };
  return static_cast<std::size_t>(std::count_if(writes_.begin(), writes_.end(), matched));
}

std::vector<std::vector<std::size_t>> Levels(const std::vector<RuleDefinition>& rules,
                                             const promql::ParseOptions& options) {
  std::vector<Access> accesses;
  accesses.reserve(rules.size());
  for (const RuleDefinition& rule : rules) accesses.push_back(AccessOf(rule, options));
  std::vector<std::vector<std::size_t>> levels;
  std::vector<std::size_t> level_of(rules.size(), 0);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    for (std::size_t before = 0; before < i; ++before) {
      if (level_of[before] >= level_of[i] && Touch(accesses[before], accesses[i])) {
        level_of[i] = level_of[before] + 1;
      }
    }
    if (levels.size() <= level_of[i]) levels.resize(level_of[i] + 1);
    levels[level_of[i]].push_back(i);
  }
  return levels;
}

}  // namespace skep::rules

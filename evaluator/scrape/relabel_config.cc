#include "evaluator/scrape/relabel_config.h"

#include <utility>

namespace skep::scrape {
namespace {

Result<RelabelRule> ReadRule(const yaml::Node& node) {
  if (!node.IsMap()) return node.Complain("expected a relabelling rule");
  RelabelOptions options;
  yaml::MapReader map(node);
  map.Read("source_labels", options.source_labels);
  map.Read("separator", options.separator);
  map.Read("regex", options.regex);
  map.Read("target_label", options.target_label);
  map.Read("replacement", options.replacement);
  if (const yaml::Node modulus = map.Take("modulus"); !modulus.IsNull()) {
    const Result<std::int64_t> number = modulus.AsInt();
    if (!number) return number.error();
    if (*number < 0) return modulus.Complain("expected a modulus of at least 0");
    options.modulus = static_cast<std::uint64_t>(*number);
  }
  if (const yaml::Node action = map.Take("action"); !action.IsNull()) {
    const std::optional<RelabelAction> known = ParseRelabelAction(action.text());
    if (!known) return action.Complain("unknown relabel action \"" + action.text() + "\"");
    options.action = *known;
  }
  RETURN_IF_ERROR(map.Finish("relabel_config"));
  Result<RelabelRule> rule = RelabelRule::Create(std::move(options));
  if (!rule) return node.Complain(rule.error().message());
  return rule;
}

}  // namespace

Result<std::vector<RelabelRule>> ReadRelabelRules(const yaml::Node& node) {
  std::vector<RelabelRule> rules;
  if (!node.IsNull() && !node.IsSequence()) return node.Complain("expected a list of rules");
  for (const yaml::Node& item : node.items()) {
    Result<RelabelRule> rule = ReadRule(item);
    if (!rule) return rule.error();
    rules.push_back(*std::move(rule));
  }
  return rules;
}

}  // namespace skep::scrape

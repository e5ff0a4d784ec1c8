#include "evaluator/scrape/target_group.h"

#include <utility>

#include "common/base/quote.h"

namespace skep::scrape {
namespace {

Result<Labels> ReadLabels(const yaml::Node& node) {
  if (!node.IsNull() && !node.IsMap()) return node.Complain("expected a map of labels");
  LabelsBuilder builder;
  for (const auto& [key, value] : node.entries()) {
    if (!IsUtf8Name(key.text())) {
      return key.Complain(Quote(key.text()) + " is not a valid label name");
    }
    const Result<std::string> text = value.AsString();
    if (!text) return text.error();
    builder.Set(key.text(), *text);
  }
  return builder.Build();
}

Result<TargetGroup> ReadGroup(const yaml::Node& node) {
  if (!node.IsMap()) return node.Complain("expected a map with targets and labels");
  TargetGroup group;
  yaml::MapReader map(node);
  map.Read("targets", group.targets);
  Result<Labels> labels = ReadLabels(map.Take("labels"));
  if (!labels) return labels.error();
  group.labels = *std::move(labels);
  RETURN_IF_ERROR(map.Finish("target group"));
  return group;
}

}  // namespace

Status CheckAddress(std::string_view address) {
  if (address.empty()) return Invalid("no address");
  if (address.find('/') == std::string_view::npos) return {};
  return Invalid(Quote(address) + " is not a valid hostname");
}

Result<std::vector<TargetGroup>> ReadTargetGroups(const yaml::Node& node) {
  if (!node.IsNull() && !node.IsSequence())
    return node.Complain("expected a list of target groups");
  std::vector<TargetGroup> groups;
  for (const yaml::Node& item : node.items()) {
    Result<TargetGroup> group = ReadGroup(item);
    if (!group) return group.error();
    group->source = std::to_string(groups.size());
    groups.push_back(*std::move(group));
  }
  return groups;
}

Status CheckAddresses(const yaml::Node& node) {
  for (const yaml::Node& group : node.items()) {
    for (const yaml::Node& target : group.Get("targets").items()) {
      const Status good = CheckAddress(target.text());
      if (!good) return target.Complain(good.error().message());
    }
  }
  return {};
}

Result<std::vector<TargetGroup>> ParseTargetFile(std::string_view content,
                                                 const std::string& path) {
  // JSON is YAML written in flow style, so one reader serves both.
  const Result<yaml::Node> root = yaml::Node::Parse(content, path);
  if (!root) return root.error();
  if (root->IsNull()) return Invalid(path + ": empty file, expected a list of target groups");
  Result<std::vector<TargetGroup>> groups = ReadTargetGroups(*root);
  if (!groups) return groups.error();
  for (TargetGroup& group : *groups) {
    group.source = path + ":" + group.source;
    LabelsBuilder builder(group.labels);
    builder.Set("__meta_filepath", path);
    group.labels = builder.Build();
  }
  return groups;
}

}  // namespace skep::scrape

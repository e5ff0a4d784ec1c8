#include "evaluator/template/template.h"

#include <algorithm>

#include "evaluator/template/executor.h"
#include "evaluator/template/node.h"
#include "evaluator/template/parser.h"

namespace skep::templates {
namespace {

bool CallsBelow(const Node& node, std::string_view function) {
  if (node.kind == NodeKind::kFunction && node.text == function) return true;
  for (const Node* part : {node.pipe.get(), node.body.get(), node.otherwise.get()}) {
    if (part != nullptr && CallsBelow(*part, function)) return true;
  }
  return std::any_of(node.children.begin(), node.children.end(),
                     [&](const auto& child) { return CallsBelow(*child, function); });
}

std::shared_ptr<const Source> MakeSource(std::string_view name, std::string_view prelude,
                                         std::string_view text) {
  return std::make_shared<const Source>(
      Source{std::string(name), std::string(prelude).append(text), prelude.size()});
}

}  // namespace

Result<Template> Template::Parse(std::string_view name, std::string_view text,
                                 const FunctionTable& functions, std::string_view prelude) {
  auto set = std::make_shared<Set>(Set{{}, functions});
  RETURN_IF_ERROR(ParseInto(MakeSource(name, prelude, text), set->functions, set->templates));
  return Template(std::move(set), std::string(name));
}

Result<Template> Template::ParseSet(std::string_view name,
                                    std::span<const std::pair<std::string, std::string>> texts,
                                    const FunctionTable& functions) {
  auto set = std::make_shared<Set>(Set{{}, functions});
  for (const auto& [text_name, text] : texts) {
    RETURN_IF_ERROR(ParseInto(MakeSource(text_name, "", text), set->functions, set->templates));
  }
  return Template(std::move(set), std::string(name));
}

Result<Template> Template::With(std::string_view name, std::string_view text) const {
  auto set = std::make_shared<Set>(*set_);
  RETURN_IF_ERROR(ParseInto(MakeSource(name, "", text), set->functions, set->templates));
  return Template(std::move(set), std::string(name));
}

Result<std::string> Template::Execute(const Value& data, const Context* context,
                                      const Limits& limits) const {
  return templates::Execute(set_->templates, name_, data, context, limits);
}

bool Template::literal() const {
  const auto found = set_->templates.find(name_);
  if (found == set_->templates.end()) return false;
  const auto& children = found->second->root->children;
  return std::all_of(children.begin(), children.end(),
                     [](const auto& child) { return child->kind == NodeKind::kText; });
}

bool Template::Calls(std::string_view function) const {
  return std::any_of(set_->templates.begin(), set_->templates.end(),
                     [&](const auto& entry) { return CallsBelow(*entry.second->root, function); });
}

bool Template::Defines(std::string_view name) const { return set_->templates.contains(name); }

}  // namespace skep::templates

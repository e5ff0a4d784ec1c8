// Runs the trees of a set of templates.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"
#include "evaluator/template/node.h"

namespace skep::templates {

Result<std::string> Execute(const TemplateMap& templates, std::string_view name, const Value& data,
                            const Context* context, const Limits& limits);

}  // namespace skep::templates

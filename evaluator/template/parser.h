// Tokens to trees.
#pragma once

#include <memory>

#include "common/base/result.h"
#include "evaluator/template/node.h"

namespace skep::templates {

// Parses the source and adds its template, and those that it defines, to `templates`: new ones
// replace old ones, but an empty one does not replace another.
Status ParseInto(std::shared_ptr<const Source> source, const FunctionTable& functions,
                 TemplateMap& templates);

}  // namespace skep::templates

// Rule files with their expressions written as they should look, everything else as it stood.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "evaluator/rules/rule_file.h"

namespace skep::rules {

struct FormattedRules {
  std::string text;
  std::size_t changed = 0;  // expressions
  // Expressions left as they are: with a comment of their own, which printing would lose, or
  // written in a way that cannot be replaced without moving something else (flow maps, aliases).
  std::size_t kept = 0;
};

// kInvalid: the first error of the file. The result has been read again: it has the same rules but
// for the spelling of their expressions.
Result<FormattedRules> FormatRules(std::string_view text, std::string_view file,
                                   const RuleFileOptions& options);

}  // namespace skep::rules

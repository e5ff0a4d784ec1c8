// label_replace() and label_join(): they look at labels, never at samples.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/model/regex.h"
#include "evaluator/engine/context.h"
#include "evaluator/engine/table.h"

namespace skep::engine {

// One of the two, its string arguments checked.
class LabelEdit {
 public:
  // destination, replacement, source, regular expression. kInvalid: bad name or expression.
  static Result<LabelEdit> Replace(const std::vector<std::string>& texts);
  // destination, separator, sources. kInvalid: bad name.
  static Result<LabelEdit> Join(const std::vector<std::string>& texts);

  // A longer value is refused: the functions in one another could fill the memory with one label.
  static constexpr std::size_t kMaxValueBytes = 262'144;

  // kInvalid where two series become one or a value would be too long.
  Status Apply(QueryContext& context, Table& table) const;

 private:
  // The destination's new value; empty where it stays.
  Result<std::optional<std::string>> NewValue(const Labels& labels) const;
  Result<std::optional<std::string>> Replaced(const Labels& labels) const;

  std::string destination_;
  std::string text_;  // replacement or separator
  std::vector<std::string> sources_;
  std::optional<Regex> regex_;  // of label_replace
};

}  // namespace skep::engine

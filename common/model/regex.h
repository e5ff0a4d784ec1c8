// Regular expressions in RE2 syntax, in linear time. The only user of RE2.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace skep {

// Immutable; copies share the compiled program. Thread-safe.
// `.` matches newlines too, as in Prometheus 3.
class Regex {
 public:
  // kInvalid says what RE2 found wrong.
  static Result<Regex> Create(std::string_view pattern);

  const std::string& pattern() const;

  // The whole text must match.
  bool FullMatch(std::string_view text) const;
  // A part of the text must match.
  bool PartialMatch(std::string_view text) const;
  // The whole text must match; fills `groups` with the whole match and then each group ("" where it
  // took no part).
  bool FullMatch(std::string_view text, std::vector<std::string_view>& groups) const;
  // The same for the first part of the text that matches.
  bool PartialMatch(std::string_view text, std::vector<std::string_view>& groups) const;
  // The names of the groups by their numbers, "" where one has none; [0] is the whole match.
  std::vector<std::string> GroupNames() const;

  // Go's Expand: `$1`, `${1}`, `$name`, `${name}`, `$$`, filled from `groups` of a FullMatch.
  std::string Expand(std::string_view replacement,
                     const std::vector<std::string_view>& groups) const;
  // Every non-overlapping match replaced by the expansion of `replacement`.
  std::string ReplaceAll(std::string_view text, std::string_view replacement) const;

  // Where the pattern is nothing but literals separated by `|` (also inside one group): those
  // literals. An index look-up then serves instead of a match.
  const std::optional<std::vector<std::string>>& literals() const;
  // What every matching text begins with; may be "".
  const std::string& literal_prefix() const;

 private:
  struct Program;

  explicit Regex(std::shared_ptr<const Program> program) : program_(std::move(program)) {}

  std::shared_ptr<const Program> program_;
};

}  // namespace skep

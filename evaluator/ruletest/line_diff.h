// Two lists of lines, and how the one becomes the other.
#pragma once

#include <string>
#include <vector>

namespace skep::ruletest {

struct DiffLine {
  enum class Kind : std::uint8_t { kBoth, kOnlyFirst, kOnlySecond };

  Kind kind;
  std::string text;
};

// With as many lines in common as can be; long lists (4,000,000 pairs of lines and more) as if they
// had none but those at the beginning.
std::vector<DiffLine> DiffLines(const std::vector<std::string>& first,
                                const std::vector<std::string>& second);

}  // namespace skep::ruletest

// Whole pages judged: by the rules of OpenMetrics 1.0, and by the habits of good names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/exposition/format.h"

namespace skep::exposition {

// Strict OpenMetrics: grammar and all rules of families (names that clash, values of counters,
// buckets, grouping, order of time stamps, exemplars, units). kInvalid names the line. Scrapes do
// not ask for it.
Status ValidateOpenMetrics(std::string_view page);

struct LintFinding {
  std::string metric;
  std::string text;
  bool operator==(const LintFinding&) const = default;
};

// What `promtool check metrics` says of a page in text 0.0.4 (or OpenMetrics), in the order of
// names. kInvalid: the page cannot be read.
Result<std::vector<LintFinding>> LintPage(std::string_view page, Format format);

}  // namespace skep::exposition

// What `skep check` finds in files that are good: by promtool's names.
#pragma once

#include <string>
#include <string_view>

#include "common/base/time.h"
#include "evaluator/cmd/tool_io.h"
#include "evaluator/config/configuration.h"
#include "evaluator/rules/rule_file.h"

namespace skep::tool {

struct LintOptions {
  bool duplicate_rules = true;            // duplicate-rules
  bool too_long_scrape_interval = false;  // too-long-scrape-interval; of a configuration
  Duration lookback_delta = std::chrono::minutes(5);  // what an interval is too long for
  bool fatal = false;                                 // findings end with kLint
};

// Sets the checks as --lint names them, comma-separated: all, none, or some. "none" beats all
// others. One that nobody knows is warned of on err and left out, as promtool does it.
void ReadLintList(ToolIo& io, std::string_view list, LintOptions& options);

// Of one file. Annotations without effect and documents that do not count are told, but never
// fatal: promtool knows neither.
ExitCode LintRuleFile(ToolIo& io, const rules::RuleFile& file, const LintOptions& options);

ExitCode LintScrapeIntervals(ToolIo& io, const config::Configuration& configuration,
                             const LintOptions& options);

}  // namespace skep::tool

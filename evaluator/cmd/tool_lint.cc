#include "evaluator/cmd/tool_lint.h"

#include <ostream>

#include "common/base/quote.h"

namespace skep::tool {
namespace {

ExitCode Found(const LintOptions& options) {
  return options.fatal ? ExitCode::kLint : ExitCode::kGood;
}

}  // namespace

void ReadLintList(ToolIo& io, std::string_view list, LintOptions& options) {
  options.duplicate_rules = false;
  options.too_long_scrape_interval = false;
  bool none = false;
  while (!list.empty()) {
    const std::string_view name = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), name.size() + 1));
    const bool all = name == "all";
    if (name == "none") {
      none = true;
    } else if (!all && name != "duplicate-rules" && name != "too-long-scrape-interval") {
      io.err << "skep: warning: unknown lint option: " << Quote(name) << '\n';
    }
    if (all || name == "duplicate-rules") options.duplicate_rules = true;
    if (all || name == "too-long-scrape-interval") options.too_long_scrape_interval = true;
  }
  if (!none) return;
  options.duplicate_rules = false;
  options.too_long_scrape_interval = false;
}

ExitCode LintRuleFile(ToolIo& io, const rules::RuleFile& file, const LintOptions& options) {
  ExitCode code = ExitCode::kGood;
  for (const rules::LintFinding& finding : rules::LintRules({file})) {
    const bool duplicate = finding.kind == rules::LintFinding::Kind::kDuplicateRule;
    if (duplicate && !options.duplicate_rules) continue;
    io.err << finding.file << ':' << finding.line << ": " << finding.message << '\n';
    if (duplicate) code = Found(options);
  }
  return code;
}

ExitCode LintScrapeIntervals(ToolIo& io, const config::Configuration& configuration,
                             const LintOptions& options) {
  if (!options.too_long_scrape_interval || options.lookback_delta <= Duration{0}) {
    return ExitCode::kGood;
  }
  ExitCode code = ExitCode::kGood;
  for (const scrape::JobOptions& job : configuration.scrape.jobs) {
    if (job.interval < options.lookback_delta) continue;
    io.err << "scrape job " << Quote(job.name) << ": interval " << FormatDuration(job.interval)
           << " is too long: samples are stale after " << FormatDuration(options.lookback_delta)
           << '\n';
    code = Found(options);
  }
  return code;
}

}  // namespace skep::tool

#include "evaluator/cmd/tool_check.h"

#include <ostream>

#include "common/base/file.h"
#include "common/exposition/validator.h"
#include "evaluator/cmd/tool_cardinality.h"
#include "evaluator/cmd/tool_check_targets.h"
#include "evaluator/config/configuration.h"
#include "evaluator/rules/rule_file.h"

namespace skep::tool {
namespace {

// What messages call a file.
std::string NameOf(const std::string& path) { return path == "-" ? "<stdin>" : path; }

void OrStandardInput(std::vector<std::string>& files) {
  if (files.empty()) files.emplace_back("-");
}

std::string Counted(std::size_t count, std::string_view thing) {
  return std::to_string(count) + " " + std::string(thing) + (count == 1 ? "" : "s");
}

// promtool, too, looks for rules that come twice in each file alone.
ExitCode CheckRuleFile(ToolIo& io, const std::string& path, const CheckOptions& options) {
  const Result<std::string> text = ReadInput(io, path);
  if (!text) return Refuse(io, text.error().message());
  rules::RuleFileReport report = rules::ParseRuleFile(
      *text, NameOf(path),
      {.promql = options.promql, .ignore_unknown_fields = options.ignore_unknown_fields});
  for (const Error& error : report.errors) Refuse(io, error.message());
  if (!report.errors.empty()) return ExitCode::kRefused;
  io.out << NameOf(path) << ": good, " << Counted(report.file.CountRules(), "rule") << '\n';
  return LintRuleFile(io, report.file, options.lint);
}

ExitCode CheckRuleFilesOf(ToolIo& io, const config::Configuration& configuration,
                          const CheckOptions& options) {
  ExitCode code = ExitCode::kGood;
  for (const NamedFile& entry : configuration.rule_files) {
    const Result<std::vector<std::string>> files = Glob(entry.path);
    if (!files) {
      code = Refuse(io, files.error().message());
      continue;
    }
    for (const std::string& file : *files) {
      code = Worse(code, CheckRuleFile(io, file, options));
    }
  }
  return code;
}

// Of rule files that are good.
ExitCode CheckOnScrape(ToolIo& io, const config::Configuration& configuration,
                       const CheckOptions& options) {
  std::vector<rules::RuleFile> files;
  for (const NamedFile& entry : configuration.rule_files) {
    const Result<std::vector<std::string>> paths = Glob(entry.path);
    if (!paths) return Refuse(io, paths.error().message());
    for (const std::string& path : *paths) {
      Result<rules::RuleFile> file = rules::ReadRuleFile(
          path, {.promql = options.promql, .ignore_unknown_fields = options.ignore_unknown_fields});
      if (!file) return Refuse(io, file.error().message());
      files.push_back(std::move(*file));
    }
  }
  const Status good = rules::CheckOnScrape(configuration.on_scrape, files);
  return good ? ExitCode::kGood : Refuse(io, good.error().message());
}

ExitCode CheckWhatItNames(ToolIo& io, const config::Configuration& configuration,
                          const CheckOptions& options) {
  ExitCode code = CheckRuleFilesOf(io, configuration, options);
  if (code != ExitCode::kRefused && !configuration.on_scrape.empty()) {
    code = Worse(code, CheckOnScrape(io, configuration, options));
  }
  for (const Error& error : config::FindMissingFiles(configuration)) {
    code = Refuse(io, error.message());
  }
  return Worse(code, LintScrapeIntervals(io, configuration, options.lint));
}

ExitCode CheckOneConfig(ToolIo& io, const std::string& path, const CheckOptions& options) {
  const Result<std::string> text = ReadInput(io, path);
  if (!text) return Refuse(io, text.error().message());
  const Result<config::Configuration> configuration = config::ParseConfiguration(
      *text, NameOf(path), {.ignore_unsupported = options.ignore_unsupported});
  if (!configuration) return Refuse(io, configuration.error().message());
  const DiscoveryFiles files = options.syntax_only ? DiscoveryFiles::kSkip : DiscoveryFiles::kRead;
  ExitCode code = CheckTargets(io, *configuration, {NameOf(path), files});
  if (!options.syntax_only) code = Worse(code, CheckWhatItNames(io, *configuration, options));
  if (code != ExitCode::kRefused) {
    io.out << NameOf(path) << ": good, " << Counted(configuration->scrape.jobs.size(), "scrape job")
           << '\n';
  }
  return code;
}

bool LooksLikeOpenMetrics(std::string_view page) {
  while (page.ends_with('\n')) page.remove_suffix(1);
  return page.ends_with("# EOF");
}

ExitCode CheckPage(ToolIo& io, const std::string& path, const CheckMetricsOptions& options) {
  const Result<std::string> page = ReadInput(io, path);
  if (!page) return Refuse(io, page.error().message());
  const exposition::Format format =
      LooksLikeOpenMetrics(*page) ? exposition::Format::kOpenMetrics : exposition::Format::kText;
  const auto findings = exposition::LintPage(*page, format);
  if (!findings) return Refuse(io, NameOf(path) + ": " + findings.error().message());
  for (const exposition::LintFinding& finding : *findings) {
    if (options.lint) io.err << finding.metric << ' ' << finding.text << '\n';
  }
  if (options.extended) PrintCardinality(io, *page, format);
  return findings->empty() || !options.lint ? ExitCode::kGood : ExitCode::kLint;
}

}  // namespace

ExitCode CheckRules(ToolIo& io, std::vector<std::string> files, const CheckOptions& options) {
  OrStandardInput(files);
  ExitCode code = ExitCode::kGood;
  for (const std::string& file : files) {
    code = Worse(code, CheckRuleFile(io, file, options));
  }
  return code;
}

ExitCode CheckConfig(ToolIo& io, std::vector<std::string> files, const CheckOptions& options) {
  OrStandardInput(files);
  ExitCode code = ExitCode::kGood;
  for (const std::string& file : files) code = Worse(code, CheckOneConfig(io, file, options));
  return code;
}

ExitCode CheckMetrics(ToolIo& io, std::vector<std::string> files,
                      const CheckMetricsOptions& options) {
  if (!options.lint && !options.extended) {
    return Refuse(io, "--lint=none leaves nothing to do without --extended");
  }
  OrStandardInput(files);
  ExitCode code = ExitCode::kGood;
  for (const std::string& file : files) code = Worse(code, CheckPage(io, file, options));
  return code;
}

}  // namespace skep::tool

// skep: the command-line tool.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/quote.h"
#include "evaluator/cmd/features.h"
#include "evaluator/cmd/tool_check.h"
#include "evaluator/cmd/tool_deploy.h"
#include "evaluator/cmd/tool_format.h"
#include "evaluator/cmd/tool_query.h"
#include "evaluator/cmd/tool_testing.h"
#include "evaluator/cmd/tool_tsdb.h"

namespace {

using skep::evaluator::Features;
using skep::tool::CheckMetricsOptions;
using skep::tool::CheckOptions;
using skep::tool::DeployMarkOptions;
using skep::tool::ExitCode;
using skep::tool::FormatMode;
using skep::tool::QueryOptions;
using skep::tool::TestOptions;
using skep::tool::ToolIo;
using skep::tool::TsdbOptions;

// What the command line asked for, filled by CLI11's callbacks.
struct Request {
  std::vector<std::string> files;
  CheckOptions check;
  CheckMetricsOptions metrics;
  std::string metrics_lint = "all";
  QueryOptions query;
  DeployMarkOptions deploy;
  std::string expr = "-";
  TestOptions test;
  TsdbOptions tsdb;
  std::vector<std::string> feature_names;
  Features features;
  std::string lint = "duplicate-rules";
  std::string lookback_delta = "5m";
  bool diff = false, check_format = false, write_format = false;
  std::string format = "table";
  std::string timeout = "2m";
  std::function<ExitCode(ToolIo&)> run;
};

void AddFeatures(CLI::App* command, Request& request) {
  command
      ->add_option("--enable-feature", request.feature_names,
                   skep::evaluator::ListFeatures() + "; repeatable")
      ->delimiter(',')
      ->allow_extra_args(false);
}

void AddCheckMetrics(CLI::App* metrics, Request& request) {
  metrics->add_flag("--extended", request.metrics.extended,
                    "Print how many series each metric has");
  metrics->add_option("--lint", request.metrics_lint, "Checks to apply: all or none")
      ->check(CLI::IsMember({"all", "none"}))
      ->capture_default_str();
  metrics->callback([&request] {
    request.metrics.lint = request.metrics_lint == "all";
    request.run = [&request](ToolIo& io) {
      return CheckMetrics(io, request.files, request.metrics);
    };
  });
}

void AddCheck(CLI::App& app, Request& request) {
  CLI::App* const check = app.add_subcommand("check", "Check files before a server reads them");
  check->require_subcommand(1);
  CLI::App* const config = check->add_subcommand("config", "Configuration files");
  CLI::App* const rules = check->add_subcommand("rules", "Rule files");
  CLI::App* const metrics = check->add_subcommand("metrics", "Pages of metrics: names and types");
  for (CLI::App* command : {config, rules, metrics}) {
    command->add_option("FILE", request.files, "Files; - or none: standard input");
  }
  config->add_flag("--ignore-unsupported", request.check.ignore_unsupported,
                   "Leave out what skep does not support instead of refusing the file");
  config->add_flag("--syntax-only", request.check.syntax_only,
                   "Look at the file alone, not at what it names");
  config
      ->add_option("--query.lookback-delta", request.lookback_delta,
                   "For the check too-long-scrape-interval")
      ->capture_default_str();
  for (CLI::App* command : {config, rules}) {
    command
        ->add_option("--lint", request.lint,
                     "Checks to apply, comma-separated: all, duplicate-rules, none; of a "
                     "configuration also too-long-scrape-interval")
        ->capture_default_str();
    command->add_flag("--lint-fatal", request.check.lint.fatal,
                      "Exit with 3 where lint finds something");
    command->add_flag("--ignore-unknown-fields", request.check.ignore_unknown_fields,
                      "Of rule files");
    AddFeatures(command, request);
  }
  config->callback([&request] {
    const auto delta = skep::ParseDuration(request.lookback_delta);
    if (!delta) throw CLI::ValidationError("--query.lookback-delta", delta.error().message());
    request.check.lint.lookback_delta = *delta;
    request.run = [&request](ToolIo& io) {
      ReadLintList(io, request.lint, request.check.lint);
      return CheckConfig(io, request.files, request.check);
    };
  });
  rules->callback([&request] {
    request.run = [&request](ToolIo& io) {
      ReadLintList(io, request.lint, request.check.lint);
      return CheckRules(io, request.files, request.check);
    };
  });
  config->add_flag_callback(
      "--agent", [] { throw CLI::ValidationError("--agent", "skep-evaluator has no agent mode"); },
      "Refused: there is no agent mode");
  AddCheckMetrics(metrics, request);
}

// What instant and range have in common.
void AddQueryOptions(CLI::App* command, Request& request) {
  command->add_option("--server", request.query.server, "URL of the server")->capture_default_str();
  command->add_option("--http.config.file", request.query.http_config_file,
                      "HTTP client configuration (TLS, authentication) as Prometheus has it");
  command->add_option("-o,--output", request.format, "table, json or csv")->capture_default_str();
  command->add_option("--timeout", request.timeout, "For the whole query")->capture_default_str();
  command->add_option("EXPR", request.query.expr, "PromQL")->required();
}

void ReadQueryOptions(Request& request) {
  const auto format = skep::tool::ParseOutputFormat(request.format);
  if (!format) throw CLI::ValidationError("--output", format.error().message());
  request.query.format = *format;
  const auto timeout = skep::ParseDuration(request.timeout);
  if (!timeout) throw CLI::ValidationError("--timeout", timeout.error().message());
  request.query.timeout = *timeout;
}

void AddQuery(CLI::App& app, Request& request, skep::Timestamp now) {
  CLI::App* const query = app.add_subcommand("query", "Ask a server");
  query->require_subcommand(1);
  CLI::App* const instant = query->add_subcommand("instant", "At one time");
  CLI::App* const range = query->add_subcommand("range", "Over a range of time");
  for (CLI::App* command : {instant, range}) AddQueryOptions(command, request);
  const std::string moment = " (now, -10m, unix seconds or RFC 3339)";
  instant->add_option("--time", request.query.time, "When" + moment);
  range->add_option("--start", request.query.start, "First time; an hour before the end" + moment);
  range->add_option("--end", request.query.end, "Last time; now" + moment);
  range->add_option("--step", request.query.step, "Between two times (15s, or seconds)");
  instant->callback([&request, now] {
    ReadQueryOptions(request);
    request.run = [&request, now](ToolIo& io) { return QueryInstant(io, request.query, now); };
  });
  range->callback([&request, now] {
    ReadQueryOptions(request);
    request.run = [&request, now](ToolIo& io) { return QueryRange(io, request.query, now); };
  });
}

skep::ruletest::FailureStyle DiffStyle() {
  return isatty(STDERR_FILENO) != 0 ? skep::ruletest::FailureStyle::kColoredDiff
                                    : skep::ruletest::FailureStyle::kDiff;
}

void AddTest(CLI::App& app, Request& request) {
  CLI::App* const test = app.add_subcommand("test", "Run tests of rules and of PromQL");
  test->require_subcommand(1);
  CLI::App* const rules = test->add_subcommand("rules", "Unit-test files as promtool has them");
  CLI::App* const promql = test->add_subcommand("promql", "Scripts as Prometheus's promqltest");
  for (CLI::App* command : {rules, promql}) {
    command->add_option("FILE", request.files, "Files")->required();
    command
        ->add_option("--run", request.test.run,
                     "Only tests whose name (of a script: evals whose query) matches the regular "
                     "expression; repeatable")
        ->allow_extra_args(false);
    AddFeatures(command, request);
  }
  rules->add_flag("--diff", request.diff, "Show what differs instead of both sides");
  rules->add_flag("--debug", request.test.debug, "Tell of each test, and all samples it had");
  rules->add_flag("--ignore-unknown-fields", request.test.ignore_unknown_fields, "Of rule files");
  for (CLI::App* command : {test, rules}) {
    command->add_option("--junit", request.test.junit,
                        "File for the results as JUnit XML of rules");
  }
  rules->callback([&request] {
    request.run = [&request](ToolIo& io) {
      request.test.features = request.features;
      if (request.diff) request.test.style = DiffStyle();
      return TestRules(io, request.files, request.test, skep::SystemClock());
    };
  });
  // Prometheus runs its scripts with all features.
  promql->callback([&request] {
    if (!request.test.junit.empty()) throw CLI::ValidationError("--junit", "is for test rules");
    request.run = [&request](ToolIo& io) {
      const bool all = request.feature_names.empty();
      request.test.features = all ? skep::tool::ScriptFeatures() : request.features;
      return TestPromql(io, request.files, request.test);
    };
  });
}

void AddFormat(CLI::App& app, Request& request) {
  CLI::App* const fmt = app.add_subcommand("fmt", "Write PromQL as it should look");
  CLI::Option* const expr =
      fmt->add_option("EXPR", request.expr, "PromQL; - or none: standard input");
  CLI::Option* const rules =
      fmt->add_option("--rules", request.files, "Rule files, whose layout and comments stay")
          ->excludes(expr);
  CLI::Option* const check =
      fmt->add_flag("--check", request.check_format, "Exit with 1 where something would change");
  fmt->add_flag("--write", request.write_format, "Replace rule files where they change")
      ->needs(rules)
      ->excludes(check);
  AddFeatures(fmt, request);
  fmt->callback([&request] {
    request.run = [&request](ToolIo& io) {
      const FormatMode mode = request.check_format   ? FormatMode::kCheck
                              : request.write_format ? FormatMode::kWrite
                                                     : FormatMode::kPrint;
      const skep::tool::FormatOptions options{request.features.promql, mode};
      return request.files.empty() ? FormatExpr(io, request.expr, options)
                                   : FormatRuleFiles(io, request.files, options);
    };
  });
}

void AddDeploy(CLI::App& app, Request& request) {
  CLI::App* const deploy = app.add_subcommand("deploy", "Tell of deployments");
  deploy->require_subcommand(1);
  CLI::App* const mark =
      deploy->add_subcommand("mark", "Tell an exporter that something was deployed");
  DeployMarkOptions& options = request.deploy;
  mark->add_option("--exporter", options.exporter, "URL of the exporter")->capture_default_str();
  mark->add_option("--http.config.file", options.http_config_file,
                   "HTTP client configuration (TLS, authentication) as Prometheus has it");
  mark->add_option("--service", options.service, "What was deployed")->required();
  mark->add_option("--version", options.version, "Which version runs now")->required();
  mark->add_option("--strategy", options.strategy, "How: blue_green, canary, rolling, hotfix");
  mark->add_option("--outcome", options.outcome, "How it ended; success by default")
      ->check(CLI::IsMember({"success", "failure", "rolled_back", "cancelled"}));
  mark->add_option("--commit", options.commit, "What was deployed, in version control");
  mark->add_option("--url", options.url, "Where to read more");
  mark->add_option("--rollback-version", options.rollback_version,
                   "Where a rollback goes; the version before by default");
  mark->add_option("--duration", options.duration, "How long it took (5m, or seconds)");
  mark->add_option("--time", options.time, "When it ended (unix seconds or RFC 3339); now");
  mark->add_option("--id", options.id,
                   "Of this deployment: the same id within 24 hours counts once (a CI job's)");
  mark->add_option("-o,--output", request.format, "text or json")->default_str("text");
  mark->callback([&request] {
    if (request.format != "json" && request.format != "text" && request.format != "table") {
      throw CLI::ValidationError("--output", "expected text or json");
    }
    request.deploy.json = request.format == "json";
    request.run = [&request](ToolIo& io) { return DeployMark(io, request.deploy); };
  });
}

void AddTsdbImport(CLI::App& tsdb, Request& request) {
  TsdbOptions& options = request.tsdb;
  CLI::App* const import = tsdb.add_subcommand(
      "import", "Bring samples of the past into a store, whether an evaluator is using it or not");
  import->add_option("--path", options.store, "Folder of the store")->capture_default_str();
  import
      ->add_option("FILE", options.inputs,
                   "OpenMetrics or Prometheus's text with time stamps (.gz too); a block of "
                   "Prometheus, or a folder with some (a snapshot, a data folder)")
      ->required();
  import
      ->add_option("--format", options.input_format,
                   "Of text: auto (OpenMetrics where it ends with # EOF), openmetrics, text")
      ->check(CLI::IsMember({"auto", "openmetrics", "text"}))
      ->capture_default_str();
  import->add_flag("--keep-going", options.keep_going,
                   "Leave out what cannot be read instead of importing nothing");
  import->add_flag("-q,--quiet", options.quiet, "Show no progress");
  import->callback([&request] {
    if (isatty(STDERR_FILENO) == 0) request.tsdb.quiet = true;
  request.run = [&request](ToolIo& io) { return ImportHistory(io, request.tsdb); };
});
}  // namespace

void AddTsdbExport(CLI::App& tsdb, Request& request) {
  TsdbOptions& options = request.tsdb;
  CLI::App* const out = tsdb.add_subcommand("export", "Write samples as text with time stamps");
  out->add_option("--path", options.store, "Folder of the store")->capture_default_str();
  out->add_option("--match", options.selectors, "Series selector; repeatable; all by default")
      ->allow_extra_args(false);
  out->add_option("--min-time", options.min_time, "First time (unix seconds or RFC 3339)");
  out->add_option("--max-time", options.max_time, "Last time (unix seconds or RFC 3339)");
  out->add_option("--format", options.output_format, "openmetrics or text")
      ->check(CLI::IsMember({"openmetrics", "text"}))
      ->capture_default_str();
  out->callback([&request] {
    request.run = [&request](ToolIo& io) { return ExportHistory(io, request.tsdb); };
  });
}

void AddTsdb(CLI::App& app, Request& request) {
  CLI::App* const tsdb = app.add_subcommand("tsdb", "Samples in a store's folder");
  tsdb->require_subcommand(1);
  AddTsdbImport(*tsdb, request);
  AddTsdbExport(*tsdb, request);
  CLI::App* const list = tsdb->add_subcommand("list", "List the blocks of a store");
  CLI::App* const analyze = tsdb->add_subcommand(
      "analyze", "Tell what takes a store's bytes, how many series labels make, and what churns");
  for (CLI::App* command : {list, analyze}) {
    command->add_option("STORE", request.tsdb.store, "Folder of the store")->capture_default_str();
    command->add_option("--format", request.format, "table or json")
        ->check(CLI::IsMember({"table", "json"}))
        ->capture_default_str();
  }
  analyze->add_option("--limit", request.tsdb.limit, "Rows of each table")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  list->callback([&request] {
    request.tsdb.json = request.format == "json";
    request.run = [&request](ToolIo& io) { return ListBlocks(io, request.tsdb); };
  });
  analyze->callback([&request] {
    request.tsdb.json = request.format == "json";
    request.run = [&request](ToolIo& io) { return AnalyzeStore(io, request.tsdb); };
  });
}

int Run(int argc, char** argv) {
  CLI::App app("skep: check, test, format, query and mark, beside skep-evaluator or a Prometheus",
               "skep");
  app.set_version_flag("--version", std::string("skep ") + SKEP_VERSION);
  app.require_subcommand(1);
  Request request;
  AddFeatures(&app, request);  // promtool has it in front of the command
  AddCheck(app, request);
  AddTest(app, request);
  AddQuery(app, request, skep::SystemClock().Now());
  AddFormat(app, request);
  AddDeploy(app, request);
  AddTsdb(app, request);
  try {
    app.parse(argc, argv);
    request.features = skep::evaluator::ParseFeatures(request.feature_names);
    request.check.promql = request.features.promql;
  } catch (const CLI::ParseError& error) {
    // --help and --version end well and print to standard output; everything else is 1, not one of
    // CLI11's many numbers.
    return app.exit(error, std::cout, std::cerr) == 0 ? 0 : static_cast<int>(ExitCode::kRefused);
  }
  ToolIo io{std::cin, std::cout, std::cerr};
  for (const std::string& name : request.features.unknown) {
    io.err << "warning: unknown option for --enable-feature: " << skep::Quote(name) << '\n';
  }
  const ExitCode code = request.run(io);
  std::cout.flush();
  if (!std::cout) return static_cast<int>(Refuse(io, "cannot write to standard output"));
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "skep: " << error.what() << '\n';
    return static_cast<int>(ExitCode::kRefused);
  }
}

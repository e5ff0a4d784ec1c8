// skep: the command-line tool.
#include <CLI/CLI.hpp>
#include <exception>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "evaluator/cmd/tool_check.h"
#include "evaluator/cmd/tool_deploy.h"
#include "evaluator/cmd/tool_query.h"

namespace {

using skep::tool::CheckOptions;
using skep::tool::DeployMarkOptions;
using skep::tool::ExitCode;
using skep::tool::QueryOptions;
using skep::tool::ToolIo;

// What the command line asked for, filled by CLI11's callbacks.
struct Request {
  std::vector<std::string> files;
  CheckOptions check;
  QueryOptions query;
  DeployMarkOptions deploy;
  std::string expr = "-";
  std::vector<std::string> features;
  std::string format = "table";
  std::string timeout = "2m";
  std::function<ExitCode(ToolIo&)> run;
};

void AddFeatures(CLI::App* command, Request& request) {
  command
      ->add_option("--enable-feature", request.features,
                   "promql-experimental-functions, promql-duration-expr, "
                   "promql-extended-range-selectors, promql-binop-fill-modifiers; repeatable")
      ->delimiter(',')
      ->allow_extra_args(false);
}

skep::promql::ParseOptions ReadFeatures(const std::vector<std::string>& features) {
  skep::promql::ParseOptions options;
  for (const std::string& feature : features) {
    if (feature == "promql-experimental-functions") {
      options.experimental_functions = true;
    } else if (feature == "promql-duration-expr") {
      options.duration_expressions = true;
    } else if (feature == "promql-extended-range-selectors") {
      options.extended_range_selectors = true;
    } else if (feature == "promql-binop-fill-modifiers") {
      options.binop_fill_modifiers = true;
    } else {
      throw CLI::ValidationError("--enable-feature", "unknown feature \"" + feature + "\"");
    }
  }
  return options;
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
  for (CLI::App* command : {config, rules}) {
    command->add_flag("--lint-fatal", request.check.lint_fatal,
                      "Exit with 3 where lint finds something");
    command->add_flag("--ignore-unknown-fields", request.check.ignore_unknown_fields,
                      "Of rule files");
    AddFeatures(command, request);
  }
  config->callback([&request] {
    request.run = [&request](ToolIo& io) { return CheckConfig(io, request.files, request.check); };
  });
  rules->callback([&request] {
    request.run = [&request](ToolIo& io) { return CheckRules(io, request.files, request.check); };
  });
  metrics->callback([&request] {
    request.run = [&request](ToolIo& io) { return CheckMetrics(io, request.files); };
  });
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

void AddFormat(CLI::App& app, Request& request) {
  CLI::App* const fmt = app.add_subcommand("fmt", "Write a PromQL expression as it should look");
  fmt->add_option("EXPR", request.expr, "PromQL; - or none: standard input");
  AddFeatures(fmt, request);
  fmt->callback([&request] {
    request.run = [&request](ToolIo& io) {
      return FormatExpr(io, request.expr, request.check.promql);
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

int Run(int argc, char** argv) {
  CLI::App app("skep: check, format, query and mark, beside skep-evaluator or a Prometheus",
               "skep");
  app.set_version_flag("--version", std::string("skep ") + SKEP_VERSION);
  app.require_subcommand(1);
  Request request;
  AddCheck(app, request);
  AddQuery(app, request, skep::SystemClock().Now());
  AddFormat(app, request);
  AddDeploy(app, request);
  try {
    app.parse(argc, argv);
    request.check.promql = ReadFeatures(request.features);
  } catch (const CLI::ParseError& error) {
    // --help and --version end well and print to standard output; everything else is 1, not one of
    // CLI11's many numbers.
    return app.exit(error, std::cout, std::cerr) == 0 ? 0 : static_cast<int>(ExitCode::kRefused);
  }
  ToolIo io{std::cin, std::cout, std::cerr};
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

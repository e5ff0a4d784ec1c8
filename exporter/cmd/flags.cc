#include "exporter/cmd/flags.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <deque>
#include <utility>

#include "exporter/collectors/catalogue.h"

namespace skep::exporter {
namespace {

// Where CLI11 leaves what it read about collectors until all of it is known. In deques, since CLI11
// keeps references.
struct Pending {
  struct Switch {
    std::string collector;
    bool value = false;
    CLI::Option* option = nullptr;
  };
  struct Value {
    std::string collector;
    std::string name;
    std::vector<std::string> texts;
    bool flag = false;
    CLI::Option* option = nullptr;
    bool is_flag = false;
  };
  std::deque<Switch> switches;
  std::deque<Value> values;
};

// "--collector.cpu,!--no-collector.cpu": the second form means false.
std::string Negatable(const std::string& name) { return "--" + name + ",!--no-" + name; }

void AddCollectors(CLI::App& app, Pending& pending) {
  for (const CollectorSpec& spec : Catalogue()) {
    Pending::Switch& on = pending.switches.emplace_back(Pending::Switch{spec.name});
    const std::string state = spec.on_by_default ? "enabled" : "disabled";
    on.option = app.add_flag(Negatable("collector." + spec.name), on.value,
                             "Enable the " + spec.name + " collector (default: " + state + ")");
    for (const OptionSpec& option : spec.options) {
      if (option.kind == OptionKind::kNode) continue;
      Pending::Value& value =
          pending.values.emplace_back(Pending::Value{spec.name, option.name, {}});
      const std::string name = spec.FlagName(option);
      value.is_flag = option.kind == OptionKind::kFlag;
      if (value.is_flag) {
        value.option = app.add_flag(Negatable(name), value.flag, option.help);
        continue;
      }
      value.option = app.add_option("--" + name, value.texts, option.help)->allow_extra_args(false);
      if (option.kind != OptionKind::kList) value.option->expected(1);
    }
  }
}

void TakeCollectors(const Pending& pending, Flags& flags) {
  for (const Pending::Switch& on : pending.switches) {
    if (on.option->count() > 0) flags.collectors[on.collector].enabled = on.value;
  }
  for (const Pending::Value& value : pending.values) {
    if (value.option->count() == 0) continue;
    flags.collectors[value.collector].options[value.name] =
        value.is_flag ? std::vector<std::string>{value.flag ? "true" : "false"} : value.texts;
  }
}

void AddPaths(CLI::App& app, Paths& paths) {
  app.add_option("--path.procfs", paths.procfs, "procfs mountpoint")->capture_default_str();
  app.add_option("--path.sysfs", paths.sysfs, "sysfs mountpoint")->capture_default_str();
  app.add_option("--path.rootfs", paths.rootfs, "rootfs mountpoint")->capture_default_str();
  app.add_option("--path.udev.data", paths.udev_data, "udev data path")->capture_default_str();
}

void AddWeb(CLI::App& app, Flags& flags) {
  app.add_option("--web.listen-address", flags.listen_addresses,
                 "Address on which to serve; repeatable")
      ->allow_extra_args(false)
      ->capture_default_str();
  app.add_option("--web.telemetry-path", flags.telemetry_path, "Path of the metrics page")
      ->capture_default_str();
  app.add_option("--web.config.file", flags.web_config_file,
                 "File with TLS and users, in the form of Prometheus's exporters");
  app.add_option("--web.external-url", flags.external_url,
                 "URL under which the exporter is reachable from outside (behind a proxy)");
  app.add_option("--web.route-prefix", flags.route_prefix,
                 "Prefix of all paths; default: the path of --web.external-url");
  app.add_option(
         "--web.max-requests", flags.max_requests,
         "Most scrapes at once, of the 16 requests that are answered at once; 0: no limit of "
         "their own")
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();
  app.add_flag("--web.disable-exporter-metrics", flags.disable_exporter_metrics,
               "Leave out metrics about the exporter itself (process_*, skep_exporter_*)");
  app.add_flag("--web.enable-lifecycle", flags.enable_lifecycle,
               "Allow reload by POST or PUT to /-/reload");
  app.add_option(
         "--web.max-series", flags.max_series,
         "Most series of one page; families beyond are left out and counted; 0 for no limit")
      ->capture_default_str();
  app.add_option("--timeout-offset", flags.timeout_offset_seconds,
                 "Seconds to answer before the scraper's timeout")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

void AddLog(CLI::App& app, Flags& flags) {
  app.add_option_function<std::string>(
         "--log.level",
         [&flags](const std::string& text) {
           const Result<LogLevel> level = ParseLogLevel(text);
           if (!level) throw CLI::ValidationError("--log.level", level.error().message());
           flags.log_level = *level;
         },
         "debug, info, warn or error")
      ->default_str("info");
  app.add_option_function<std::string>(
         "--log.format",
         [&flags](const std::string& text) {
           const Result<LogFormat> format = ParseLogFormat(text);
           if (!format) throw CLI::ValidationError("--log.format", format.error().message());
           flags.log_format = *format;
         },
         "logfmt or json")
      ->default_str("logfmt");
}

void Normalize(Flags& flags) {
  Paths& paths = flags.paths;
  for (std::string* path : {&paths.procfs, &paths.sysfs, &paths.rootfs, &paths.udev_data}) {
    while (path->size() > 1 && path->back() == '/') path->pop_back();
  }
  if (!flags.telemetry_path.starts_with('/')) flags.telemetry_path.insert(0, "/");
}

}  // namespace

std::optional<Flags> ParseFlags(int argc, const char* const* argv, int& exit_code) {
  CLI::App app("Metrics of hosts (under node_exporter's names), services and swarms of AI agents.",
               "skep-exporter");
  Flags flags;
  Pending pending;
  app.set_help_flag("-h,--help", "Print this help and end");
  app.set_version_flag("--version", std::string("skep-exporter, version ") + SKEP_VERSION);
  app.add_option("--config.file", flags.config_file, "Configuration file (YAML)");
  app.add_flag("--config.check", flags.config_check, "Check the configuration file and end");
  app.add_option(
      "--state.path", flags.state_path,
      "Folder for what is counted from pushes and logs; default: state.path of the file, "
      "else $STATE_DIRECTORY, else it is lost at each stop");
  app.add_flag("--collector.disable-defaults", flags.disable_defaults,
               "Set all collectors to disabled by default");
  AddPaths(app, flags.paths);
  AddWeb(app, flags);
  AddLog(app, flags);
  AddCollectors(app, pending);
  CLI::App* check = app.add_subcommand(
      "check",
      "Say all that is wrong with a configuration file, or what would run with it, and end");
  check->add_option("FILE", flags.config_file, "The file; or --config.file, or none: the defaults");
  check->fallthrough();
  // Has a command line of its own, which main reads; here for the help.
  const CLI::App* const discover =
      app.add_subcommand("discover", "Look at the machine and print a configuration to start from");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    exit_code = app.exit(e) == 0 ? 0 : 1;
    return std::nullopt;
  }
  if (discover->parsed()) {
    std::fputs("discover must be the first argument and has flags of its own\n", stderr);
    exit_code = 1;
    return std::nullopt;
  }
  if (check->parsed()) flags.config_check = true;
  TakeCollectors(pending, flags);
  Normalize(flags);
  return flags;
}

}  // namespace skep::exporter

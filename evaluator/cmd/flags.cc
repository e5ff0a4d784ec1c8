#include "evaluator/cmd/flags.h"

#include <CLI/CLI.hpp>
#include <sstream>

#include "common/base/quote.h"
#include "common/base/size.h"
#include "common/net/http_server.h"
#include "common/net/route_prefix.h"

namespace skep::evaluator {
namespace {

// An option whose text is read by `parse`, a function from text to Result.
template <typename T, typename Parse>
void AddParsed(CLI::App& app, const std::string& name, T& out, Parse parse, const std::string& help,
               const std::string& default_text) {
  app.add_option_function<std::string>(
         name,
         [&out, parse, name](const std::string& text) {
           const Result<T> value = parse(text);
           if (!value) throw CLI::ValidationError(name, value.error().message());
           out = *value;
         },
         help)
      ->default_str(default_text);
}

void AddDuration(CLI::App& app, const std::string& name, Duration& out, const std::string& help) {
  AddParsed(app, name, out, ParseDuration, help, FormatDuration(out));
}

// Durations that may not be 0.
void AddSpan(CLI::App& app, const std::string& name, Duration& out, const std::string& help) {
  const auto parse = [](std::string_view text) -> Result<Duration> {
    Result<Duration> span = ParseDuration(text);
    if (span && span->count() <= 0) return Invalid("expected more than 0, got " + Quote(text));
    return span;
  };
  AddParsed(app, name, out, parse, help, FormatDuration(out));
}

void AddRetention(CLI::App& app, Flags& flags) {
  const auto parse_time = [](std::string_view text) -> Result<std::optional<Duration>> {
    const Result<Duration> span = ParseDuration(text);
    if (!span) return span.error();
    if (span->count() <= 0) return Invalid("expected more than 0, got " + Quote(text));
    return {*span};
  };
  AddParsed(app, "--storage.tsdb.retention.time", flags.retention, parse_time,
            "How long samples are kept; without it, but with a size: for ever", "15d");
  const auto parse_size = [](std::string_view text) -> Result<std::uint64_t> {
    const std::optional<std::uint64_t> size = ParseSizeBytes(text);
    if (!size) return Invalid("expected a size such as 512MB or 20GB, got " + Quote(text));
    return *size;
  };
  AddParsed(
      app, "--storage.tsdb.retention.size", flags.retention_bytes, parse_size,
      "Most bytes of blocks and log, as 512MB or 20GB; the oldest blocks go first. 0B: no limit",
      "0B");
}

void AddConfig(CLI::App& app, Flags& flags) {
  app.add_option("--config.file", flags.config_file,
                 "Configuration file (prometheus.yml). Without it: scrape the exporter on "
                 "127.0.0.1:7537 and this program, run the shipped rules, notify nobody");
  AddDuration(app, "--config.auto-reload-interval", flags.auto_reload_interval,
              "How often configuration and rule files are looked at for changes; 0s: never");
  app.add_flag("--config.ignore-unsupported", flags.ignore_unsupported,
               "Leave out what is not supported instead of refusing the file");
  app.add_option("--storage.tsdb.path", flags.storage_path,
                 "Folder of the samples; made if need be")
      ->capture_default_str();
  app.add_flag("--storage.tsdb.wal-sync", flags.wal_sync,
               "Have each batch on the disk before it is visible, not within a second");
  AddRetention(app, flags);
}

void AddWeb(CLI::App& app, Flags& flags) {
  app.add_option("--web.listen-address", flags.listen_addresses,
                 "Address on which to serve; repeatable")
      ->allow_extra_args(false)
      ->capture_default_str();
  app.add_option("--web.config.file", flags.web_config_file,
                 "File with TLS and users, in the form of Prometheus's exporters");
  app.add_option("--web.external-url", flags.external_url,
                 "URL under which this program is reachable from outside; links begin with it")
      ->check([](const std::string& url) {
        const Result<std::string> prefix = net::RoutePrefix({}, url);
        return prefix ? std::string() : prefix.error().message();
      });
  app.add_option("--web.route-prefix", flags.route_prefix,
                 "Prefix of all paths; default: the path of --web.external-url");
  app.add_flag("--web.enable-lifecycle", flags.enable_lifecycle,
               "Allow reload by POST or PUT to /-/reload");
  app.add_flag("--web.enable-admin-api", flags.enable_admin_api,
               "Allow snapshots and deletions by POST or PUT under /api/v1/admin/tsdb");
  app.add_flag("--web.enable-remote-write-receiver", flags.enable_remote_write_receiver,
               "Take samples by remote write 1.0 at /api/v1/write");
  app.add_flag("--web.enable-import", flags.enable_import,
               "Take pages of samples with time stamps at /api/v1/import/prometheus");
  app.add_option("--web.cors.origin", flags.cors_origin,
                 "Regular expression of origins that may call the API, anchored at both ends")
      ->capture_default_str();
  app.add_option("--web.max-connections", flags.max_connections,
                 "Most connections at once; each takes a thread, so 1024 at most")
      ->check(CLI::Range(1, net::kMostConnections))
      ->capture_default_str();
}

void AddRules(CLI::App& app, Flags& flags) {
  AddDuration(app, "--rules.alert.resend-delay", flags.resend_delay,
              "Least time before an alert is sent again");
  AddDuration(app, "--rules.alert.for-outage-tolerance", flags.outage_tolerance,
              "Longest outage after which the `for` state of alerts is restored");
  AddDuration(app, "--rules.alert.for-grace-period", flags.grace_period,
              "Least time between a restored `for` state and firing");
  app.add_option("--rules.max-concurrent-evals", flags.max_concurrent_evals,
                 "Most independent rules of a group that are evaluated at once")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--alertmanager.notification-queue-capacity", flags.alertmanager_queue_capacity,
                 "Most alerts that wait for one Alertmanager; the oldest give way")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
}

void AddQuery(CLI::App& app, Flags& flags) {
  AddSpan(app, "--query.lookback-delta", flags.lookback_delta,
          "How far back a sample still counts");
  AddSpan(app, "--query.timeout", flags.query_timeout, "Longest time of a query");
  app.add_option("--query.max-concurrency", flags.query_max_concurrency,
                 "Most queries at once; further ones wait")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--query.max-samples", flags.query_max_samples,
                 "Most samples that a query may hold")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 40))
      ->capture_default_str();
  app.add_option("--query.max-bytes", flags.query_max_bytes,
                 "Most memory that a query may hold, e.g. 512MB; 0: no limit but that on samples")
      ->transform(CLI::AsSizeValue(false))
      ->capture_default_str();
}

void AddLog(CLI::App& app, Flags& flags) {
  AddParsed(app, "--log.level", flags.log_level, ParseLogLevel, "debug, info, warn or error",
            "info");
  AddParsed(app, "--log.format", flags.log_format, ParseLogFormat, "logfmt or json", "logfmt");
}

void AddFeatures(CLI::App& app, Flags& flags) {
  const auto enable = [&flags](const std::vector<std::string>& lists) {
    std::vector<std::string> names;
    for (const std::string& list : lists) {
      std::istringstream text(list);
      for (std::string name; std::getline(text, name, ',');) names.push_back(name);
    }
    flags.features = ParseFeatures(names);
  };
  app.add_option_function<std::vector<std::string>>("--enable-feature", enable,
                                                    "Comma-separated: " + ListFeatures())
      ->allow_extra_args(false);
}

void CollectAll(const CLI::App& app, Flags& flags) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_lnames().empty()) continue;
    const std::string& name = option->get_lnames().front();
    if (name == "help" || name == "version") continue;
    std::string value = option->get_default_str();
    if (option->count() > 0) {
      value.clear();
      for (const std::string& each : option->results()) value += (value.empty() ? "" : ",") + each;
    } else if (option->get_expected_min() == 0) {
      value = "false";
    }
    if (name == "web.listen-address" && option->count() == 0) value = "127.0.0.1:7538";
    flags.all.emplace_back(name, value);
  }
}

}  // namespace

std::optional<Flags> ParseFlags(int argc, const char* const* argv, int& exit_code) {
  CLI::App app("Scrapes, evaluates PromQL rules, notifies; serves the Prometheus HTTP API.",
               "skep-evaluator");
  Flags flags;
  app.set_help_flag("-h,--help", "Print this help and end");
  app.set_version_flag("--version", std::string("skep-evaluator, version ") + SKEP_VERSION);
  AddConfig(app, flags);
  AddWeb(app, flags);
  AddRules(app, flags);
  AddQuery(app, flags);
  AddFeatures(app, flags);
  AddLog(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    exit_code = app.exit(e) == 0 ? 0 : 1;
    return std::nullopt;
  }
  CollectAll(app, flags);
  return flags;
}

}  // namespace skep::evaluator

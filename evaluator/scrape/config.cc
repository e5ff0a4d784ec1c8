#include "evaluator/scrape/config.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>
#include <utility>

#include "common/base/quote.h"
#include "common/net/client_config.h"
#include "evaluator/scrape/relabel_config.h"

namespace skep::scrape {
namespace {

using yaml::MapReader;
using yaml::Node;

constexpr std::string_view kUnsupportedDiscoveries[] = {
    "aws_sd_configs",          "azure_sd_configs",      "consul_sd_configs",
    "digitalocean_sd_configs", "dns_sd_configs",        "docker_sd_configs",
    "dockerswarm_sd_configs",  "ec2_sd_configs",        "eureka_sd_configs",
    "gce_sd_configs",          "hetzner_sd_configs",    "http_sd_configs",
    "ionos_sd_configs",        "kubernetes_sd_configs", "kuma_sd_configs",
    "lightsail_sd_configs",    "linode_sd_configs",     "marathon_sd_configs",
    "nerve_sd_configs",        "nomad_sd_configs",      "openstack_sd_configs",
    "ovhcloud_sd_configs",     "puppetdb_sd_configs",   "scaleway_sd_configs",
    "serverset_sd_configs",    "stackit_sd_configs",    "triton_sd_configs",
    "uyuni_sd_configs",        "vultr_sd_configs"};

// Of a job.
std::span<const std::string_view> UnsupportedJobFields() {
  static const std::vector<std::string_view> fields = [] {
    std::vector<std::string_view> names(std::begin(kUnsupportedDiscoveries),
                                        std::end(kUnsupportedDiscoveries));
    names.insert(names.end(), {"oauth2", "scrape_failure_log_file"});
    return names;
  }();
  return fields;
}

constexpr std::string_view kUnsupportedGlobalFields[] = {"query_log_file",
                                                         "scrape_failure_log_file"};

// Native histograms are not scraped (their page is protobuf): what only concerns them may be
// switched off, not on.
constexpr std::string_view kUnsupportedSwitches[] = {"convert_classic_histograms_to_nhcb",
                                                     "scrape_native_histograms"};
// ... and what only limits them, or asks for classic ones, holds as it is.
constexpr std::string_view kVacuousFields[] = {"native_histogram_bucket_limit",
                                               "native_histogram_min_bucket_factor",
                                               "always_scrape_classic_histograms"};

struct NamedProtocol {
  std::string_view name;
  Protocol protocol;
};
constexpr NamedProtocol kProtocols[] = {{"PrometheusText0.0.4", Protocol::kPrometheusText004},
                                        {"PrometheusText1.0.0", Protocol::kPrometheusText100},
                                        {"OpenMetricsText0.0.1", Protocol::kOpenMetricsText001},
                                        {"OpenMetricsText1.0.0", Protocol::kOpenMetricsText100}};

const std::vector<Protocol>& DefaultProtocols() {
  static const std::vector<Protocol> protocols = {
      Protocol::kOpenMetricsText100, Protocol::kOpenMetricsText001, Protocol::kPrometheusText100,
      Protocol::kPrometheusText004};
  return protocols;
}

std::optional<Protocol> FindProtocol(std::string_view name) {
  for (const NamedProtocol& known : kProtocols) {
    if (known.name == name) return known.protocol;
  }
  return std::nullopt;
}

// What the fields of `global` and of a job have in common: a job's default is the global's value.
struct Shared {
  Limits limits;
  std::vector<Protocol> protocols = DefaultProtocols();
  bool legacy_names = false;
};

void ReadCount(MapReader& map, std::string_view key, std::uint64_t& out) {
  const Node node = map.Take(key);
  if (node.IsNull()) return;
  const Result<std::int64_t> number = node.AsInt();
  if (!number) return map.Fail(number.error());
  if (*number < 0) return map.Fail(node.Complain(std::string(key) + " must not be negative"));
  out = static_cast<std::uint64_t>(*number);
}

void ReadProtocols(MapReader& map, std::vector<Protocol>& out) {
  const Node node = map.Take("scrape_protocols");
  if (node.IsNull()) return;
  std::vector<Protocol> protocols;
  std::set<std::string> seen;
  for (const Node& item : node.items()) {
    if (!seen.insert(item.text()).second) {
      return map.Fail(item.Complain("duplicated protocol " + Quote(item.text())));
    }
    // It is a list of wishes: one that we cannot speak is not asked for.
    if (item.text() == "PrometheusProto") continue;
    const std::optional<Protocol> protocol = FindProtocol(item.text());
    if (!protocol) return map.Fail(item.Complain("unknown scrape protocol " + Quote(item.text())));
    protocols.push_back(*protocol);
  }
  if (protocols.empty()) {
    return map.Fail(node.Complain("scrape_protocols has no text protocol in it"));
  }
  out = std::move(protocols);
}

void ReadNameScheme(MapReader& map, bool& legacy) {
  const Node scheme = map.Take("metric_name_validation_scheme");
  if (!scheme.IsNull()) {
    if (scheme.text() != "utf8" && scheme.text() != "legacy") {
      map.Fail(scheme.Complain("expected utf8 or legacy, got " + Quote(scheme.text())));
    }
    legacy = scheme.text() == "legacy";
  }
  const Node escaping = map.Take("metric_name_escaping_scheme");
  if (escaping.IsNull()) return;
  const std::string& name = escaping.text();
  if (name == "allow-utf-8") {
    if (legacy) map.Fail(escaping.Complain("allow-utf-8 does not go with legacy names"));
  } else if (name == "underscores") {
    legacy = true;
  } else {
    map.Fail(escaping.Complain("expected allow-utf-8 or underscores, got " + Quote(name)));
  }
}

void ReadShared(MapReader& map, Shared& shared) {
  map.ReadSizeBytes("body_size_limit", shared.limits.body_size_bytes);
  ReadCount(map, "sample_limit", shared.limits.samples);
  ReadCount(map, "label_limit", shared.limits.labels);
  ReadCount(map, "label_name_length_limit", shared.limits.label_name_length);
  ReadCount(map, "label_value_length_limit", shared.limits.label_value_length);
  ReadCount(map, "target_limit", shared.limits.targets);
  ReadCount(map, "keep_dropped_targets", shared.limits.dropped_targets);
  ReadProtocols(map, shared.protocols);
  ReadNameScheme(map, shared.legacy_names);
  for (const std::string_view key : kVacuousFields) map.Ignore(key);
}

// The first field of `node` that we do not have, as an error at its place.
std::optional<Error> FindUnsupported(const Node& node, std::span<const std::string_view> fields) {
  for (const auto& [key, value] : node.entries()) {
    const std::string& name = key.text();
    const bool listed = std::find(fields.begin(), fields.end(), name) != fields.end();
    const bool is_switch =
        std::find(std::begin(kUnsupportedSwitches), std::end(kUnsupportedSwitches), name) !=
        std::end(kUnsupportedSwitches);
    const bool on = is_switch ? value.AsBool().value_or(true) : !value.IsNull();
    const bool off = value.IsScalar() && !value.quoted() && value.text() == "false";
    if ((listed && !off && on) || (is_switch && on)) {
      return key.Complain("field " + name + " is not supported");
    }
  }
  return std::nullopt;
}

void IgnoreUnsupported(MapReader& map, std::span<const std::string_view> fields) {
  for (const std::string_view key : fields) map.Ignore(key);
  for (const std::string_view key : kUnsupportedSwitches) map.Ignore(key);
}

// Go's os.Expand: ${NAME} and $NAME; $$ is one $.
std::string ExpandEnvironment(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || i + 1 == text.size()) {
      out.push_back(text[i]);
      continue;
    }
    std::size_t first = i + 1;
    if (text[first] == '$') {
      out.push_back('$');
      i = first;
      continue;
    }
    const bool braces = text[first] == '{';
    if (braces) ++first;
    std::size_t last = first;
    const auto in_name = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    };
    while (last < text.size() && (braces ? text[last] != '}' : in_name(text[last]))) ++last;
    if (last == first || (braces && last == text.size())) {
      out.push_back('$');
      continue;
    }
    const char* const value = std::getenv(std::string(text.substr(first, last - first)).c_str());
    if (value != nullptr) out += value;
    i = braces ? last : last - 1;
  }
  return out;
}

Result<Labels> ReadExternalLabels(const Node& node) {
  if (!node.IsNull() && !node.IsMap()) return node.Complain("expected a map of labels");
  LabelsBuilder builder;
  for (const auto& [key, value] : node.entries()) {
    if (!IsUtf8Name(key.text()) || key.text() == kMetricName) {
      return key.Complain(Quote(key.text()) + " is not a valid label name");
    }
    const Result<std::string> text = value.AsString();
    if (!text) return text.error();
    builder.Set(key.text(), ExpandEnvironment(*text));
  }
  return builder.Build();
}

// As Prometheus has it: 0 is what is not written.
void ReadSpan(MapReader& map, std::string_view key, Duration& out) {
  Duration written{};
  map.Read(key, written);
  if (written != Duration::zero()) out = written;
}

// Interval and timeout of `global` or a job, either of which may be absent.
void ReadTiming(MapReader& map, std::string_view whose, Duration& interval, Duration& timeout) {
  ReadSpan(map, "scrape_interval", interval);
  const Duration usual = std::min(timeout, interval);
  timeout = Duration::zero();
  ReadSpan(map, "scrape_timeout", timeout);
  if (timeout > interval) {
    map.Fail(
        map.Take("scrape_timeout")
            .Complain("scrape timeout greater than scrape interval for " + std::string(whose)));
  }
  if (timeout == Duration::zero()) timeout = usual;
}

Status ReadGlobal(const Node& node, const ReadOptions& options, ScrapeConfig& config,
                  Shared& shared) {
  GlobalOptions& global = config.global;
  MapReader map(node);
  if (const std::optional<Error> bad = FindUnsupported(node, kUnsupportedGlobalFields)) {
    if (!options.ignore_unsupported) return *bad;
    config.left_out.push_back({"global", bad->message()});
  }
  IgnoreUnsupported(map, kUnsupportedGlobalFields);
  ReadTiming(map, "global", global.scrape_interval, global.scrape_timeout);
  ReadSpan(map, "evaluation_interval", global.evaluation_interval);
  map.Read("rule_query_offset", global.rule_query_offset);
  Result<Labels> labels = ReadExternalLabels(map.Take("external_labels"));
  if (!labels) return labels.error();
  global.external_labels = *std::move(labels);
  ReadShared(map, shared);
  return map.Finish("global");
}

void ReadParams(MapReader& map, JobOptions& job) {
  const Node params = map.Take("params");
  if (!params.IsNull() && !params.IsMap()) {
    return map.Fail(params.Complain("expected a map of lists"));
  }
  for (const auto& [key, value] : params.entries()) {
    Result<std::vector<std::string>> values = value.AsStrings();
    if (!values) return map.Fail(values.error());
    job.params.emplace_back(key.text(), *std::move(values));
  }
}

Status ReadDiscovery(MapReader& map, const Node& node, const std::string& folder, JobOptions& job) {
  Result<std::vector<TargetGroup>> groups = ReadTargetGroups(map.Take("static_configs"));
  if (!groups) return groups.error();
  job.static_groups = *std::move(groups);
  Result<std::vector<FileDiscoveryOptions>> files =
      ReadFileDiscoveries(map.Take("file_sd_configs"), folder);
  if (!files) return files.error();
  job.file_discoveries = *std::move(files);
  Result<std::vector<RelabelRule>> rules = ReadRelabelRules(map.Take("relabel_configs"));
  if (!rules) return rules.error();
  job.relabel_rules = *std::move(rules);
  rules = ReadRelabelRules(map.Take("metric_relabel_configs"));
  if (!rules) return rules.error();
  job.metric_relabel_rules = *std::move(rules);
  return job.relabel_rules.empty() ? CheckAddresses(node.Get("static_configs")) : Status();
}

void ReadHow(MapReader& map, const std::string& folder, JobOptions& job) {
  map.Read("honor_labels", job.honor_labels);
  map.Read("honor_timestamps", job.honor_timestamps);
  map.Read("track_timestamps_staleness", job.track_timestamps_staleness);
  map.Read("enable_compression", job.enable_compression);
  map.Read("metrics_path", job.metrics_path);
  map.Read("scheme", job.scheme);
  if (job.scheme != "http" && job.scheme != "https") {
    map.Fail(map.Take("scheme").Complain("expected http or https, got " + Quote(job.scheme)));
  }
  ReadParams(map, job);
  const Node fallback = map.Take("fallback_scrape_protocol");
  if (!fallback.IsNull()) {
    job.fallback_protocol = FindProtocol(fallback.text());
    if (!job.fallback_protocol) {
      map.Fail(
          fallback.Complain("unknown or unsupported scrape protocol " + Quote(fallback.text())));
    }
  }
  job.http = std::make_shared<net::HttpClientOptions>(net::ReadHttpClientConfig(map, folder));
}

// One text for a node and all below it, without places.
void DumpNode(const Node& node, std::string& out) {
  switch (node.kind()) {
    case yaml::NodeKind::kNull:
      out += "~";
      return;
    case yaml::NodeKind::kScalar:
      out += Quote(node.text());
      return;
    case yaml::NodeKind::kSequence:
      out += "[";
      for (const Node& item : node.items()) {
        DumpNode(item, out);
        out += ",";
      }
      out += "]";
      return;
    case yaml::NodeKind::kMap:
      out += "{";
      for (const auto& [key, value] : node.entries()) {
        DumpNode(key, out);
        out += ":";
        DumpNode(value, out);
        out += ",";
      }
      out += "}";
      return;
  }
}

Result<JobOptions> ReadJob(const Node& node, const GlobalOptions& global, const Shared& defaults,
                           const ReadOptions& options) {
  MapReader map(node);
  JobOptions job;
  Shared shared = defaults;
  map.Require("job_name", job.name);
  if (!map.failed() && job.name.empty()) map.Fail(node.Complain("job_name is empty"));
  IgnoreUnsupported(map, UnsupportedJobFields());
  job.interval = global.scrape_interval;
  job.timeout = global.scrape_timeout;
  ReadTiming(map, "scrape config with job name " + Quote(job.name), job.interval, job.timeout);
  ReadShared(map, shared);
  job.limits = shared.limits;
  job.protocols = shared.protocols;
  job.legacy_names = shared.legacy_names;
  ReadHow(map, options.folder, job);
  RETURN_IF_ERROR(ReadDiscovery(map, node, options.folder, job));
  RETURN_IF_ERROR(map.Finish("scrape_config"));
  DumpNode(node, job.fingerprint);
  return job;
}

std::string JobTitle(const Node& node) {
  return "scrape job " + Quote(node.Get("job_name").IsScalar() ? node.Get("job_name").text() : "");
}

}  // namespace

std::span<const std::string_view> UnsupportedDiscoveries() { return kUnsupportedDiscoveries; }

Result<ScrapeConfig> ReadScrapeConfig(const Node& global, const Node& scrape_configs,
                                      const ReadOptions& options) {
  ScrapeConfig config;
  Shared shared;
  RETURN_IF_ERROR(ReadGlobal(global, options, config, shared));
  if (!scrape_configs.IsNull() && !scrape_configs.IsSequence()) {
    return scrape_configs.Complain("expected a list of scrape configs");
  }
  std::string global_text = options.folder;
  DumpNode(global, global_text);
  std::set<std::string> names;
  for (const Node& item : scrape_configs.items()) {
    if (!item.IsMap()) return item.Complain("expected a scrape config");
    if (const std::optional<Error> bad = FindUnsupported(item, UnsupportedJobFields())) {
      if (!options.ignore_unsupported) return *bad;
      config.left_out.push_back({JobTitle(item), bad->message()});
      continue;
    }
    Result<JobOptions> job = ReadJob(item, config.global, shared, options);
    if (!job) return job.error();
    if (!names.insert(job->name).second) {
      return item.Complain("found multiple scrape configs with job name " + Quote(job->name));
    }
    job->fingerprint += global_text;
    config.jobs.push_back(*std::move(job));
  }
  return config;
}

}  // namespace skep::scrape

#include "evaluator/config/alerting.h"

#include <algorithm>

#include "common/base/file.h"
#include "common/base/quote.h"
#include "common/net/client_config.h"
#include "evaluator/config/yaml_echo.h"
#include "evaluator/scrape/relabel_config.h"

namespace skep::config {
namespace {

// Fields of an entry that Prometheus knows and we do not have: an entry with one of them is refused
// or left out.
constexpr std::string_view kUnsupportedFields[] = {
    "azure_sd_configs",      "consul_sd_configs",    "digitalocean_sd_configs",
    "dns_sd_configs",        "docker_sd_configs",    "dockerswarm_sd_configs",
    "ec2_sd_configs",        "eureka_sd_configs",    "gce_sd_configs",
    "hetzner_sd_configs",    "http_sd_configs",      "ionos_sd_configs",
    "kubernetes_sd_configs", "kuma_sd_configs",      "lightsail_sd_configs",
    "linode_sd_configs",     "marathon_sd_configs",  "nerve_sd_configs",
    "nomad_sd_configs",      "openstack_sd_configs", "ovhcloud_sd_configs",
    "puppetdb_sd_configs",   "scaleway_sd_configs",  "serverset_sd_configs",
    "stackit_sd_configs",    "triton_sd_configs",    "uyuni_sd_configs",
    "vultr_sd_configs",      "aws_sd_configs",       "oauth2",
};

// The discovery file's name may have one pattern in its last part, and a known ending.
bool IsDiscoveryFile(std::string_view path) {
  const std::size_t star = path.find('*');
  if (star != std::string_view::npos && path.find('/', star) != std::string_view::npos)
    return false;
  static constexpr std::string_view kEndings[] = {".json", ".yml", ".yaml",
                                                  ".JSON", ".YML", ".YAML"};
  return std::any_of(std::begin(kEndings), std::end(kEndings),
                     [&](std::string_view ending) { return path.ends_with(ending); });
}

Result<scrape::FileDiscoveryOptions> ReadFileDiscovery(const yaml::Node& node,
                                                       const std::string& folder) {
  scrape::FileDiscoveryOptions options;
  yaml::MapReader map(node);
  map.Read("refresh_interval", options.refresh_interval);
  const yaml::Node files = map.Take("files");
  for (const yaml::Node& item : files.items()) {
    const std::string path = item.IsScalar() ? item.text() : "";
    if (!IsDiscoveryFile(path)) {
      map.Fail(item.Complain("path name " + Quote(path) + " is not valid for file discovery"));
    }
    options.files.push_back(JoinPath(folder, path));
  }
  if (options.files.empty()) {
    map.Fail(node.Complain("file service discovery config must contain at least one path name"));
  }
  if (options.refresh_interval.count() == 0) {
    map.Fail(node.Complain("refresh_interval must be greater than 0"));
  }
  RETURN_IF_ERROR(map.Finish("file_sd_config"));
  return options;
}

void ReadDiscoveries(yaml::MapReader& map, const std::string& folder, AlertmanagerOptions& out) {
  Result<std::vector<scrape::TargetGroup>> groups =
      scrape::ReadTargetGroups(map.Take("static_configs"));
  if (groups)
    out.static_groups = std::move(*groups);
  else
    map.Fail(groups.error());
  const yaml::Node files = map.Take("file_sd_configs");
  if (!files.IsNull() && !files.IsSequence()) {
    map.Fail(files.Complain("file_sd_configs: expected a list"));
  }
  for (const yaml::Node& item : files.items()) {
    Result<scrape::FileDiscoveryOptions> discovery = ReadFileDiscovery(item, folder);
    if (discovery)
      out.file_discoveries.push_back(std::move(*discovery));
    else
      map.Fail(discovery.error());
  }
}

void ReadRules(yaml::MapReader& map, std::string_view key, std::vector<RelabelRule>& out) {
  Result<std::vector<RelabelRule>> rules = scrape::ReadRelabelRules(map.Take(key));
  if (rules)
    out = std::move(*rules);
  else
    map.Fail(rules.error());
}

void ReadApiVersion(yaml::MapReader& map) {
  std::string version = "v2";
  const yaml::Node node = map.Take("api_version");
  map.Read("api_version", version);
  if (version != "v2") {
    map.Fail(
        node.Complain("expected Alertmanager api version to be one of [v2] but got " + version));
  }
}

Status CheckAddress(std::string_view address) {
  if (address.find('/') != std::string_view::npos) {
    return Invalid(Quote(address) + " is not a valid hostname");
  }
  return {};
}

// Addresses that stand in the file; relabelling may still change them, then they are judged later.
void CheckStaticAddresses(yaml::MapReader& map, const AlertmanagerOptions& options) {
  if (!options.relabel_rules.empty()) return;
  for (const scrape::TargetGroup& group : options.static_groups) {
    for (const std::string& target : group.targets) {
      if (Status ok = CheckAddress(target); !ok) {
        map.Fail(map.Take("static_configs").Complain(ok.error().message()));
      }
    }
  }
}

Result<AlertmanagerOptions> ReadAlertmanager(const yaml::Node& node, const std::string& folder) {
  AlertmanagerOptions options;
  yaml::MapReader map(node);
  const yaml::Node scheme = map.Take("scheme");
  map.Read("scheme", options.scheme);
  if (options.scheme != "http" && options.scheme != "https") {
    map.Fail(scheme.Complain("scheme must be http or https, got " + Quote(options.scheme)));
  }
  map.Read("path_prefix", options.path_prefix);
  map.Read("timeout", options.timeout);
  ReadApiVersion(map);
  ReadDiscoveries(map, folder, options);
  ReadRules(map, "relabel_configs", options.relabel_rules);
  ReadRules(map, "alert_relabel_configs", options.alert_relabel_rules);
  options.http = net::ReadHttpClientConfig(map, folder);
  CheckStaticAddresses(map, options);
  if (options.timeout.count() <= 0) {
    map.Fail(map.Take("timeout").Complain("timeout must be greater than 0"));
  }
  RETURN_IF_ERROR(map.Finish("alertmanager_config"));
  return options;
}

// The first of the fields that we do not have, if there is one.
const yaml::Node* FindUnsupported(const std::vector<std::pair<yaml::Node, yaml::Node>>& entries) {
  for (const auto& [key, value] : entries) {
    if (std::find(std::begin(kUnsupportedFields), std::end(kUnsupportedFields), key.text()) !=
        std::end(kUnsupportedFields)) {
      return &key;
    }
  }
  return nullptr;
}

Status ReadEntry(const yaml::Node& item, const scrape::ReadOptions& options, AlertingOptions& out) {
  const auto entries = item.entries();
  if (const yaml::Node* other = FindUnsupported(entries)) {
    const Error error = other->Complain(other->text() + " is not supported");
    if (!options.ignore_unsupported) return error;
    out.left_out.push_back({"Alertmanagers: " + other->text(), error.message()});
    return {};
  }
  Result<AlertmanagerOptions> alertmanager = ReadAlertmanager(item, options.folder);
  if (!alertmanager) return alertmanager.error();
  out.alertmanagers.push_back(std::move(*alertmanager));
  return {};
}

// "/" + prefix + "/api/v2/alerts" with single slashes, as Go's path.Join.
std::string PostPath(std::string_view prefix) {
  std::string path;
  std::size_t at = 0;
  while (at < prefix.size()) {
    const std::size_t slash = std::min(prefix.find('/', at), prefix.size());
    if (slash > at) path.append("/").append(prefix.substr(at, slash - at));
    at = slash + 1;
  }
  return path + "/api/v2/alerts";
}

}  // namespace

Result<AlertingOptions> ReadAlerting(const yaml::Node& node, const scrape::ReadOptions& options) {
  AlertingOptions out;
  out.fingerprint = YamlText(node);
  yaml::MapReader map(node);
  ReadRules(map, "alert_relabel_configs", out.alert_relabel_rules);
  const yaml::Node list = map.Take("alertmanagers");
  if (!list.IsNull() && !list.IsSequence()) {
    map.Fail(list.Complain("alertmanagers: expected a list"));
  }
  for (const yaml::Node& item : list.items()) {
    if (Status status = ReadEntry(item, options, out); !status) map.Fail(status.error());
  }
  RETURN_IF_ERROR(map.Finish("alerting"));
  return out;
}

Result<AlertmanagerUrls> ResolveAlertmanagers(const AlertmanagerOptions& options,
                                              const std::vector<scrape::TargetGroup>& groups) {
  AlertmanagerUrls urls;
  LabelsBuilder labels;
  for (const scrape::TargetGroup& group : groups) {
    for (const std::string& target : group.targets) {
      labels.Reset(group.labels);
      labels.Set("__address__", target);
      labels.Set("__scheme__", options.scheme);
      labels.Set("__alerts_path__", PostPath(options.path_prefix));
      const auto url = [&] {
        return std::string(labels.Get("__scheme__")) + "://" +
               std::string(labels.Get("__address__")) + std::string(labels.Get("__alerts_path__"));
      };
      const std::string before = url();
      if (!Relabel(options.relabel_rules, labels)) {
        urls.dropped.push_back(before);
        continue;
      }
      RETURN_IF_ERROR(CheckAddress(labels.Get("__address__")));
      urls.active.push_back(url());
    }
  }
  return urls;
}

}  // namespace skep::config

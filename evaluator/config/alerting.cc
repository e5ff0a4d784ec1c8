#include "evaluator/config/alerting.h"

#include <algorithm>

#include "common/base/quote.h"
#include "common/net/client_config.h"
#include "evaluator/config/yaml_echo.h"
#include "evaluator/scrape/config.h"
#include "evaluator/scrape/relabel_config.h"

namespace skep::config {
namespace {

void ReadDiscoveries(yaml::MapReader& map, const std::string& folder, AlertmanagerOptions& out) {
  Result<std::vector<scrape::TargetGroup>> groups =
      scrape::ReadTargetGroups(map.Take("static_configs"));
  if (groups)
    out.static_groups = std::move(*groups);
  else
    map.Fail(groups.error());
  Result<std::vector<scrape::FileDiscoveryOptions>> files =
      scrape::ReadFileDiscoveries(map.Take("file_sd_configs"), folder);
  if (files)
    out.file_discoveries = std::move(*files);
  else
    map.Fail(files.error());
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
  if (options.relabel_rules.empty()) {
    if (Status ok = scrape::CheckAddresses(map.Take("static_configs")); !ok) map.Fail(ok.error());
  }
  if (options.timeout.count() <= 0) {
    map.Fail(map.Take("timeout").Complain("timeout must be greater than 0"));
  }
  RETURN_IF_ERROR(map.Finish("alertmanager_config"));
  return options;
}

// The first of the fields that we do not have, if there is one.
const yaml::Node* FindUnsupported(const std::vector<std::pair<yaml::Node, yaml::Node>>& entries) {
  const std::span<const std::string_view> discoveries = scrape::UnsupportedDiscoveries();
  for (const auto& [key, value] : entries) {
    const bool other =
        std::find(discoveries.begin(), discoveries.end(), key.text()) != discoveries.end();
    if (other || key.text() == "oauth2") return &key;
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

}  // namespace skep::config

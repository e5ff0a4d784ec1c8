#include "evaluator/cmd/alertmanager_targets.h"

#include "common/base/file.h"
#include "common/net/http_client.h"

namespace skep::evaluator {
namespace {

receivers::AlertmanagerGroup MakeGroup(const config::AlertmanagerOptions& options) {
  receivers::AlertmanagerGroup group{options.http, options.timeout, nullptr};
  if (options.alert_relabel_rules.empty()) return group;
  group.relabel = [rules = options.alert_relabel_rules](Labels& labels) {
    LabelsBuilder builder(labels);
    if (!Relabel(rules, builder)) return false;
    labels = builder.Build();
    return true;
  };
  return group;
}

}  // namespace

Status AlertmanagerTargets::Check(const config::AlertingOptions& alerting) {
  for (const config::AlertmanagerOptions& options : alerting.alertmanagers) {
    const auto client = net::HttpClient::Create(options.http);
    if (!client) return client.error().Wrap("alerting");
    const auto urls = config::ResolveAlertmanagers(options, options.static_groups);
    if (!urls) return urls.error().Wrap("alerting");
  }
  return {};
}

void AlertmanagerTargets::Configure(const config::AlertingOptions& alerting) {
  const std::lock_guard lock(mutex_);
  if (alerting.fingerprint == alerting_.fingerprint) return;
  alerting_ = alerting;
  std::vector<receivers::AlertmanagerGroup> groups;
  for (const auto& options : alerting_.alertmanagers) groups.push_back(MakeGroup(options));
  sender_.Configure(std::move(groups));
  RefreshLocked();
}

void AlertmanagerTargets::Refresh() {
  const std::lock_guard lock(mutex_);
  bool has_files = false;
  for (const auto& options : alerting_.alertmanagers) {
    has_files = has_files || !options.file_discoveries.empty();
  }
  if (has_files) RefreshLocked();
}

void AlertmanagerTargets::RefreshLocked() {
  Status status;
  for (std::size_t i = 0; i < alerting_.alertmanagers.size(); ++i) {
    const config::AlertmanagerOptions& options = alerting_.alertmanagers[i];
    std::vector<scrape::TargetGroup> groups = options.static_groups;
    ReadFiles(options, groups);
    const Result<config::AlertmanagerUrls> urls = config::ResolveAlertmanagers(options, groups);
    if (!urls) {
      log_.Error("Alertmanagers cannot be used", {{"err", urls.error()}});
      continue;
    }
    sender_.SetTargets(i, urls->active);
    status.active.insert(status.active.end(), urls->active.begin(), urls->active.end());
    status.dropped.insert(status.dropped.end(), urls->dropped.begin(), urls->dropped.end());
  }
  status_ = std::move(status);
}

void AlertmanagerTargets::ReadFiles(const config::AlertmanagerOptions& options,
                                    std::vector<scrape::TargetGroup>& groups) {
  for (const auto& discovery : options.file_discoveries) {
    for (const std::string& pattern : discovery.files) {
      const Result<std::vector<std::string>> paths = Glob(pattern);
      if (!paths) continue;
      for (const std::string& path : *paths) {
        File& file = files_[path];
        const Result<std::string> content = ReadFile(path);
        if (content && *content != file.content) {
          file.content = *content;
          auto listed = scrape::ParseTargetFile(*content, path);
          if (listed)
            file.groups = std::move(*listed);
          else
            log_.Error("discovery file cannot be used", {{"err", listed.error()}});
        }
        groups.insert(groups.end(), file.groups.begin(), file.groups.end());
      }
    }
  }
}

AlertmanagerTargets::Status AlertmanagerTargets::CurrentStatus() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace skep::evaluator

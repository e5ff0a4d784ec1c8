#include "evaluator/cmd/alertmanager_targets.h"

#include <algorithm>
#include <string_view>

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

std::string PostUrl(const LabelsBuilder& labels) {
  return std::string(labels.Get("__scheme__")) + "://" + std::string(labels.Get("__address__")) +
         std::string(labels.Get("__alerts_path__"));
}

void ResolveOne(const config::AlertmanagerOptions& options, LabelsBuilder& labels,
                AlertmanagerUrls& urls) {
  std::string before = PostUrl(labels);
  if (!Relabel(options.relabel_rules, labels)) {
    urls.dropped.push_back(std::move(before));
  } else if (const Status good = scrape::CheckAddress(labels.Get("__address__")); !good) {
    urls.refused.push_back(good.error());
  } else {
    urls.active.push_back(PostUrl(labels));
  }
}

}  // namespace

AlertmanagerUrls ResolveAlertmanagers(const config::AlertmanagerOptions& options,
                                      const std::vector<scrape::TargetGroup>& groups) {
  AlertmanagerUrls urls;
  LabelsBuilder labels;
  for (const scrape::TargetGroup& group : groups) {
    for (const std::string& target : group.targets) {
      labels.Reset(group.labels);
      labels.Set("__address__", target);
      labels.Set("__scheme__", options.scheme);
      labels.Set("__alerts_path__", PostPath(options.path_prefix));
      ResolveOne(options, labels, urls);
    }
  }
  return urls;
}

Status AlertmanagerTargets::Check(const config::AlertingOptions& alerting) {
  for (const config::AlertmanagerOptions& options : alerting.alertmanagers) {
    const auto client = net::HttpClient::Create(options.http);
    if (!client) return client.error().Wrap("alerting");
    const AlertmanagerUrls urls = ResolveAlertmanagers(options, options.static_groups);
    if (!urls.refused.empty()) return urls.refused.front().Wrap("alerting");
  }
  return {};
}

void AlertmanagerTargets::Configure(const config::AlertingOptions& alerting) {
  const std::lock_guard lock(change_mutex_);
  if (alerting.fingerprint == fingerprint_) return;
  fingerprint_ = alerting.fingerprint;
  entries_.clear();
  std::vector<receivers::AlertmanagerGroup> groups;
  for (const config::AlertmanagerOptions& options : alerting.alertmanagers) {
    groups.push_back(MakeGroup(options));
    entries_.push_back({options, scrape::FileDiscovery(options.file_discoveries, log_), {}});
  }
  sender_.Configure(std::move(groups));
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    (void)entries_[i].files.Refresh(clock_.SteadyNow());  // resolved in any case
    Resolve(i);
  }
  ShowStatus();
}

void AlertmanagerTargets::Refresh() {
  const std::lock_guard lock(change_mutex_);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].files.Refresh(clock_.SteadyNow())) Resolve(i);
  }
  ShowStatus();
}

void AlertmanagerTargets::Resolve(std::size_t number) {
  Entry& entry = entries_[number];
  std::vector<scrape::TargetGroup> groups = entry.options.static_groups;
  const std::vector<scrape::TargetGroup> listed = entry.files.Groups();
  groups.insert(groups.end(), listed.begin(), listed.end());
  entry.urls = ResolveAlertmanagers(entry.options, groups);
  for (const Error& error : entry.urls.refused) {
    log_.Error("an Alertmanager cannot be used", {{"err", error}});
  }
  sender_.SetTargets(number, entry.urls.active);
}

void AlertmanagerTargets::ShowStatus() {
  Status status;
  for (const Entry& entry : entries_) {
    const AlertmanagerUrls& urls = entry.urls;
    status.active.insert(status.active.end(), urls.active.begin(), urls.active.end());
    status.dropped.insert(status.dropped.end(), urls.dropped.begin(), urls.dropped.end());
  }
  const std::lock_guard lock(status_mutex_);
  status_ = std::move(status);
}

AlertmanagerTargets::Status AlertmanagerTargets::CurrentStatus() const {
  const std::lock_guard lock(status_mutex_);
  return status_;
}

}  // namespace skep::evaluator

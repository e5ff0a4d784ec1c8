// `alerting:` of prometheus.yml: which Alertmanagers are told, and how alerts are relabelled.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/model/relabel.h"
#include "common/net/http_client.h"
#include "common/yaml/node.h"
#include "evaluator/scrape/config.h"
#include "evaluator/scrape/target_group.h"

namespace skep::config {

// One entry of `alertmanagers:`.
struct AlertmanagerOptions {
  std::string scheme = "http";
  std::string path_prefix;
  Duration timeout{10'000};
  net::HttpClientOptions http;
  std::vector<RelabelRule> relabel_rules;        // of targets
  std::vector<RelabelRule> alert_relabel_rules;  // of alerts, for these Alertmanagers only
  std::vector<scrape::TargetGroup> static_groups;
  std::vector<scrape::FileDiscoveryOptions> file_discoveries;
};

struct AlertingOptions {
  std::vector<RelabelRule> alert_relabel_rules;  // for all who are told
  std::vector<AlertmanagerOptions> alertmanagers;
  std::vector<scrape::LeftOut> left_out;
  // All that was written, as one text: equal text, nothing changed.
  std::string fingerprint;
};

// Strict; null is the default. With ignore_unsupported an entry that needs a discovery that we do
// not have is left out.
Result<AlertingOptions> ReadAlerting(const yaml::Node& node, const scrape::ReadOptions& options);

}  // namespace skep::config

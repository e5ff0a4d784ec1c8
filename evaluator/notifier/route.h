// Which receiver gets which alerts, how they are grouped, and when they are told.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/model/labels.h"
#include "common/yaml/node.h"

namespace skep::notifier {

// The root route, which takes every alert.
struct Route {
  std::string receiver;
  std::vector<std::string> group_by;  // distinct
  bool group_by_all = false;          // '...': each alert is a group of its own
  Duration group_wait{30'000};        // from the first alert of a new group to its first flush
  Duration group_interval{300'000};   // between flushes
  Duration repeat_interval{14'400'000};

  // Part of the group key.
  static std::string Key() { return "{}"; }

  // Those of the alert's labels that name its group.
  Labels GroupLabels(const Labels& alert) const;

  bool operator==(const Route&) const = default;
};

// Reads `route:` of an alertmanager.yml. Refuses what Alertmanager refuses, and with words that say
// so what we do not support yet: sub-routes and time intervals. That `receiver` exists is for the
// caller to check.
Result<Route> ParseRoute(const yaml::Node& node);

}  // namespace skep::notifier

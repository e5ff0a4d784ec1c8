// `relabel_configs`, `metric_relabel_configs` and `alert_relabel_configs` in YAML.
#pragma once

#include <vector>

#include "common/base/result.h"
#include "common/model/relabel.h"
#include "common/yaml/node.h"

namespace skep::scrape {

// The whole sequence; null is none. Strict; errors name file, line and column.
Result<std::vector<RelabelRule>> ReadRelabelRules(const yaml::Node& node);

}  // namespace skep::scrape

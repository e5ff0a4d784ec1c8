// `rules:` of the evaluator's configuration: groups that scrapes set going.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/yaml/node.h"
#include "evaluator/rules/rule_file.h"

namespace skep::rules {

// One entry of `on_scrape:`.
struct OnScrapeGroup {
  std::string file;   // path as `rule_files` have it, the configuration's folder before it
  std::string group;  // of that file
  Duration min_spacing = std::chrono::milliseconds(250);  // between the starts of two such rounds
  std::string place;                                      // "FILE:LINE:COLUMN", for messages
};

// Strict; null is none. A group that is named twice is an error. Relative names begin at `folder`.
Result<std::vector<OnScrapeGroup>> ReadOnScrape(const yaml::Node& node, const std::string& folder);

// Each names a group that there is. The error says where it stands and what there is instead.
Status CheckOnScrape(const std::vector<OnScrapeGroup>& wanted, const std::vector<RuleFile>& files);

// The entry for this group; null: none.
const OnScrapeGroup* FindOnScrape(const std::vector<OnScrapeGroup>& wanted,
                                  const GroupDefinition& group);

}  // namespace skep::rules

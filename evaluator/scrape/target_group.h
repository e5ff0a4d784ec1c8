// Targets as a configuration or a discovery file lists them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/model/labels.h"
#include "common/yaml/node.h"

namespace skep::scrape {

// One entry of `static_configs` or of a discovery file. An immutable value.
struct TargetGroup {
  std::vector<std::string> targets;  // "host:port", the later __address__
  Labels labels;                     // for all of them
  std::string source;                // "0", or "file:index": where it came from

  bool operator==(const TargetGroup&) const = default;
};

// Whether a target may be called by this address: kInvalid where it is empty or has a path.
Status CheckAddress(std::string_view address);

// The sequence below `static_configs`. Strict; errors name file, line and column.
Result<std::vector<TargetGroup>> ReadTargetGroups(const yaml::Node& node);

// CheckAddress for all that ReadTargetGroups read: for a reader that knows that no relabelling
// makes an address good later.
Status CheckAddresses(const yaml::Node& node);

// A discovery file, YAML or JSON, which gives its groups the label __meta_filepath. An empty file
// is an error: it is usually one that is being written.
Result<std::vector<TargetGroup>> ParseTargetFile(std::string_view content, const std::string& path);

}  // namespace skep::scrape

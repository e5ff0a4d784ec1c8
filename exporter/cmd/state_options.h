// `state:` of the configuration: where what was counted is kept.
#pragma once

#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/yaml/node.h"
#include "exporter/cmd/flags.h"
#include "exporter/state/store.h"

namespace skep::exporter {

//   state:
//     path: /var/lib/skep-exporter    # relative: to the folder of the file
//     max_series: 100000
//     max_families: 2000
//     checkpoint_bytes: 16MB
//
// The folder is that of --state.path, else of the file, else `state_directory` (the first of what
// systemd puts into $STATE_DIRECTORY), else none. kInvalid names the place.
Result<state::StoreOptions> ReadStateOptions(const yaml::Node& node, const Flags& flags,
                                             const std::optional<std::string>& state_directory);

// As the part of a configuration file that would give the same.
std::string ToYaml(const state::StoreOptions& options);

}  // namespace skep::exporter

// YAML printed again: for /api/v1/status/config, and for telling whether a part has changed.
#pragma once

#include <string>

#include "common/yaml/node.h"

namespace skep::config {

// The tree as block YAML that reads back to the same tree, comments gone. Aliases are followed.
std::string YamlText(const yaml::Node& node);

// The same with what stands in fields for secrets replaced by <secret> (password, credentials,
// bearer_token, client_secret, inline keys, values of http_headers.secrets, ...), and with the
// user information of URLs reduced to its user name.
std::string YamlEcho(const yaml::Node& node);

}  // namespace skep::config

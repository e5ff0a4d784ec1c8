// A part of the configuration written again for people to read, without what is secret.
#pragma once

#include <string>
#include <string_view>

#include "common/yaml/node.h"

namespace skep::exporter {

// Appends "KEY: value" in block form, behind `indent`. Values under keys that name a secret
// (password, token, ..., but not those of files) are "<secret>", and so is what stands before '@'
// in a URL. Nothing for a null node.
void AppendConfig(std::string_view key, const yaml::Node& node, const std::string& indent,
                  std::string& out);

}  // namespace skep::exporter

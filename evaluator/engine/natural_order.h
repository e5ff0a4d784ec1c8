// The order in which sort_by_label() puts values: "node-2" before "node-10".
#pragma once

#include <string_view>

namespace skep::engine {

// Runs of digits are compared as numbers, everything else byte by byte. Requires: a != b.
bool NaturalBefore(std::string_view a, std::string_view b);

}  // namespace skep::engine

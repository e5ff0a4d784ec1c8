// Small pieces of HTTP's grammar. Private to the folder.
#pragma once

#include <string>
#include <string_view>

#include "common/base/ascii.h"

namespace skep::net {

// %XX resolved; bytes that are no valid escape stay as they are.
std::string DecodePercent(std::string_view encoded, bool plus_is_space);

// Takes the first item off a list such as "gzip;q=0.5, br", trimmed.
std::string_view NextToken(std::string_view& list, char separator);

}  // namespace skep::net

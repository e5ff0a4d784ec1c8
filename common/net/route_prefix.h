// Under which path a program is reached.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace skep::net {

// "" or "/skep": `route_prefix` (--web.route-prefix) where given, else the path of `external_url`
// (--web.external-url, which may be ""). kInvalid: the URL has no scheme or no host.
Result<std::string> RoutePrefix(const std::optional<std::string>& route_prefix,
                                std::string_view external_url);

}  // namespace skep::net

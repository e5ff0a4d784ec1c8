// What the formats of requests share.
#pragma once

#include <string_view>

#include "exporter/logs/line_format.h"

namespace skep::logs {

// Of a request that has no status (the client left): it counts, with code "other".
inline constexpr int kStatusUnknown = -1;

// "GET /path HTTP/1.1" into method and path. A text that is none (bytes of TLS on a plain port, a
// lone "-") leaves both empty.
inline void SplitRequestLine(std::string_view request, ParsedLine& out) {
  const std::size_t blank = request.find(' ');
  if (blank == std::string_view::npos || blank + 1 == request.size()) return;
  const std::string_view rest = request.substr(blank + 1);
  if (rest[0] != '/' && rest[0] != '*' && rest.find("://") == std::string_view::npos) {
    if (request.substr(0, blank) != "CONNECT") return;
  }
  out.method = request.substr(0, blank);
  out.path = rest.substr(0, rest.find(' '));
}

}  // namespace skep::logs

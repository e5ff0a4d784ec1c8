#include "common/net/route_prefix.h"

namespace skep::net {

Result<std::string> RoutePrefix(const std::optional<std::string>& route_prefix,
                                std::string_view external_url) {
  std::string prefix = route_prefix.value_or("");
  if (!external_url.empty()) {
    const std::size_t scheme = external_url.find("://");
    if (scheme == std::string_view::npos || scheme == 0 || scheme + 3 == external_url.size()) {
      return Invalid("--web.external-url: expected http://HOST/PATH, got \"" +
                     std::string(external_url) + "\"");
    }
    const std::size_t path = external_url.find('/', scheme + 3);
    if (!route_prefix && path != std::string_view::npos) prefix = external_url.substr(path);
  }
  while (prefix.ends_with('/')) prefix.pop_back();
  if (!prefix.empty() && prefix.front() != '/') prefix.insert(0, "/");
  return prefix;
}

}  // namespace skep::net

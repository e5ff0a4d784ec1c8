#include "evaluator/receivers/http_url.h"

#include <algorithm>

#include "common/base/quote.h"

namespace skep::receivers {

Status CheckHttpUrl(std::string_view url) {
  const std::size_t colon = url.find(':');
  std::string scheme(url.substr(0, colon == std::string_view::npos ? 0 : colon));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (scheme != "http" && scheme != "https") {
    return Invalid("unsupported scheme " + Quote(scheme) + " for URL");
  }
  std::string_view rest = url.substr(colon + 1);
  if (!rest.starts_with("//")) return Invalid("missing host for URL");
  rest.remove_prefix(2);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  const std::string_view host = authority.substr(authority.rfind('@') + 1);
  if (host.empty()) return Invalid("missing host for URL");
  const std::size_t port = host.find(':', host.rfind(']') + 1);  // an IPv6 address has colons too
  if (port != std::string_view::npos &&
      host.find_first_not_of("0123456789", port + 1) != std::string_view::npos) {
    return Invalid("invalid port after host in URL");
  }
  const bool bad = std::any_of(url.begin(), url.end(), [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
  });
  if (bad) return Invalid("invalid character in URL");
  return {};
}

}  // namespace skep::receivers

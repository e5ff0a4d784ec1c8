#include "exporter/logs/routes.h"

#include <algorithm>

#include "common/base/ascii.h"
#include "common/base/hash.h"

namespace skep::logs {
namespace {

constexpr std::size_t kMaxParts = 6;
constexpr std::size_t kMaxPart = 40;      // a longer one is data
constexpr std::size_t kCacheSize = 4096;  // a power of two

// "v1" and "http2" are names; "order-1234", "a1b2c3d4e5" are not.
bool IsName(std::string_view part) {
  std::size_t digits = 0;
  for (const char c : part) {
    const bool plain =
        IsLetter(c) || c == '-' || c == '_' || c == '.' || c == '~' || c == ':' || c == '*';
    if (!plain && !IsDigit(c)) return false;  // escapes, '@', bytes above ASCII: data
    digits += IsDigit(c) ? 1 : 0;
  }
  return digits < 3 && digits < part.size() && part.size() <= kMaxPart;
}

std::string_view Placeholder(std::string_view part) {
  if (std::all_of(part.begin(), part.end(), IsDigit)) return "{id}";
  if (IsUuid(part)) return "{uuid}";
  if (part.size() >= 16 && std::all_of(part.begin(), part.end(), IsHexDigit)) return "{hash}";
  return IsName(part) ? std::string_view() : "{id}";
}

}  // namespace

void AppendRoute(std::string_view path, std::string& out) {
  if (const std::size_t scheme = path.find("://"); scheme < 10) {
    const std::size_t slash = path.find('/', scheme + 3);  // a request to a proxy
    path = slash == std::string_view::npos ? "/" : path.substr(slash);
  }
  path = path.substr(0, path.find_first_of("?#;"));
  const std::size_t begin = out.size();
  for (std::size_t parts = 0; !path.empty();) {
    path.remove_prefix(path[0] == '/' ? 1 : 0);
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(end);
    if (part.empty()) continue;
    out.push_back('/');
    if (++parts > kMaxParts) {
      out.append("{rest}");
      break;
    }
    const std::string_view placeholder = Placeholder(part);
    out.append(placeholder.empty() ? part : placeholder);
  }
  if (out.size() == begin) out.push_back('/');
}

Result<RouteTable> RouteTable::Create(const RouteOptions& options) {
  RouteTable table;
  table.enabled_ = options.enabled;
  table.automatic_ = options.automatic;
  table.max_routes_ = options.max_routes + options.rules.size() + 1;
  table.Enter("other");
  for (const RouteRule& rule : options.rules) {
    Result<Regex> pattern = Regex::Create(rule.pattern);
    if (!pattern) return pattern.error().Wrap("route \"" + rule.name + "\"");
    table.rules_.push_back({std::move(*pattern), table.Enter(rule.name)});
  }
  table.cache_.resize(kCacheSize);
  return table;
}

std::uint32_t RouteTable::Enter(const std::string& name) {
  const auto [place, is_new] = numbers_.emplace(name, static_cast<std::uint32_t>(names_.size()));
  if (is_new) names_.push_back(name);
  return place->second;
}

std::uint32_t RouteTable::Classify(std::string_view path, int status) {
  for (const Rule& rule : rules_) {
    if (rule.pattern.FullMatch(path)) return rule.route;
  }
  if (!automatic_) return 0;
  buffer_.clear();
  AppendRoute(path, buffer_);
  if (const auto found = numbers_.find(buffer_); found != numbers_.end()) return found->second;
  const bool exists = status != 404 && status != 400 && status > 0;
  return exists && names_.size() < max_routes_ ? Enter(buffer_) : 0;
}

std::uint32_t RouteTable::Find(std::string_view path, int status) {
  if (!enabled_ || path.empty()) return 0;
  path = path.substr(0, path.find('?'));
  const std::uint64_t hash = HashBytes(path);
  Cached& cached = cache_[hash % kCacheSize];
  if (cached.hash == hash) return cached.route;
  const std::uint32_t route = Classify(path, status);
  // "other" may become a route by a later request that finds something.
  if (route != 0) cached = {hash, route};
  return route;
}

}  // namespace skep::logs

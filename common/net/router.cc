#include "common/net/router.h"

#include <algorithm>

namespace skep::net {

bool Router::Route::Matches(std::string_view other) const {
  return subtree ? other.size() > path.size() && other.starts_with(path) : other == path;
}

bool Router::Route::Takes(std::string_view method) const {
  const auto has = [&](std::string_view name) {
    return std::find(methods.begin(), methods.end(), name) != methods.end();
  };
  return has(method) || (method == "HEAD" && has("GET"));
}

void Router::Add(std::vector<std::string> methods, std::string path, HttpHandler handler) {
  Route route{std::move(methods), std::move(path), false, std::move(handler)};
  if (route.path.ends_with("/*")) {
    route.path.pop_back();
    route.subtree = true;
  }
  const auto before = [](const Route& a, const Route& b) {
    return a.subtree != b.subtree ? b.subtree : a.path.size() > b.path.size();
  };
  routes_.insert(std::upper_bound(routes_.begin(), routes_.end(), route, before), std::move(route));
}

Router::Found Router::Find(std::string_view method, std::string_view path) const {
  Found found;
  const Route* known = nullptr;
  for (const Route& route : routes_) {
    if (!route.Matches(path)) continue;
    if (known != nullptr && known->path != route.path) break;  // a wider subtree
    if (route.Takes(method)) return {&route.handler, ""};
    known = &route;
    for (const std::string& name : route.methods) {
      found.allow += (found.allow.empty() ? "" : ", ") + name;
      if (name == "GET") found.allow += ", HEAD";
    }
  }
  return found;
}

}  // namespace skep::net

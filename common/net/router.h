// Which handler answers a path. Private to the folder.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/net/http_server.h"

namespace skep::net {

// Filled before the first Find, then immutable.
class Router {
 public:
  // See HttpServer::Handle.
  void Add(std::vector<std::string> methods, std::string path, HttpHandler handler);

  struct Found {
    const HttpHandler* handler = nullptr;  // lives as long as the router
    std::string allow;                     // methods of the path, where it has no such method
  };
  // Neither handler nor `allow`: an unknown path. HEAD finds the handler of GET.
  Found Find(std::string_view method, std::string_view path) const;

 private:
  struct Route {
    std::vector<std::string> methods;
    std::string path;  // without the "*" of a subtree
    bool subtree = false;
    HttpHandler handler;

    bool Matches(std::string_view other) const;
    bool Takes(std::string_view method) const;
  };

  std::vector<Route> routes_;  // exact ones first, then longer paths before shorter
};

}  // namespace skep::net

// Paths of requests put into few groups that may be labels.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/model/regex.h"
#include "exporter/logs/options.h"

namespace skep::logs {

// "/users/42/orders?page=2" as "/users/{id}/orders": numbers, UUIDs, hashes, addresses, mail
// addresses and long words with digits become placeholders; at most six parts stay.
void AppendRoute(std::string_view path, std::string& out);

// Of one source. Thread-compatible.
class RouteTable {
 public:
  // kInvalid names the rule whose pattern is bad.
  static Result<RouteTable> Create(const RouteOptions& options);

  // The number of the path's route; 0 is "other". A route that is not known yet enters the table
  // only by a request that found something (`status` is no 404 and no 400): else those who try
  // random paths would fill it.
  std::uint32_t Find(std::string_view path, int status);

  const std::string& name(std::uint32_t route) const { return names_[route]; }
  std::size_t size() const { return names_.size(); }

 private:
  struct Rule {
    Regex pattern;
    std::uint32_t route;
  };
  // What paths with this hash gave before; most requests go to few paths.
  struct Cached {
    std::uint64_t hash = 0;
    std::uint32_t route = 0;
  };

  RouteTable() = default;

  std::uint32_t Enter(const std::string& name);
  std::uint32_t Classify(std::string_view path, int status);

  bool enabled_ = true;
  bool automatic_ = true;
  std::size_t max_routes_ = 0;
  std::vector<Rule> rules_;
  std::vector<std::string> names_;
  std::map<std::string, std::uint32_t, std::less<>> numbers_;
  std::string buffer_;
  std::vector<Cached> cache_;
};

}  // namespace skep::logs

#include "evaluator/notifier/route.h"

#include <catch2/catch.hpp>

namespace skep::notifier {
namespace {

Result<Route> Parse(const std::string& text) {
  Result<yaml::Node> node = yaml::Node::Parse(text, "am.yml");
  if (!node) return node.error();
  return ParseRoute(node->Get("route"));
}

TEST_CASE("A route takes Alertmanager's defaults", "[notifier]") {
  const Result<Route> route = Parse("route: {receiver: team}");
  REQUIRE(route);
  CHECK(route->receiver == "team");
  CHECK(route->group_by.empty());
  CHECK_FALSE(route->group_by_all);
  CHECK(route->group_wait == std::chrono::seconds(30));
  CHECK(route->group_interval == std::chrono::minutes(5));
  CHECK(route->repeat_interval == std::chrono::hours(4));
}

TEST_CASE("A route is read", "[notifier]") {
  const Result<Route> route = Parse(
      "route:\n  receiver: team\n  group_by: ['...']\n  group_wait: 0s\n  group_interval: 1m\n"
      "  repeat_interval: 2d\n  routes: []\n  continue: false\n");
  REQUIRE(route);
  CHECK(route->group_by_all);
  CHECK(route->group_wait.count() == 0);
  CHECK(route->repeat_interval == std::chrono::hours(48));
}

TEST_CASE(
    "A route that Alertmanager refuses, or that we cannot serve yet, is refused with its place",
    "[notifier]") {
  const std::pair<const char*, const char*> cases[] = {
      {"x: 1", "no route provided in config"},
      {"route: {group_wait: 1s}", "root route must specify a default receiver"},
      {"route:\n  receiver: a\n  group_by: [a, a]",
       "am.yml:3:17: duplicated label \"a\" in group_by"},
      {"route:\n  receiver: a\n  group_by: [a, '...']", "cannot have wildcard group_by"},
      {"route:\n  receiver: a\n  group_by: [0b]", "am.yml:3:14: invalid label name \"0b\""},
      {"route:\n  receiver: a\n  group_interval: 0s", "am.yml:3:19: group_interval cannot be zero"},
      {"route:\n  receiver: a\n  repeat_interval: 0s", "repeat_interval cannot be zero"},
      {"route:\n  receiver: a\n  group_wait: 5 min", "am.yml:3:15: "},
      {"route:\n  receiver: a\n  matchers: ['a=b']", "root route must not have any matchers"},
      {"route:\n  receiver: a\n  continue: true", "cannot have continue in root route"},
      {"route:\n  receiver: a\n  mute_time_intervals: [x]",
       "must not have any mute time intervals"},
      {"route:\n  receiver: a\n  routes:\n  - receiver: b",
       "am.yml:4:3: sub-routes are not supported yet"},
      {"route:\n  receiver: a\n  group_bye: [a]", "group_bye"},
  };
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    const Result<Route> route = Parse(text);
    REQUIRE_FALSE(route);
    CHECK_THAT(route.error().message(), Catch::Matchers::Contains(message));
  }
}

}  // namespace
}  // namespace skep::notifier

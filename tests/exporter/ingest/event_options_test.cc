#include <catch2/catch.hpp>
#include <string>

#include "exporter/ingest/event_ingest.h"

namespace skep::ingest {
namespace {

Result<EventOptions> Read(const std::string& text) {
  const yaml::Node root = yaml::Node::Parse(text, "c.yml").value();
  return ReadEventOptions(root.Get("events"), root.Get("beacons"));
}

TEST_CASE("Without a configuration events come from no page, and beacons are off", "[events]") {
  const EventOptions options = Read("").value();
  CHECK(options.origins.empty());
  CHECK(options.beacon_origins.empty());
  CHECK(options.deployment_windows.empty());
  CHECK(options.max_measures == 200);
}

TEST_CASE("Options of events are read", "[events]") {
  const EventOptions options = Read(R"(
events:
  max_measures: 7
  origins: ["https://ci.example:8443"]
  deployment_windows:
    - {days: [mon, wed], from: "09:00", to: "16:30"}
    - {to: "24:00"}
beacons:
  origins: ["http://localhost:3000"]
  max_page_groups: 9
  max_per_second: 20
)")
                                   .value();
  CHECK(options.max_measures == 7);
  CHECK(options.origins == std::vector<std::string>{"https://ci.example:8443"});
  REQUIRE(options.deployment_windows.size() == 2);
  CHECK(options.deployment_windows[0].days ==
        std::array<bool, 7>{false, true, false, true, false, false, false});
  CHECK(options.deployment_windows[0].from == std::chrono::hours(9));
  CHECK(options.deployment_windows[0].to == std::chrono::minutes(16 * 60 + 30));
  CHECK(options.deployment_windows[1].days[0]);
  CHECK(options.beacon_origins == std::vector<std::string>{"http://localhost:3000"});
  CHECK(options.max_page_groups == 9);
  CHECK(options.max_beacons_per_second == 20);
}

TEST_CASE("Options that are wrong name their place", "[events]") {
  const std::pair<const char*, const char*> cases[] = {
      {"events:\n  nope: 1", "c.yml:2:3: field nope not found"},
      {"events:\n  max_measures: 0", "c.yml:2:17: expected a number from 1 to 2000"},
      {"events:\n  origins: [\"https://a/b\"]", "c.yml:2:13: expected an origin"},
      {"events:\n  origins: [\"*\"]", "c.yml:2:13: expected an origin"},
      {"events:\n  origins: [\"https://A.example\"]", "c.yml:2:13: expected an origin"},
      {"events:\n  deployment_windows: [{days: [monday]}]", "c.yml:2:32: expected sun"},
      {"events:\n  deployment_windows: [{from: \"9:00\"}]", "c.yml:2:31: expected a time of day"},
      {"events:\n  deployment_windows: [{to: \"24:01\"}]", "c.yml:2:29: expected a time of day"},
      {"events:\n  deployment_windows: [{from: \"10:00\", to: \"10:00\"}]",
       "c.yml:2:24: from must be before to"},
      {"events:\n  deployment_windows: [{days: []}]", "c.yml:2:24: days is empty"},
      {"beacons:\n  nope: 1", "c.yml:2:3: field nope not found"},
      {"beacons:\n  max_per_second: x", "c.yml:2:19: expected a number"},
  };
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    const Result<EventOptions> options = Read(text);
    REQUIRE_FALSE(options);
    CHECK(options.error().kind() == ErrorKind::kInvalid);
    CHECK(options.error().message().starts_with(message));
  }
}

}  // namespace
}  // namespace skep::ingest

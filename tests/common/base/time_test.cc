#include "common/base/time.h"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using skep::Duration;
using skep::FormatDuration;
using skep::FormatTimestamp;
using skep::FromMillis;
using skep::ParseDuration;
using skep::ParseTimestamp;

TEST_CASE("ParseDuration reads what Prometheus reads", "[time]") {
  const std::pair<std::string, Duration> cases[] = {
      {"0", 0ms},
      {"0s", 0ms},
      {"5m", 5min},
      {"1h30m", 90min},
      {"1d", 24h},
      {"1w", 168h},
      {"1y", 8760h},
      {"292y", 292 * 8760h},
      {"1m5ms", 60'005ms},
      {"100ms", 100ms},
      {"1y2w3d4h5m6s7ms", 8760h + 336h + 72h + 4h + 5min + 6s + 7ms}};
  for (const auto& [text, duration] : cases) {
    CAPTURE(text);
    REQUIRE(ParseDuration(text));
    CHECK(*ParseDuration(text) == duration);
  }
  for (const std::string text :
       {"", "5", "5 min", "m", "-5m", "1m1h", "1m1m", "1.5h", "5min", "1h ", "293y", "292y172d",
        "9999999999y", "99999999999999999999s"}) {
    CAPTURE(text);
    REQUIRE_FALSE(ParseDuration(text));
    CHECK(ParseDuration(text).error().kind() == skep::ErrorKind::kInvalid);
  }
}

TEST_CASE("FormatDuration prints as Prometheus does", "[time]") {
  const std::pair<Duration, std::string> cases[] = {
      {0ms, "0s"},       {5min, "5m"}, {90min, "1h30m"}, {24h, "1d"},         {36h, "36h"},
      {24h * 90, "90d"}, {168h, "1w"}, {8760h, "1y"},    {1234ms, "1s234ms"}, {-5min, "-5m"}};
  for (const auto& [duration, text] : cases) CHECK(FormatDuration(duration) == text);
}

TEST_CASE("ParseTimestamp reads unix seconds and RFC 3339", "[time]") {
  const std::pair<std::string, std::int64_t> cases[] = {
      {"0", 0},
      {"1700000000.5", 1'700'000'000'500},
      {"-1.5", -1500},
      {"1970-01-01T00:00:01Z", 1000},
      {"2026-11-21T10:00:00.25+01:30", 1795249800250},
      {"2020-02-29T00:00:00Z", 1582934400000}};
  for (const auto& [text, millis] : cases) {
    CAPTURE(text);
    REQUIRE(ParseTimestamp(text));
    CHECK(skep::ToMillis(*ParseTimestamp(text)) == millis);
  }
  for (const std::string text :
       {"", "now", "2026-02-30T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00", "NaN", "1e300",
        "2026-01-01T25:00:00Z", "2026-01-01T00:00:00.Z"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseTimestamp(text));
  }
}

TEST_CASE("FormatTimestamp prints the digits that are needed", "[time]") {
  CHECK(FormatTimestamp(FromMillis(0)) == "1970-01-01T00:00:00Z");
  CHECK(FormatTimestamp(FromMillis(1795255200250)) == "2026-11-21T10:00:00.25Z");
  CHECK(FormatTimestamp(FromMillis(-1)) == "1969-12-31T23:59:59.999Z");
}

#include "common/base/log.h"

#include <catch2/catch.hpp>

namespace {

class FixedClock final : public skep::Clock {
 public:
  skep::Timestamp Now() const override { return skep::FromMillis(1500); }
  Steady SteadyNow() const override { return {}; }
};

std::string Logged(skep::LogFormat format, skep::LogLevel level) {
  std::string lines;
  const FixedClock clock;
  const skep::Logger logger(clock, {.level = level,
                                    .format = format,
                                    .write = [&lines](std::string_view line) { lines += line; }});
  logger.For("rules").Warn("group \"a\" is late",
                           {{"group", "a b"}, {"missed", 3}, {"file", "x.yml"}});
  logger.Debug("quiet");
  return lines;
}

}  // namespace

TEST_CASE("Log lines are logfmt with quotes where needed", "[log]") {
  CHECK(Logged(skep::LogFormat::kLogfmt, skep::LogLevel::kInfo) ==
        "ts=1970-01-01T00:00:01.5Z level=warn component=rules msg=\"group \\\"a\\\" is late\" "
        "group=\"a b\" missed=3 "
        "file=x.yml\n");
}

TEST_CASE("Log lines are JSON with bare numbers", "[log]") {
  CHECK(Logged(skep::LogFormat::kJson, skep::LogLevel::kInfo) ==
        "{\"ts\":\"1970-01-01T00:00:01.5Z\",\"level\":\"warn\",\"component\":\"rules\",\"msg\":"
        "\"group \\\"a\\\" is "
        "late\",\"group\":\"a b\",\"missed\":3,\"file\":\"x.yml\"}\n");
}

TEST_CASE("A level below the threshold is not written", "[log]") {
  CHECK(Logged(skep::LogFormat::kLogfmt, skep::LogLevel::kError).empty());
  CHECK_FALSE(skep::ParseLogLevel("loud"));
}

#include "evaluator/cmd/flags.h"

#include <algorithm>
#include <catch2/catch.hpp>

namespace skep::evaluator {
namespace {

std::optional<Flags> Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "skep-evaluator");
  int exit_code = -1;
  std::optional<Flags> flags =
      ParseFlags(static_cast<int>(arguments.size()), arguments.data(), exit_code);
  if (!flags) CHECK(exit_code == 1);
  return flags;
}

std::string ValueOf(const Flags& flags, std::string_view name) {
  const auto found = std::find_if(flags.all.begin(), flags.all.end(),
                                  [&](const auto& each) { return each.first == name; });
  return found == flags.all.end() ? "(none)" : found->second;
}

TEST_CASE("Flags have Prometheus's names and defaults", "[cmd]") {
  const auto flags = Parse({});
  REQUIRE(flags);
  CHECK(ValueOf(*flags, "web.listen-address") == "127.0.0.1:7538");
  CHECK(ValueOf(*flags, "query.timeout") == "2m");
  CHECK(ValueOf(*flags, "query.max-samples") == "50000000");
  CHECK(ValueOf(*flags, "storage.tsdb.retention.time") == "15d");
  CHECK(ValueOf(*flags, "web.enable-lifecycle") == "false");
  CHECK(ValueOf(*flags, "log.level") == "info");
  CHECK(ValueOf(*flags, "rules.alert.resend-delay") == "1m");
}

TEST_CASE("Flags are taken with = and with a blank, and lists with commas", "[cmd]") {
  const auto flags =
      Parse({"--config.file=a.yml", "--query.timeout", "5s", "--web.listen-address=a:1",
             "--web.listen-address=b:2", "--web.enable-lifecycle", "--log.format=json",
             "--query.max-bytes=512MB", "--config.auto-reload-interval=0s",
             "--enable-feature=promql-duration-expr,promql-experimental-functions",
             "--enable-feature=promql-delayed-name-removal"});
  REQUIRE(flags);
  CHECK(flags->config_file == "a.yml");
  CHECK(flags->query_timeout == std::chrono::seconds(5));
  CHECK(flags->listen_addresses == std::vector<std::string>{"a:1", "b:2"});
  CHECK(flags->enable_lifecycle);
  CHECK(flags->auto_reload_interval.count() == 0);
  CHECK(flags->query_max_bytes == 512UL << 20);
  CHECK(flags->log_format == LogFormat::kJson);
  CHECK(flags->features.promql.duration_expressions);
  CHECK(flags->features.promql.experimental_functions);
  CHECK(flags->features.engine.delayed_name_removal);
  CHECK(ValueOf(*flags, "web.listen-address") == "a:1,b:2");
  CHECK(ValueOf(*flags, "query.timeout") == "5s");
  CHECK(ValueOf(*flags, "web.enable-lifecycle") == "true");
}

TEST_CASE("Flags that are wrong are refused", "[cmd]") {
  for (const char* wrong : {"--query.timeout=0s", "--query.timeout=soon", "--query.max-samples=0",
                            "--query.max-bytes=much", "--no-such-flag", "--log.level=loud",
                            "--web.max-connections=0", "--web.max-connections=1025", "operand"}) {
    CAPTURE(wrong);
    CHECK_FALSE(Parse({wrong}));
  }
}

}  // namespace
}  // namespace skep::evaluator

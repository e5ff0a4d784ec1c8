// The command line of skep-evaluator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/log.h"
#include "common/base/time.h"
#include "evaluator/cmd/features.h"

namespace skep::evaluator {

struct Flags {
  std::string config_file;                                   // "": the built-in configuration
  Duration auto_reload_interval = std::chrono::seconds(30);  // 0: never
  bool ignore_unsupported = false;

  std::string storage_path = "data/";
  bool wal_sync = false;
  std::optional<Duration> retention;  // not given: 15 days, or for ever where a size is given
  std::uint64_t retention_bytes = 0;  // 0: no limit

  std::vector<std::string> listen_addresses = {"127.0.0.1:7538"};
  std::string web_config_file;
  std::string external_url;
  std::optional<std::string> route_prefix;  // not given: the path of external_url
  bool enable_lifecycle = false;
  bool enable_remote_write_receiver = false;
  bool enable_import = false;
  bool enable_admin_api = false;
  std::string cors_origin = ".*";
  int max_connections = 128;

  Duration resend_delay = std::chrono::minutes(1);
  Duration outage_tolerance = std::chrono::hours(1);
  Duration grace_period = std::chrono::minutes(10);
  std::size_t max_concurrent_evals = 4;

  Duration lookback_delta = std::chrono::minutes(5);
  Duration query_timeout = std::chrono::minutes(2);
  std::size_t query_max_concurrency = 20;
  std::size_t query_max_samples = 50'000'000;
  std::size_t query_max_bytes = 0;  // 0: no limit

  std::size_t alertmanager_queue_capacity = 10'000;

  Features features;  // --enable-feature

  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kLogfmt;

  // All flags and their values as text, by name: for /api/v1/status/flags.
  std::vector<std::pair<std::string, std::string>> all;
};

// Reads the command line; flags are spelled as Prometheus spells them, with its defaults but for
// the address. Without a value the program is to end with `exit_code`: --help, --version (printed
// to standard output), or a mistake (named on standard error).
std::optional<Flags> ParseFlags(int argc, const char* const* argv, int& exit_code);

}  // namespace skep::evaluator

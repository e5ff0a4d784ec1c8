// The command line of skep-exporter.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/log.h"
#include "exporter/collectors/proc_files.h"

namespace skep::exporter {

// What the command line says of one collector; what it does not say is for the file or the default.
struct CollectorFlags {
  std::optional<bool> enabled;
  std::map<std::string, std::vector<std::string>> options;  // by OptionSpec::name
};

struct Flags {
  std::string config_file;
  bool config_check = false;              // check config_file and end
  std::optional<std::string> state_path;  // wins over the file
  Paths paths;

  std::vector<std::string> listen_addresses = {"127.0.0.1:7537"};
  std::string telemetry_path = "/metrics";
  std::string web_config_file;
  std::string external_url;
  std::optional<std::string> route_prefix;  // not given: the path of external_url
  int max_requests = 40;                    // 0: no bound
  bool disable_exporter_metrics = false;
  bool enable_lifecycle = false;
  double timeout_offset_seconds = 0.5;
  std::size_t max_series = 200'000;  // of one page; 0: no bound

  bool disable_defaults = false;
  std::map<std::string, CollectorFlags> collectors;  // by CollectorSpec::name

  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kLogfmt;
};

// Reads the command line; flags are spelled as node_exporter and Prometheus spell them. Without a
// value the program is to end with `exit_code`: --help, --version (printed to standard output), or
// a mistake (named on standard error).
std::optional<Flags> ParseFlags(int argc, const char* const* argv, int& exit_code);

}  // namespace skep::exporter

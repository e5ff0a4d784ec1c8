// The configuration file of skep-evaluator as a whole: a superset of prometheus.yml.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "evaluator/config/alerting.h"
#include "evaluator/config/notifications.h"
#include "evaluator/scrape/config.h"

namespace skep::config {

// Checked as far as possible without looking at rule files and targets.
struct Configuration {
  std::string echo;                     // YAML without secrets
  scrape::ScrapeConfig scrape;          // `global` is in it
  std::vector<std::string> rule_files;  // absolute paths or patterns
  AlertingOptions alerting;
  std::optional<NotificationOptions> notifications;
  std::string notifications_file;         // its path, "" for none
  std::vector<scrape::LeftOut> left_out;  // of all sections
};

struct LoadOptions {
  // What we do not support is left out and listed instead of being an error.
  bool ignore_unsupported = false;
};

// Reads the file and the notification file that it names. All or nothing; errors name file, line
// and column.
Result<Configuration> LoadConfiguration(const std::string& path, const LoadOptions& options);

// The same for a text; `path` is for messages, and its folder is where relative names begin.
Result<Configuration> ParseConfiguration(std::string_view text, const std::string& path,
                                         const LoadOptions& options);

// What is in force without --config.file: the exporter on its usual port and this evaluator are
// scraped, the shipped rules run, nobody is notified.
struct DefaultsOptions {
  std::string own_address;  // "127.0.0.1:7538"; "" leaves the evaluator's own page out
  std::string own_scheme = "http";
  std::string metrics_path = "/metrics";
  std::string share_folder;  // holds rules/*.yml; "" for none
};
std::string DefaultConfigurationText(const DefaultsOptions& options);

}  // namespace skep::config

// The configuration file of skep-evaluator as a whole: a superset of prometheus.yml.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/file.h"
#include "common/base/result.h"
#include "evaluator/config/alerting.h"
#include "evaluator/config/notifications.h"
#include "evaluator/rules/on_scrape.h"
#include "evaluator/scrape/config.h"

namespace skep::config {

// Checked as far as possible without looking at rule files and targets.
struct Configuration {
  std::string echo;                   // YAML without secrets
  scrape::ScrapeConfig scrape;        // `global` is in it
  std::vector<NamedFile> rule_files;  // paths or patterns
  std::vector<rules::OnScrapeGroup> on_scrape;
  Duration out_of_order_window{};  // of the store
  AlertingOptions alerting;
  std::optional<NotificationOptions> notifications;
  std::string notifications_file;         // its path, "" for none
  std::vector<NamedFile> named_files;     // of HTTP clients: certificates, secrets
  std::vector<scrape::LeftOut> left_out;  // of all sections
};

// One error per file that is named and cannot be read, with its place: rule files that are no
// patterns, certificates, secrets. None of them keeps a configuration from being in force: a rule
// file may come later, and what needs a certificate or a secret fails when it is used.
std::vector<Error> FindMissingFiles(const Configuration& configuration);

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

#include "evaluator/config/configuration.h"

#include <algorithm>

#include "common/base/file.h"
#include "common/base/quote.h"
#include "evaluator/config/yaml_echo.h"

namespace skep::config {
namespace {

// Sections of prometheus.yml that we do not have.
constexpr std::string_view kUnsupported[] = {
    "otlp", "remote_read", "remote_write", "runtime", "scrape_config_files", "tracing",
};

bool IsEmpty(const yaml::Node& node) {
  return node.IsNull() || (node.IsSequence() && node.items().empty()) ||
         (node.IsMap() && node.entries().empty());
}

void ReadUnsupported(yaml::MapReader& map, const yaml::Node& root, const LoadOptions& options,
                     Configuration& out) {
  for (const auto& [key, value] : root.entries()) {
    const std::string& name = key.text();
    if (std::find(std::begin(kUnsupported), std::end(kUnsupported), name) ==
        std::end(kUnsupported)) {
      continue;
    }
    map.Ignore(name);
    if (IsEmpty(value)) continue;
    const Error error = key.Complain(name + " is not supported");
    if (options.ignore_unsupported)
      out.left_out.push_back({name, error.message()});
    else
      map.Fail(error);
  }
}

// As Prometheus has it: a pattern may stand in the last part of the path only.
Result<NamedFile> ReadRulePath(const yaml::Node& item, const std::string& folder) {
  Result<std::string> path = item.AsString();
  if (!path) return path.error();
  const std::size_t star = path->find('*');
  if (path->empty() || (star != std::string::npos && path->find('/', star) != std::string::npos)) {
    return item.Complain("invalid rule file path " + Quote(*path));
  }
  if (const Status good = CheckGlob(*path); !good) return item.Complain(good.error().message());
  return NamedFile{JoinPath(folder, *path), item.place()};
}

void ReadRuleFiles(yaml::MapReader& map, const std::string& folder, Configuration& out) {
  const yaml::Node list = map.Take("rule_files");
  if (!list.IsNull() && !list.IsSequence()) {
    map.Fail(list.Complain("rule_files: expected a list"));
  }
  for (const yaml::Node& item : list.items()) {
    Result<NamedFile> path = ReadRulePath(item, folder);
    if (path)
      out.rule_files.push_back(std::move(*path));
    else
      map.Fail(path.error());
  }
}

void ReadRules(yaml::MapReader& map, const std::string& folder, Configuration& out) {
  Result<std::vector<rules::OnScrapeGroup>> groups = rules::ReadOnScrape(map.Take("rules"), folder);
  if (groups)
    out.on_scrape = std::move(*groups);
  else
    map.Fail(groups.error());
}

// Ours keeps no exemplars; how many Prometheus would keep is no error.
void ReadStorage(yaml::MapReader& map, Configuration& out) {
  yaml::MapReader storage(map.Take("storage"));
  yaml::MapReader tsdb(storage.Take("tsdb"));
  tsdb.Read("out_of_order_time_window", out.out_of_order_window);
  if (out.out_of_order_window < Duration{}) out.out_of_order_window = {};
  if (Status good = tsdb.Finish("tsdb"); !good) map.Fail(good.error());
  storage.Ignore("exemplars");
  if (Status good = storage.Finish("storage"); !good) map.Fail(good.error());
}

void ReadNotifications(yaml::MapReader& map, const std::string& folder, Configuration& out) {
  const yaml::Node node = map.Take("notifications");
  std::string path;
  map.Read("notifications", path);
  if (path.empty() || map.failed()) return;
  out.notifications_file = JoinPath(folder, path);
  const Result<std::string> text = ReadFile(out.notifications_file, 64UL << 20);
  if (!text) return map.Fail(node.Complain(text.error().message()));
  Result<NotificationOptions> options = ParseNotifications(*text, out.notifications_file);
  if (options)
    out.notifications = std::move(*options);
  else
    map.Fail(options.error());
}

void CollectNamedFiles(Configuration& out) {
  const auto add = [&](const net::HttpClientOptions& http) {
    for (const NamedFile& file : http.named_files) {
      // Receivers share the client of `global`.
      const bool known =
          std::any_of(out.named_files.begin(), out.named_files.end(),
                      [&](const NamedFile& other) { return other.place == file.place; });
      if (!known) out.named_files.push_back(file);
    }
  };
  for (const scrape::JobOptions& job : out.scrape.jobs) add(*job.http);
  for (const AlertmanagerOptions& alertmanager : out.alerting.alertmanagers) add(alertmanager.http);
  if (!out.notifications) return;
  for (const ReceiverOptions& receiver : out.notifications->receivers) {
    for (const receivers::WebhookOptions& webhook : receiver.webhooks) add(webhook.http);
  }
}

}  // namespace

std::vector<Error> FindMissingFiles(const Configuration& configuration) {
  std::vector<Error> missing;
  for (const NamedFile& file : configuration.rule_files) {
    // Prometheus, too, calls only what has an asterisk a pattern that may match nothing.
    if (file.path.find('*') != std::string::npos) continue;
    const Result<std::vector<std::string>> paths = Glob(file.path);
    if (paths && !paths->empty()) continue;
    missing.push_back(
        NotFound(file.place + ": " + Quote(file.path) + " does not point to an existing file"));
  }
  for (const NamedFile& file : configuration.named_files) {
    if (const Status good = CheckNamedFile(file); !good) missing.push_back(good.error());
  }
  return missing;
}

Result<Configuration> LoadConfiguration(const std::string& path, const LoadOptions& options) {
  const Result<std::string> text = ReadFile(path, 256UL << 20);
  if (!text) return text.error();
  return ParseConfiguration(*text, path, options);
}

Result<Configuration> ParseConfiguration(std::string_view text, const std::string& path,
                                         const LoadOptions& options) {
  Result<yaml::Node> root = yaml::Node::Parse(text, path);
  if (!root) return root.error();
  const scrape::ReadOptions read{DirName(path), options.ignore_unsupported};
  Configuration out;
  out.echo = YamlEcho(*root);
  yaml::MapReader map(*root);
  Result<scrape::ScrapeConfig> scrape =
      scrape::ReadScrapeConfig(map.Take("global"), map.Take("scrape_configs"), read);
  if (scrape)
    out.scrape = std::move(*scrape);
  else
    map.Fail(scrape.error());
  ReadRuleFiles(map, read.folder, out);
  ReadRules(map, read.folder, out);
  Result<AlertingOptions> alerting = ReadAlerting(map.Take("alerting"), read);
  if (alerting)
    out.alerting = std::move(*alerting);
  else
    map.Fail(alerting.error());
  ReadStorage(map, out);
  ReadUnsupported(map, *root, options, out);
  ReadNotifications(map, read.folder, out);
  RETURN_IF_ERROR(map.Finish("configuration"));
  CollectNamedFiles(out);
  for (const auto* part : {&out.scrape.left_out, &out.alerting.left_out}) {
    out.left_out.insert(out.left_out.end(), part->begin(), part->end());
  }
  return out;
}

std::string DefaultConfigurationText(const DefaultsOptions& options) {
  std::string text =
      "global: {scrape_interval: 15s, evaluation_interval: 15s}\n"
      "scrape_configs:\n"
      "  - job_name: node\n"
      "    static_configs: [{targets: ['127.0.0.1:7537']}]\n";
  if (!options.own_address.empty()) {
    text += "  - job_name: skep-evaluator\n    scheme: " + options.own_scheme +
            "\n    metrics_path: " + Quote(options.metrics_path) +
            "\n    static_configs: [{targets: [" + Quote(options.own_address) + "]}]\n";
  }
  if (!options.share_folder.empty()) {
    text += "rule_files: [" + Quote(options.share_folder + "/rules/*.yml") + "]\n";
  }
  return text;
}

}  // namespace skep::config

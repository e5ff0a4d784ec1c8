#include "evaluator/cmd/configurator.h"

#include "common/base/file.h"

namespace skep::evaluator {
namespace {

rules::RulesConfig RulesOf(const config::Configuration& config, const std::string& external_url) {
  rules::RulesConfig rules;
  for (const NamedFile& file : config.rule_files) rules.files.push_back(file.path);
  rules.evaluation_interval = config.scrape.global.evaluation_interval;
  rules.query_offset = config.scrape.global.rule_query_offset;
  rules.external_labels = config.scrape.global.external_labels;
  rules.external_url = external_url;
  rules.on_scrape = config.on_scrape;
  return rules;
}

// What a configuration names. A pattern stands for what it matches now: files that come and go are
// a change.
void StampNamed(const std::string& notifications_file, const std::vector<NamedFile>& patterns,
                FileStamps& files) {
  files.Add(notifications_file);
  for (const NamedFile& pattern : patterns) {
    const Result<std::vector<std::string>> paths = Glob(pattern.path);
    if (!paths) continue;
    for (const std::string& path : *paths) files.Add(path);
  }
}

}  // namespace

Configurator::Configurator(Configured parts, const Clock& clock, Logger log)
    : parts_(parts), clock_(clock), log_(std::move(log)) {}

Status Configurator::Start(ConfiguratorOptions options) {
  const std::lock_guard lock(reload_mutex_);
  options_ = std::move(options);
  started_ = true;
  return ReloadLocked();
}

Status Configurator::Reload() {
  const std::lock_guard lock(reload_mutex_);
  if (!started_) return Unavailable("still starting");
  const skep::Status status = ReloadLocked();
  if (!status) LogFailure(status.error());
  return status;
}

void Configurator::ReloadIfChanged() {
  const std::lock_guard lock(reload_mutex_);
  // Which files a refused configuration names is not known here: after a failure all is read again.
  if (failure_.empty() && StampNow().SameAs(files_)) return;
  if (failure_.empty()) log_.Info("files have changed, reloading", {});
  const std::string last_failure = failure_;
  const skep::Status status = ReloadLocked();
  if (!status && status.error().message() != last_failure) LogFailure(status.error());
}

void Configurator::LogFailure(const Error& error) const {
  log_.Error("configuration not loaded, the old one stays in force", {{"err", error}});
}

Status Configurator::ReloadLocked() {
  Result<Loaded> loaded = Load();
  if (!loaded) {
    failure_ = loaded.error().message();
    const std::lock_guard lock(status_mutex_);
    status_.successful = false;
    return loaded.error();
  }
  failure_.clear();
  files_ = std::move(loaded->files);
  const std::size_t rule_count = loaded->rules.CountRules();
  Apply(std::move(*loaded));
  log_.Info("configuration loaded", {{"file", options_.file}, {"rules", rule_count}});
  return {};
}

Result<config::Configuration> Configurator::LoadFile() const {
  const config::LoadOptions options{options_.ignore_unsupported};
  if (!options_.file.empty()) return config::LoadConfiguration(options_.file, options);
  return config::ParseConfiguration(options_.default_text, "(built-in configuration)", options);
}

Result<Configurator::Loaded> Configurator::Load() const {
  Loaded loaded;
  loaded.files.Add(options_.file);  // before it is read
  Result<config::Configuration> config = LoadFile();
  if (!config) return config.error();
  loaded.config = std::move(*config);
  StampNamed(loaded.config.notifications_file, loaded.config.rule_files, loaded.files);
  Result<rules::Ruleset> rules = parts_.rules.Load(RulesOf(loaded.config, options_.external_url));
  if (!rules) return rules.error();
  loaded.rules = std::move(*rules);
  RETURN_IF_ERROR(AlertmanagerTargets::Check(loaded.config.alerting));
  RETURN_IF_ERROR(MakeReceivers(loaded));
  return loaded;
}

Status Configurator::MakeReceivers(Loaded& loaded) const {
  const auto& notifications = loaded.config.notifications;
  const std::string text = notifications ? notifications->fingerprint : "";
  loaded.notifications_changed = text != notifications_text_;
  if (!notifications || !loaded.notifications_changed) return {};
  notifier::Notifier::Setup& setup = loaded.notifications;
  setup.route = notifications->route;
  setup.external_url = options_.external_url;
  const config::ReceiverOptions& receiver = notifications->Default();
  for (std::size_t i = 0; i < receiver.webhooks.size(); ++i) {
    receivers::WebhookOptions webhook = receiver.webhooks[i];
    if (webhook.http.user_agent.empty()) webhook.http.user_agent = options_.user_agent;
    const std::string id = receiver.name + "/webhook[" + std::to_string(i) + "]";
    notifier::Integration integration{id, receiver.name, webhook.send_resolved};
    auto made = receivers::MakeWebhook(std::move(webhook), clock_);
    if (!made) return made.error().Wrap(loaded.config.notifications_file).Wrap(id);
    setup.outlets.push_back({std::move(integration), std::move(*made)});
  }
  return {};
}

void Configurator::Apply(Loaded loaded) {
  config::Configuration& config = loaded.config;
  for (const scrape::LeftOut& each : config.left_out) {
    log_.Warn("left out of the configuration", {{"what", each.what}, {"reason", each.reason}});
  }
  for (const Error& error : config::FindMissingFiles(config)) {
    log_.Warn("a file that the configuration names cannot be read", {{"err", error}});
  }
  rule_files_ = config.rule_files;
  notifications_file_ = config.notifications_file;
  notifications_text_ = config.notifications ? config.notifications->fingerprint : "";
  {
    const std::lock_guard lock(status_mutex_);
    status_ = {true, clock_.Now(), config.echo, config.left_out};
  }
  parts_.store.SetOutOfOrderWindow(config.out_of_order_window);
  parts_.engine.SetDefaultSubqueryStep(config.scrape.global.evaluation_interval);
  // Who tells comes before who is told of, so that the first alert finds its way.
  parts_.alertmanagers.Configure(config.alerting);
  if (loaded.notifications_changed) parts_.notifier.Configure(std::move(loaded.notifications));
  parts_.alerts.Configure(config.scrape.global.external_labels,
                          std::move(config.alerting.alert_relabel_rules));
  parts_.scrape.Apply(std::move(config.scrape));
  parts_.rules.Apply(std::move(loaded.rules));
}

FileStamps Configurator::StampNow() const {
  FileStamps files({options_.file});
  StampNamed(notifications_file_, rule_files_, files);
  return files;
}

Configurator::Status Configurator::CurrentStatus() const {
  const std::lock_guard lock(status_mutex_);
  return status_;
}

}  // namespace skep::evaluator

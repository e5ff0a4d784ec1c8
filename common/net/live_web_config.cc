#include "common/net/live_web_config.h"

#include <chrono>
#include <utility>
#include <vector>

namespace skep::net {
namespace {

constexpr std::chrono::seconds kLook{1};

Result<std::shared_ptr<const WebState>> Load(const std::string& file) {
  auto state = std::make_shared<WebState>();
  Result<WebConfig> config = LoadWebConfig(file);
  if (!config) return config.error();
  state->config = std::move(*config);
  if (state->config.tls) {
    Result<TlsContext> tls = MakeTlsContext(*state->config.tls);
    if (!tls) return tls.error().Wrap("web configuration " + file);
    state->tls = std::move(*tls);
  }
  return std::shared_ptr<const WebState>(std::move(state));
}

// Of the web configuration and what it names.
FileStamps StampFiles(const std::string& file, const WebConfig& config) {
  std::vector<std::string> files = {file};
  if (config.tls) {
    files.insert(files.end(),
                 {config.tls->cert_file, config.tls->key_file, config.tls->client_ca_file});
  }
  return FileStamps(files);
}

}  // namespace

LiveWebConfig::LiveWebConfig(const Clock& clock, Logger log)
    : clock_(clock), log_(std::move(log)) {}

Status LiveWebConfig::Open(const std::string& file) {
  Result<std::shared_ptr<const WebState>> state = Load(file);
  if (!state) return state.error();
  file_ = file;
  stamps_ = StampFiles(file, (*state)->config);
  state_ = std::move(*state);
  looked_ = clock_.SteadyNow();
  return {};
}

std::shared_ptr<const WebState> LiveWebConfig::InForce() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::shared_ptr<const WebState> LiveWebConfig::Current() {
  {
    const std::lock_guard lock(mutex_);
    if (file_.empty() || clock_.SteadyNow() - looked_ < kLook) return state_;
    looked_ = clock_.SteadyNow();
  }
  // The first request of each second looks; meanwhile the others go on with what is in force.
  const std::unique_lock reload(reload_mutex_, std::try_to_lock);
  if (reload) ReloadIfChanged(*InForce());
  return InForce();
}

// Requires: reload_mutex_ is held, and `before` is kept by state_, which only this changes.
void LiveWebConfig::ReloadIfChanged(const WebState& before) {
  FileStamps now = StampFiles(file_, before.config);
  if (now.SameAs(stamps_)) return;
  stamps_ = std::move(now);
  Result<std::shared_ptr<const WebState>> next = Load(file_);
  if (!next) {
    log_.Error("web configuration not reloaded, the old one stays", {{"err", next.error()}});
    return;
  }
  if (((*next)->tls == nullptr) != (before.tls == nullptr)) {
    log_.Error("web configuration not reloaded: TLS can be turned on and off at a start only");
    return;
  }
  stamps_ = StampFiles(file_, (*next)->config);
  {
    const std::lock_guard lock(mutex_);
    state_ = std::move(*next);
  }
  log_.Info("web configuration reloaded");
}

}  // namespace skep::net

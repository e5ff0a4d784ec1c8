#include "evaluator/cmd/program.h"

#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <random>

#include "common/base/size.h"
#include "common/instrument/counts.h"
#include "common/net/route_prefix.h"
#include "evaluator/cmd/own_metrics.h"
#include "evaluator/cmd/share_folder.h"
#include "evaluator/cmd/store_alert.h"

namespace skep::evaluator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kAlertmanagerRefresh{5};
constexpr seconds kMaintenanceRhythm{1};
// systemd gives 20 s before it loses patience (deploy/systemd).
constexpr milliseconds kDeliveryGrace{5000};
constexpr milliseconds kRequestGrace{5000};

// The Prometheus whose API this is; clients choose by it which calls they make.
constexpr const char* kApiVersion = "3.5.0+skep." SKEP_VERSION;
constexpr const char* kUserAgent = "skep/" SKEP_VERSION;

std::string HostName() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

std::string WithoutSlashes(std::string text) {
  while (text.ends_with('/')) text.pop_back();
  return text;
}

engine::EngineOptions EngineOptionsOf(const Flags& flags) {
  engine::EngineOptions options = flags.features.engine;
  options.lookback_delta = flags.lookback_delta;
  options.limits.max_samples = flags.query_max_samples;
  options.limits.max_bytes = flags.query_max_bytes;
  options.limits.timeout = flags.query_timeout;
  options.max_concurrency = flags.query_max_concurrency;
  return options;
}

rules::ManagerOptions RuleOptionsOf(const Flags& flags) {
  rules::ManagerOptions options;
  options.resend_delay = flags.resend_delay;
  options.outage_tolerance = flags.outage_tolerance;
  options.grace_period = flags.grace_period;
  options.max_concurrent_evals = flags.max_concurrent_evals;
  options.files.promql = flags.features.promql;
  return options;
}

notifier::DeliveryQueue::Options QueueOptions() {
  notifier::DeliveryQueue::Options options;
  options.seed = std::random_device()();
  return options;
}

api::TsdbStatus ApiTsdbStatus(const tsdb::HeadStatus& head) {
  const auto list = [](const std::vector<tsdb::NamedCount>& counts) {
    std::vector<api::NamedValue> values;
    values.reserve(counts.size());
    for (const tsdb::NamedCount& each : counts) values.push_back({each.name, each.value});
    return values;
  };
  api::TsdbStatus status;
  status.series = head.series;
  status.label_pairs = head.label_pairs;
  status.chunks = head.chunks;
  status.min_time = head.min_time.value_or(kMaxTimestamp);
  status.max_time = head.max_time.value_or(kMinTimestamp);
  status.series_by_metric_name = list(head.series_by_metric_name);
  status.values_by_label_name = list(head.values_by_label_name);
  status.bytes_by_label_name = list(head.bytes_by_label_name);
  status.series_by_label_pair = list(head.series_by_label_pair);
  return status;
}

// The segments that were read follow each other up to the newest one.
api::WalReplayStatus ApiReplayStatus(const tsdb::WalReplay& replay) {
  const std::uint64_t last = replay.end.segment;
  return {replay.segments == 0 ? last : last - replay.segments + 1, last, last};
}

}  // namespace

Program::Program(Flags flags, const Clock& clock, Logger log, Storage storage)
    : flags_(std::move(flags)),
      clock_(clock),
      log_(std::move(log)),
      start_time_(clock.Now()),
      share_folder_(FindShareFolder()),
      prefix_(net::RoutePrefix(flags_.route_prefix, flags_.external_url).value()),
      storage_(std::move(storage)),
      engine_(clock, EngineOptionsOf(flags_)),
      queries_(engine_, *storage_.store, flags_.features.promql),
      alertmanager_sender_(clock, log_.For("alertmanagers"),
                           {flags_.alertmanager_queue_capacity, 256, kUserAgent}),
      notifier_(clock, log_.For("notifier"), QueueOptions()),
      alerts_(alertmanager_sender_, notifier_),
      alertmanagers_(alertmanager_sender_, clock, log_.For("alertmanagers")),
      rules_({queries_, *storage_.store, *storage_.store, alerts_, clock, log_.For("rules"),
              &instruments_},
             RuleOptionsOf(flags_)),
      admin_(*storage_.store),
      receiver_(*storage_.store, clock, instruments_, &rules_.commits()),
      server_(clock, log_.For("web")) {}

Result<std::unique_ptr<Program>> Program::Create(Flags flags, const Clock& clock, Logger log) {
  Result<Storage> storage = OpenStorage(flags, clock, log);
  if (!storage) return storage.error();
  std::unique_ptr<Program> program(
      new Program(std::move(flags), clock, std::move(log), std::move(*storage)));
  RETURN_IF_ERROR(program->CreateScrape());
  program->configurator_ = std::make_unique<Configurator>(
      Configured{program->engine_, *program->scrape_, program->rules_, program->notifier_,
                 program->alerts_, program->alertmanagers_, *program->storage_.store},
      clock, program->log_.For("config"));
  const Result<Regex> origin = Regex::Create(program->flags_.cors_origin);
  if (!origin) return origin.error().Wrap("--web.cors.origin");
  program->api_ = std::make_unique<api::Api>(
      program->ApiSources(),
      api::Options{program->flags_.features.promql, {kApiVersion, "", ""}, *origin});
  program->AddMetrics();
  program->AddRoutes();
  return program;
}

namespace {

// As Prometheus shows it: "15d", "15d or 10GiB".
std::string RetentionText(const Flags& flags) {
  std::string text;
  if (flags.retention || flags.retention_bytes == 0) {
    text = FormatDuration(flags.retention.value_or(tsdb::StoreOptions().retention));
  }
  if (flags.retention_bytes > 0) {
    text += (text.empty() ? "" : " or ") + FormatSizeBytes(flags.retention_bytes);
  }
  return text;
}

}  // namespace

Result<Program::Storage> Program::OpenStorage(const Flags& flags, const Clock& clock,
                                              const Logger& log) {
  Storage storage;
  Result<std::unique_ptr<tsdb::PosixDisk>> disk = tsdb::PosixDisk::Open(flags.storage_path);
  if (!disk) return disk.error().Wrap("--storage.tsdb.path");
  storage.disk = std::move(*disk);
  tsdb::StoreOptions options;
  options.retention = flags.retention.value_or(
      flags.retention_bytes > 0 ? Duration{} : tsdb::StoreOptions().retention);
  options.upkeep.most_bytes = flags.retention_bytes;
  // What the timeout allows does not fail for the store's sake.
  options.upkeep.reader_patience =
      std::max(options.upkeep.reader_patience, 2 * flags.query_timeout);
  if (flags.wal_sync) options.wal_sync = tsdb::HeadLogSync::kEachCommit;
  Result<std::unique_ptr<tsdb::Store>> store =
      tsdb::Store::Open(*storage.disk, options, clock, log.For("tsdb"));
  if (!store) return store.error().Wrap("--storage.tsdb.path " + flags.storage_path);
  storage.store = std::move(*store);
  return storage;
}

Status Program::CreateScrape() {
  scrape::Manager::Options options;
  options.version = SKEP_VERSION;
  options.commits = &rules_.commits();
  Result<std::unique_ptr<scrape::Manager>> manager =
      scrape::Manager::Create(*storage_.store, clock_, log_.For("scrape"), instruments_, options);
  if (!manager) return manager.error();
  scrape_ = std::move(*manager);
  return {};
}

void Program::AddMetrics() {
  instruments_.AddSource([this](exposition::PageWriter& page) {
    WriteConfigMetrics(page, configurator_->CurrentStatus());
    WriteNotifierMetrics(page, notifier_.CurrentStatus(), alertmanager_sender_.counts(),
                         flags_.alertmanager_queue_capacity);
    WriteStoreMetrics(page, *storage_.store);
    WriteMemoryMetrics(page, storage_.store->status().memory,
                       {.scrapes = scrape_->CacheBytes(),
                        .pushes = receiver_.cache_bytes(),
                        .rule_plans = queries_.PlanBytes(),
                        .query_plans = api_->plan_bytes()});
    instrument::WriteCounts(page, "skep_evaluator_", server_.counts().List());
  });
}

void Program::AddRoutes() {
  const WrapHandler wrap = [this](std::string_view route, net::HttpHandler handler) {
    return Measured(route, std::move(handler), instruments_, clock_);
  };
  WebSources sources{instruments_, [this] { return ready_.load(); }, nullptr, share_folder_,
                     prefix_};
  if (flags_.enable_lifecycle) sources.reload = [this] { return configurator_->Reload(); };
  RegisterPages(server_, std::move(sources), wrap);
  api_->Register(server_, wrap);
  AddReceiver(wrap);
}

void Program::AddReceiver(const WrapHandler& wrap) {
  const auto add = [&](std::string_view route, bool enabled, std::string_view flag, auto receive) {
    net::HttpHandler handler = [this, receive](const net::HttpRequest& request) {
      return (receiver_.*receive)(request);
    };
    if (!enabled) {
      handler = [text = "to be enabled with " + std::string(flag) + "\n"](const auto&) {
        return net::HttpResponse::Text(404, text);
      };
    }
    server_.Handle({"POST"}, std::string(route), wrap(route, std::move(handler)));
  };
  add("/api/v1/write", flags_.enable_remote_write_receiver, "--web.enable-remote-write-receiver",
      &intake::Receiver::Write);
  add("/api/v1/import/prometheus", flags_.enable_import, "--web.enable-import",
      &intake::Receiver::Import);
}

api::Sources Program::ApiSources() {
  const auto runtime = [this] {
    const Configurator::Status status = configurator_->CurrentStatus();
    std::error_code ignored;
    return api::RuntimeStatus{start_time_,         std::filesystem::current_path(ignored).string(),
                              HostName(),          status.successful,
                              status.last_success, RetentionText(flags_)};
  };
  const auto alertmanagers = [this] {
    AlertmanagerTargets::Status status = alertmanagers_.CurrentStatus();
    return api::AlertmanagersStatus{std::move(status.active), std::move(status.dropped)};
  };
  return {engine_,
          *storage_.store,
          clock_,
          [this] { return rules_.Groups(); },
          [this] { return scrape_->Targets(); },
          [this] { return scrape_->Metadata(); },
          alertmanagers,
          [this] { return configurator_->CurrentStatus().echo; },
          [this] { return flags_.all; },
          runtime,
          [this](std::size_t limit) { return ApiTsdbStatus(storage_.store->head().Status(limit)); },
          [this] { return ApiReplayStatus(storage_.store->status().replay); },
          flags_.enable_admin_api ? &admin_ : nullptr};
}

std::string Program::OwnAddress() const {
  const std::vector<std::string> addresses = server_.addresses();
  if (addresses.empty()) return "";
  const std::string& address = addresses.front();
  const std::string port = address.substr(address.rfind(':'));
  const std::string host = address.substr(0, address.size() - port.size());
  const bool any = host.empty() || host == "0.0.0.0" || host == "[::]";
  return (any ? "127.0.0.1" : host) + port;
}

std::string Program::ExternalUrl() const {
  if (!flags_.external_url.empty()) return WithoutSlashes(flags_.external_url);
  const std::string address = OwnAddress();
  const std::string port = address.substr(std::min(address.rfind(':'), address.size()));
  return std::string(server_.scheme()) + "://" + HostName() + port + prefix_;
}

ConfiguratorOptions Program::MakeConfiguratorOptions() const {
  config::DefaultsOptions defaults;
  defaults.own_address = OwnAddress();
  defaults.own_scheme = server_.scheme();
  defaults.metrics_path = prefix_ + "/metrics";
  defaults.share_folder = share_folder_;
  return {flags_.config_file, config::DefaultConfigurationText(defaults), flags_.ignore_unsupported,
          ExternalUrl(), kUserAgent};
}

Status Program::Start() {
  net::HttpServerOptions options;
  options.addresses = flags_.listen_addresses;
  options.web_config_file = flags_.web_config_file;
  options.route_prefix = prefix_;
  options.max_connections = flags_.max_connections;
  RETURN_IF_ERROR(server_.Start(options));
  RETURN_IF_ERROR(configurator_->Start(MakeConfiguratorOptions()));
  StartMaintenance();
  rules_.Start();
  ready_ = true;
  for (const std::string& address : server_.addresses()) {
    log_.Info("listening", {{"address", address}, {"scheme", server_.scheme()}});
  }
  return {};
}

void Program::StartMaintenance() {
  const auto maintain = [this] {
    StoreAlert alert(alerts_, ExternalUrl());
    Clock::Steady next = clock_.SteadyNow() + kMaintenanceRhythm;
    while (maintenance_end_.WaitUntil(next)) {
      storage_.store->Maintain();
      alert.Look(storage_.store->status().problem, clock_.Now());
      next = std::max(next + kMaintenanceRhythm, clock_.SteadyNow());
    }
  };
  maintenance_ = StartThread("store", maintain, [this](const std::string& what) {
    log_.Error("the store is not maintained any more", {{"err", what}});
  });
  const auto tend = [this] {
    while (maintenance_end_.WaitUntil(clock_.SteadyNow() + kMaintenanceRhythm)) {
      // Series give up their samples one by one, so what is free has the size of a few samples, but
      // whole pages of it: glibc keeps those unless it is told.
      if (storage_.store->TendBlocks()) malloc_trim(0);
    }
  };
  tending_ = StartThread("blocks", tend, [this](const std::string& what) {
    log_.Error("blocks are not tended any more", {{"err", what}});
  });
}

Status Program::Run() {
  if (flags_.config_file.empty()) {
    log_.Info("no --config.file: built-in configuration", {{"rules", share_folder_}});
  }
  const Status started = Start();
  if (started) WaitForEnd();
  Stop();
  return started;
}

void Program::WaitForEnd() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int each : {SIGHUP, SIGTERM, SIGINT}) sigaddset(&signals, each);

  const Clock::Steady begin = clock_.SteadyNow();
  const bool watches = flags_.auto_reload_interval.count() > 0;
  Clock::Steady look = begin + flags_.auto_reload_interval;
  Clock::Steady refresh = begin + kAlertmanagerRefresh;
  while (true) {
    const Clock::Steady next = watches ? std::min(look, refresh) : refresh;
    const auto wait = std::max(std::chrono::nanoseconds(0), next - clock_.SteadyNow());
    const timespec timeout{static_cast<time_t>(wait.count() / 1'000'000'000),
                           static_cast<long>(wait.count() % 1'000'000'000)};
    const int got = sigtimedwait(&signals, nullptr, &timeout);
    if (got == SIGTERM || got == SIGINT) return;
    if (got == SIGHUP) (void)configurator_->Reload();  // logged there, and shown as a metric
    const Clock::Steady now = clock_.SteadyNow();
    if (watches && now >= look) {
      configurator_->ReloadIfChanged();
      look = now + flags_.auto_reload_interval;
    }
    if (now >= refresh) {
      alertmanagers_.Refresh();
      refresh = now + kAlertmanagerRefresh;
    }
  }
}

void Program::Stop() {
  log_.Info("stopping", {});
  ready_ = false;
  scrape_->Stop();
  rules_.Stop();
  alertmanager_sender_.Stop(kDeliveryGrace);
  notifier_.Stop(kDeliveryGrace);
  server_.Stop(kRequestGrace);
  maintenance_end_.Stop();
  storage_.store->StopTending();
  if (maintenance_.joinable()) maintenance_.join();
  if (tending_.joinable()) tending_.join();
  static_cast<void>(storage_.store->Sync());  // told by the store
  log_.Info("stopped", {});
}

}  // namespace skep::evaluator

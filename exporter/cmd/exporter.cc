#include "exporter/cmd/exporter.h"

#include <optional>
#include <utility>

#include "common/instrument/process_metrics.h"

namespace skep::exporter {
namespace {

// Dashboards and rules ask for it; the version is that of the names and labels on our page.
void WriteNodeExporterBuildInfo(exposition::PageWriter& page) {
  page.Family("node_exporter_build_info",
              "A metric with a constant '1' value labeled by version, revision, branch, goversion "
              "from which node_exporter was built, and the goos and goarch for the build.",
              exposition::MetricType::kGauge);
  page.Sample({{"branch", "skep"},
               {"goarch", "amd64"},
               {"goos", "linux"},
               {"goversion", "none"},
               {"revision", SKEP_VERSION},
               {"version", "1.5.0"}},
              1);
}

Status CheckNames(const std::set<std::string, std::less<>>& names, const Registry& registry,
                  const Configuration& configuration) {
  for (const std::string& name : names) {
    if (registry.Has(name)) continue;
    for (const ChosenCollector& chosen : configuration.collectors()) {
      if (chosen.spec->name == name) return Invalid("disabled collector: " + name);
    }
    return Invalid("missing collector: " + name);
  }
  return {};
}

}  // namespace

Exporter::Exporter(const Flags& flags, const Clock& clock, Logger log)
    : flags_(flags),
      clock_(clock),
      log_(std::move(log)),
      reload_successful_(
          instruments_.AddGauge("skep_exporter_config_last_reload_successful",
                                "Whether the last attempt to load the configuration succeeded.")),
      reload_time_(instruments_.AddGauge(
          "skep_exporter_config_last_reload_success_timestamp_seconds",
          "When the configuration was loaded last, in seconds since 1970.")) {}

Result<std::unique_ptr<Exporter>> Exporter::Create(const Flags& flags, const Clock& clock,
                                                   Logger log) {
  std::unique_ptr<Exporter> exporter(new Exporter(flags, clock, std::move(log)));
  RETURN_IF_ERROR(exporter->Reload());
  return exporter;
}

Status Exporter::Reload() {
  const std::lock_guard one_at_a_time(reload_mutex_);
  Result<std::shared_ptr<State>> loaded = Load();
  reload_successful_.Set(loaded ? 1 : 0);
  if (!loaded) {
    log_.Error("configuration not loaded", {{"file", flags_.config_file}, {"err", loaded.error()}});
    return loaded.error();
  }
  reload_time_.Set(ToSeconds(clock_.Now()));
  const std::size_t collectors = (*loaded)->registry->names().size();
  std::shared_ptr<State> old;  // destroyed behind the lock
  {
    const std::lock_guard lock(mutex_);
    old = std::exchange(state_, std::move(*loaded));
  }
  log_.Info("configuration loaded", {{"file", flags_.config_file}, {"collectors", collectors}});
  return {};
}

void Exporter::Start() { modules_->Start(); }

void Exporter::Stop() { modules_->Stop(); }

// What can fail comes before the modules change.
Result<std::shared_ptr<Exporter::State>> Exporter::Load() {
  Result<Configuration> configuration = Configuration::Load(flags_);
  if (!configuration) return configuration.error();
  Result<std::unique_ptr<Registry>> registry =
      MakeRegistry(*configuration, flags_,
                   {.max_series = flags_.max_series, .reserved = OwnFamilies()}, clock_, log_);
  if (!registry) return registry.error();
  if (modules_) {
    RETURN_IF_ERROR(modules_->Apply(configuration->modules()));
  } else {
    Result<std::unique_ptr<Modules>> made =
        Modules::Create(configuration->modules(), flags_.paths, clock_, log_);
    if (!made) return made.error();
    modules_ = std::move(*made);
  }
  RETURN_IF_ERROR(modules_->AddCollectors(**registry));
  return std::make_shared<State>(State{std::move(*configuration), std::move(*registry)});
}

std::shared_ptr<Exporter::State> Exporter::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

Result<std::string> Exporter::MakePage(const PageRequest& request) {
  const std::shared_ptr<State> now = state();
  RETURN_IF_ERROR(CheckNames(request.collect, *now->registry, now->configuration));
  RETURN_IF_ERROR(CheckNames(request.exclude, *now->registry, now->configuration));
  Registry::Request collect{request.format, request.escaping, request.deadline, {}};
  if (!request.collect.empty() || !request.exclude.empty()) {
    collect.wants = [&request](std::string_view name) {
      return request.collect.empty() ? !request.exclude.contains(name)
                                     : request.collect.contains(name);
    };
  }
  std::string page;
  page.reserve(last_page_bytes_ + 4096);
  now->registry->Collect(collect, page);
  exposition::PageWriter writer(request.format, page, request.escaping);
  WriteOwn(writer);
  writer.Finish();
  last_page_bytes_ = page.size();
  return page;
}

void Exporter::WriteOwn(exposition::PageWriter& page) const {
  WriteNodeExporterBuildInfo(page);
  instrument::WriteBuildInfo(page, "skep_exporter", SKEP_VERSION);
  if (flags_.disable_exporter_metrics) return;
  instruments_.Write(page);
  instrument::WriteProcessMetrics(page);
}

// Read off the page itself, so that the list cannot go stale.
std::vector<std::string> Exporter::OwnFamilies() const {
  constexpr std::string_view kType = "# TYPE ";
  std::string text;
  exposition::PageWriter writer(exposition::Format::kText, text);
  WriteOwn(writer);
  std::vector<std::string> names;
  std::string_view rest = text;
  while (std::optional<std::string_view> line = NextLine(rest)) {
    if (!line->starts_with(kType)) continue;
    line->remove_prefix(kType.size());
    names.emplace_back(NextField(*line));
  }
  return names;
}

std::string Exporter::ConfigYaml() const { return state()->configuration.ToYaml(); }

}  // namespace skep::exporter

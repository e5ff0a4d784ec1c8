#include "exporter/ingest/event_measures.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/quote.h"
#include "exporter/ingest/event_schema.h"

namespace skep::ingest {
namespace {

// What other parts of the page have. Names that only one part knows (of the user's own log metrics,
// of OTLP) are told apart by the store: the same name with another shape is refused there.
constexpr std::string_view kTakenPrefixes[] = {
    "auth_failures_", "cgroup_",  "claude_code_", "component_", "db_",   "gen_ai_",
    "health_",        "http_",    "journey_",     "log_",       "mcp_",  "node_",
    "probe_",         "process_", "redis_",       "scrape_",    "skep_", "swarm_"};
constexpr std::string_view kTakenNames[] = {"ALERTS",
                                            "ALERTS_FOR_STATE",
                                            "errors_total",
                                            "background_jobs_total",
                                            "security_events_total",
                                            "target_info",
                                            "up"};

// The default of Prometheus's client libraries.
const std::vector<double> kDefaultBounds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                            0.5,   1,    2.5,   5,    10};

bool IsTaken(std::string_view name) {
  if (std::find(std::begin(kTakenNames), std::end(kTakenNames), name) != std::end(kTakenNames)) {
    return true;
  }
  const auto begins = [name](std::string_view prefix) { return name.starts_with(prefix); };
  if (std::any_of(std::begin(kTakenPrefixes), std::end(kTakenPrefixes), begins)) return true;
  return std::any_of(EventFamilies().begin(), EventFamilies().end(),
                     [name](const state::FamilySpec& family) { return family.name == name; });
}

exposition::MetricType TypeOf(std::string_view text) {
  if (text == "counter") return exposition::MetricType::kCounter;
  return text == "gauge" ? exposition::MetricType::kGauge : exposition::MetricType::kHistogram;
}

}  // namespace

Result<state::FamilyId> EventMeasures::FamilyOf(const EventBatch& batch, const Event& event,
                                                std::size_t max_measures) {
  const std::string_view name = batch.Find(event, "name")->text;
  const std::string_view type = batch.Find(event, "type")->text;
  const FieldValue* const bounds = batch.Find(event, "bounds");
  const auto given = [&] { return std::span(batch.bounds).subspan(bounds->begin, bounds->count); };
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(name);
  if (found != known_.end()) {
    const Known& known = found->second;
    if (known.type != type) return Invalid(Quote(name) + " is a " + known.type);
    if (bounds != nullptr && !std::ranges::equal(given(), known.bounds)) {
      return Invalid(Quote(name) + " has other bounds");
    }
    return known.family;
  }
  if (IsTaken(name)) return Invalid(Quote(name) + " is the name of something else");
  if (known_.size() >= max_measures) {
    return Unavailable("there are " + std::to_string(max_measures) + " measures already");
  }
  state::FamilySpec spec;
  spec.name = name;
  const FieldValue* const help = batch.Find(event, "help");
  spec.help = help == nullptr ? "Told by events of kind measure." : std::string(help->text);
  spec.type = TypeOf(type);
  if (type == "histogram") {
    spec.bounds =
        bounds == nullptr ? kDefaultBounds : std::vector<double>(given().begin(), given().end());
  }
  Known known{0, std::string(type), spec.bounds};
  const Result<state::FamilyId> family = store_.Define(std::move(spec));
  if (!family) return family.error();
  known.family = *family;
  known_.emplace(name, std::move(known));
  return *family;
}

void EventMeasures::Count(state::Changes& changes, const EventBatch& batch, const Event& event,
                          state::FamilyId family) {
  std::span<const state::LabelView> labels;
  if (const FieldValue* const given = batch.Find(event, "labels")) {
    labels = std::span(batch.labels).subspan(given->begin, given->count);
  }
  const std::string_view type = batch.Find(event, "type")->text;
  const double value = batch.Find(event, "value")->number;
  if (type == "counter") return changes.Add(family, labels, value);
  if (type == "gauge") return changes.Set(family, labels, value);
  changes.Observe(family, labels, value);
}

}  // namespace skep::ingest

#include "exporter/ingest/event_measures.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/quote.h"
#include "exporter/ingest/event_schema.h"
#include "exporter/ingest/taken_names.h"

namespace skep::ingest {
namespace {

// What OTLP and others may have and a measure may not: it has a name of its own.
constexpr std::string_view kOtherPrefixes[] = {"claude_code_", "db_",  "gen_ai_", "health_",
                                               "http_",        "mcp_", "redis_"};

// The default of Prometheus's client libraries.
const std::vector<double> kDefaultBounds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                            0.5,   1,    2.5,   5,    10};

bool IsTaken(std::string_view name) {
  const auto begins = [name](std::string_view prefix) { return name.starts_with(prefix); };
  const auto is_of = [name](const state::FamilySpec& family) { return family.name == name; };
  return IsTakenName(name) ||
         std::any_of(std::begin(kOtherPrefixes), std::end(kOtherPrefixes), begins) ||
         std::any_of(EventFamilies().begin(), EventFamilies().end(), is_of);
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

#include "exporter/registry/registry.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <utility>

namespace skep::exporter {
namespace {

constexpr std::string_view kDuration = "node_scrape_collector_duration_seconds";
constexpr std::string_view kSuccess = "node_scrape_collector_success";
constexpr std::string_view kDropped = "skep_exporter_families_dropped_total";

Status RunGuarded(Collector& collector, CollectContext& context) {
  try {
    return collector.Collect(context);
  } catch (const std::exception& e) {
    return Internal(e.what());
  } catch (...) {
    return Internal("unknown exception");
  }
}

}  // namespace

struct Registry::Entry {
  explicit Entry(std::unique_ptr<Collector> c)
      : collector(std::move(c)),
        labels(exposition::RenderLabels({{"collector", collector->name()}})) {}

  std::unique_ptr<Collector> collector;
  const std::string labels;  // collector="NAME"

  std::mutex mutex;
  std::condition_variable idle;
  bool busy = false;       // guarded by mutex; a flag, so that waiting for it can time out
  std::string last_error;  // guarded by mutex; "": it succeeded
  std::string last_drop;   // guarded by mutex; the first family that was left out, or ""
};

struct Registry::Outcome {
  const Entry* entry;
  double seconds;
  bool success;
};

Registry::Registry(Options options, const Clock& clock, Logger log)
    : max_series_(options.max_series), clock_(clock), log_(std::move(log)) {
  for (const std::string_view name : {kDuration, kSuccess, kDropped}) {
    options.reserved.emplace_back(name);
  }
  for (const std::string& name : options.reserved) reserved_.append(name).append("\n");
}

Registry::~Registry() = default;

Status Registry::Add(std::unique_ptr<Collector> collector) {
  const std::string_view name = collector->name();
  const auto place = std::lower_bound(
      entries_.begin(), entries_.end(), name,
      [](const auto& entry, std::string_view n) { return entry->collector->name() < n; });
  if (place != entries_.end() && (*place)->collector->name() == name) {
    return Invalid("collector " + std::string(name) + " exists already");
  }
  entries_.insert(place, std::make_unique<Entry>(std::move(collector)));
  return {};
}

std::vector<std::string_view> Registry::names() const {
  std::vector<std::string_view> names;
  for (const auto& entry : entries_) names.push_back(entry->collector->name());
  return names;
}

bool Registry::Has(std::string_view name) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const auto& entry) { return entry->collector->name() == name; });
}

void Registry::Collect(const Request& request, std::string& page) {
  PageGuard guard(max_series_, reserved_);
  std::vector<Outcome> outcomes;
  outcomes.reserve(entries_.size());
  for (const auto& entry : entries_) {
    if (request.wants && !request.wants(entry->collector->name())) continue;
    const std::size_t begin = page.size();
    outcomes.push_back(CollectOne(*entry, request, page));
    const PageGuard::Verdict verdict = guard.Admit(page, begin);
    duplicate_ += verdict.duplicate_families;
    over_limit_ += verdict.families_over_limit;
    NoteDrop(*entry, verdict);
  }
  exposition::PageWriter writer(request.format, page, request.escaping);
  WriteOutcomes(outcomes, writer);
  WriteDropped(writer);
}

Registry::Outcome Registry::CollectOne(Entry& entry, const Request& request, std::string& page) {
  const auto begin = clock_.SteadyNow();
  Status status;
  std::unique_lock lock(entry.mutex);
  if (begin >= request.deadline ||
      !entry.idle.wait_until(lock, request.deadline, [&] { return !entry.busy; })) {
    status = Error(ErrorKind::kTimeout, "the deadline of the scrape has passed");
  } else {
    entry.busy = true;
    lock.unlock();
    exposition::PageWriter writer(request.format, page, request.escaping);
    CollectContext context{writer, request.deadline};
    status = RunGuarded(*entry.collector, context);
    lock.lock();
    entry.busy = false;
    entry.idle.notify_one();
  }
  Note(entry, status);
  const std::chrono::duration<double> took = clock_.SteadyNow() - begin;
  return {&entry, took.count(), status.has_value()};
}

// One line when a collector begins to fail, fails otherwise, or recovers: not one per scrape.
// Requires: entry.mutex is held (the logger neither calls back nor waits for us).
void Registry::Note(Entry& entry, const Status& status) const {
  const std::string_view name = entry.collector->name();
  if (status) {
    if (!entry.last_error.empty()) log_.Info("collector works again", {{"name", name}});
    entry.last_error.clear();
    return;
  }
  if (entry.last_error == status.error().message()) return;
  entry.last_error = status.error().message();
  const bool no_data = status.error().kind() == ErrorKind::kNotFound;
  log_.Log(no_data ? LogLevel::kDebug : LogLevel::kError,
           no_data ? "collector has no data" : "collector failed",
           {{"name", name}, {"err", status.error()}});
}

// One line when something else than before is left out: not one per scrape.
void Registry::NoteDrop(Entry& entry, const PageGuard::Verdict& verdict) const {
  {
    const std::lock_guard lock(entry.mutex);
    if (entry.last_drop == verdict.first_dropped) return;
    entry.last_drop = verdict.first_dropped;
  }
  if (verdict.first_dropped.empty()) return;
  log_.Warn("families dropped", {{"collector", entry.collector->name()},
                                 {"first", verdict.first_dropped},
                                 {"duplicate", verdict.duplicate_families},
                                 {"over_limit", verdict.families_over_limit}});
}

void Registry::WriteOutcomes(const std::vector<Outcome>& outcomes,
                             exposition::PageWriter& writer) const {
  using exposition::MetricType;
  writer.Family(kDuration, "node_exporter: Duration of a collector scrape.", MetricType::kGauge);
  for (const Outcome& outcome : outcomes) {
    writer.RenderedSample(outcome.entry->labels, outcome.seconds);
  }
  writer.Family(kSuccess, "node_exporter: Whether a collector succeeded.", MetricType::kGauge);
  for (const Outcome& outcome : outcomes) {
    writer.RenderedSample(outcome.entry->labels, outcome.success ? 1 : 0);
  }
}

void Registry::WriteDropped(exposition::PageWriter& writer) const {
  const Dropped counts = dropped();
  writer.Family(kDropped,
                "Metric families left out of pages: written by an earlier collector already, or "
                "beyond the bound on series.",
                exposition::MetricType::kCounter);
  writer.Sample({{"reason", "duplicate"}}, static_cast<double>(counts.duplicate));
  writer.Sample({{"reason", "limit"}}, static_cast<double>(counts.over_limit));
}

Registry::Dropped Registry::dropped() const { return {duplicate_.load(), over_limit_.load()}; }

}  // namespace skep::exporter

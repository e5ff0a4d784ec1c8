#include "exporter/ingest/event_ingest.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <utility>

#include "exporter/ingest/event_counter.h"
#include "exporter/ingest/event_deployments.h"
#include "exporter/ingest/event_ids.h"
#include "exporter/ingest/event_measures.h"
#include "exporter/ingest/event_parser.h"
#include "exporter/ingest/event_schema.h"
#include "exporter/ingest/event_web.h"

namespace skep::ingest {
namespace {

using Steady = Clock::Steady;

constexpr std::size_t kMaxBeaconBytes = 64UL << 10;
constexpr std::string_view kSource = "events";
constexpr std::string_view kReasonNames[kRefusalReasons] = {"json", "kind", "field", "measure"};

bool IsWelcome(const std::vector<EventOptions::Window>& windows, Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::size_t weekday = std::chrono::weekday(day).c_encoding();
  const auto clock = std::chrono::floor<std::chrono::minutes>(time - day);
  return windows.empty() ||
         std::any_of(windows.begin(), windows.end(), [&](const EventOptions::Window& window) {
           return window.days[weekday] && clock >= window.from && clock < window.to;
         });
}

std::string_view TextOf(const EventBatch& batch, const Event& event, std::string_view field,
                        std::string_view missing = "") {
  const FieldValue* const value = batch.Find(event, field);
  return value == nullptr ? missing : value->text;
}

std::optional<double> NumberOf(const EventBatch& batch, const Event& event,
                               std::string_view field) {
  const FieldValue* const value = batch.Find(event, field);
  return value == nullptr ? std::nullopt : std::optional(value->number);
}

std::span<const std::string_view> TextsOf(const EventBatch& batch, const Event& event,
                                          std::string_view field) {
  const FieldValue* const value = batch.Find(event, field);
  if (value == nullptr) return {};
  return std::span(batch.texts).subspan(value->begin, value->count);
}

// So many a second, and as many at once.
class RateLimit {
 public:
  bool Take(double per_second, Steady now) {
    const std::lock_guard lock(mutex_);
    const double passed = std::chrono::duration<double>(now - last_).count();
    last_ = now;
    left_ = std::min(per_second, left_ + passed * per_second);
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
  }

 private:
  std::mutex mutex_;
  double left_ = std::numeric_limits<double>::max();  // guarded by mutex_
  Steady last_{};                                     // guarded by mutex_
};

// What is shown of the endpoints themselves.
struct OwnCounts {
  std::array<std::atomic<std::uint64_t>, kRefusalReasons> refused{};
  std::atomic<std::uint64_t> duplicates{0};
  std::atomic<std::uint64_t> unchecked{0};
  std::atomic<std::uint64_t> unwritten{0};  // requests answered with 503
  std::atomic<std::uint64_t> foreign_origin{0};
  std::atomic<std::uint64_t> beacons_over_rate{0};
  std::atomic<std::int64_t> last_accepted_ms{0};
  // Copies of what the section of ids says, so that pages need no lock of the store.
  std::atomic<std::uint64_t> ids{0};
  std::atomic<std::uint64_t> ids_forgotten{0};
};

// Makes one unit of the store out of a batch.
class BatchUnit {
 public:
  struct Context {
    const EventPorts& ports;
    const EventCounter& counter;
    EventIds& ids;
    Deployments& deployments;
    const std::vector<EventOptions::Window>& windows;
    Timestamp now;
  };

  BatchUnit(const Context& context, const EventBatch& batch,
            std::span<const state::FamilyId> measures, state::Changes& changes)
      : context_(context),
        batch_(batch),
        measures_(measures),
        changes_(changes),
        seen_(std::max<std::size_t>(batch.events.size(), 1)),
        deployments_(context.deployments, context.counter.deployment_families(), changes) {}

  // The ids that are new with the unit are appended to `ids`.
  void Run(std::vector<RememberedId>& ids) {
    ids_ = &ids;
    std::array<double, 64> kinds{};
    for (std::size_t i = 0; i < batch_.events.size(); ++i) {
      const Event& event = batch_.events[i];
      if (IsRepeat(event)) {
        ++counts_.duplicates;
        continue;
      }
      ++counts_.accepted;
      kinds[static_cast<std::size_t>(event.kind - Kinds().data())] += 1;
      Count(event, measures_[i]);
    }
    for (std::size_t i = 0; i < Kinds().size(); ++i) {
      if (kinds[i] > 0) context_.counter.CountKind(changes_, Kinds()[i], kinds[i]);
    }
  }

  const EventCounts& counts() const { return counts_; }
  std::optional<Timestamp> last_deployment() const { return last_deployment_; }

 private:
  bool IsRepeat(const Event& event) {
    if (event.id.empty()) return false;
    const RememberedId id = HashEventId(event.kind->name, event.id, context_.now);
    if (context_.ids.Has(id) || seen_.Has(id)) return true;
    seen_.Add({&id, 1}, context_.now);
    ids_->push_back(id);
    if (event.time && *event.time < context_.ids.CoveredSince(context_.now)) ++counts_.unchecked;
    return false;
  }

  void Count(const Event& event, state::FamilyId measure) {
    const Timestamp at = event.time.value_or(context_.now);
    context_.counter.Count(changes_, batch_, event, at);
    switch (event.kind->id) {
      case KindId::kPlain:
      case KindId::kError:
        return;
      case KindId::kMeasure:
        return EventMeasures::Count(changes_, batch_, event, measure);
      case KindId::kDeployment:
        return CountDeployment(event, at);
      case KindId::kEnvironment:
        return CountEnvironment(event, at);
      case KindId::kRollback:
        return CountRollback(event, at);
      case KindId::kAgent:
        return CountAgent(event, at);
      case KindId::kTask:
        return CountTask(event, at);
    }
  }

  void CountDeployment(const Event& event, Timestamp at) {
    Deployment deployment;
    deployment.service = TextOf(batch_, event, "service");
    deployment.version = TextOf(batch_, event, "version");
    deployment.strategy = TextOf(batch_, event, "strategy", "unknown");
    deployment.outcome = TextOf(batch_, event, "outcome", "success");
    deployment.commit = TextOf(batch_, event, "commit");
    deployment.url = TextOf(batch_, event, "url");
    deployment.rollback_version = TextOf(batch_, event, "rollback_version");
    deployment.time = at;
    const FieldValue* const outside = batch_.Find(event, "outside_window");
    if (outside != nullptr ? outside->number != 0 : !IsWelcome(context_.windows, at)) {
      context_.counter.CountOutsideWindow(changes_, deployment.service);
    }
    if (deployment.outcome != "cancelled") Deployed(at);
    deployments_.Put(std::move(deployment));
  }

  void CountEnvironment(const Event& event, Timestamp at) {
    const bool created = TextOf(batch_, event, "state") == "created";
    deployments_.PutEnvironment(TextOf(batch_, event, "service"), TextOf(batch_, event, "color"),
                                created ? std::optional(at) : std::nullopt);
  }

  void CountRollback(const Event& event, Timestamp at) {
    const std::string_view service = TextOf(batch_, event, "service");
    if (TextOf(batch_, event, "outcome", "success") != "success") return;
    context_.counter.EndRollbackRequest(changes_, service);
    Deployed(at);
    const std::string_view version = TextOf(batch_, event, "version");
    if (version.empty()) return;
    deployments_.RolledBack(service, version, TextOf(batch_, event, "strategy", "unknown"), at);
  }

  void Deployed(Timestamp at) { last_deployment_ = std::max(last_deployment_.value_or(at), at); }

  swarm::Place PlaceOf(const Event& event) const {
    return {TextOf(batch_, event, "workspace"), kSource};
  }

  // Made by the first report, since it costs a table of its own.
  swarm::PushedSwarm::Unit& Swarm() {
    if (!swarm_) {
      swarm_.emplace(context_.ports.swarm, context_.ports.flow, changes_, context_.now);
    }
    return *swarm_;
  }

  void CountAgent(const Event& event, Timestamp at) {
    swarm::AgentReport report;
    report.place = PlaceOf(event);
    report.id = TextOf(batch_, event, "agent");
    report.type = TextOf(batch_, event, "agent_type");
    report.status = TextOf(batch_, event, "status");
    report.task = TextOf(batch_, event, "task");
    report.health = NumberOf(batch_, event, "health_ratio");
    report.confidence = NumberOf(batch_, event, "confidence_ratio");
    report.quality = NumberOf(batch_, event, "quality_ratio");
    report.waits_for = TextsOf(batch_, event, "waits_for");
    Swarm().Report(report, at);
    if (const std::optional<double> seconds = NumberOf(batch_, event, "spawn_seconds")) {
      context_.ports.flow.AgentSpawnTook(changes_, report.type, *seconds);
    }
  }

  void CountTask(const Event& event, Timestamp at) {
    swarm::TaskReport report;
    report.place = PlaceOf(event);
    report.id = TextOf(batch_, event, "task");
    report.type = TextOf(batch_, event, "task_type");
    report.status = TextOf(batch_, event, "status");
    report.priority = TextOf(batch_, event, "priority");
    report.progress = NumberOf(batch_, event, "progress_ratio");
    report.agent = TextOf(batch_, event, "agent");
    report.depends_on = TextsOf(batch_, event, "depends_on");
    report.seconds = NumberOf(batch_, event, "duration_seconds");
    Swarm().Report(report, at);
  }

  const Context& context_;
  const EventBatch& batch_;
  const std::span<const state::FamilyId> measures_;
  state::Changes& changes_;
  EventIds seen_;  // ids of this batch
  std::vector<RememberedId>* ids_ = nullptr;
  Deployments::Unit deployments_;
  std::optional<swarm::PushedSwarm::Unit> swarm_;
  EventCounts counts_;
  std::optional<Timestamp> last_deployment_;
};

}  // namespace

struct EventMemory::Impl {
  EventIds ids;
  Deployments deployments;
};

EventMemory::EventMemory() : impl_(std::make_unique<Impl>()) {}
EventMemory::~EventMemory() = default;

std::vector<state::Section*> EventMemory::sections() { return {&impl_->ids, &impl_->deployments}; }

struct EventIngest::Impl {
  Impl(EventOptions the_options, AccessOptions the_access, EventPorts the_ports, Logger the_log,
       EventCounter the_counter)
      : ports(std::move(the_ports)),
        log(std::move(the_log)),
        counter(std::move(the_counter)),
        measures(ports.store),
        schema(EventJsonSchema()),
        settings(
            std::make_shared<Settings>(Settings{std::move(the_options), std::move(the_access)})) {}

  struct Settings {
    EventOptions options;
    AccessOptions access;
  };

  std::shared_ptr<const Settings> Present() const {
    const std::lock_guard lock(mutex);
    return settings;
  }

  net::HttpResponse Take(const Settings& present, std::string_view body, const ParseRules& rules);
  std::vector<state::FamilyId> DefineMeasures(EventBatch& batch, std::size_t max_measures);
  Result<EventCounts> Count(const EventBatch& batch, std::span<const state::FamilyId> families,
                            const Settings& present, Timestamp now);
  void NoteRefused(const EventBatch& batch);
  void NoteUnwritten(const Error& error);
  bool MayLog(std::atomic<std::int64_t>& last);

  const EventPorts ports;
  const Logger log;
  const EventCounter counter;
  EventMeasures measures;
  const std::string schema;
  OwnCounts own;
  RateLimit beacon_rate;
  std::atomic<std::int64_t> refused_logged{std::numeric_limits<std::int64_t>::min()};
  std::atomic<std::int64_t> unwritten_logged{std::numeric_limits<std::int64_t>::min()};
  mutable std::mutex mutex;
  std::shared_ptr<const Settings> settings;  // guarded by mutex
};

// Once a minute.
bool EventIngest::Impl::MayLog(std::atomic<std::int64_t>& last) {
  const std::int64_t minute = ToMillis(ports.clock.Now()) / 60'000;
  return last.exchange(minute) != minute;
}

// Neither the message nor the field is logged: both hold what the sender wrote.
void EventIngest::Impl::NoteRefused(const EventBatch& batch) {
  for (std::size_t i = 0; i < kRefusalReasons; ++i) own.refused[i] += batch.refused[i];
  if (batch.refusals.empty() || !MayLog(refused_logged)) return;
  log.Warn("events were refused",
           {{"events", batch.refused_in_all()}, {"first_line", batch.refusals[0].line}});
}

void EventIngest::Impl::NoteUnwritten(const Error& error) {
  ++own.unwritten;
  if (MayLog(unwritten_logged)) log.Error("events cannot be kept", {{"err", error}});
}

// Families of the measures among the events, in their order; a measure that cannot be is taken out
// of the batch.
std::vector<state::FamilyId> EventIngest::Impl::DefineMeasures(EventBatch& batch,
                                                               std::size_t max_measures) {
  std::vector<state::FamilyId> families(batch.events.size());
  std::size_t kept = 0;
  for (const Event& event : batch.events) {
    if (event.kind->id == KindId::kMeasure) {
      const Result<state::FamilyId> family = measures.FamilyOf(batch, event, max_measures);
      if (!family) {
        batch.Refuse(RefusalReason::kMeasure, event.line, "name", family.error().message());
        continue;
      }
      families[kept] = *family;
    }
    batch.events[kept++] = event;
  }
  batch.events.resize(kept);
  return families;
}

Result<EventCounts> EventIngest::Impl::Count(const EventBatch& batch,
                                             std::span<const state::FamilyId> families,
                                             const Settings& present, Timestamp now) {
  EventIds& ids = ports.memory.impl_->ids;
  Deployments& deployments = ports.memory.impl_->deployments;
  EventCounts counts;
  std::vector<RememberedId> new_ids;
  std::optional<Timestamp> deployed;
  const BatchUnit::Context context{
      ports, counter, ids, deployments, present.options.deployment_windows, now};
  const Status updated = ports.store.Update([&](state::Changes& changes) -> Status {
    new_ids.clear();
    BatchUnit unit(context, batch, families, changes);
    unit.Run(new_ids);
    counts = unit.counts();
    deployed = unit.last_deployment();
    if (!new_ids.empty()) changes.Record(ids.name(), EventIds::Bytes(new_ids));
    changes.OnCommitted([&] {
      ids.Add(new_ids, now);
      own.ids = ids.size();
      own.ids_forgotten = ids.forgotten_early();
    });
    return {};
  });
  if (!updated) return updated.error();
  if (deployed && ports.on_deployment) ports.on_deployment(*deployed);
  return counts;
}

net::HttpResponse EventIngest::Impl::Take(const Settings& present, std::string_view body,
                                          const ParseRules& rules) {
  EventBatch batch;
  ParseEvents(body, rules, batch);
  const std::vector<state::FamilyId> families = DefineMeasures(batch, present.options.max_measures);
  if (batch.events.empty() && batch.refused_in_all() == 0) {
    return EventsError(400, "no event in the request");
  }
  NoteRefused(batch);
  if (batch.events.empty()) return EventsResponse({}, batch);
  const Result<EventCounts> counts = Count(batch, families, present, rules.now);
  if (!counts) {
    NoteUnwritten(counts.error());
    net::HttpResponse response =
        EventsError(503, "the state file cannot be written; nothing was counted");
    response.headers.emplace_back("Retry-After", "10");
    return response;
  }
  own.duplicates += counts->duplicates;
  own.unchecked += counts->unchecked;
  if (counts->accepted > 0) own.last_accepted_ms = ToMillis(rules.now);
  return EventsResponse(*counts, batch);
}

EventIngest::EventIngest(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EventIngest::~EventIngest() = default;

Result<std::unique_ptr<EventIngest>> EventIngest::Create(EventOptions options, AccessOptions access,
                                                         EventPorts ports, Logger log) {
  Result<EventCounter> counter =
      EventCounter::Define(ports.store, {options.request_bounds, options.max_page_groups});
  if (!counter) return counter.error();
  auto impl = std::make_unique<Impl>(std::move(options), std::move(access), std::move(ports),
                                     std::move(log), std::move(*counter));
  const EventIds& ids = impl->ports.memory.impl_->ids;
  impl->own.ids = ids.size();
  const std::optional<Timestamp> last = impl->ports.memory.impl_->deployments.last();
  if (last && impl->ports.on_deployment) impl->ports.on_deployment(*last);
  return std::unique_ptr<EventIngest>(new EventIngest(std::move(impl)));
}

void EventIngest::Apply(EventOptions options, AccessOptions access) {
  impl_->counter.ApplyCaps(impl_->ports.store, {options.request_bounds, options.max_page_groups});
  auto settings =
      std::make_shared<Impl::Settings>(Impl::Settings{std::move(options), std::move(access)});
  const std::lock_guard lock(impl_->mutex);
  impl_->settings = std::move(settings);
}

net::HttpResponse EventIngest::HandleEvents(const net::HttpRequest& request) {
  const std::shared_ptr<const Impl::Settings> present = impl_->Present();
  const std::string_view origin = request.Header("Origin");
  if (!IsAllowedOrigin(origin, present->options.origins)) {
    ++impl_->own.foreign_origin;
    return EventsError(403, "events from pages of this origin are not wanted");
  }
  if (request.method == "OPTIONS") return PreflightResponse(origin);
  if (const std::optional<Refusal> refusal = CheckAccess(present->access, request)) {
    return EventsError(refusal->status, refusal->message);
  }
  const std::optional<BodyForm> form = BodyFormOf(request.Header("Content-Type"));
  if (!form) {
    return EventsError(415, "expected Content-Type: application/json or application/x-ndjson");
  }
  const ParseRules rules{impl_->ports.clock.Now(), *form == BodyForm::kLines, false};
  net::HttpResponse response = impl_->Take(*present, request.body, rules);
  AllowOrigin(origin, response);
  return response;
}

net::HttpResponse EventIngest::HandleBeacons(const net::HttpRequest& request) {
  const std::shared_ptr<const Impl::Settings> present = impl_->Present();
  const EventOptions& options = present->options;
  if (options.beacon_origins.empty()) return EventsError(404, "beacons are off");
  const std::string_view origin = request.Header("Origin");
  if (origin.empty() || !IsAllowedOrigin(origin, options.beacon_origins)) {
    ++impl_->own.foreign_origin;
    return EventsError(403, "beacons from pages of this origin are not wanted");
  }
  if (request.method == "OPTIONS") return PreflightResponse(origin);
  if (request.body.size() > kMaxBeaconBytes) return EventsError(413, "the beacon is too large");
  if (!impl_->beacon_rate.Take(options.max_beacons_per_second, impl_->ports.clock.SteadyNow())) {
    ++impl_->own.beacons_over_rate;
    return EventsError(429, "too many beacons");
  }
  net::HttpResponse response =
      impl_->Take(*present, request.body, {impl_->ports.clock.Now(), false, true});
  if (response.status == 200) response = net::HttpResponse::Text(204, "");
  AllowOrigin(origin, response);
  return response;
}

net::HttpResponse EventIngest::HandleSchema(const net::HttpRequest& /*request*/) const {
  net::HttpResponse response = net::HttpResponse::Json(200, impl_->schema);
  response.content_type = "application/schema+json";
  return response;
}

net::HttpResponse EventIngest::HandleDeployments(const net::HttpRequest& /*request*/) const {
  return net::HttpResponse::Json(200, impl_->ports.memory.impl_->deployments.HistoryJson());
}

namespace {

class EventCollector final : public exporter::Collector {
 public:
  EventCollector(const OwnCounts& own, const Deployments& deployments, const Clock& clock)
      : own_(own), deployments_(deployments), clock_(clock) {}

  std::string_view name() const override { return "events"; }

  Status Collect(exporter::CollectContext& context) override {
    exposition::PageWriter& page = context.page;
    page.Family("skep_exporter_events_refused_total", "Events refused, by what was wrong.",
                exposition::MetricType::kCounter);
    for (std::size_t i = 0; i < kRefusalReasons; ++i) {
      page.Sample({{"reason", kReasonNames[i]}}, static_cast<double>(own_.refused[i]));
    }
    Counter(page, "skep_exporter_events_duplicate_total",
            "Events whose id was seen within 24 hours: not counted again.", own_.duplicates);
    Counter(page, "skep_exporter_events_too_old_to_check_total",
            "Events with an id that are older than the ids that are remembered: counted, even if "
            "they were before.",
            own_.unchecked);
    Counter(page, "skep_exporter_event_ids_forgotten_early_total",
            "Ids forgotten before their 24 hours, since there were over 1,000,000.",
            own_.ids_forgotten);
    Gauge(page, "skep_exporter_event_ids", "Ids of events that are remembered.",
          static_cast<double>(own_.ids));
    Counter(page, "skep_exporter_event_requests_unwritten_total",
            "Requests sent away since the state file could not be written.", own_.unwritten);
    Counter(page, "skep_exporter_event_requests_foreign_origin_total",
            "Requests of web pages that may not post.", own_.foreign_origin);
    Counter(page, "skep_exporter_beacons_over_rate_total", "Beacons beyond the rate.",
            own_.beacons_over_rate);
    if (own_.last_accepted_ms > 0) {
      Gauge(page, "skep_exporter_event_last_accepted_timestamp_seconds",
            "When an event was accepted last.", ToSeconds(FromMillis(own_.last_accepted_ms)));
    }
    deployments_.WriteAges(page, clock_.Now());
    return {};
  }

 private:
  static void Counter(exposition::PageWriter& page, std::string_view name, std::string_view help,
                      std::uint64_t value) {
    page.Family(name, help, exposition::MetricType::kCounter);
    page.Sample(static_cast<double>(value));
  }
  static void Gauge(exposition::PageWriter& page, std::string_view name, std::string_view help,
                    double value) {
    page.Family(name, help, exposition::MetricType::kGauge);
    page.Sample(value);
  }

  const OwnCounts& own_;
  const Deployments& deployments_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<exporter::Collector> EventIngest::MakeCollector() {
  return std::make_unique<EventCollector>(impl_->own, impl_->ports.memory.impl_->deployments,
                                          impl_->ports.clock);
}

}  // namespace skep::ingest

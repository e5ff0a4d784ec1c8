#include "exporter/ingest/event_ingest.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>

#include "common/base/ascii.h"
#include "exporter/ingest/event_batch_unit.h"
#include "exporter/ingest/event_counter.h"
#include "exporter/ingest/event_deployments.h"
#include "exporter/ingest/event_ids.h"
#include "exporter/ingest/event_measures.h"
#include "exporter/ingest/event_own_counts.h"
#include "exporter/ingest/event_parser.h"
#include "exporter/ingest/event_schema.h"
#include "exporter/ingest/event_web.h"

namespace skep::ingest {
namespace {

using Steady = Clock::Steady;

constexpr std::size_t kMaxBeaconBytes = 64UL << 10;

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

  // Counted.
  net::HttpResponse Refuse(int status, std::string_view message);
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
  EventOwnCounts own;
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
  const EventBatchUnit::Context context{
      ports, counter, ids, deployments, present.options.deployment_windows, now};
  const Status updated = ports.store.Update([&](state::Changes& changes) -> Status {
    new_ids.clear();
    EventBatchUnit unit(context, batch, families, changes);
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

net::HttpResponse EventIngest::Impl::Refuse(int status, std::string_view message) {
  own.CountRefusedRequest(status);
  net::HttpResponse response = EventsError(status, message);
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

net::HttpResponse EventIngest::Impl::Take(const Settings& present, std::string_view body,
                                          const ParseRules& rules) {
  EventBatch batch;
  ParseEvents(body, rules, batch);
  const std::vector<state::FamilyId> families = DefineMeasures(batch, present.options.max_measures);
  if (batch.events.empty() && batch.refused_in_all() == 0) {
    return Refuse(400, "no event in the request");
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
    return impl_->Refuse(403, "events from pages of this origin are not wanted");
  }
  if (request.method == "OPTIONS") return PreflightResponse(origin);
  if (const std::optional<Refusal> refusal = CheckAccess(present->access, request)) {
    return impl_->Refuse(refusal->status, refusal->message);
  }
  const std::optional<BodyForm> form = BodyFormOf(request.Header("Content-Type"));
  if (!form) {
    return impl_->Refuse(415, "expected Content-Type: application/json or application/x-ndjson");
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
    return impl_->Refuse(403, "beacons from pages of this origin are not wanted");
  }
  if (request.method == "OPTIONS") return PreflightResponse(origin);
  if (request.body.size() > kMaxBeaconBytes) return impl_->Refuse(413, "the beacon is too large");
  if (!impl_->beacon_rate.Take(options.max_beacons_per_second, impl_->ports.clock.SteadyNow())) {
    ++impl_->own.beacons_over_rate;
    return impl_->Refuse(429, "too many beacons");
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

net::HttpResponse EventIngest::HandleDeployments(const net::HttpRequest& request) const {
  if (!IsAuthorized(impl_->Present()->access, request)) {
    return PlainRefusal({401, "a bearer token is needed (Authorization: Bearer TOKEN)"});
  }
  return net::HttpResponse::Json(200, impl_->ports.memory.impl_->deployments.HistoryJson());
}

net::HttpResponse EventIngest::AnswerUnreadable(const net::HttpRequest& request,
                                                net::HttpResponse plain) {
  const std::shared_ptr<const Impl::Settings> present = impl_->Present();
  const bool is_beacon = request.path == "/v1/beacons";
  if (is_beacon && present->options.beacon_origins.empty())
    return EventsError(404, "beacons are off");
  if (!is_beacon && !IsAuthorized(present->access, request)) {
    return impl_->Refuse(401, "a bearer token is needed (Authorization: Bearer TOKEN)");
  }
  return impl_->Refuse(plain.status, Trim(plain.body, "\n"));
}

std::unique_ptr<exporter::Collector> EventIngest::MakeCollector() {
  return MakeEventCollector(impl_->own, impl_->ports.memory.impl_->deployments, impl_->ports.clock);
}

}  // namespace skep::ingest

#include "exporter/ingest/event_batch_unit.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "exporter/ingest/event_measures.h"
#include "exporter/ingest/event_schema.h"

namespace skep::ingest {
namespace {

constexpr std::string_view kSource = "events";

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

}  // namespace

EventBatchUnit::EventBatchUnit(const Context& context, const EventBatch& batch,
                               std::span<const state::FamilyId> measures, state::Changes& changes)
    : context_(context),
      batch_(batch),
      measures_(measures),
      changes_(changes),
      seen_(std::max<std::size_t>(batch.events.size(), 1)),
      deployments_(context.deployments, context.counter.deployment_families(), changes) {}

void EventBatchUnit::Run(std::vector<RememberedId>& ids) {
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

bool EventBatchUnit::IsRepeat(const Event& event) {
  if (event.id.empty()) return false;
  const RememberedId id = HashEventId(event.kind->name, event.id, context_.now);
  if (context_.ids.Has(id) || seen_.Has(id)) return true;
  seen_.Add({&id, 1}, context_.now);
  ids_->push_back(id);
  if (event.time && *event.time < context_.ids.CoveredSince(context_.now)) ++counts_.unchecked;
  return false;
}

void EventBatchUnit::Count(const Event& event, state::FamilyId measure) {
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

void EventBatchUnit::CountDeployment(const Event& event, Timestamp at) {
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

void EventBatchUnit::CountEnvironment(const Event& event, Timestamp at) {
  const bool created = TextOf(batch_, event, "state") == "created";
  deployments_.PutEnvironment(TextOf(batch_, event, "service"), TextOf(batch_, event, "color"),
                              created ? std::optional(at) : std::nullopt);
}

void EventBatchUnit::CountRollback(const Event& event, Timestamp at) {
  const std::string_view service = TextOf(batch_, event, "service");
  if (TextOf(batch_, event, "outcome", "success") != "success") return;
  context_.counter.EndRollbackRequest(changes_, service);
  Deployed(at);
  const std::string_view version = TextOf(batch_, event, "version");
  if (version.empty()) return;
  deployments_.RolledBack(service, version, TextOf(batch_, event, "strategy", "unknown"), at);
}

void EventBatchUnit::Deployed(Timestamp at) {
  last_deployment_ = std::max(last_deployment_.value_or(at), at);
}

swarm::Place EventBatchUnit::PlaceOf(const Event& event) const {
  return {TextOf(batch_, event, "workspace"), kSource};
}

// Made by the first report, since it costs a table of its own.
swarm::PushedSwarm::Unit& EventBatchUnit::Swarm() {
  if (!swarm_) {
    swarm_.emplace(context_.ports.swarm, context_.ports.flow, changes_, context_.now);
  }
  return *swarm_;
}

void EventBatchUnit::CountAgent(const Event& event, Timestamp at) {
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

void EventBatchUnit::CountTask(const Event& event, Timestamp at) {
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

}  // namespace skep::ingest

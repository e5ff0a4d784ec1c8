// One unit of the store out of a batch of events: what each kind does beyond its effects.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "exporter/ingest/event_counter.h"
#include "exporter/ingest/event_deployments.h"
#include "exporter/ingest/event_ids.h"
#include "exporter/ingest/event_ingest.h"
#include "exporter/ingest/event_parser.h"
#include "exporter/ingest/event_web.h"
#include "exporter/state/store.h"
#include "exporter/swarm/pushed.h"

namespace skep::ingest {

// Made and used inside one Store::Update. What it refers to outlives it. An event whose id was seen
// before counts nothing.
class EventBatchUnit {
 public:
  struct Context {
    const EventPorts& ports;
    const EventCounter& counter;
    EventIds& ids;
    Deployments& deployments;
    const std::vector<EventOptions::Window>& windows;
    Timestamp now;
  };

  // `measures`: the families of the measures among the events, in their order.
  EventBatchUnit(const Context& context, const EventBatch& batch,
                 std::span<const state::FamilyId> measures, state::Changes& changes);

  // The ids that are new with the unit are appended to `ids`.
  void Run(std::vector<RememberedId>& ids);

  const EventCounts& counts() const { return counts_; }
  std::optional<Timestamp> last_deployment() const { return last_deployment_; }

 private:
  bool IsRepeat(const Event& event);
  void Count(const Event& event, state::FamilyId measure);
  void CountDeployment(const Event& event, Timestamp at);
  void CountEnvironment(const Event& event, Timestamp at);
  void CountRollback(const Event& event, Timestamp at);
  void CountAgent(const Event& event, Timestamp at);
  void CountTask(const Event& event, Timestamp at);
  void Deployed(Timestamp at);
  swarm::Place PlaceOf(const Event& event) const;
  swarm::PushedSwarm::Unit& Swarm();

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

}  // namespace skep::ingest

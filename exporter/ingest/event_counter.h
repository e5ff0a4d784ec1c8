// Carries out what the table of kinds says: an event becomes changes of the store.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "exporter/ingest/event_deployments.h"
#include "exporter/ingest/event_parser.h"
#include "exporter/ingest/event_schema.h"
#include "exporter/state/store.h"

namespace skep::ingest {

// Immutable: all names of the table looked up once.
class EventCounter {
 public:
  struct Options {
    // Upper bounds of http_request_duration_seconds, which logs fill as well.
    std::vector<double> request_bounds;
    std::size_t max_page_groups = 50;
  };

  // Defines the families. An error is that of Store::Define.
  static Result<EventCounter> Define(state::Store& store, const Options& options);
  // Puts other caps in force.
  void ApplyCaps(state::Store& store, const Options& options) const;

  // The effects of the event's kind; `at` is when it happened.
  void Count(state::Changes& changes, const EventBatch& batch, const Event& event,
             Timestamp at) const;
  // events_total{kind}.
  void CountKind(state::Changes& changes, const KindSpec& kind, double times) const;
  // deployment_outside_window_total{service}.
  void CountOutsideWindow(state::Changes& changes, std::string_view service) const;
  // rollback_requested{service} is 0.
  void EndRollbackRequest(state::Changes& changes, std::string_view service) const;

  const DeploymentFamilies& deployment_families() const { return deployment_families_; }

 private:
  static constexpr std::uint8_t kNone = 255;

  struct Label {
    std::string_view name;
    std::uint8_t field = kNone;
    std::string_view missing;
  };
  struct Effect {
    EffectOp op;
    state::FamilyId family = 0;
    std::uint8_t value = kNone;
    std::uint8_t rest = kNone;
    std::uint8_t times = kNone;  // of an observation: the field "count"
    std::uint8_t when_field = kNone;
    std::string_view when;      // also the choice of kSetIf
    std::vector<Label> labels;  // by name
  };
  struct Values;

  Effect Compile(const KindSpec& kind, const EffectSpec& spec) const;
  state::FamilyId FamilyOf(std::string_view name) const;
  void Apply(state::Changes& changes, const KindSpec& kind, const Effect& effect,
             const Values& values, Timestamp at) const;
  static void SetOneHot(state::Changes& changes, const KindSpec& kind, const Effect& effect,
                        const Values& values);
  static void SetInfo(state::Changes& changes, const KindSpec& kind, const Effect& effect,
                      const Values& values);

  std::vector<std::pair<std::string, state::FamilyId>> families_;  // by name
  std::vector<std::vector<Effect>> effects_;                       // as Kinds()
  DeploymentFamilies deployment_families_{};
  state::FamilyId events_ = 0;
  state::FamilyId outside_window_ = 0;
  state::FamilyId rollback_requested_ = 0;
};

}  // namespace skep::ingest

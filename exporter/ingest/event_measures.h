// Families of kind "measure": made by the first event that names them.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "exporter/ingest/event_parser.h"
#include "exporter/state/store.h"

namespace skep::ingest {

// Thread-safe.
class EventMeasures {
 public:
  // `store` must outlive it.
  explicit EventMeasures(state::Store& store) : store_(store) {}

  // The family of the event, which is defined where it is new. kInvalid: the name belongs to
  // somebody else, or the family is of another type or has other bounds; kUnavailable: there are
  // `max_measures` already. Not inside Store::Update.
  Result<state::FamilyId> FamilyOf(const EventBatch& batch, const Event& event,
                                   std::size_t max_measures);

  static void Count(state::Changes& changes, const EventBatch& batch, const Event& event,
                    state::FamilyId family);

 private:
  struct Known {
    state::FamilyId family;
    std::string type;
    std::vector<double> bounds;
  };

  state::Store& store_;
  std::mutex mutex_;
  std::map<std::string, Known, std::less<>> known_;  // guarded by mutex_
};

}  // namespace skep::ingest

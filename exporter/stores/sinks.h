// Where what was read goes.
#pragma once

#include "common/base/clock.h"
#include "common/base/log.h"
#include "exporter/state/store.h"
#include "exporter/stores/positions.h"
#include "exporter/stores/store_families.h"
#include "exporter/swarm/board.h"
#include "exporter/swarm/flow.h"

namespace skep::stores {

// All references outlive what is made from it.
struct Sinks {
  swarm::Board& board;
  const swarm::Flow& flow;
  state::Store& store;
  const StoreFamilies& families;
  Positions& positions;
  const Clock& clock;
  Logger log;
};

}  // namespace skep::stores

// When a target is scraped. Pure functions.
#pragma once

#include <string_view>

#include "common/base/time.h"

namespace skep::scrape {

// Where in each interval the target with this identity has its turn: the same after a restart, and
// spread evenly over all targets.
Duration OffsetOf(std::string_view identity, Duration interval);

// The first turn after `after`. Requires: 0 <= offset < interval.
Timestamp NextTurn(Timestamp after, Duration interval, Duration offset);

// The time that samples get: the turn itself where `now` is hardly behind it (2 ms, or a hundredth
// of the interval), so that times are regular and compress well; else `now`.
Timestamp ScrapeTime(Timestamp turn, Timestamp now, Duration interval);

}  // namespace skep::scrape

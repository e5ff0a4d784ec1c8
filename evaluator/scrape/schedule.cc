#include "evaluator/scrape/schedule.h"

#include <algorithm>

#include "common/base/hash.h"

namespace skep::scrape {

Duration OffsetOf(std::string_view identity, Duration interval) {
  const std::uint64_t hash = MixHash(HashBytes(identity), 0);
  return Duration(static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(interval.count())));
}

Timestamp NextTurn(Timestamp after, Duration interval, Duration offset) {
  const std::int64_t since = ToMillis(after) - offset.count();
  std::int64_t turns = since / interval.count();
  if (since < 0 && since % interval.count() != 0) --turns;
  return FromMillis((turns + 1) * interval.count() + offset.count());
}

Timestamp ScrapeTime(Timestamp turn, Timestamp now, Duration interval) {
  const Duration tolerance = std::min(interval / 100, Duration(2));
  return now >= turn && now - turn <= tolerance ? turn : now;
}

}  // namespace skep::scrape

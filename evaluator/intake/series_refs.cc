#include "evaluator/intake/series_refs.h"

#include <algorithm>
#include <utility>

namespace skep::intake {
namespace {

constexpr std::size_t kFirstSlots = 16;

}  // namespace

storage::SeriesRef SeriesRefs::Table::Find(const Hash128& name) const {
  if (slots.empty()) return 0;
  const std::size_t mask = slots.size() - 1;
  for (std::size_t at = name.low & mask; slots[at].ref != 0; at = (at + 1) & mask) {
    if (slots[at].name == name) return slots[at].ref;
  }
  return 0;
}

void SeriesRefs::Table::Put(const Hash128& name, storage::SeriesRef ref) {
  if (4 * (used + 1) > 3 * slots.size()) Grow();
  const std::size_t mask = slots.size() - 1;
  std::size_t at = name.low & mask;
  while (slots[at].ref != 0 && slots[at].name != name) at = (at + 1) & mask;
  if (slots[at].ref == 0) ++used;
  slots[at] = {name, ref};
}

void SeriesRefs::Table::Grow() {
  const std::vector<Entry> old =
      std::exchange(slots, std::vector<Entry>(std::max(kFirstSlots, 2 * slots.size())));
  used = 0;
  for (const Entry& entry : old) {
    if (entry.ref != 0) Put(entry.name, entry.ref);
  }
}

void SeriesRefs::Shard::Turn() { last = std::exchange(present, {}); }

SeriesRefs::SeriesRefs(std::size_t most_entries)
    : most_in_shard_(std::max<std::size_t>(1, most_entries / kShards)) {}

storage::SeriesRef SeriesRefs::Find(const Hash128& name) {
  Shard& shard = ShardOf(name);
  const std::lock_guard lock(shard.mutex);
  if (const storage::SeriesRef ref = shard.present.Find(name); ref != 0) return ref;
  const storage::SeriesRef ref = shard.last.Find(name);
  if (ref != 0) shard.present.Put(name, ref);
  return ref;
}

void SeriesRefs::Remember(const Hash128& name, storage::SeriesRef ref) {
  Shard& shard = ShardOf(name);
  const std::lock_guard lock(shard.mutex);
  if (shard.present.used >= most_in_shard_) shard.Turn();
  shard.present.Put(name, ref);
}

void SeriesRefs::Turn(Clock::Steady now) {
  const std::lock_guard turn(turn_mutex_);
  if (now - turned_ < kTurn) return;
  turned_ = now;
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    shard.Turn();
  }
}

std::size_t SeriesRefs::heap_bytes() const {
  std::size_t slots = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    slots += shard.present.slots.capacity() + shard.last.slots.capacity();
  }
  return slots * sizeof(Entry);
}

}  // namespace skep::intake

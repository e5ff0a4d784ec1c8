#include "evaluator/intake/series_refs.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace skep::intake {
namespace {

constexpr std::size_t kFirstSlots = 16;
// Names are anywhere in the table, which is larger than the processor's caches: look-ups of so many
// overlap.
constexpr std::size_t kAhead = 8;

}  // namespace

void SeriesRefs::Table::Prefetch(const Hash128& name) const {
  if (!slots.empty()) __builtin_prefetch(&slots[name.low & (slots.size() - 1)]);
}

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

void SeriesRefs::Find(std::span<const Hash128> names, std::vector<storage::SeriesRef>& refs) {
  refs.assign(names.size(), 0);
  std::vector<std::size_t> of_last;  // found only there
  {
    const std::shared_lock lock(mutex_);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (i + kAhead < names.size()) present_.Prefetch(names[i + kAhead]);
      refs[i] = present_.Find(names[i]);
      if (refs[i] != 0) continue;
      refs[i] = last_.Find(names[i]);
      if (refs[i] != 0) of_last.push_back(i);
    }
  }
  if (of_last.empty()) return;
  const std::lock_guard lock(mutex_);
  for (const std::size_t i : of_last) Put(names[i], refs[i]);
}

void SeriesRefs::Remember(const Hash128& name, storage::SeriesRef ref) {
  const std::lock_guard lock(mutex_);
  Put(name, ref);
}

void SeriesRefs::Put(const Hash128& name, storage::SeriesRef ref) {
  if (present_.used >= most_entries_) Turn();
  present_.Put(name, ref);
}

void SeriesRefs::Turn(Clock::Steady now) {
  const std::lock_guard lock(mutex_);
  if (now - turned_ < kTurn) return;
  turned_ = now;
  Turn();
}

void SeriesRefs::Turn() { last_ = std::exchange(present_, {}); }

std::size_t SeriesRefs::heap_bytes() const {
  const std::shared_lock lock(mutex_);
  return (present_.slots.capacity() + last_.slots.capacity()) * sizeof(Entry);
}

}  // namespace skep::intake

#include "evaluator/scrape/series_cache.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "common/base/hash.h"

namespace skep::scrape {

void SeriesCache::StartPage() {
  last_ = kNone;
  expected_ = first_;
}

std::string_view SeriesCache::expected() const {
  return expected_ == kNone ? std::string_view{} : Bytes(entries_[expected_]);
}

SeriesCache::Index SeriesCache::Find(std::string_view bytes) const {
  if (slots_.empty()) return kNone;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = HashBytes(bytes) & mask;; at = (at + 1) & mask) {
    const Index index = slots_[at];
    if (index == kNone || Bytes(entries_[index]) == bytes) return index;
  }
}

SeriesCache::Index SeriesCache::Add(std::string_view bytes, Labels labels, bool dropped) {
  constexpr std::size_t kMost = std::numeric_limits<std::uint32_t>::max();
  if (arena_.size() + bytes.size() >= kMost || entries_.size() + 1 >= kNone) return kNone;
  const auto index = static_cast<Index>(entries_.size());
  Entry entry;
  entry.offset = static_cast<std::uint32_t>(arena_.size());
  entry.length = static_cast<std::uint32_t>(bytes.size());
  entry.dropped = dropped;
  arena_.append(bytes);
  entries_.push_back(entry);
  labels_.push_back(std::move(labels));
  if (entries_.size() * 2 > slots_.size()) {
    Rehash(std::max<std::size_t>(16, slots_.size() * 2));
  } else {
    Insert(index);
  }
  return index;
}

void SeriesCache::Insert(Index index) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = HashBytes(Bytes(entries_[index])) & mask;
  while (slots_[at] != kNone) at = (at + 1) & mask;
  slots_[at] = index;
}

void SeriesCache::Rehash(std::size_t slots) {
  slots_.assign(slots, kNone);
  for (Index index = 0; index < entries_.size(); ++index) Insert(index);
}

void SeriesCache::Advance(Index index) {
  // Where a line is new, what was expected in its place is expected behind it.
  Entry& entry = entries_[index];
  if (entry.next == kNone && index != expected_) entry.next = expected_;
  Index& before = last_ == kNone ? first_ : entries_[last_].next;
  before = index;
  last_ = index;
  expected_ = entry.next;
}

void SeriesCache::Compact(std::uint32_t page) {
  constexpr std::size_t kSpare = 128;
  const auto keep = [page](const Entry& entry) { return entry.page == page || entry.alive; };
  const auto kept = static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), keep));
  if (entries_.size() - kept <= kept / 2 + kSpare) return;
  SeriesCache fresh;
  fresh.StartPage();
  for (Index index = 0; index < entries_.size(); ++index) {
    if (!keep(entries_[index])) continue;
    const Entry& old = entries_[index];
    const Index moved = fresh.Add(Bytes(old), std::move(labels_[index]), old.dropped);
    Entry& entry = fresh.entries_[moved];
    entry.page = old.page;
    entry.ref = old.ref;
    entry.alive = old.alive;
    entry.watched = old.watched;
    fresh.Advance(moved);
  }
  *this = std::move(fresh);
}

void SeriesCache::Clear() { *this = SeriesCache(); }

}  // namespace skep::scrape

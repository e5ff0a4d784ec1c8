#include "evaluator/scrape/series_cache.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "common/base/hash.h"

namespace skep::scrape {
namespace {

// So many entries from one that stands whole to the next: what a look-up walks at most.
constexpr SeriesCache::Index kWholeEvery = 16;

// Room for `more` elements. Doubling would leave as much unused as there is.
template <typename Container>
void Reserve(Container& container, std::size_t more) {
  const std::size_t needed = container.size() + more;
  if (needed > container.capacity()) container.reserve(needed + needed / 8);
}

std::size_t CommonPrefix(std::string_view a, std::string_view b) {
  const auto [end, other] = std::mismatch(
      a.begin(), a.begin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size())), b.begin());
  return static_cast<std::size_t>(end - a.begin());
}

}  // namespace

void SeriesCache::StartPage() {
  last_ = kNone;
  Expect(first_, {});
}

std::string_view SeriesCache::OwnBytes(Index index) const {
  const std::size_t begin = entries_[index].offset;
  const std::size_t end = index + 1 < entries_.size() ? entries_[index + 1].offset : arena_.size();
  return std::string_view(arena_).substr(begin, end - begin);
}

void SeriesCache::Read(Index index, Line& line) const {
  if (line.index == index) return;
  Index at =
      line.index == kNone || line.index + 1 != index ? index / kWholeEvery * kWholeEvery : index;
  for (; at <= index; ++at) {
    line.text.resize(entries_[at].shared);
    line.text.append(OwnBytes(at));
  }
  line.index = index;
}

// To put each line together before it is compared took twice as long as to compare it.
void SeriesCache::Expect(Index index, std::string_view before) {
  expected_ = index;
  expected_bytes_ = {};
  if (index == kNone) return;
  const std::size_t shared = entries_[index].shared;
  if (shared == 0 || (last_ != kNone && last_ + 1 == index)) {
    expected_bytes_ = {before.substr(0, shared), OwnBytes(index)};
    return;
  }
  Read(index, line_);
  expected_bytes_.tail = line_.text;
}

// What an entry does not share differs soonest.
bool SeriesCache::Equals(Index index, std::string_view bytes) const {
  const std::string_view own = OwnBytes(index);
  if (entries_[index].shared + own.size() != bytes.size() || !bytes.ends_with(own)) return false;
  Line line;
  Read(index, line);
  return line.text == bytes;
}

SeriesCache::Index SeriesCache::Find(std::string_view bytes) const {
  if (slots_.empty()) return kNone;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = HashBytes(bytes) & mask;; at = (at + 1) & mask) {
    const Index index = slots_[at];
    if (index == kNone || Equals(index, bytes)) return index;
  }
}

SeriesCache::Index SeriesCache::Add(std::string_view bytes) {
  constexpr std::size_t kMost = std::numeric_limits<std::uint32_t>::max();
  if (arena_.size() + bytes.size() >= kMost || entries_.size() + 1 >= kNone) return kNone;
  const auto index = static_cast<Index>(entries_.size());
  Entry entry;
  entry.offset = static_cast<std::uint32_t>(arena_.size());
  if (index % kWholeEvery != 0) {
    constexpr std::size_t kMostShared = std::numeric_limits<std::uint16_t>::max();
    entry.shared =
        static_cast<std::uint16_t>(std::min(CommonPrefix(added_.text, bytes), kMostShared));
  }
  const std::string_view own = bytes.substr(entry.shared);
  Reserve(arena_, own.size());
  arena_.append(own);
  Reserve(entries_, 1);
  entries_.push_back(entry);
  added_ = {std::string(bytes), index};
  if (entries_.size() * 4 > slots_.size() * 3) {
    Rehash(std::max<std::size_t>(16, slots_.size() * 2));
  } else {
    Insert(index, bytes);
  }
  return index;
}

std::string SeriesCache::BytesOf(Index index) const {
  Line line;
  Read(index, line);
  return std::move(line.text);
}

void SeriesCache::SetWatched(Index index, std::uint32_t number) {
  if (index >= watched_.size()) watched_.resize(entries_.size(), 0);
  watched_[index] = number;
}

void SeriesCache::Insert(Index index, std::string_view bytes) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = HashBytes(bytes) & mask;
  while (slots_[at] != kNone) at = (at + 1) & mask;
  slots_[at] = index;
}

void SeriesCache::Rehash(std::size_t slots) {
  slots_.assign(slots, kNone);
  Line line;
  for (Index index = 0; index < entries_.size(); ++index) {
    Read(index, line);
    Insert(index, line.text);
  }
}

void SeriesCache::Advance(Index index, std::string_view bytes) {
  // Where a line is new, what was expected in its place is expected behind it.
  Entry& entry = entries_[index];
  if (entry.next == kNone && index != expected_) entry.next = expected_;
  Index& before = last_ == kNone ? first_ : entries_[last_].next;
  before = index;
  last_ = index;
  Expect(entry.next, bytes);
}

void SeriesCache::Compact(std::uint32_t page) {
  constexpr std::size_t kSpare = 128;
  const auto keep = [page](const Entry& entry) { return entry.page == page || entry.alive; };
  const auto kept = static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), keep));
  if (entries_.size() - kept <= kept / 2 + kSpare) return;
  SeriesCache fresh;
  fresh.StartPage();
  Line line;
  for (Index index = 0; index < entries_.size(); ++index) {
    if (!keep(entries_[index])) continue;
    const Entry& old = entries_[index];
    Read(index, line);
    const Index moved = fresh.Add(line.text);
    Entry& entry = fresh.entries_[moved];
    entry.type = old.type;
    entry.dropped = old.dropped;
    entry.page = old.page;
    entry.ref = old.ref;
    entry.alive = old.alive;
    if (!watched_.empty()) fresh.SetWatched(moved, watched(index));
    fresh.Advance(moved, line.text);
  }
  *this = std::move(fresh);
}

void SeriesCache::Clear() { *this = SeriesCache(); }

std::size_t SeriesCache::heap_bytes() const {
  return arena_.capacity() + entries_.capacity() * sizeof(Entry) +
         (slots_.capacity() + watched_.capacity()) * sizeof(Index) + line_.text.capacity() +
         added_.text.capacity();
}

}  // namespace skep::scrape

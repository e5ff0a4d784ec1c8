// One target's series by the bytes that its pages name them with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/labels.h"
#include "evaluator/storage/appender.h"

namespace skep::scrape {

// A page has nearly the same lines in the same order as last time. So each entry remembers which
// one came after it: the next line is compared with those bytes first, by one memcmp in memory that
// is read in order, and only where they differ looked up by hash.
//
// Thread-compatible. An Index is good until Compact.
class SeriesCache {
 public:
  using Index = std::uint32_t;
  static constexpr Index kNone = 0xffffffff;

  struct Entry {
    std::uint32_t offset = 0;  // of its bytes in the arena
    std::uint32_t length = 0;
    Index next = kNone;      // what followed it on the last page
    std::uint32_t page = 0;  // number of the last page it was on
    storage::SeriesRef ref = 0;
    bool dropped = false;       // metric relabelling said so: no sample of it is stored
    bool alive = false;         // its last committed sample was no staleness marker
    std::uint32_t watched = 0;  // PageWatch's; 0: not looked at yet
  };

  // Starts a page: Expected is what came first on the last one.
  void StartPage();
  // Bytes of the series that probably comes next; "" where nothing is known.
  std::string_view expected() const;
  Index expected_index() const { return expected_; }

  // kNone: never seen.
  Index Find(std::string_view bytes) const;
  // A series that Find does not know. Both must stay under 2^32 bytes in sum: kNone when they would
  // not.
  Index Add(std::string_view bytes, Labels labels, bool dropped);

  // Says that `index` is what really came, and moves Expected behind it.
  void Advance(Index index);

  Entry& entry(Index index) { return entries_[index]; }
  const Labels& labels(Index index) const { return labels_[index]; }
  std::size_t size() const { return entries_.size(); }

  // Forgets the entries that were not on `page`, where they are so many that it pays. Those which
  // are alive stay.
  void Compact(std::uint32_t page);
  void Clear();

 private:
  std::string_view Bytes(const Entry& entry) const {
    return std::string_view(arena_).substr(entry.offset, entry.length);
  }
  void Insert(Index index);
  void Rehash(std::size_t slots);

  std::string arena_;
  std::vector<Entry> entries_;
  std::vector<Labels> labels_;  // beside entries_: the hot loop does not read them
  std::vector<Index> slots_;    // open addressing, a power of two, at most half full
  Index first_ = kNone;
  Index last_ = kNone;  // what came last on the present page
  Index expected_ = kNone;
};

}  // namespace skep::scrape

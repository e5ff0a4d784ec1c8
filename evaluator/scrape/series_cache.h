// One target's series by the bytes that its pages name them with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/exposition/format.h"
#include "common/exposition/parser.h"
#include "evaluator/storage/appender.h"

namespace skep::scrape {

// A page has nearly the same lines in the same order as last time. So each entry remembers which
// one came after it: the next line is compared with those bytes first, by memcmp, and only where
// they differ looked up by hash. Of its bytes an entry keeps what differs from the one before it (a
// histogram's buckets: the bound); what it shares is read on the page, where that one just was.
// Every sixteenth stands whole.
//
// Thread-compatible. An Index is good until Compact.
class SeriesCache {
 public:
  using Index = std::uint32_t;
  static constexpr Index kNone = 0xffffffff;

  struct Entry {
    std::uint32_t offset = 0;  // of its own bytes in the arena; the next entry's are behind them
    std::uint16_t shared = 0;  // so many bytes of the entry before it come first
    exposition::MetricType type = exposition::MetricType::kUnknown;  // its lines' when it was added
    bool dropped : 1 = false;  // metric relabelling said so: no sample of it is stored
    bool alive : 1 = false;    // its last committed sample was no staleness marker
    Index next = kNone;        // what followed it on the last page
    std::uint32_t page = 0;    // number of the last page it was on
    storage::SeriesRef ref = 0;
  };

  // Starts a page: Expected is what came first on the last one.
  void StartPage();
  // Bytes of the series that probably comes next; none where nothing is known. Valid until the next
  // call of anything that is not const.
  const exposition::ExpectedSeries& expected() const { return expected_bytes_; }
  Index expected_index() const { return expected_; }

  // kNone: never seen.
  Index Find(std::string_view bytes) const;
  // A series that Find does not know. All must stay under 2^32 bytes in sum: kNone when they would
  // not.
  Index Add(std::string_view bytes);
  std::string BytesOf(Index index) const;

  // Says that `index` is what really came, and moves Expected behind it. `bytes` are its own; they
  // stay where they are until the next call, or the page is over.
  void Advance(Index index, std::string_view bytes);

  Entry& entry(Index index) { return entries_[index]; }
  std::size_t size() const { return entries_.size(); }

  // PageWatch's number of an entry; 0: not looked at since ForgetWatched.
  std::uint32_t watched(Index index) const { return index < watched_.size() ? watched_[index] : 0; }
  void SetWatched(Index index, std::uint32_t number);
  void ForgetWatched() { watched_ = {}; }

  // Of the heap, about.
  std::size_t heap_bytes() const;

  // Forgets the entries that were not on `page`, where they are so many that it pays. Those which
  // are alive stay.
  void Compact(std::uint32_t page);
  void Clear();

 private:
  // The bytes of one entry.
  struct Line {
    std::string text;
    Index index = kNone;
  };

  std::string_view OwnBytes(Index index) const;
  // Makes `line` the bytes of `index`: one step where it is those of the entry before.
  void Read(Index index, Line& line) const;
  // `before` are the bytes of last_.
  void Expect(Index index, std::string_view before);
  bool Equals(Index index, std::string_view bytes) const;
  void Insert(Index index, std::string_view bytes);
  void Rehash(std::size_t slots);

  std::string arena_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> watched_;  // by entry; empty where nobody watches
  std::vector<Index> slots_;            // open addressing, a power of two, at most 3/4 full
  Index first_ = kNone;
  Index last_ = kNone;  // what came last on the present page
  Index expected_ = kNone;
  exposition::ExpectedSeries expected_bytes_;
  Line line_;   // of what was expected last and does not follow what came before it
  Line added_;  // of the last entry
};

}  // namespace skep::scrape

// Which series pushed label sets name, by the bytes that name them.
#pragma once

#include <cstddef>
#include <shared_mutex>
#include <span>
#include <vector>

#include "common/base/clock.h"
#include "common/base/hash128.h"
#include "evaluator/storage/appender.h"

namespace skep::intake {

// A sender names the same series in the same bytes again and again. Whoever remembers the store's
// number of them need not read the labels, check them and look them up.
//
// What was not asked for since the turn before the last is forgotten; a turn is ten minutes, or so
// many entries. 32 to 64 bytes a series. Thread-safe.
class SeriesRefs {
 public:
  static constexpr Duration kTurn = std::chrono::minutes(10);

  // A turn ends early once it has `most_entries`.
  explicit SeriesRefs(std::size_t most_entries = std::size_t{1} << 21U)
      : most_entries_(most_entries) {}

  // One for each name; 0: not known.
  void Find(std::span<const Hash128> names, std::vector<storage::SeriesRef>& refs);
  // `ref` is not 0. The store may drop the series later: then it does not know the number.
  void Remember(const Hash128& name, storage::SeriesRef ref);
  // Called now and then, ends the turn when it is time.
  void Turn(Clock::Steady now);

  // Of the heap.
  std::size_t heap_bytes() const;

 private:
  struct Entry {
    Hash128 name;
    storage::SeriesRef ref = 0;  // 0: free
  };
  // Open addressing; its size is 0 or a power of two, at most 3/4 of it used.
  struct Table {
    std::vector<Entry> slots;
    std::size_t used = 0;

    void Prefetch(const Hash128& name) const;
    storage::SeriesRef Find(const Hash128& name) const;
    void Put(const Hash128& name, storage::SeriesRef ref);
    void Grow();
  };

  void Put(const Hash128& name, storage::SeriesRef ref);
  void Turn();

  const std::size_t most_entries_;
  mutable std::shared_mutex mutex_;
  Table present_;  // of this turn
  Table last_;     // of the one before
  Clock::Steady turned_{};
};

}  // namespace skep::intake

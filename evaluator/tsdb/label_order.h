// Series in the order of their label sets, kept so that a large answer is sorted by comparing
// numbers instead of strings (100,000 series: 6 ms instead of 200 ms).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "evaluator/tsdb/label_index.h"
#include "evaluator/tsdb/series_table.h"

namespace skep::tsdb {

// Thread-safe.
class LabelOrder {
 public:
  // Sorts `list` by labels. Requires: the head's index lock is held (shared), all of `list` stand
  // in `pages` and in `index`.
  void Sort(std::vector<Series*>& list, const SeriesPages& pages, const LabelIndex& index);

  // Of the heap.
  std::size_t heap_bytes() const;

 private:
  struct Ranks {
    static constexpr std::size_t kPageSize = 1U << 12;
    using Page = std::vector<std::uint32_t>;

    std::uint32_t of(std::uint32_t number) const {
      return pages[number / kPageSize][number % kPageSize];
    }

    std::uint32_t end = 0;              // series below this number are ranked
    std::vector<std::uint32_t> sorted;  // their numbers in the order of labels; some may be gone
    std::vector<Page> pages;            // ranks by number; empty where no series is
  };

  std::shared_ptr<const Ranks> Refresh(const SeriesPages& pages, const LabelIndex& index);

  mutable std::mutex mutex_;
  std::shared_ptr<const Ranks> ranks_;  // guarded by mutex_
};

}  // namespace skep::tsdb

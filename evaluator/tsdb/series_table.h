// The series of the head by number and by labels.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "common/model/labels.h"
#include "evaluator/tsdb/heap_size.h"
#include "evaluator/tsdb/label_pairs.h"
#include "evaluator/tsdb/series.h"

namespace skep::tsdb {

// Locks of the series, one for every 256th run of 64 numbers: series of one target are
// numbered in a row, so a batch changes its lock rarely. Thread-safe.
class Stripes {
 public:
  std::mutex& Of(std::uint32_t number) { return stripes_[(number >> 6) % kStripes].mutex; }

  // Waits until each was free once: whoever held one before has let it go. Requires: none is held.
  void PassAll() {
    for (Stripe& stripe : stripes_) const std::lock_guard lock(stripe.mutex);
  }

 private:
  static constexpr std::size_t kStripes = 256;
  struct alignas(64) Stripe {
    std::mutex mutex;
  };
  std::array<Stripe, kStripes> stripes_;
};

// Holds at most one stripe and changes it only when the next series needs another. While it holds
// one, no other lock may be taken but that of ReturnedSeries.
class StripeLock {
 public:
  explicit StripeLock(Stripes& stripes) : stripes_(stripes) {}
  void Take(std::uint32_t number) {
    std::mutex& wanted = stripes_.Of(number);
    if (lock_.owns_lock() && lock_.mutex() == &wanted) return;
    Release();
    lock_ = std::unique_lock(wanted);
  }
  void Release() { lock_ = {}; }

 private:
  Stripes& stripes_;
  std::unique_lock<std::mutex> lock_;
};

// Series by their number, in pages that never move. A slot is written under the head's index lock
// and the stripe of its number, hence read under either; a slot that is read under the stripe of
// another number may hold a series that is gone, and is good for a prefetch.
//
// Numbers are used once, so a page whose series are all gone is of no use any more. It is taken out
// of sight under the index lock, and freed once all stripes were passed: then nobody looks at it.
class SeriesPages {
 public:
  static constexpr std::uint32_t kMostNumbers = 1U << 28;
  static constexpr std::size_t kPageSize = 1U << 14;

  struct Page {
    std::array<std::atomic<Series*>, kPageSize> slots{};
    std::uint32_t used = 0;  // guarded by the index lock
  };
  using Taken = std::vector<std::unique_ptr<const Page>>;

  ~SeriesPages() {
    for (auto& page : pages_) delete page.load(std::memory_order_relaxed);
  }

  // Null where there is none.
  Series* Get(std::uint64_t number) const {
    if (number >= kMostNumbers) return nullptr;
    const Page* const page = pages_[number / kPageSize].load(std::memory_order_acquire);
    return page ? page->slots[number % kPageSize].load(std::memory_order_relaxed) : nullptr;
  }

  // Of the heap. Requires: the index lock.
  std::size_t heap_bytes() const {
    const auto made = std::count_if(pages_.begin(), pages_.end(), [](const auto& page) {
      return page.load(std::memory_order_relaxed) != nullptr;
    });
    return HeapSize(sizeof(Page)) * static_cast<std::size_t>(made) + sizeof(pages_) +
           HeapSize(emptied_.capacity() * sizeof(emptied_[0]));
  }

  // `series` may be null: none any more.
  void Set(std::uint32_t number, Series* series) {
    auto& page = pages_[number / kPageSize];
    if (!page.load(std::memory_order_relaxed)) {
      page.store(new Page(), std::memory_order_release);  // one writer: the index lock is held
    }
    Page& made = *page.load(std::memory_order_relaxed);
    const Series* const before =
        made.slots[number % kPageSize].exchange(series, std::memory_order_relaxed);
    made.used += (series != nullptr ? 1U : 0U) - (before != nullptr ? 1U : 0U);
    if (made.used == 0) emptied_.push_back(number / kPageSize);
  }

  // The pages that are of no use any more; some of their numbers have been given, and all others
  // are below `next_number`, too. They may be freed after Stripes::PassAll. Requires: the index
  // lock alone.
  Taken TakeUseless(std::uint32_t next_number) {
    Taken taken;
    for (const std::size_t at : emptied_) {
      Page* const page = pages_[at].load(std::memory_order_relaxed);
      if (page == nullptr || page->used > 0 || next_number < (at + 1) * kPageSize) continue;
      pages_[at].store(nullptr, std::memory_order_relaxed);
      taken.emplace_back(page);
    }
    emptied_.clear();
    return taken;
  }

 private:
  std::array<std::atomic<Page*>, kMostNumbers / kPageSize> pages_{};
  std::vector<std::size_t> emptied_;  // guarded by the index lock; pages to look at
};

// The order of label sets, also of series that the head has forgotten. Requires: the index lock.
struct LabelsLess {
  const LabelPairs& pairs;

  bool operator()(const Series* a, const Series* b) const {
    if (a->departed_labels() == nullptr && b->departed_labels() == nullptr) {
      return pairs.Less(a->pairs(), b->pairs());
    }
    return LabelsOf(*a) < LabelsOf(*b);
  }
  Labels LabelsOf(const Series& series) const {
    const Labels* const own = series.departed_labels();
    return own == nullptr ? pairs.Make(series.pairs()) : *own;
  }
};

// Series by their labels: open addressing, linear probing, at most 3/4 full. Thread-compatible. The
// series in it stand in the pages that each call is given.
class LabelsTable {
 public:
  // Null where there is none. `hash` is that of `labels`, `pairs` those of the series.
  Series* Find(const Labels& labels, std::uint32_t hash, const LabelPairs& pairs,
               const SeriesPages& pages) const {
    if (slots_.empty()) return nullptr;
    for (std::size_t at = hash & mask(); slots_[at] != 0; at = (at + 1) & mask()) {
      Series* const series = pages.Get(slots_[at]);
      if (series->hash() == hash && pairs.Equal(series->pairs(), labels)) return series;
    }
    return nullptr;
  }

  // Requires: its labels are not in the table.
  void Insert(const Series& series, const SeriesPages& pages) {
    if ((size_ + 1) * 4 > slots_.size() * 3) Grow(pages);
    Place(series);
    ++size_;
  }

  void Remove(const Series& series, const SeriesPages& pages) {
    std::size_t hole = series.hash() & mask();
    while (slots_[hole] != series.number()) hole = (hole + 1) & mask();
    // Later entries of the run move up unless they stand at or behind their own place.
    for (std::size_t at = (hole + 1) & mask(); slots_[at] != 0; at = (at + 1) & mask()) {
      const std::size_t home = pages.Get(slots_[at])->hash() & mask();
      if (((at - home) & mask()) < ((at - hole) & mask())) continue;
      slots_[hole] = slots_[at];
      hole = at;
    }
    slots_[hole] = 0;
    --size_;
  }

  std::size_t size() const { return size_; }
  // Of the heap.
  std::size_t heap_bytes() const { return HeapSize(slots_.capacity() * sizeof(slots_[0])); }

 private:
  std::size_t mask() const { return slots_.size() - 1; }

  void Place(const Series& series) {
    std::size_t at = series.hash() & mask();
    while (slots_[at] != 0) at = (at + 1) & mask();
    slots_[at] = series.number();
  }

  void Grow(const SeriesPages& pages) {
    std::vector<std::uint32_t> old(slots_.empty() ? 64 : slots_.size() * 2);
    old.swap(slots_);
    for (const std::uint32_t number : old) {
      if (number != 0) Place(*pages.Get(number));
    }
  }

  std::vector<std::uint32_t> slots_;  // numbers; 0: free
  std::size_t size_ = 0;
};

}  // namespace skep::tsdb

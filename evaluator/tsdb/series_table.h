// The series of the head by number and by labels.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "common/model/labels.h"
#include "evaluator/tsdb/series.h"

namespace skep::tsdb {

// Locks of the series, one for every 256th run of 64 numbers: series of one target are
// numbered in a row, so a batch changes its lock rarely. Thread-safe.
class Stripes {
 public:
  std::mutex& Of(std::uint32_t number) { return stripes_[(number >> 6) % kStripes].mutex; }

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
// and the stripe of its number, hence read under either; without them what is read may be gone, and
// is good for a prefetch.
class SeriesPages {
 public:
  static constexpr std::uint32_t kMostNumbers = 1U << 28;

  ~SeriesPages() {
    for (auto& page : pages_) delete page.load(std::memory_order_relaxed);
  }

  // Null where there is none.
  Series* Get(std::uint64_t number) const {
    if (number >= kMostNumbers) return nullptr;
    const Page* const page = pages_[number / kPageSize].load(std::memory_order_acquire);
    return page ? (*page)[number % kPageSize].load(std::memory_order_relaxed) : nullptr;
  }

  void Set(std::uint32_t number, Series* series) {
    auto& page = pages_[number / kPageSize];
    if (!page.load(std::memory_order_relaxed)) {
      page.store(new Page(), std::memory_order_release);  // one writer: the index lock is held
    }
    (*page.load(std::memory_order_relaxed))[number % kPageSize].store(series,
                                                                      std::memory_order_relaxed);
  }

 private:
  static constexpr std::size_t kPageSize = 1U << 14;
  using Page = std::array<std::atomic<Series*>, kPageSize>;
  std::array<std::atomic<Page*>, kMostNumbers / kPageSize> pages_{};
};

// Series by their labels: open addressing, linear probing, at most 3/4 full. Thread-compatible.
class LabelsTable {
 public:
  // Null where there is none. `hash` is that of `labels`.
  Series* Find(const Labels& labels, std::uint64_t hash) const {
    if (slots_.empty()) return nullptr;
    for (std::size_t at = hash & (slots_.size() - 1); slots_[at];
         at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at]->hash() == hash && slots_[at]->labels() == labels) return slots_[at];
    }
    return nullptr;
  }

  // Requires: its labels are not in the table.
  void Insert(Series* series) {
    if ((size_ + 1) * 4 > slots_.size() * 3) Grow();
    Place(series);
    ++size_;
  }

  void Remove(const Series* series) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t hole = series->hash() & mask;
    while (slots_[hole] != series) hole = (hole + 1) & mask;
    // Later entries of the run move up unless they stand at or behind their own place.
    for (std::size_t at = (hole + 1) & mask; slots_[at]; at = (at + 1) & mask) {
      const std::size_t home = slots_[at]->hash() & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      slots_[hole] = slots_[at];
      hole = at;
    }
    slots_[hole] = nullptr;
    --size_;
  }

  std::size_t size() const { return size_; }

 private:
  void Place(Series* series) {
    std::size_t at = series->hash() & (slots_.size() - 1);
    while (slots_[at]) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = series;
  }

  void Grow() {
    std::vector<Series*> old(slots_.empty() ? 64 : slots_.size() * 2);
    old.swap(slots_);
    for (Series* series : old) {
      if (series) Place(series);
    }
  }

  std::vector<Series*> slots_;
  std::size_t size_ = 0;
};

}  // namespace skep::tsdb

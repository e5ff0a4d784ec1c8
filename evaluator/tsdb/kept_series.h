// The series of one selector, kept from one Select to the next: a rule asks the same at every
// round, and few series come and go between two rounds.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "common/model/matcher.h"
#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/label_index.h"
#include "evaluator/tsdb/label_order.h"
#include "evaluator/tsdb/series_table.h"

namespace skep::tsdb {

// Series in the order of their labels, alive as long as the list. Immutable once it is shared.
struct SeriesList {
  SeriesList() = default;
  SeriesList(const SeriesList&) = delete;
  SeriesList& operator=(const SeriesList&) = delete;
  ~SeriesList() {
    for (Series* one : series) one->RemoveUser();
  }
  // Becomes a user of each. Requires: the head's index lock is held (shared), the list is empty.
  void Take(std::vector<Series*> found) {
    series = std::move(found);
    for (Series* one : series) one->AddUser();
  }

  std::vector<Series*> series;
  std::vector<std::uint32_t> slots;  // one for each (storage::SeriesSet::slot), or empty
};

// The numbers of the series that all matchers accept. Requires: the head's index lock.
Postings SelectNumbers(const LabelIndex& index, const SeriesPages& pages,
                       std::span<const Matcher> matchers);

// The series that were left out of somebody's list for their age (Series::left_out) and then got a
// sample, in that order. Thread-safe; its lock is taken last.
class ReturnedSeries {
 public:
  // Counts what was ever added.
  using Mark = std::uint64_t;

  void Add(std::uint32_t number) {
    const std::lock_guard lock(mutex_);
    numbers_.push_back(number);
    ++end_;
    if (numbers_.size() > kRemembered) numbers_.pop_front();
  }
  Mark end() const {
    const std::lock_guard lock(mutex_);
    return end_;
  }
  // Appends what was added since `mark`, which moves to the end. False: some of it is forgotten.
  bool Read(Mark& mark, std::vector<std::uint32_t>& out) const;

 private:
  static constexpr std::size_t kRemembered = std::size_t{1} << 16U;

  mutable std::mutex mutex_;
  std::deque<std::uint32_t> numbers_;  // guarded by mutex_
  Mark end_ = 0;                       // guarded by mutex_
};

// What all kept lists of a head take of memory; they may outlive it.
using KeptBytes = std::shared_ptr<std::atomic<std::uint64_t>>;

// Numbers rise and are never used twice, so the newcomers are those at or above the number that was
// next at the last look, and the deleted ones those whose page is empty. Every now and then the
// series whose newest sample is older than what is asked for are left out (pods that are gone); the
// head tells when one of them gets a sample. Thread-compatible.
class KeptSeries final : public storage::KeptSelect {
 public:
  // So many Updates lie between two looks at the age of all series.
  static constexpr std::uint32_t kLookEvery = 16;

  // The head as its index lock (shared) lets it be read.
  struct View {
    const LabelIndex& index;
    const SeriesPages& pages;
    LabelOrder& order;
    Stripes& stripes;
    const ReturnedSeries& returned;
    std::uint32_t next_number;
    std::uint64_t removed;  // series, since the head began
  };

  // Adds what it takes to `bytes`; null: nobody counts.
  explicit KeptSeries(KeptBytes bytes = nullptr) : bytes_(std::move(bytes)) {}
  ~KeptSeries() override { Count(0); }
  KeptSeries(const KeptSeries&) = delete;
  KeptSeries& operator=(const KeptSeries&) = delete;

  std::uint64_t generation() const override { return generation_; }

  // The series that all matchers accept now; some that have no sample at or behind `oldest` may be
  // missing. Requires: see View; the same head and matchers every time.
  std::shared_ptr<const SeriesList> Update(std::span<const Matcher> matchers, Timestamp oldest,
                                           const View& head);

 private:
  void BeginAnew();
  std::vector<Series*> Fresh(std::span<const Matcher> matchers, const View& head);
  Postings Newcomers(std::span<const Matcher> matchers, const View& head) const;
  Postings Returned(std::span<const Matcher> matchers, const View& head,
                    std::vector<std::uint32_t> numbers) const;
  bool Contains(std::uint32_t number, const View& head) const;
  std::vector<bool> Leaving(Timestamp oldest, const View& head);
  std::shared_ptr<SeriesList> Merge(const std::vector<Series*>& fresh,
                                    const std::vector<bool>& leaving, const View& head);
  void RenewSlots(SeriesList& list);
  void Count(std::uint64_t bytes);

  std::shared_ptr<const SeriesList> list_ = std::make_shared<const SeriesList>();
  std::optional<Timestamp> newest_left_out_;  // of the samples of series that were left out
  ReturnedSeries::Mark returned_ = 0;
  std::uint32_t updates_ = 0;  // since the last look at ages
  std::uint32_t next_number_ = 0;
  std::uint64_t removed_ = 0;
  std::uint32_t next_slot_ = 1;
  std::uint64_t generation_ = 1;
  const KeptBytes bytes_;
  std::uint64_t counted_ = 0;  // of bytes_, for this list
};

}  // namespace skep::tsdb

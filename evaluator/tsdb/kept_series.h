// The series of one selector, kept from one Select to the next: a rule asks the same at every
// round, and few series come and go between two rounds.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
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

// Numbers rise and are never used twice, so the newcomers are those at or above the number that was
// next at the last look, and the deleted ones those whose page is empty. Thread-compatible.
class KeptSeries final : public storage::KeptSelect {
 public:
  // The head as its index lock (shared) lets it be read.
  struct View {
    const LabelIndex& index;
    const SeriesPages& pages;
    LabelOrder& order;
    std::uint32_t next_number;
    std::uint64_t removed;  // series, since the head began
  };

  std::uint64_t generation() const override { return generation_; }

  // The series that all matchers accept now. Requires: see View; the same head and matchers every
  // time.
  std::shared_ptr<const SeriesList> Update(std::span<const Matcher> matchers, const View& head);

 private:
  Postings Newcomers(std::span<const Matcher> matchers, const View& head) const;
  std::shared_ptr<SeriesList> Merge(const std::vector<Series*>& fresh, const SeriesPages& pages);
  void RenewSlots(SeriesList& list);

  std::shared_ptr<const SeriesList> list_ = std::make_shared<const SeriesList>();
  std::uint32_t next_number_ = 0;
  std::uint64_t removed_ = 0;
  std::uint32_t next_slot_ = 1;
  std::uint64_t generation_ = 1;
};

}  // namespace skep::tsdb

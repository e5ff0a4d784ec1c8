#include "evaluator/engine/row_index.h"

#include <utility>

namespace skep::engine {

std::vector<std::size_t> RowIndex::Number(const Table& table) {
  std::vector<std::size_t> numbers;
  numbers.reserve(table.size());
  for (std::size_t i = 0; i < table.size(); ++i) numbers.push_back(NumberOf(table.row(i)));
  return numbers;
}

std::size_t RowIndex::NumberOf(const Row& row) {
  if (kept_ == nullptr || row.slot == 0) return HashedNumberOf(row);
  const std::uint32_t kept = kept_->Of(kept_->Knows(row) ? row : Settled(row));
  if (kept >= of_kept_.size()) of_kept_.resize(kept + 1U, kUnused);
  if (of_kept_[kept] == kUnused) {
    of_kept_[kept] = is_hashed_ ? HashedNumberOf(row) : NewNumberOf(row);
  }
  return of_kept_[kept];
}

std::size_t RowIndex::NewNumberOf(const Row& row) {
  first_.push_back(row);
  return first_.size() - 1;
}

std::size_t RowIndex::HashedNumberOf(const Row& row) {
  if (!std::exchange(is_hashed_, true)) {
    for (Row& first : first_) {
      first = Settled(first);
      index_.Add(*first.labels);
    }
  }
  const Row settled = Settled(row);
  const std::size_t number = index_.Add(*settled.labels);
  return number == first_.size() ? NewNumberOf(settled) : number;
}

Row RowIndex::Settled(Row row) const {
  if (settling_ != nullptr) settling_->Settle(row);
  return row;
}

}  // namespace skep::engine

#include "evaluator/engine/row_index.h"

namespace skep::engine {

std::vector<std::size_t> RowIndex::Number(const Table& table) {
  std::vector<std::size_t> numbers;
  numbers.reserve(table.size());
  for (std::size_t i = 0; i < table.size(); ++i) numbers.push_back(NumberOf(table.row(i)));
  return numbers;
}

std::size_t RowIndex::NumberOf(const Row& row) {
  if (kept_ == nullptr || row.slot == 0) return index_.Add(*row.labels);
  const std::uint32_t kept = kept_->Of(row);
  if (kept >= of_kept_.size()) of_kept_.resize(kept + 1U, kUnused);
  if (of_kept_[kept] == kUnused) of_kept_[kept] = index_.Add(*row.labels);
  return of_kept_[kept];
}

}  // namespace skep::engine

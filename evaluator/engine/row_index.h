// Rows numbered by a part of their labels, once per query: groups and match groups.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "evaluator/engine/label_key.h"
#include "evaluator/engine/prepared_plan.h"
#include "evaluator/engine/table.h"
#include "evaluator/promql/ast.h"

namespace skep::engine {

// Gives the numbers of LabelIndex: equal choices get equal ones, in the order of their first
// appearance. A row whose series the plan knows is not hashed: only the first row of its number is.
// Keeps pointers to the label sets of rows. Thread-compatible.
class RowIndex {
 public:
  // `plan` may be null. `node` is the one that numbers.
  RowIndex(LabelChoice choice, PreparedPlan* plan, const promql::Expr& node)
      : index_(std::move(choice)),
        kept_(plan == nullptr ? nullptr : &plan->NumbersOf(node, index_.choice())) {}

  // The number of each row.
  std::vector<std::size_t> Number(const Table& table);

  std::size_t size() const { return index_.size(); }
  // The label set that got the number first.
  const Labels& first(std::size_t number) const { return index_.first(number); }
  const LabelChoice& choice() const { return index_.choice(); }

 private:
  static constexpr std::size_t kUnused = std::numeric_limits<std::size_t>::max();

  std::size_t NumberOf(const Row& row);

  LabelIndex index_;
  KeptNumbers* kept_;                 // null: none
  std::vector<std::size_t> of_kept_;  // this query's number of a kept one
};

}  // namespace skep::engine

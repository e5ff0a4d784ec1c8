// Rows numbered by a part of their labels, once per query: groups and match groups.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "evaluator/engine/context.h"
#include "evaluator/engine/label_key.h"
#include "evaluator/engine/prepared_plan.h"
#include "evaluator/engine/table.h"
#include "evaluator/promql/ast.h"

namespace skep::engine {

// Gives the numbers of LabelIndex: equal choices get equal ones, in the order of their first
// appearance. As long as the plan knows the series of all rows nobody looks at their labels; the
// first row that it does not know makes it hash one row of each number. Keeps pointers to the label
// sets of rows. Thread-compatible.
class RowIndex {
 public:
  // `plan` may be null. `node` is the one that numbers.
  RowIndex(LabelChoice choice, PreparedPlan* plan, const promql::Expr& node)
      : index_(std::move(choice)),
        kept_(plan == nullptr ? nullptr : &plan->NumbersOf(node, index_.choice())) {}

  // From now on rows are numbered as if they were settled (QueryContext::Settle), and stay as they
  // are: few of their labels are made.
  void CountAsSettled(QueryContext& context) { settling_ = &context; }
  // The number of each row.
  std::vector<std::size_t> Number(const Table& table);

  std::size_t size() const { return first_.size(); }
  // The label set that got the number first.
  const Labels& first(std::size_t number) const { return *first_[number].labels; }
  const LabelChoice& choice() const { return index_.choice(); }

 private:
  static constexpr std::size_t kUnused = std::numeric_limits<std::size_t>::max();

  std::size_t NumberOf(const Row& row);
  std::size_t HashedNumberOf(const Row& row);
  std::size_t NewNumberOf(const Row& row);
  Row Settled(Row row) const;

  LabelIndex index_;                  // of first_, once is_hashed_
  std::vector<Row> first_;            // by number; labels are looked at once is_hashed_
  QueryContext* settling_ = nullptr;  // null: rows are as they are to be
  bool is_hashed_ = false;
  KeptNumbers* kept_;                 // null: none
  std::vector<std::size_t> of_kept_;  // this query's number of a kept one
};

}  // namespace skep::engine

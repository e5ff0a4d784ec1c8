// Which rows of two vectors match each other: computed once for all steps.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "evaluator/engine/context.h"
#include "evaluator/engine/row_index.h"
#include "evaluator/engine/table.h"
#include "evaluator/promql/ast.h"

namespace skep::engine {

// One to one by all labels, and no two rows of a side have the same but for metadata: each group is
// a row of each side at most, and a result has the labels of its left row.
bool KeepsLabels(const QueryContext& context, const promql::VectorMatching& matching,
                 const Table& left, const Table& right);

// The rows of both sides by the number of their match group. Settles what the two tables postponed
// of their labels, where matching needs it.
struct MatchGroups {
  // Requires: `binary` has a matching.
  MatchGroups(QueryContext& context, const promql::Binary& binary, Table& left, Table& right);

  RowIndex index;
  std::vector<std::size_t> of_left;
  std::vector<std::size_t> of_right;
};

// The rows of one side by group, each group's in their order.
class Members {
 public:
  // `of`: the group of each row.
  Members(const std::vector<std::size_t>& of, std::size_t groups)
      : ends_(groups + 1, 0), rows_(of.size()) {
    for (const std::size_t group : of) ++ends_[group + 1];
    for (std::size_t g = 0; g < groups; ++g) ends_[g + 1] += ends_[g];
    std::vector<std::size_t> next(ends_.begin(), ends_.end() - 1);
    for (std::size_t i = 0; i < of.size(); ++i) rows_[next[of[i]]++] = i;
  }

  std::span<const std::size_t> Of(std::size_t group) const {
    return std::span(rows_).subspan(ends_[group], ends_[group + 1] - ends_[group]);
  }

 private:
  std::vector<std::size_t> ends_;  // of the group before, in rows_
  std::vector<std::size_t> rows_;
};

}  // namespace skep::engine

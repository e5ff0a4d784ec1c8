// What a RangeAnswer holds. For the engine.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "evaluator/engine/context.h"
#include "evaluator/engine/range_answer.h"
#include "evaluator/engine/table.h"

namespace skep::engine {

// The labels that a client sees.
Labels FinalLabels(const Row& row);

struct RangeAnswer::Content {
  // Takes the rows of `table` that have anything. `context` holds its budget.
  Content(std::unique_ptr<QueryContext> query, Table values, const Steps& times);

  std::unique_ptr<QueryContext> context;
  Table table;
  Steps steps;
  std::vector<std::pair<Labels, std::size_t>> series;  // and its row; sorted
};

}  // namespace skep::engine

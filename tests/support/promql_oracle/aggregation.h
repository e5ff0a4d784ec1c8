// Aggregations of an instant vector.
#pragma once

#include <string>

#include "evaluator/promql/ast.h"
#include "tests/support/promql_oracle/values.h"

namespace skep::oracle {

// Which of a group's values is added first is nobody's definition: sums may differ in their last
// bit, and what is made of them by more. An answer that depends on it shows with the other order.
enum class AdditionOrder { kAsFound, kReversed };

// The number or the text in front of the vector; neither where the operator takes none.
struct AggregateParameter {
  double number = 0;
  std::string text;
};

// Groups come in the order of their first element, and so do what topk and limitk keep of a group;
// of equal values topk and bottomk keep the first. kInvalid: a parameter out of range.
// Requires: not limit_ratio, which chooses by a hash.
Result<Elements> OfAggregate(const promql::Aggregate& aggregate,
                             const AggregateParameter& parameter, const Elements& elements,
                             AdditionOrder order);

}  // namespace skep::oracle

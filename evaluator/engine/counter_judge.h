// The remark that a rate's metric does not look like a counter.
#pragma once

#include <cstdint>
#include <string_view>

#include "evaluator/engine/context.h"
#include "evaluator/engine/table.h"
#include "evaluator/promql/position.h"

namespace skep::engine {

// "metric might not be a counter", once per metric name. Looking at the name of every series costs
// less than the rates themselves, building the text would not. Thread-compatible.
class CounterJudge {
 public:
  enum class Names : std::uint8_t { kEqual, kAny };  // of the rows' metrics

  // `place`: of the range vector.
  CounterJudge(QueryContext& context, promql::PosRange place, Names names)
      : context_(context), place_(place), names_(names) {}

  // A row that has got a rate.
  void Look(const Row& row);

 private:
  void LookAtType(std::string_view name, std::string_view type);

  QueryContext& context_;
  promql::PosRange place_;
  Names names_;
  std::string_view last_;  // points into a label set of the query
};

}  // namespace skep::engine

// One eval of a script: a query, when it runs, and what it must give.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "evaluator/engine/engine.h"
#include "evaluator/promql/parser.h"
#include "evaluator/promql/value.h"
#include "evaluator/promqltest/expectation.h"

namespace skep::promqltest {

struct Eval {
  std::size_t line = 0;  // from 1
  std::string query;
  engine::QueryOptions when;
  Expectation fail, warn, info;
  bool ordered = false;
  std::optional<std::string> text;                   // expect string
  std::optional<engine::QueryOptions> range_vector;  // expect range vector
  std::optional<double> scalar;
  std::vector<promql::SeriesDescription> series;

  bool instant() const { return when.step.count() == 0; }
};

// What is wrong with the value; "" if nothing. Floats may differ by a millionth.
std::string Compare(const Eval& eval, const promql::Value& value);

// The answer of a range query at one time, as that of an instant query would be.
promql::Value At(const promql::Matrix& matrix, Timestamp time, promql::ValueType type);

}  // namespace skep::promqltest

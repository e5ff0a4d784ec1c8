#include "evaluator/promql/function.h"

#include <catch2/catch.hpp>

namespace skep::promql {
namespace {

TEST_CASE("Functions are found by name and stand at their number", "[promql]") {
  const auto functions = Functions();
  for (std::size_t i = 0; i < functions.size(); ++i) {
    CAPTURE(functions[i].name);
    CHECK(static_cast<std::size_t>(functions[i].id) == i);
    CHECK(FindFunction(functions[i].name) == &functions[i]);
  }
  CHECK(FindFunction("") == nullptr);
  CHECK(FindFunction("rates") == nullptr);
  CHECK(FindFunction("rate")->id == FunctionId::kRate);
  CHECK(FindFunction("year")->variadic == 1);
  CHECK(FindFunction("label_join")->variadic == kAnyNumber);
  CHECK(FindFunction("scalar")->result == ValueType::kScalar);
  CHECK(FindFunction("info")->experimental);
}

}  // namespace
}  // namespace skep::promql

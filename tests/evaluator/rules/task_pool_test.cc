#include "evaluator/rules/task_pool.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <stdexcept>
#include <vector>

namespace skep::rules {

TEST_CASE("A pool runs every task once and hands on what is thrown", "[rules]") {
  TaskPool pool(3);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::atomic<int>> runs(20);
    pool.Run(runs.size(), [&](std::size_t i) { ++runs[i]; });
    for (const std::atomic<int>& count : runs) REQUIRE(count == 1);
  }
  CHECK_THROWS_AS(pool.Run(5,
                           [](std::size_t i) {
                             if (i == 3) throw std::runtime_error("x");
                           }),
                  std::runtime_error);
}

}  // namespace skep::rules

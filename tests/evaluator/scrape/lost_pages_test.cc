#include "evaluator/scrape/lost_pages.h"

#include <catch2/catch.hpp>

namespace skep::scrape {

TEST_CASE("Pages that are not stored are told at once, then once a minute", "[scrape]") {
  LostPages lost;
  const Clock::Steady start{std::chrono::hours(5)};
  CHECK(lost.Add(start) == 1);
  for (int second = 1; second < 60; ++second) {
    CHECK(lost.Add(start + std::chrono::seconds(second)) == 0);
  }
  CHECK(lost.Add(start + std::chrono::seconds(60)) == 60);
  CHECK(lost.Add(start + std::chrono::seconds(61)) == 0);
  CHECK(lost.Add(start + std::chrono::hours(1)) == 2);
}

}  // namespace skep::scrape

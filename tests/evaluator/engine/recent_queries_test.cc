#include "evaluator/engine/recent_queries.h"

#include <catch2/catch.hpp>
#include <optional>
#include <string>

namespace skep::engine {
namespace {

class HandClock final : public Clock {
 public:
  Timestamp Now() const override { return {}; }
  Steady SteadyNow() const override { return Steady(passed); }
  Duration passed = std::chrono::hours(1);
};

// One run that looks at so many series; whether it had a plan.
bool Run(RecentQueries& queries, std::string_view text, std::size_t series = 10) {
  auto lease = queries.Take(text);
  REQUIRE(lease);
  CHECK(lease->query().text() == text);
  QueryStats stats;
  stats.series_selected = series;
  lease->Note(stats);
  return lease->plan() != nullptr;
}

TEST_CASE("A query has a plan from its second run on, and keeps it", "[engine]") {
  const HandClock clock;
  RecentQueries queries(clock);
  CHECK_FALSE(Run(queries, "a"));
  CHECK_FALSE(Run(queries, "b"));
  const PreparedPlan* plan = nullptr;
  for (int i = 0; i < 3; ++i) {
    const auto lease = queries.Take("a");
    REQUIRE(lease);
    REQUIRE(lease->plan() != nullptr);
    if (i > 0) CHECK(lease->plan() == plan);
    plan = lease->plan();
  }
  CHECK(Run(queries, "b"));
}

TEST_CASE("A plan is used by one run at a time", "[engine]") {
  const HandClock clock;
  RecentQueries queries(clock);
  CHECK_FALSE(Run(queries, "a"));
  {
    const auto first = queries.Take("a");
    REQUIRE(first);
    CHECK(first->plan() != nullptr);
    CHECK_FALSE(Run(queries, "a"));
    CHECK_FALSE(Run(queries, "a"));
  }
  CHECK(Run(queries, "a"));
}

TEST_CASE("A text that is no query is an error each time", "[engine]") {
  const HandClock clock;
  RecentQueries queries(clock);
  for (int i = 0; i < 3; ++i) {
    const auto lease = queries.Take("sum(");
    REQUIRE_FALSE(lease);
    CHECK(lease.error().kind() == ErrorKind::kInvalid);
  }
}

TEST_CASE("Plans that nobody used for a while are forgotten", "[engine]") {
  HandClock clock;
  RecentQueries queries(clock);
  CHECK(queries.heap_bytes() == 0);
  CHECK_FALSE(Run(queries, "a"));
  const std::size_t one = queries.heap_bytes();
  CHECK(one > 0);
  clock.passed += std::chrono::minutes(5);
  CHECK(Run(queries, "a"));
  clock.passed += std::chrono::minutes(5) + Duration(1);
  CHECK_FALSE(Run(queries, "b"));
  CHECK(queries.heap_bytes() == one);
  CHECK_FALSE(Run(queries, "a"));
}

TEST_CASE("Plans are kept within their limits", "[engine]") {
  const HandClock clock;
  RecentQueries queries(
      clock,
      {.most_queries = 3, .most_text_bytes = 20, .most_series = 100, .most_series_of_all = 250});
  SECTION("of queries, where the last used ones stay") {
    for (const char* text : {"a", "b", "c", "a", "d"}) (void)Run(queries, text);
    CHECK(Run(queries, "a"));
    CHECK(Run(queries, "c"));
    CHECK(Run(queries, "d"));
    CHECK_FALSE(Run(queries, "b"));
  }
  SECTION("of bytes") {
    const std::string text(21, 'a');
    for (int i = 0; i < 3; ++i) CHECK_FALSE(Run(queries, text));
  }
  SECTION("of series of one query") {
    CHECK_FALSE(Run(queries, "a", 101));
    CHECK(Run(queries, "a", 101));  // of its first run nothing is kept
    CHECK_FALSE(Run(queries, "a", 101));
  }
  SECTION("of series of all") {
    for (const char* text : {"a", "a", "b", "b", "c"}) (void)Run(queries, text, 90);
    CHECK(Run(queries, "a", 90));
    CHECK(Run(queries, "c", 90));  // too many: the one that was not used for longest goes
    CHECK(Run(queries, "a", 90));
    CHECK_FALSE(Run(queries, "b", 90));
  }
}

}  // namespace
}  // namespace skep::engine

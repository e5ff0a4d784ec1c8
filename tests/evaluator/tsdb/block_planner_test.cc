#include "evaluator/tsdb/block_planner.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <vector>

namespace skep::tsdb {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using Places = std::vector<std::size_t>;

constexpr Timestamp kMidnight{hours(24 * 20'000)};

// From so many minutes after midnight to so many.
PlannedBlock Block(int from, int to, std::uint64_t samples, bool is_settled = false) {
  return {{kMidnight + minutes(from), kMidnight + minutes(to) - Duration(1)}, samples, is_settled};
}

Places Plan(const std::vector<PlannedBlock>& blocks, int complete) {
  return PlanMerge(blocks, kMidnight + minutes(complete), MergeSpans(hours(24 * 15)));
}

TEST_CASE("Blocks of two hours are merged once these are over") {
  std::vector<PlannedBlock> blocks;
  for (int at = 0; at < 140; at += 20) blocks.push_back(Block(at, at + 20, 100));
  CHECK(Plan(blocks, 119) == Places{});
  CHECK(Plan(blocks, 120) == Places{0, 1, 2, 3, 4, 5});
}

TEST_CASE("A day becomes one block") {
  std::vector<PlannedBlock> blocks;
  for (int at = 0; at < 26 * 60; at += 120) blocks.push_back(Block(at, at + 120, 100));
  CHECK(Plan(blocks, 24 * 60 - 1) == Places{});
  CHECK(Plan(blocks, 24 * 60) == Places{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
}

TEST_CASE("A few late samples wait for company, or until nothing else comes") {
  CHECK(Plan({Block(0, 120, 1000), Block(3, 5, 10)}, 120) == Places{});
  CHECK(Plan({Block(0, 120, 1000), Block(3, 5, 10, true)}, 120) == Places{});
  CHECK(Plan({Block(0, 120, 1000, true), Block(3, 5, 10, true)}, 120) == Places{0, 1});
  CHECK(Plan({Block(0, 120, 1000), Block(3, 5, 250)}, 120) == Places{0, 1});
  std::vector<PlannedBlock> many = {Block(0, 120, 100'000)};
  for (int i = 0; i < 7; ++i) many.push_back(Block(3, 5, 1));
  CHECK(Plan(many, 120).size() == 8);
}

TEST_CASE("A damaged block is in no plan, and older ones that share time with it wait") {
  std::vector<PlannedBlock> blocks;
  for (int at = 0; at < 120; at += 20) blocks.push_back(Block(at, at + 20, 100));
  blocks[2].is_damaged = true;
  CHECK(Plan(blocks, 120) == Places{0, 1, 3, 4, 5});
  blocks[2].span.min = kMidnight + minutes(10);
  CHECK(Plan(blocks, 120) == Places{3, 4, 5});
  blocks[1].span.max = kMidnight + minutes(120);  // one that waits holds back older ones, too
  blocks[0].span = {kMidnight + minutes(100), kMidnight + minutes(101)};
  CHECK(Plan(blocks, 120) == Places{3, 4, 5});
}

TEST_CASE("A block waits while a newer one has a part of its time and is not in the plan") {
  // Two of two hours, and a day that was imported behind them.
  std::vector<PlannedBlock> blocks = {Block(0, 60, 100), Block(60, 120, 100),
                                      Block(0, 24 * 60, 1000), Block(0, 120, 50), Block(5, 6, 40)};
  CHECK(Plan(blocks, 120) == Places{3, 4});
  CHECK(Plan(blocks, 24 * 60) == Places{3, 4});
  blocks.resize(3);
  CHECK(Plan(blocks, 24 * 60) == Places{});
  blocks[2].samples = 500;
  CHECK(Plan(blocks, 24 * 60) == Places{0, 1, 2});
}

TEST_CASE("What reaches over the end of a span is left, and times before 1970 are no trouble") {
  CHECK(Plan({Block(0, 130, 100), Block(0, 110, 100)}, 600) == Places{});
  const PlannedBlock old{{FromMillis(-5000), FromMillis(-4000)}, 10, false};
  CHECK(PlanMerge(std::vector<PlannedBlock>{old, old}, kMidnight, MergeSpans(Duration{})) ==
        Places{0, 1});
}

TEST_CASE("Long spans need a long retention") {
  CHECK(MergeSpans(hours(6)) == std::vector<Duration>{hours(2)});
  CHECK(MergeSpans(hours(24 * 15)) == std::vector<Duration>{hours(2), hours(24)});
  CHECK(MergeSpans(Duration{}) == std::vector<Duration>{hours(2), hours(24), hours(240)});
  CHECK(MergeSpans(hours(24 * 365)).size() == 3);
}

}  // namespace
}  // namespace skep::tsdb

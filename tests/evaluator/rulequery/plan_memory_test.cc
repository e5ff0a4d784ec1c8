// Whether what rules say they keep from round to round is what malloc gave.
#include <malloc.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "evaluator/rulequery/query_runner.h"
#include "evaluator/tsdb/head.h"

namespace skep::rulequery {
namespace {

constexpr Timestamp kTime = FromMillis(1'000'000);

std::size_t HeapInUse() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

class StillClock final : public Clock {
 public:
  Timestamp Now() const override { return {}; }
  Steady SteadyNow() const override { return Steady(); }
};

void Fill(tsdb::Head& head, int series) {
  const auto appender = head.NewAppender();
  for (int i = 0; i < series; ++i) {
    storage::SeriesRef ref = 0;
    (void)appender->Append(ref,
                           {{"__name__", "m"},
                            {"job", std::to_string(i % 7)},
                            {"pod", "a-pod-with-a-long-name-" + std::to_string(i / 2)},
                            {"side", std::to_string(i % 2)}},
                           {kTime, 1.0 * i});
  }
  REQUIRE(appender->Commit());
}

// A group in force, after `rounds` rounds.
class Group {
 public:
  explicit Group(EngineQueryRunner& runner) {
    std::vector<rules::GroupQuery> wanted;
    for (const char* const expr : {"sum by (pod) (m)", "m{side=\"0\"} / on (pod) m{side=\"1\"}",
                                   "max without (side) (m)", "count by (job) (rate(m[5m]))"}) {
      wanted.push_back({expr, [](const promql::VectorSelector&) { return std::size_t{0}; }});
    }
    group_ = runner.PrepareGroup(wanted);
    for (std::size_t i = 0; i < wanted.size(); ++i) queries_.push_back(group_->TakeQuery(i));
  }

  void Run(int rounds) {
    const std::atomic<bool> no{false};
    for (int round = 0; round < rounds; ++round) {
      for (const auto& query : queries_) REQUIRE(query->Run(kTime + Duration(round), &no));
      group_->EndRound();
    }
  }

 private:
  std::unique_ptr<rules::PreparedGroup> group_;
  std::vector<std::unique_ptr<rules::PreparedQuery>> queries_;
};

TEST_CASE("What rules keep from round to round is what malloc gave, within a fifth", "[plan]") {
  tsdb::Head head({});
  Fill(head, 6000);
  const StillClock clock;
  const engine::Engine engine(clock);
  {
    // What stays behind any query: the order of the series, buffers of the thread.
    EngineQueryRunner other(engine, head, promql::ParseOptions::All());
    Group group(other);
    group.Run(2);
    CHECK(other.PlanBytes() > 0);
  }
  CHECK(head.MeasureMemory().kept_selects == 0);
  EngineQueryRunner runner(engine, head, promql::ParseOptions::All());
  CHECK(runner.PlanBytes() == 0);
  {
    Group group(runner);
    const std::size_t before = HeapInUse();
    group.Run(3);
    const std::size_t taken = HeapInUse() - before;
    const std::uint64_t plans = runner.PlanBytes();
    const std::uint64_t lists = head.MeasureMemory().kept_selects;
    CAPTURE(plans, lists, taken);
    CHECK(plans > 0);
    CHECK(lists > 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(static_cast<double>(plans + lists) > 0.8 * static_cast<double>(taken));
    CHECK(static_cast<double>(plans + lists) < 1.2 * static_cast<double>(taken));
#endif
  }
  CHECK(runner.PlanBytes() == 0);
  CHECK(head.MeasureMemory().kept_selects == 0);
}

}  // namespace
}  // namespace skep::rulequery

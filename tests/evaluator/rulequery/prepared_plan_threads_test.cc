// Prepared queries beside appends and retention: for the thread sanitizer, and for the promise that
// each run sees whole batches only.
#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "evaluator/rulequery/query_runner.h"
#include "evaluator/tsdb/head.h"
#include "tests/support/many.h"

namespace skep::rulequery {
namespace {

constexpr int kSeries = 60;

class StillClock final : public Clock {
 public:
  Timestamp Now() const override { return {}; }
  Steady SteadyNow() const override { return Steady(); }
};

// Far behind what retention reaches: it takes samples from living queriers too.
constexpr int kSafe = 100'000;

// All series of a batch get the same value. A third of them is new in each batch, and retention
// takes those of earlier ones away.
void Write(tsdb::Head& head, int rounds) {
  for (int round = 1; round <= rounds; ++round) {
    const auto appender = head.NewAppender();
    for (int i = 0; i < kSeries; ++i) {
      const bool passing = i % 3 == 0;
      storage::SeriesRef ref = 0;
      (void)appender->Append(ref,
                             {{"__name__", "m"},
                              {"job", std::to_string(i % 4)},
                              {"i", std::to_string(i)},
                              {"pod", passing ? std::to_string(round) : "all"}},
                             {FromMillis(passing ? round : kSafe + round), 1.0 * round});
    }
    (void)appender->Commit();
    if (round % 10 == 0) head.DropBefore(FromMillis(round - 5));
  }
}

// The number that an answer without labels has; `otherwise` where it is empty.
double Only(const Result<promql::Value>& value, double otherwise) {
  if (!value) return -1;
  const auto& vector = std::get<promql::InstantVector>(*value);
  return vector.empty() ? otherwise : vector[0].sample.value;
}

// Each holds in every snapshot: the answer is 0 or empty.
constexpr std::string_view kAlwaysZero[] = {
    "max(m{pod=\"all\"}) - min(m{pod=\"all\"})",
    "count(sum by (job) (m{pod=\"all\"})) - 4",
    "sum(m - on (i, pod) m)",
    "max(max by (job) (m{pod=~\"a.*\"})) - min(min by (i) (m{pod=~\"a.*\"}))",
    "max(count by (i) (count_over_time(m{pod=\"all\"}[1h]))) - 1",
};

TEST_CASE("Prepared queries see whole batches while series come and go", "[plan]") {
  tsdb::Head head({});
  Write(head, 1);
  const StillClock clock;
  const engine::Engine engine(clock);
  EngineQueryRunner runner(engine, head, promql::ParseOptions::All());
  std::atomic<bool> writing{true};
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (const std::string_view expr : kAlwaysZero) {
      threads.emplace_back([&, expr] {
        const std::atomic<bool> cancel{false};
        const auto query = runner.Prepare(expr);
        do {
          if (Only((*query)->Run(FromMillis(2 * kSafe), &cancel), 0) != 0) ++wrong;
        } while (writing);
      });
    }
    threads.emplace_back([&] {
      Write(head, 20 * test::Many(40));
      writing = false;
    });
  }
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace skep::rulequery

// The queries of a group on threads of their own, beside appends and retention: for the thread
// sanitizer, and for the promise that what they share gives each the answer that it has alone.
#include <atomic>
#include <bit>
#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "evaluator/rulequery/group_queries.h"
#include "evaluator/rulequery/query_runner.h"
#include "evaluator/tsdb/head.h"
#include "tests/support/many.h"

namespace skep::rulequery {
namespace {

constexpr int kSeries = 40;
constexpr int kStep = 5000;  // milliseconds between two batches

class StillClock final : public Clock {
 public:
  Timestamp Now() const override { return {}; }
  Steady SteadyNow() const override { return Steady(); }
};

// Equal queries, equal parts of different ones, functions over one range, and some that share
// nothing.
const std::vector<std::string> kExprs = {
    "sum by (job) (rate(m[1m]))",
    "max by (job) (rate(m[1m])) / 2",
    "sum by (job) (rate(m[1m]))",
    "sum by (job) (increase(m[1m]))",
    "max(max_over_time(m[1m])) - min(min_over_time(m[1m]))",
    "avg_over_time(m[1m]) > 5",
    "count(m)",
    "m - on (i, pod) m",
    "count(m) + scalar(sum(m))",
    "rate(m[2m]) and on (i) m{job=\"1\"}",
    "absent(m{job=\"9\"})",
    "sum(m{job=~\"1|2\"})",
};

// A sixth of the series is new in each batch, and retention takes the earliest away.
class Writer {
 public:
  explicit Writer(tsdb::Head& head) : head_(head) {}

  void WriteBatch() {
    const int batch = written_ + 1;
    const auto appender = head_.NewAppender();
    for (int i = 0; i < kSeries; ++i) {
      storage::SeriesRef ref = 0;
      const std::string pod = i % 6 == 0 ? std::to_string(batch / 3) : "all";
      (void)appender->Append(ref,
                             {{"__name__", "m"},
                              {"i", std::to_string(i)},
                              {"job", std::to_string(i % 4)},
                              {"pod", pod}},
                             {FromMillis(batch * kStep), 1.0 * (batch * (i + 1) % 97)});
    }
    (void)appender->Commit();
    written_ = batch;
    // Far behind what a query looks at.
    if (batch % 50 == 0) head_.DropBefore(FromMillis((batch - 400) * kStep));
  }
  // Until `done`; so many batches as it is allowed: retention must not reach a round that runs.
  void WriteUntil(const std::atomic<bool>& done) {
    while (!done) {
      if (written_ < allowed_) {
        WriteBatch();
      } else {
        std::this_thread::yield();
      }
    }
  }
  void AllowMore() { allowed_ = written_ + 200; }
  // Batches up to it are there, and no later one changes what they had.
  Timestamp time() const { return FromMillis(written_ * kStep); }

 private:
  tsdb::Head& head_;
  std::atomic<int> written_{0};
  std::atomic<int> allowed_{0};
};

using Answer = std::map<std::string, std::uint64_t>;  // bits of the values

Answer AnswerOf(const Result<promql::Value>& value) {
  if (!value) return {{"error " + value.error().message(), 0}};
  Answer answer;
  for (const auto& one : std::get<promql::InstantVector>(*value)) {
    answer[one.labels.ToString()] = std::bit_cast<std::uint64_t>(one.sample.value);
  }
  return answer;
}

// All queries of one round at once; gives their answers.
std::vector<Answer> RunRound(const std::vector<std::unique_ptr<rules::PreparedQuery>>& queries,
                             Timestamp time) {
  const std::atomic<bool> no{false}, yes{true};
  std::vector<Answer> answers(queries.size());
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    threads.emplace_back([&, i] {
      // One that is canceled leaves the others what it has begun.
      const bool is_canceled = i == static_cast<std::size_t>(ToMillis(time)) % queries.size();
      if (is_canceled) (void)queries[i]->Run(time, &yes);
      answers[i] = AnswerOf(queries[i]->Run(time, &no));
    });
  }
  threads.clear();  // joins
  return answers;
}

TEST_CASE("Queries of a group on threads of their own have the answers that each has alone",
          "[plan]") {
  tsdb::Head head({});
  Writer writer(head);
  for (int i = 0; i < 60; ++i) writer.WriteBatch();
  const StillClock clock;
  const engine::Engine engine(clock);
  EngineQueryRunner runner(engine, head, promql::ParseOptions::All());
  std::vector<rules::GroupQuery> wanted;
  for (const std::string& expr : kExprs) {
    wanted.push_back({expr, [](const promql::VectorSelector&) { return std::size_t{0}; }});
  }
  const auto group = runner.PrepareGroup(wanted);
  std::vector<std::unique_ptr<rules::PreparedQuery>> together, alone;
  for (std::size_t i = 0; i < kExprs.size(); ++i) {
    together.push_back(group->TakeQuery(i));
    REQUIRE(together.back());
    alone.push_back(runner.Prepare(kExprs[i]).value());
  }
  std::atomic<bool> done{false};
  const std::jthread writing([&] { writer.WriteUntil(done); });
  std::size_t samples = 0;
  const std::atomic<bool> no{false};
  for (int round = 0; round < test::Many(40); ++round) {
    const Timestamp time = writer.time();
    writer.AllowMore();
    const std::vector<Answer> answers = RunRound(together, time);
    for (std::size_t i = 0; i < kExprs.size(); ++i) {
      CAPTURE(round, kExprs[i]);
      const Answer plain = AnswerOf(alone[i]->Run(time, &no));
      samples += plain.size();
      if (answers[i] != plain) done = true;  // lets the writer end
      CHECK(answers[i] == plain);
    }
    group->EndRound();
    if (done) break;
  }
  done = true;
  CHECK(samples > 0);
}

}  // namespace
}  // namespace skep::rulequery

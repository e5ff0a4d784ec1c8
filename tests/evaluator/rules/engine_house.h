// Rules over the real engine and a store in memory; the test sets the clock and asks for rounds.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "evaluator/engine/engine.h"
#include "evaluator/rulequery/query_runner.h"
#include "tests/evaluator/rules/fakes.h"

namespace skep::rules::test {

// Steady time goes on by a second whenever somebody looks at it: what waits for a deadline meets it
// without waiting.
class HastyClock final : public Clock {
 public:
  Timestamp Now() const override { return At(0); }
  Steady SteadyNow() const override { return Steady(std::chrono::seconds(seconds_++)); }

 private:
  mutable std::atomic<int> seconds_ = 0;
};

struct EngineHouse : House {
  explicit EngineHouse(engine::EngineOptions engine_options = {})
      : EngineHouse(engine_options, {}) {}
  EngineHouse(engine::EngineOptions engine_options, const Clock* engine_clock)
      : engine(engine_clock != nullptr ? *engine_clock : clock, engine_options) {
    runner = &engine_queries;
    Build();
  }

  // `labels` gets `values`, one every `step` from `start` on.
  void Feed(const Labels& labels, Timestamp start, const std::vector<double>& values,
            Duration step = std::chrono::minutes(1)) {
    const auto appender = store.NewAppender();
    storage::SeriesRef ref = 0;
    for (const double value : values) {
      (void)appender->Append(ref, labels, {start, value});
      start += step;
    }
    if (!appender->Commit()) throw std::runtime_error("the memory store takes no samples");
  }

  // The answer at `time`, series by series: "{a="b"} 1; {a="c"} 2".
  std::string Ask(const std::string& expr, Timestamp time) {
    const auto query = engine::Query::Parse(expr).value();
    const auto result = engine.Run(query, store, engine::QueryOptions::At(time)).value();
    std::string text;
    for (const auto& sample : std::get<promql::InstantVector>(result.value)) {
      text += (text.empty() ? "" : "; ") + sample.labels.ToString() + " " +
              FormatDouble(sample.sample.value);
    }
    return text;
  }

  engine::Engine engine;
  rulequery::EngineQueryRunner engine_queries{engine, store, {}};
};

}  // namespace skep::rules::test

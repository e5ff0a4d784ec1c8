// Questions about a World in a store, and whether the answers are right.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "evaluator/engine/engine.h"
#include "evaluator/storage/querier.h"
#include "tests/bench/day_world.h"

namespace skep::bench {

// Thread-compatible.
class Questions {
 public:
  Questions(const World& world, storage::Queryable& store, const engine::Engine& engine,
            std::uint32_t seed)
      : world_(world), store_(store), engine_(engine), random_(seed) {}

  // One question of a random kind, of samples up to `newest`, a step that is all there. What is
  // wrong with the answer, "" for nothing.
  std::string Ask(int newest) {
    const std::vector<Life> lives = world_.lives();
    const Life life = lives[Below(static_cast<int>(lives.size()))];
    if (life.born > newest) return "";
    const int last = std::min(newest, life.died - 1);
    const int length = std::min(last - life.born + 1, 1 + Below(Below(4) == 0 ? 5760 : 480));
    const Window window{life, last - length + 1, last};
    ++asked;
    switch (Below(4)) {
      case 0:
        return AskCount(newest);
      case 1:
        return AskFunction("count_over_time", window);
      case 2:
        return AskFunction("max_over_time", window);
      default:
        return AskSamples(window);
    }
  }

  std::uint64_t asked = 0;
  std::uint64_t samples = 0;  // that were looked at one by one

 private:
  struct Window {
    Life life;
    int first, last;  // steps
  };

  int Below(int end) { return std::uniform_int_distribution<int>(0, end - 1)(random_); }

  std::string Text(const Window& window) const {
    return window.life.instance() + " steps " + std::to_string(window.first) + " to " +
           std::to_string(window.last);
  }

  // How many of a name there are now: replaced ones must have ended.
  std::string AskCount(int newest) {
    const std::string name = "day_metric_" + std::to_string(Below(kNames));
    const auto answer = Run("count(" + name + ")", world_.EndOf(newest));
    if (!answer) return answer.error().message();
    const auto* const vector = std::get_if<promql::InstantVector>(&*answer);
    const double expected = world_.slots() * world_.series_of_name();
    if (vector != nullptr && vector->size() == 1 && vector->front().sample.value == expected) {
      return "";
    }
    return "count(" + name + ") at step " + std::to_string(newest) + " is not " +
           std::to_string(expected);
  }

  std::string AskFunction(const std::string& function, const Window& window) {
    const int name = Below(kNames);
    const std::int64_t span = (window.last - window.first + 1) * kDayStep.count();
    const std::string query = function + "(day_metric_" + std::to_string(name) + "{instance=\"" +
                              window.life.instance() + "\"}[" + std::to_string(span) + "ms])";
    const auto answer = Run(query, world_.EndOf(window.last));
    if (!answer) return answer.error().message();
    const auto* const vector = std::get_if<promql::InstantVector>(&*answer);
    if (vector == nullptr || static_cast<int>(vector->size()) != world_.series_of_name()) {
      return query + ": not all series";
    }
    for (const promql::VectorSample& one : *vector) {
      const int series = std::stoi(std::string(one.labels.Get("part"))) * kNames + name;
      if (one.sample.value != Expected(function, window, series)) {
        return query + " is " + std::to_string(one.sample.value) + " for " + one.labels.ToString();
      }
    }
    return "";
  }

  static double Expected(const std::string& function, const Window& window, int series) {
    if (function == "count_over_time") return window.last - window.first + 1;
    double most = DayValue(window.life, series, window.first);
    for (int step = window.first + 1; step <= window.last; ++step) {
      most = std::max(most, DayValue(window.life, series, step));
    }
    return most;
  }

  Result<promql::Value> Run(const std::string& text, Timestamp time) {
    const Result<engine::Query> query = engine::Query::Parse(text, {});
    if (!query) return query.error();
    Result<engine::QueryResult> result =
        engine_.Run(*query, store_, engine::QueryOptions::At(time));
    if (!result) return result.error();
    return std::move(result->value);
  }

  // Every sample of every fifth series of a target.
  std::string AskSamples(const Window& window) {
    const storage::TimeRange range{world_.TimeOf(window.life.slot, window.first),
                                   world_.TimeOf(window.life.slot, window.last)};
    const auto querier = store_.NewQuerier(range);
    if (!querier) return querier.error().message();
    const std::vector<Matcher> matchers = {Matcher::Equal("instance", window.life.instance())};
    const auto set = (*querier)->Select(matchers, range);
    if (!set) return set.error().message();
    int found = 0;
    while ((*set)->Next()) {
      if (found++ % 5 != 0) continue;
      const std::string wrong = CheckSeries(**set, window);
      if (!wrong.empty()) return wrong;
    }
    if (found == world_.per_target()) return "";
    return Text(window) + ": " + std::to_string(found) + " series";
  }

  std::string CheckSeries(storage::SeriesSet& set, const Window& window) {
    const Labels& labels = set.labels();
    const std::string name(labels.metric_name());
    const int series = std::stoi(std::string(labels.Get("part"))) * kNames +
                       std::stoi(name.substr(name.find_first_of("0123456789")));
    storage::SampleColumns columns;
    if (const Status read = set.ReadSamples(columns); !read) return read.error().message();
    const int count = window.last - window.first + 1;
    if (static_cast<int>(columns.size()) != count) {
      return Text(window) + ": " + std::to_string(columns.size()) + " samples of " +
             labels.ToString();
    }
    for (int i = 0; i < count; ++i) {
      const int step = window.first + i;
      const auto at = static_cast<std::size_t>(i);
      if (columns.times[at] != world_.TimeOf(window.life.slot, step) ||
          columns.values[at] != DayValue(window.life, series, step)) {
        return labels.ToString() + " at step " + std::to_string(step) + " is " +
               std::to_string(columns.values[at]);
      }
    }
    samples += static_cast<std::uint64_t>(count);
    return "";
  }

  const World& world_;
  storage::Queryable& store_;
  const engine::Engine& engine_;
  std::mt19937 random_;
};

}  // namespace skep::bench

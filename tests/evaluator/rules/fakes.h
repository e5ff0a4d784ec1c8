// Who stands around the rules in their tests: answers, alerts taken, a clock set by hand.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/number.h"
#include "evaluator/rules/interfaces.h"
#include "evaluator/rules/manager.h"
#include "tests/support/memory_store.h"
#include "tests/support/temp_folder.h"

namespace skep::rules::test {

constexpr Timestamp At(int minute) { return FromMillis(1'700'000'000'000 + minute * 60'000LL); }

class HandClock final : public Clock {
 public:
  Timestamp Now() const override { return now; }
  Steady SteadyNow() const override { return Steady(now.time_since_epoch()); }
  Timestamp now = At(0);
};

// Answers expressions from a table; what is not there is an error.
class FakeQueries final : public QueryRunner {
 public:
  using Answer = std::function<Result<promql::Value>(Timestamp)>;

  Result<std::unique_ptr<PreparedQuery>> Prepare(std::string_view expr) override {
    return std::unique_ptr<PreparedQuery>(std::make_unique<Prepared>(*this, std::string(expr)));
  }
  void Set(const std::string& expr, const std::vector<std::pair<Labels, double>>& samples) {
    const std::lock_guard lock(mutex_);
    answers_[expr] = [samples](Timestamp time) -> Result<promql::Value> {
      promql::InstantVector vector;
      for (const auto& [labels, value] : samples) vector.push_back({labels, {time, value}});
      return promql::Value(std::move(vector));
    };
  }
  void SetAnswer(const std::string& expr, Answer answer) {
    const std::lock_guard lock(mutex_);
    answers_[expr] = std::move(answer);
  }
  // Expressions in the order they were run, with their times.
  std::vector<std::pair<std::string, Timestamp>> runs() const {
    const std::lock_guard lock(mutex_);
    return runs_;
  }

 private:
  class Prepared final : public PreparedQuery {
   public:
    Prepared(FakeQueries& owner, std::string expr) : owner_(owner), expr_(std::move(expr)) {}
    Result<promql::Value> Run(Timestamp time, const std::atomic<bool>*) override {
      Answer answer;
      {
        const std::lock_guard lock(owner_.mutex_);
        owner_.runs_.emplace_back(expr_, time);
        const auto found = owner_.answers_.find(expr_);
        if (found == owner_.answers_.end()) return Invalid("no answer to " + expr_);
        answer = found->second;
      }
      return answer(time);
    }

   private:
    FakeQueries& owner_;
    std::string expr_;
  };

  mutable std::mutex mutex_;
  std::map<std::string, Answer> answers_;                // guarded by mutex_
  std::vector<std::pair<std::string, Timestamp>> runs_;  // guarded by mutex_
};

class FakeSink final : public AlertSink {
 public:
  void Send(std::vector<Alert> alerts) override {
    const std::lock_guard lock(mutex_);
    for (Alert& alert : alerts) alerts_.push_back(std::move(alert));
  }
  std::vector<Alert> Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(alerts_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<Alert> alerts_;  // guarded by mutex_
};

// A manager over one rule file "r.yml".
struct House {
  explicit House(ManagerOptions given = {.restore = false}) : options(given) { Build(); }

  void Build() {
    manager = std::make_unique<Manager>(Dependencies{*runner, store, store, sink, clock}, options);
  }
  Status Load(const std::string& text) {
    Write(text);
    Result<Ruleset> rules = manager->Load(config);
    if (!rules) return rules.error();
    manager->Apply(std::move(*rules));
    return {};
  }
  void Write(const std::string& text) {
    if (Status written = WriteFileAtomic(path, text); !written) {
      throw std::runtime_error(written.error().message());
    }
  }
  // A round of group "g".
  void Round(int minute) { RoundAt(At(minute)); }
  void RoundAt(Timestamp time, const std::string& group = "g") {
    clock.now = time;
    if (Status done = manager->EvaluateRound(path, group, time); !done) {
      throw std::runtime_error(done.error().message());
    }
  }
  RuleStatus Rule(std::size_t index = 0) const { return manager->Groups().at(0).rules.at(index); }
  // All samples of a series as "value@minute", "stale" for markers; "" where there is none.
  std::string Samples(const Labels& labels);

  skep::test::TempFolder folder;
  std::string path = folder.File("r.yml");
  FakeQueries queries;
  QueryRunner* runner = &queries;
  skep::test::MemoryStore store;
  FakeSink sink;
  HandClock clock;
  ManagerOptions options;
  RulesConfig config{.files = {path}, .external_url = "http://skep"};
  std::unique_ptr<Manager> manager;
};

inline std::string House::Samples(const Labels& labels) {
  std::vector<Matcher> matchers;
  for (const LabelView label : labels) matchers.push_back(Matcher::Equal(label.name, label.value));
  const auto querier = store.NewQuerier({}).value();
  const auto set = querier->Select(matchers, {}).value();
  std::string text;
  while (set->Next()) {
    if (set->labels() != labels) continue;
    storage::SampleColumns columns;
    if (!set->ReadSamples(columns)) return "unreadable";
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const auto minute = (ToMillis(columns.times[i]) - ToMillis(At(0))) / 60'000;
      text += text.empty() ? "" : " ";
      text += IsStaleNaN(columns.values[i]) ? "stale" : FormatDouble(columns.values[i]);
      text += "@" + std::to_string(minute);
    }
  }
  return text;
}

}  // namespace skep::rules::test

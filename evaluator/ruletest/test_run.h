// One test of a unit-test file, from its first sample to its last comparison.
#pragma once

#include <string>
#include <vector>

#include "common/base/clock.h"
#include "evaluator/engine/engine.h"
#include "evaluator/promqltest/series_loader.h"
#include "evaluator/rulequery/query_runner.h"
#include "evaluator/rules/manager.h"
#include "evaluator/ruletest/runner.h"
#include "evaluator/ruletest/samples.h"
#include "evaluator/ruletest/test_file.h"
#include "evaluator/tsdb/head.h"

namespace skep::ruletest {

// Used once. Everything passed in outlives it.
class TestRun {
 public:
  TestRun(const TestFile& file, const TestGroup& test, const RunOptions& options,
          const Clock& clock);

  // `rules` are good.
  std::vector<Failure> Run(const std::vector<rules::RuleFile>& rules);

  // Every series with its samples up to `end`, as promtool's --debug prints them.
  std::string Dump(Timestamp end);
  // When the last test of all is.
  Timestamp end() const;

 private:
  // Nobody is told of alerts.
  class NoSink final : public rules::AlertSink {
   public:
    void Send(std::vector<Alert>) override {}
  };
  struct GroupKey {
    std::string file, name;
  };

  std::vector<Failure> CheckDefinition() const;
  std::vector<Failure> LoadSeries();
  void Apply(const std::vector<rules::RuleFile>& rules);
  // One evaluation of all groups; false where a rule failed.
  bool Evaluate(Timestamp time);
  void CheckAlerts(const AlertTest& test);
  void CheckExpr(const ExprTest& test);
  Result<promql::Value> Query(const std::string& expr, Timestamp time);

  const TestFile& file_;
  const TestGroup& test_;
  const RunOptions& options_;
  tsdb::Head head_;
  engine::Engine engine_;
  rulequery::EngineQueryRunner queries_;
  NoSink sink_;
  rules::Manager manager_;
  promqltest::SeriesFeed feed_;
  std::vector<GroupKey> groups_;              // in the order of evaluation
  std::vector<rules::GroupStatus> statuses_;  // after the last evaluation
  std::vector<Failure> failures_;
};

}  // namespace skep::ruletest

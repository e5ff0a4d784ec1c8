#include "evaluator/ruletest/test_run.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "common/base/number.h"
#include "common/base/quote.h"

namespace skep::ruletest {
namespace {

engine::EngineOptions EngineOptionsOf(const TestFile& file, const RunOptions& options) {
  engine::EngineOptions engine = options.engine;
  engine.default_subquery_step = file.evaluation_interval;
  return engine;
}

rules::ManagerOptions ManagerOptionsOf(const RunOptions& options) {
  rules::ManagerOptions manager;
  manager.restore = false;  // ALERTS from the first evaluation on
  manager.files.promql = options.promql;
  return manager;
}

Failure MakeError(std::string place, std::string title, std::string error) {
  return {.kind = Failure::Kind::kError,
          .place = std::move(place),
          .title = std::move(title),
          .error = std::move(error),
          .expected = {},
          .got = {}};
}

std::string At(Duration time) { return ", time: " + FormatDuration(time); }

// The program's own annotations are never on an alert, whatever the file expects of them.
Labels WithoutOwn(const Labels& annotations) {
  std::vector<LabelView> kept;
  for (const LabelView annotation : annotations) {
    if (!annotation.name.starts_with(rules::kOwnAnnotationPrefix)) kept.push_back(annotation);
  }
  return Labels::WithEmptyValues(kept);
}

void SortAlerts(std::vector<Observation>& alerts) {
  std::sort(alerts.begin(), alerts.end(), [](const Observation& a, const Observation& b) {
    return std::tie(a.labels, a.annotations) < std::tie(b.labels, b.annotations);
  });
}

bool SameAlerts(const std::vector<Observation>& a, const std::vector<Observation>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Observation& x, const Observation& y) {
                      return x.labels == y.labels && x.annotations == y.annotations;
                    });
}

}  // namespace

TestRun::TestRun(const TestFile& file, const TestGroup& test, const RunOptions& options,
                 const Clock& clock)
    : file_(file),
      test_(test),
      options_(options),
      head_({}),
      engine_(clock, EngineOptionsOf(file, options)),
      queries_(engine_, head_, options.promql),
      manager_({queries_, head_, head_, sink_, clock}, ManagerOptionsOf(options)),
      feed_({}) {}

std::vector<Failure> TestRun::Run(const std::vector<rules::RuleFile>& rules) {
  std::vector<Failure> wrong = CheckDefinition();
  if (wrong.empty()) wrong = LoadSeries();
  if (!wrong.empty()) return wrong;
  Apply(rules);
  std::vector<const AlertTest*> alerts;
  for (const AlertTest& test : test_.alert_tests) alerts.push_back(&test);
  std::stable_sort(alerts.begin(), alerts.end(), [](const AlertTest* a, const AlertTest* b) {
    return a->eval_time < b->eval_time;
  });
  auto next = alerts.begin();
  for (Timestamp time = test_.start; time <= end(); time += file_.evaluation_interval) {
    if (!Evaluate(time)) return std::move(failures_);
    // Alerts of a time between two evaluations are those of the one before.
    for (; next != alerts.end() &&
           test_.start + (*next)->eval_time < time + file_.evaluation_interval;
         ++next) {
      CheckAlerts(**next);
    }
  }
  for (const ExprTest& test : test_.expr_tests) CheckExpr(test);
  return std::move(failures_);
}

Timestamp TestRun::end() const {
  Duration last{0};
  for (const AlertTest& test : test_.alert_tests) last = std::max(last, test.eval_time);
  for (const ExprTest& test : test_.expr_tests) last = std::max(last, test.eval_time);
  return test_.start + last;
}

std::vector<Failure> TestRun::CheckDefinition() const {
  for (const AlertTest& test : test_.alert_tests) {
    if (!test.alertname.empty()) continue;
    return {MakeError(test.place, "",
                      "an item under alert_rule_test misses required attribute alertname at "
                      "eval_time " +
                          FormatDuration(test.eval_time))};
  }
  return {};
}

std::vector<Failure> TestRun::LoadSeries() {
  promqltest::SeriesLoader loader(test_.start, test_.interval);
  for (const InputSeries& input : test_.inputs) {
    const Status status = loader.AddLine(input.series + " " + input.values);
    if (!status) return {MakeError(input.place, "input series", status.error().message())};
  }
  feed_ = promqltest::SeriesFeed(loader.series());
  return {};
}

void TestRun::Apply(const std::vector<rules::RuleFile>& rules) {
  std::map<std::string, std::size_t> order;
  for (std::size_t i = 0; i < file_.group_eval_order.size(); ++i) {
    order.emplace(file_.group_eval_order[i], i);
  }
  for (const rules::RuleFile& file : rules) {
    for (const rules::GroupDefinition& group : file.groups) {
      groups_.push_back({group.file, group.name});
    }
  }
  // One that is not in the order ranks with the first that is.
  const auto rank = [&order](const GroupKey& group) {
    const auto found = order.find(group.name);
    return found == order.end() ? 0 : found->second;
  };
  std::stable_sort(groups_.begin(), groups_.end(),
                   [&](const GroupKey& a, const GroupKey& b) { return rank(a) < rank(b); });
  rules::RulesConfig config;
  config.evaluation_interval = test_.interval;
  config.external_labels = test_.external_labels;
  config.external_url = test_.external_url;
  manager_.Apply({std::move(config), rules});
}

bool TestRun::Evaluate(Timestamp time) {
  if (const Status fed = feed_.AppendUntil(time, head_); !fed) {
    failures_.push_back(MakeError(test_.place, "input series", fed.error().message()));
  }
  for (const GroupKey& group : groups_) {
    // The manager knows every group: they are its own.
    (void)manager_.EvaluateRound(group.file, group.name, time);
  }
  statuses_ = manager_.Groups();
  bool good = true;
  for (const rules::GroupStatus& group : statuses_) {
    for (const rules::RuleStatus& rule : group.rules) {
      if (rule.last_error.empty()) continue;
      good = false;
      failures_.push_back(MakeError(group.file + ":" + std::to_string(rule.definition.line),
                                    "rule: " + rule.definition.name + At(time - test_.start),
                                    rule.last_error));
    }
  }
  return good;
}

void TestRun::CheckAlerts(const AlertTest& test) {
  Failure failure{.kind = Failure::Kind::kAlerts,
                  .place = test.place,
                  .title = "alertname: " + test.alertname + At(test.eval_time),
                  .error = {},
                  .expected = {},
                  .got = {}};
  for (const ExpectedAlert& alert : test.expected) {
    failure.expected.push_back({alert.labels, WithoutOwn(alert.annotations), {}});
  }
  for (const rules::GroupStatus& group : statuses_) {
    for (const rules::RuleStatus& rule : group.rules) {
      if (rule.definition.name != test.alertname) continue;
      for (const rules::AlertStatus& alert : rule.alerts) {
        if (alert.state != rules::AlertState::kFiring) continue;
        failure.got.push_back({alert.labels, alert.annotations, {}});
      }
    }
  }
  SortAlerts(failure.expected);
  SortAlerts(failure.got);
  if (!SameAlerts(failure.expected, failure.got)) failures_.push_back(std::move(failure));
}

Result<promql::Value> TestRun::Query(const std::string& expr, Timestamp time) {
  const Result<engine::Query> query = engine::Query::Parse(expr, options_.promql);
  if (!query) return query.error();
  Result<engine::QueryResult> result = engine_.Run(*query, head_, engine::QueryOptions::At(time));
  if (!result) return result.error();
  Result<promql::Value> value(promql::Value{});  // g++ 12 warns of a move out of an unnamed one
  std::swap(*value, result->value);
  return value;
}

void TestRun::CheckExpr(const ExprTest& test) {
  const std::string title = "expr: " + Quote(test.expr) + At(test.eval_time);
  const auto fail = [&](const Error& error) {
    failures_.push_back(MakeError(test.place, title, error.message()));
  };
  const Result<promql::Value> value = Query(test.expr, test_.start + test.eval_time);
  if (!value) return fail(value.error());
  Result<std::vector<TestSample>> got = ReadValue(*value);
  if (!got) return fail(got.error());
  Result<std::vector<TestSample>> expected = ReadExpected(test.expected);
  if (!expected) return fail(expected.error());
  const FloatComparison comparison =
      file_.fuzzy_compare ? FloatComparison::kFuzzy : FloatComparison::kExact;
  if (SameSamples(*expected, *got, comparison)) return;
  failures_.push_back({.kind = Failure::Kind::kSamples,
                       .place = test.place,
                       .title = title,
                       .error = {},
                       .expected = Observe(*expected),
                       .got = Observe(*got)});
}

std::string TestRun::Dump(Timestamp end) {
  const Duration span =
      std::max<Duration>(end - test_.start, Duration{0}) + std::chrono::seconds(1);
  const Result<promql::Value> value =
      Query("{__name__=~\".+\"}[" + FormatDuration(span) + "]", end);
  if (!value) return "query failed: " + value.error().message() + "\n";
  std::string out;
  for (const promql::MatrixSeries& series : std::get<promql::Matrix>(*value)) {
    out += series.labels.ToString() + " =>\n";
    for (const Sample& sample : series.samples) {
      out += FormatDouble(sample.value) + " @[" + std::to_string(ToMillis(sample.time)) + "]\n";
    }
    for (const HistogramSample& sample : series.histograms) {
      out += FormatHistogram(*sample.histogram) + " @[" + std::to_string(ToMillis(sample.time)) +
             "]\n";
    }
  }
  return out;
}

}  // namespace skep::ruletest

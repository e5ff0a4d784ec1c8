// Random expressions that run again and again, as rules do: what a query keeps from run to run must
// not show in its answers.
#include <catch2/catch.hpp>
#include <deque>
#include <string>

#include "common/base/clock.h"
#include "evaluator/engine/engine.h"
#include "evaluator/engine/prepared_plan.h"
#include "evaluator/tsdb/head.h"
#include "tests/support/many.h"
#include "tests/support/promql_oracle/append.h"
#include "tests/support/promql_oracle/comparison.h"
#include "tests/support/promql_oracle/oracle.h"
#include "tests/support/promql_oracle/random_data.h"
#include "tests/support/promql_oracle/random_expression.h"

namespace skep::oracle {
namespace {

constexpr int kRules = 20;

// What is known of `data` at `now`.
DataSet Until(const DataSet& data, Timestamp now) {
  DataSet out;
  for (const Series& series : data) {
    Series part{series.labels, {}};
    for (const Sample& sample : series.samples) {
      if (sample.time <= now) part.samples.push_back(sample);
    }
    for (const NativeSample& sample : series.natives) {
      if (sample.time <= now) part.natives.push_back(sample);
    }
    if (!part.empty()) out.push_back(std::move(part));
  }
  return out;
}

struct Rule {
  engine::Query query;
  engine::PreparedPlan plan;
};

class Rounds {
 public:
  explicit Rounds(std::uint64_t seed) : seed_(seed), data_(RandomData(seed)), random_(seed) {
    RandomExpression expressions(random_);
    while (rules_.size() < kRules) {
      auto query = engine::Query::Parse(expressions.Any(static_cast<int>(random_.Between(1, 3))),
                                        promql::ParseOptions::All());
      if (query) rules_.push_back(Rule{*query, engine::PreparedPlan()});
    }
  }

  // New samples, then every rule, several times; series begin and end on the way.
  void Run() {
    Timestamp before = kDataStart - std::chrono::seconds(1);
    for (Timestamp now = kDataStart; now < kDataEnd + std::chrono::minutes(8);
         now += std::chrono::seconds(15 * random_.Between(1, 12))) {
      Append(before, now);
      before = now;
      const DataSet known = Until(data_, now);
      for (Rule& rule : rules_) Compare(rule, known, now);
    }
  }

 private:
  // The samples in (from, to].
  void Append(Timestamp from, Timestamp to) {
    const auto appender = head_.NewAppender();
    REQUIRE(AppendAll(data_, {from + Duration(1), to}, *appender));
    REQUIRE(appender->Commit());
  }

  void Compare(Rule& rule, const DataSet& known, Timestamp now) {
    engine::QueryOptions when = engine::QueryOptions::At(now);
    when.plan = &rule.plan;
    const auto ours = engine_.Run(rule.query, head_, when);
    const auto theirs = At(known, rule.query.expr(), now);
    std::string difference;
    if (ours.has_value() != theirs.has_value()) {
      difference = ours ? "only the oracle fails" : "only the engine fails";
    } else if (ours) {
      difference = Difference(ours->value, *theirs);
    }
    if (difference.empty()) return;
    FAIL_CHECK("seed " << seed_ << ", at " << ToMillis(now) << ": " << rule.query.text() << "\n  "
                       << difference);
  }

  const std::uint64_t seed_;
  const DataSet data_;
  Random random_;
  tsdb::Head head_{tsdb::HeadOptions{}};
  SystemClock clock_;
  engine::Engine engine_{clock_};
  std::deque<Rule> rules_;
};

TEST_CASE("A query that runs again and again agrees with a plain evaluator each time", "[promql]") {
  for (int seed = 1; seed <= test::Many(20); ++seed) Rounds(static_cast<std::uint64_t>(seed)).Run();
}

}  // namespace
}  // namespace skep::oracle

#include "evaluator/cmd/alert_path.h"

#include <catch2/catch.hpp>

namespace skep::evaluator {
namespace {

RelabelRule Rule(RelabelOptions options) {
  Result<RelabelRule> rule = RelabelRule::Create(std::move(options));
  REQUIRE(rule);
  return *rule;
}

TEST_CASE("Alerts leave with external labels, relabelled, or not at all", "[cmd]") {
  const Labels external{{"replica", "a"}, {"site", "x"}};
  RelabelOptions drop_replica;
  drop_replica.action = RelabelAction::kLabelDrop;
  drop_replica.regex = "replica";
  RelabelOptions drop_info;
  drop_info.action = RelabelAction::kDrop;
  drop_info.source_labels = {"severity"};
  drop_info.regex = "info";
  const std::vector<RelabelRule> rules = {Rule(drop_replica), Rule(drop_info)};

  Labels labels{{"alertname", "A"}, {"site", "own"}};
  REQUIRE(PrepareAlertLabels(labels, external, rules));
  CHECK(labels == Labels{{"alertname", "A"}, {"site", "own"}});

  labels = Labels{{"alertname", "A"}};
  REQUIRE(PrepareAlertLabels(labels, external, {}));
  CHECK(labels == Labels{{"alertname", "A"}, {"replica", "a"}, {"site", "x"}});

  labels = Labels{{"alertname", "A"}, {"severity", "info"}};
  CHECK_FALSE(PrepareAlertLabels(labels, external, rules));
}

}  // namespace
}  // namespace skep::evaluator

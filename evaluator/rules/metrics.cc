#include "evaluator/rules/metrics.h"

#include <string_view>

namespace skep::rules {
namespace {

struct Name {
  std::string_view name;
  std::string_view help;
};

constexpr Name kEvaluations = {"skep_evaluator_rule_evaluations_total", "Evaluations of rules."};
constexpr Name kFailures = {"skep_evaluator_rule_evaluation_failures_total",
                            "Evaluations of rules that failed."};
constexpr Name kIterations = {"skep_evaluator_rule_group_iterations_total",
                              "Rounds of rule groups that were due, missed ones included."};
constexpr Name kMissed = {"skep_evaluator_rule_group_iterations_missed_total",
                          "Rounds of rule groups left out because an earlier one took too long."};
constexpr Name kRounds = {"skep_evaluator_rule_group_rounds_total",
                          "Rounds of rule groups, by what caused them."};
constexpr Name kScrapeDelay = {
    "skep_evaluator_rule_on_scrape_delay_seconds",
    "Time from the commit of a scrape to the end of the round that it caused, spacing included."};
constexpr Name kInterval = {"skep_evaluator_rule_group_interval_seconds",
                            "Interval of a rule group."};
constexpr Name kLastDuration = {"skep_evaluator_rule_group_last_duration_seconds",
                                "Duration of the last round of a rule group."};
constexpr Name kLastRuleSum = {
    "skep_evaluator_rule_group_last_rule_duration_sum_seconds",
    "Durations of the rules of the last round of a group together: more than that of the round "
    "where rules ran side by side."};
constexpr Name kLastEvaluation = {"skep_evaluator_rule_group_last_evaluation_timestamp_seconds",
                                  "When the last round of a rule group began."};
constexpr Name kLastRestore = {
    "skep_evaluator_rule_group_last_restore_duration_seconds",
    "Duration of the last restoration of alerts from ALERTS_FOR_STATE in a rule group."};
constexpr Name kRules = {"skep_evaluator_rule_group_rules", "Rules of a group."};
constexpr Name kSamples = {"skep_evaluator_rule_group_last_evaluation_samples",
                           "Samples that the last round of a rule group returned."};

}  // namespace

GroupMetrics::GroupMetrics(instrument::Instruments& instruments, const std::string& rule_group) {
  const auto counter = [&](const Name& n) {
    return instruments.AddCounter(n.name, n.help, {{"rule_group", rule_group}});
  };
  const auto gauge = [&](const Name& n) {
    return instruments.AddGauge(n.name, n.help, {{"rule_group", rule_group}});
  };
  evaluations = counter(kEvaluations);
  failures = counter(kFailures);
  iterations = counter(kIterations);
  iterations_missed = counter(kMissed);
  const auto rounds = [&](RoundCause cause) {
    return instruments.AddCounter(kRounds.name, kRounds.help,
                                  {{"cause", RoundCauseName(cause)}, {"rule_group", rule_group}});
  };
  interval_rounds = rounds(RoundCause::kInterval);
  scrape_rounds = rounds(RoundCause::kScrape);
  interval = gauge(kInterval);
  last_duration = gauge(kLastDuration);
  last_rule_duration_sum = gauge(kLastRuleSum);
  last_evaluation = gauge(kLastEvaluation);
  last_restore_duration = gauge(kLastRestore);
  rules = gauge(kRules);
  samples = gauge(kSamples);
  rule_duration = instruments.AddHistogram("skep_evaluator_rule_evaluation_duration_seconds",
                                           "Duration of the evaluation of one rule.",
                                           instrument::LatencyBounds());
  group_duration = instruments.AddHistogram("skep_evaluator_rule_group_duration_seconds",
                                            "Duration of one round of a rule group.",
                                            instrument::LatencyBounds());
}

void GroupMetrics::Remove(instrument::Instruments& instruments, const std::string& rule_group) {
  for (const Name& name : {kEvaluations, kFailures, kIterations, kMissed}) {
    instruments.RemoveCounter(name.name, {{"rule_group", rule_group}});
  }
  for (const RoundCause cause : {RoundCause::kInterval, RoundCause::kScrape}) {
    instruments.RemoveCounter(kRounds.name,
                              {{"cause", RoundCauseName(cause)}, {"rule_group", rule_group}});
  }
  for (const Name& name :
       {kInterval, kLastDuration, kLastRuleSum, kLastEvaluation, kLastRestore, kRules, kSamples}) {
    instruments.RemoveGauge(name.name, {{"rule_group", rule_group}});
  }
}

instrument::Histogram AddScrapeDelay(instrument::Instruments& instruments) {
  return instruments.AddHistogram(kScrapeDelay.name, kScrapeDelay.help,
                                  {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5});
}

}  // namespace skep::rules

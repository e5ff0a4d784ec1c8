#include "evaluator/rules/group.h"

#include <algorithm>
#include <map>
#include <utility>

#include "evaluator/rules/dependency.h"

namespace skep::rules {
namespace {

// What the round's error is where the store did not take a sample.
Status OutcomeStatus(storage::AppendOutcome outcome, const Labels& labels) {
  switch (outcome) {
    case storage::AppendOutcome::kAccepted:
      return {};
    case storage::AppendOutcome::kDuplicate:
      return Invalid("duplicate sample for timestamp: " + labels.ToString());
    case storage::AppendOutcome::kOutOfOrder:
      return Invalid("out of order sample: " + labels.ToString());
    case storage::AppendOutcome::kTooOld:
      return Invalid("too old sample: " + labels.ToString());
    case storage::AppendOutcome::kLimitExceeded:
      return Unavailable("the store takes no further series: " + labels.ToString());
  }
  return {};
}

std::unique_ptr<Rule> MakeRule(const RuleDefinition& definition, bool restored) {
  if (definition.kind == RuleKind::kRecording) return std::make_unique<RecordingRule>(definition);
  return std::make_unique<AlertingRule>(definition, restored);
}

// By then all targets have been scraped that can be.
constexpr Duration kSettled = std::chrono::minutes(1);

// Labels without the metric name: identity of an alert.
Labels WithoutName(const Labels& labels) {
  LabelsBuilder builder(labels);
  builder.Delete(kMetricName);
  return builder.Build();
}

}  // namespace

RuleGroup::RuleGroup(GroupDefinition definition, const Settings& settings,
                     const Dependencies& dependencies, const ManagerOptions& options, bool restored)
    : definition_(std::move(definition)),
      settings_(settings),
      dependencies_(dependencies),
      options_(options),
      logger_(dependencies.logger),
      levels_(Levels(definition_.rules, options.files.promql)),
      trackers_(definition_.rules.size()),
      restored_(restored) {
  for (const RuleDefinition& rule : definition_.rules) rules_.push_back(MakeRule(rule, restored));
  if (dependencies_.metrics == nullptr) return;
  metrics_ = GroupMetrics(*dependencies_.metrics, key());
  metrics_.interval.Set(ToSeconds(settings_.interval));
  metrics_.rules.Set(static_cast<double>(rules_.size()));
}

void RuleGroup::Evaluate(const Turn& turn, TaskPool& pool, const std::atomic<bool>& cancel) {
  const std::lock_guard lock(round_mutex_);
  if (retired_) return;
  const Timestamp wall_time = dependencies_.clock.Now();
  const auto start = dependencies_.clock.SteadyNow();
  const Round round{turn.time,
                    turn.time - settings_.query_offset,
                    settings_.interval,
                    definition_.limit,
                    settings_.external_labels,
                    settings_.external_url,
                    dependencies_.queries,
                    &cancel,
                    logger_};
  Totals totals;
  if (!first_round_ && prepared_ == nullptr) PrepareQueries();
  const bool whole = RunLevels(round, pool, totals);
  if (prepared_ != nullptr) prepared_->EndRound();
  if (!whole) return;
  WriteStale(round.query_time);
  if (!first_round_ || turn.time < *first_round_) first_round_ = turn.time;
  last_round_ = turn.time;
  const auto took = dependencies_.clock.SteadyNow() - start;
  metrics_.iterations.Increment();
  metrics_.Rounds(turn.cause).Increment();
  metrics_.samples.Set(static_cast<double>(totals.samples.load()));
  metrics_.last_rule_duration_sum.Set(static_cast<double>(totals.duration_ns.load()) / 1e9);
  metrics_.group_duration.Observe(took);
  metrics_.last_duration.Set(std::chrono::duration<double>(took).count());
  metrics_.last_evaluation.Set(ToSeconds(wall_time));
  const std::lock_guard status_lock(status_mutex_);
  evaluation_time_ = took;
  last_evaluation_ = wall_time;
  ++rounds_.Of(turn.cause);
}

// The rules' queries as those of a group, so that equal parts are computed once.
void RuleGroup::PrepareQueries() {
  const auto writes = std::make_shared<const GroupWrites>(definition_.rules, levels_);
  std::vector<GroupQuery> queries;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    queries.push_back(
        {definition_.rules[i].expr, [writes, i](const promql::VectorSelector& selector) {
           return writes->Before(i, selector);
         }});
  }
  prepared_ = dependencies_.queries.PrepareGroup(queries);
  if (prepared_ == nullptr) return;
  for (std::size_t i = 0; i < rules_.size(); ++i) rules_[i]->SetQuery(prepared_->TakeQuery(i));
}

bool RuleGroup::RunLevels(const Round& round, TaskPool& pool, Totals& totals) {
  for (const std::vector<std::size_t>& level : levels_) {
    if (round.cancel->load()) return false;
    pool.Run(level.size(), [&](std::size_t i) { EvaluateRule(level[i], round, totals); });
  }
  return true;
}

void RuleGroup::EvaluateRule(std::size_t index, const Round& round, Totals& totals) {
  Rule& rule = *rules_[index];
  const Timestamp wall_time = dependencies_.clock.Now();
  const auto start = dependencies_.clock.SteadyNow();
  metrics_.evaluations.Increment();
  const Status outcome = EvaluateInto(index, round, totals);
  rule.SetOutcome(outcome);
  const auto took = dependencies_.clock.SteadyNow() - start;
  rule.SetEvaluated(wall_time, took);
  metrics_.rule_duration.Observe(took);
  totals.duration_ns += std::chrono::nanoseconds(took).count();
  if (outcome) return;
  metrics_.failures.Increment();
  // Who cancels knows.
  if (outcome.error().kind() == ErrorKind::kCanceled) return;
  logger_.Warn("evaluating rule failed", {{"file", definition_.file},
                                          {"group", definition_.name},
                                          {"rule", rule.definition().name},
                                          {"index", index},
                                          {"error", outcome.error()}});
}

Status RuleGroup::EvaluateInto(std::size_t index, const Round& round, Totals& totals) {
  Rule& rule = *rules_[index];
  std::vector<OutputSample> out;
  RETURN_IF_ERROR(rule.Evaluate(round, out));
  totals.samples += out.size();
  std::vector<Alert> due = rule.TakeDueAlerts(round, options_.resend_delay);
  if (!due.empty()) dependencies_.alerts.Send(std::move(due));
  return WriteResults(index, round, out);
}

Status RuleGroup::WriteResults(std::size_t index, const Round& round,
                               const std::vector<OutputSample>& out) {
  SeriesTracker& tracker = trackers_[index];
  if (out.empty() && tracker.empty()) return {};
  const std::unique_ptr<storage::Appender> appender = dependencies_.storage.NewAppender();
  Status first;
  for (const OutputSample& sample : out) {
    const storage::AppendOutcome outcome = tracker.Append(
        *appender, *sample.labels,
        {.time = round.query_time, .value = sample.value, .histogram = sample.histogram});
    if (outcome != storage::AppendOutcome::kAccepted && first) {
      first = OutcomeStatus(outcome, *sample.labels);
    }
  }
  tracker.AppendStale(*appender, round.query_time);
  if (Status committed = appender->Commit(); !committed) {
    tracker.Abandon();
    return committed;
  }
  tracker.Commit();
  return first;
}

void RuleGroup::WriteStale(Timestamp time) {
  if (stale_.empty()) return;
  const std::unique_ptr<storage::Appender> appender = dependencies_.storage.NewAppender();
  for (const Labels& labels : stale_) {
    storage::SeriesRef ref = 0;
    // Refused where another rule writes the series now.
    (void)appender->Append(ref, labels, {time, kStaleNaN});
  }
  if (Status committed = appender->Commit(); !committed) {
    logger_.Warn("writing staleness markers failed",
                 {{"group", definition_.name}, {"error", committed.error()}});
    return;
  }
  stale_.clear();
}

bool RuleGroup::NeedsRestore() const {
  // The first round may see too little: not every target was scraped, and rules of other groups had
  // no turn yet. So the second one it is, and where scrapes cause many rounds, a settled one.
  const std::lock_guard lock(round_mutex_);
  return !restored_ && !retired_ && first_round_ &&
         last_round_ - *first_round_ >= std::min(settings_.interval, kSettled);
}

void RuleGroup::Restore(Timestamp now) {
  const std::lock_guard lock(round_mutex_);
  if (retired_) return;
  restored_ = true;
  const auto start = dependencies_.clock.SteadyNow();
  Result<std::unique_ptr<storage::Querier>> querier =
      dependencies_.past.NewQuerier({now - options_.outage_tolerance, now});
  if (!querier) {
    logger_.Error("restoring alerts failed",
                  {{"group", definition_.name}, {"error", querier.error()}});
  }
  for (const std::unique_ptr<Rule>& rule : rules_) {
    auto* alerting = dynamic_cast<AlertingRule*>(rule.get());
    if (alerting == nullptr) continue;
    // A shorter `for` than the grace period had better run anew.
    const bool wanted = alerting->definition().hold >= options_.grace_period;
    if (querier && wanted && alerting->HasAlerts()) RestoreRule(*alerting, **querier, now);
    alerting->SetRestored();
  }
  const auto took = dependencies_.clock.SteadyNow() - start;
  metrics_.last_restore_duration.Set(std::chrono::duration<double>(took).count());
}

void RuleGroup::CountMissed(std::int64_t missed) {
  const std::lock_guard lock(round_mutex_);
  if (retired_) return;
  metrics_.iterations.Increment(static_cast<double>(missed));
  metrics_.iterations_missed.Increment(static_cast<double>(missed));
}

void RuleGroup::RestoreRule(AlertingRule& rule, storage::Querier& querier, Timestamp now) const {
  const RuleDefinition& definition = rule.definition();
  std::vector<Matcher> matchers = {Matcher::Equal(kMetricName, "ALERTS_FOR_STATE"),
                                   Matcher::Equal("alertname", definition.name)};
  const auto failed = [&](const Error& error) {
    logger_.Error("restoring alerts failed",
                  {{"group", definition_.name}, {"alert", definition.name}, {"error", error}});
  };
  Result<std::unique_ptr<storage::SeriesSet>> set =
      querier.Select(matchers, {now - options_.outage_tolerance, now});
  if (!set) return failed(set.error());
  std::map<Labels, Sample> last;
  storage::SampleColumns columns;
  while ((*set)->Next()) {
    columns.clear();
    if (Status read = (*set)->ReadSamples(columns); !read) return failed(read.error());
    if (columns.size() == 0 || IsStaleNaN(columns.values.back())) continue;
    last[WithoutName((*set)->labels())] = {columns.times.back(), columns.values.back()};
  }
  rule.ChangeStarts([&](const Labels& labels, Timestamp& active_at) {
    const auto found = last.find(labels);
    if (found == last.end()) return;
    const Timestamp down_at = found->second.time;
    const Timestamp start = FromMillis(static_cast<std::int64_t>(found->second.value) * 1000);
    const Duration left = definition.hold - (down_at - start);
    if (left <= Duration::zero()) {
      active_at = start;  // it fired before, and does so again at the next round
    } else if (left < options_.grace_period) {
      active_at = now + options_.grace_period - definition.hold;
    } else {
      active_at = start + (now - down_at);  // what it has waited counts, the outage does not
    }
  });
}

void RuleGroup::Retire() {
  const std::lock_guard lock(round_mutex_);
  retired_ = true;
}

void RuleGroup::TakeStateFrom(RuleGroup& old) {
  const std::scoped_lock lock(round_mutex_, old.round_mutex_);
  // Of several with the same name and labels, the first goes with the first.
  std::multimap<std::pair<std::string, Labels>, std::size_t> by_identity;
  for (std::size_t i = 0; i < old.rules_.size(); ++i) {
    const RuleDefinition& rule = old.rules_[i]->definition();
    by_identity.emplace(std::pair(rule.name, rule.labels), i);
  }
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const RuleDefinition& rule = rules_[i]->definition();
    const auto found = by_identity.lower_bound({rule.name, rule.labels});
    if (found == by_identity.end() || found->first != std::pair(rule.name, rule.labels)) continue;
    rules_[i]->CopyStateFrom(*old.rules_[found->second]);
    trackers_[i] = std::move(old.trackers_[found->second]);
    by_identity.erase(found);
  }
  stale_ = std::move(old.stale_);
  for (const auto& [identity, index] : by_identity) {
    for (Labels& labels : old.trackers_[index].TakeAll()) stale_.push_back(std::move(labels));
  }
  const std::scoped_lock status_lock(status_mutex_, old.status_mutex_);
  evaluation_time_ = old.evaluation_time_;
  last_evaluation_ = old.last_evaluation_;
  rounds_ = old.rounds_;
}

std::vector<Labels> RuleGroup::TakeSeries() {
  const std::lock_guard lock(round_mutex_);
  std::vector<Labels> all = std::move(stale_);
  stale_.clear();
  for (SeriesTracker& tracker : trackers_) {
    for (Labels& labels : tracker.TakeAll()) all.push_back(std::move(labels));
  }
  return all;
}

GroupStatus RuleGroup::GetStatus() const {
  GroupStatus status;
  status.name = definition_.name;
  status.file = definition_.file;
  status.interval = settings_.interval;
  status.query_offset = settings_.query_offset;
  status.limit = definition_.limit;
  for (const std::unique_ptr<Rule>& rule : rules_) status.rules.push_back(rule->GetStatus());
  const std::lock_guard lock(status_mutex_);
  status.evaluation_time = evaluation_time_;
  status.last_evaluation = last_evaluation_;
  status.rounds = rounds_;
  return status;
}

}  // namespace skep::rules

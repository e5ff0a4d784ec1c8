// One rule in force: what it computes at a round, and its status. Groups drive them.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/log.h"
#include "common/base/result.h"
#include "common/model/histogram.h"
#include "common/model/labels.h"
#include "evaluator/promql/value.h"
#include "evaluator/rules/alert_table.h"
#include "evaluator/rules/interfaces.h"
#include "evaluator/rules/rule_file.h"
#include "evaluator/rules/status.h"
#include "evaluator/template/alert_template.h"

namespace skep::rules {

// What the rules of one round share. Borrowed for the length of the round.
struct Round {
  Timestamp time;        // the slot: of alerts and their states
  Timestamp query_time;  // earlier by the query offset: of queries and of the series written
  Duration interval{0};
  int limit = 0;
  const Labels& external_labels;
  const std::string& external_url;
  QueryRunner& queries;
  const std::atomic<bool>* cancel;
  const Logger& logger;
};

// One series that a rule wants written at `Round::query_time`. `labels` lives until the rule's next
// round.
struct OutputSample {
  const Labels* labels;
  double value;                      // where `histogram` is null
  HistogramPtr histogram = nullptr;  // null: a float
};

// Round by one thread at a time; status from any.
class Rule {
 public:
  explicit Rule(RuleDefinition definition) : definition_(std::move(definition)) {}
  virtual ~Rule() = default;

  const RuleDefinition& definition() const { return definition_; }

  // What RunQuery runs; null: the rule prepares it itself. Requires: no round was.
  void SetQuery(std::unique_ptr<PreparedQuery> query) { query_ = std::move(query); }

  // Appends to `out`. On error nothing of it counts.
  virtual Status Evaluate(const Round& round, std::vector<OutputSample>& out) = 0;
  // Alerts that are due after a round without error.
  virtual std::vector<Alert> TakeDueAlerts(const Round&, Duration /*resend_delay*/) { return {}; }

  // Takes over the alerts of `old`, a rule of the same name and labels. Health is unknown until the
  // next round, as in Prometheus: the expression may be another one.
  virtual void CopyStateFrom(const Rule& /*old*/) {}

  void SetOutcome(const Status& outcome);
  void SetEvaluated(Timestamp wall_time, std::chrono::nanoseconds took);
  virtual RuleStatus GetStatus() const;

 protected:
  // The instant vector of the rule's expression.
  Result<promql::InstantVector> RunQuery(const Round& round);

  const RuleDefinition definition_;
  mutable std::mutex mutex_;

 private:
  std::unique_ptr<PreparedQuery> query_;  // null: made at the first round
  // Guarded by mutex_:
  Health health_ = Health::kUnknown;
  std::string last_error_;
  std::chrono::nanoseconds evaluation_time_{0};
  std::optional<Timestamp> last_evaluation_;
};

class RecordingRule final : public Rule {
 public:
  using Rule::Rule;
  Status Evaluate(const Round& round, std::vector<OutputSample>& out) override;

 private:
  // Labels of the result at that place and what the rule makes of them. Results mostly come in the
  // same order: then nothing is built and nothing compared but these.
  struct Renamed {
    Labels from, to;
  };

  // True where anything differs from the last round.
  bool Rename(const promql::InstantVector& vector);
  // No two series are the same, and none is too long.
  Status CheckRenamed() const;

  std::vector<Renamed> renamed_;
};

class AlertingRule final : public Rule {
 public:
  // Templates have been checked; one that does not parse stands as its own text.
  AlertingRule(RuleDefinition definition, bool restored);

  Status Evaluate(const Round& round, std::vector<OutputSample>& out) override;
  std::vector<Alert> TakeDueAlerts(const Round& round, Duration resend_delay) override;
  void CopyStateFrom(const Rule& old) override;
  RuleStatus GetStatus() const override;

  // Until then no ALERTS and ALERTS_FOR_STATE are written, lest they hide those of before.
  bool restored() const { return restored_.load(); }
  void SetRestored() { restored_.store(true); }
  // Whether a template of the rule queries on its own.
  bool templates_query() const;

  // For each alert, `change(labels, active_at)` may set another start.
  template <typename F>
  void ChangeStarts(F change) {
    const std::lock_guard lock(mutex_);
    for (auto& [labels, entry] : alerts_.entries()) change(labels, entry.active_at);
  }
  bool HasAlerts() const;

 private:
  struct NamedTemplate {
    std::string name;
    templates::AlertTemplate text;
  };

  static std::vector<NamedTemplate> ParseAll(const std::string& alert, const Labels& texts);
  SeenAlert Expand(const promql::VectorSample& sample, const Round& round,
                   const templates::PrometheusContext& context) const;
  Labels Annotate(const templates::Value& data, const templates::PrometheusContext& context,
                  const Round& round) const;
  std::string ExpandOne(const NamedTemplate& text, const templates::Value& data,
                        const templates::PrometheusContext& context, const Round& round) const;
  // ALERTS and ALERTS_FOR_STATE of all alerts. Requires: mutex_ is held.
  void WriteSeries(std::vector<OutputSample>& out);

  std::vector<NamedTemplate> labels_, annotations_;
  std::atomic<bool> restored_;
  AlertTable alerts_;  // guarded by mutex_
  // Labels that OutputSamples of the last round point into.
  std::vector<std::pair<Labels, Labels>> series_;
};

}  // namespace skep::rules

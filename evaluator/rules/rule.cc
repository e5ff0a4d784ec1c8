#include "evaluator/rules/rule.h"

#include <unordered_set>
#include <variant>

namespace skep::rules {
namespace {

constexpr std::string_view kAlertName = "alertname";
constexpr std::string_view kAlertState = "alertstate";

Result<promql::InstantVector> AsVector(promql::Value value) {
  if (auto* vector = std::get_if<promql::InstantVector>(&value)) return std::move(*vector);
  if (const auto* scalar = std::get_if<promql::Scalar>(&value)) {
    return promql::InstantVector{{Labels(), {scalar->time, scalar->value}}};
  }
  return Invalid("rule result is not a vector or scalar");
}

// A series name of that size would be carried through memory, disk and every answer for good.
Status CheckSize(const Labels& labels) {
  if (labels.size_bytes() <= kMaxLabelSetBytes) return {};
  return Invalid("label set of " + std::to_string(labels.size_bytes()) + " bytes, the limit is " +
                 std::to_string(kMaxLabelSetBytes));
}

// As templates see it.
templates::Value ValueOf(const promql::VectorSample& sample) {
  if (sample.histogram == nullptr) return templates::Value(sample.sample.value);
  return templates::Value(FormatHistogram(*sample.histogram));
}

}  // namespace

void Rule::SetOutcome(const Status& outcome) {
  const std::lock_guard lock(mutex_);
  health_ = outcome ? Health::kOk : Health::kError;
  last_error_ = outcome ? "" : outcome.error().message();
}

void Rule::SetEvaluated(Timestamp wall_time, std::chrono::nanoseconds took) {
  const std::lock_guard lock(mutex_);
  last_evaluation_ = wall_time;
  evaluation_time_ = took;
}

RuleStatus Rule::GetStatus() const {
  const std::lock_guard lock(mutex_);
  RuleStatus status;
  status.definition = definition_;
  status.health = health_;
  status.last_error = last_error_;
  status.evaluation_time = evaluation_time_;
  status.last_evaluation = last_evaluation_;
  return status;
}

Result<promql::InstantVector> Rule::RunQuery(const Round& round) {
  if (!query_) {
    Result<std::unique_ptr<PreparedQuery>> prepared = round.queries.Prepare(definition_.expr);
    if (!prepared) return prepared.error();
    query_ = std::move(*prepared);
  }
  Result<promql::Value> value = query_->Run(round.query_time, round.cancel);
  if (!value) return value.error();
  return AsVector(std::move(*value));
}

bool RecordingRule::Rename(const promql::InstantVector& vector) {
  bool changed = vector.size() != renamed_.size();
  renamed_.resize(vector.size());
  for (std::size_t i = 0; i < vector.size(); ++i) {
    Renamed& renamed = renamed_[i];
    if (!renamed.to.empty() && renamed.from == vector[i].labels) continue;
    changed = true;
    LabelsBuilder builder(vector[i].labels);
    builder.Set(kMetricName, definition_.name);
    for (const LabelView label : definition_.labels) builder.Set(label.name, label.value);
    renamed = {vector[i].labels, builder.Build()};
  }
  return changed;
}

Status RecordingRule::CheckRenamed() const {
  std::unordered_set<Labels> seen;
  seen.reserve(renamed_.size());
  for (const Renamed& renamed : renamed_) {
    RETURN_IF_ERROR(CheckSize(renamed.to));
    if (seen.insert(renamed.to).second) continue;
    return Invalid("vector contains metrics with the same labelset after applying rule labels");
  }
  return {};
}

Status RecordingRule::Evaluate(const Round& round, std::vector<OutputSample>& out) {
  Result<promql::InstantVector> vector = RunQuery(round);
  if (!vector) return vector.error();
  if (Rename(*vector)) {
    if (Status good = CheckRenamed(); !good) {
      renamed_.clear();  // so that the next round looks again
      return good;
    }
  }
  if (round.limit > 0 && vector->size() > static_cast<std::size_t>(round.limit)) {
    return Invalid("exceeded limit of " + std::to_string(round.limit) + " with " +
                   std::to_string(vector->size()) + " series");
  }
  for (std::size_t i = 0; i < vector->size(); ++i) {
    promql::VectorSample& sample = (*vector)[i];
    out.push_back({&renamed_[i].to, sample.sample.value, std::move(sample.histogram)});
  }
  return {};
}

AlertingRule::AlertingRule(RuleDefinition definition, bool restored)
    : Rule(std::move(definition)),
      labels_(ParseAll(definition_.name, definition_.labels)),
      annotations_(ParseAll(definition_.name, definition_.annotations)),
      restored_(restored) {}

std::vector<AlertingRule::NamedTemplate> AlertingRule::ParseAll(const std::string& alert,
                                                                const Labels& texts) {
  std::vector<NamedTemplate> all;
  for (const LabelView text : texts) {
    Result<templates::AlertTemplate> parsed = templates::AlertTemplate::Parse(alert, text.value);
    // Reading the file refused those that do not parse.
    if (parsed) all.push_back({std::string(text.name), std::move(*parsed)});
  }
  return all;
}

bool AlertingRule::templates_query() const {
  for (const auto* texts : {&labels_, &annotations_}) {
    for (const NamedTemplate& text : *texts) {
      if (text.text.queries()) return true;
    }
  }
  return false;
}

std::string AlertingRule::ExpandOne(const NamedTemplate& text, const templates::Value& data,
                                    const templates::PrometheusContext& context,
                                    const Round& round) const {
  std::string error;
  std::string expanded = text.text.Expand(data, context, &error);
  if (!error.empty()) {
    round.logger.Warn("expanding alert template failed",
                      {{"alert", definition_.name}, {"name", text.name}, {"error", error}});
  }
  return expanded;
}

SeenAlert AlertingRule::Expand(const promql::VectorSample& sample, const Round& round,
                               const templates::PrometheusContext& context) const {
  const templates::Value data = templates::AlertData(sample.labels, round.external_labels,
                                                     round.external_url, ValueOf(sample));
  LabelsBuilder builder(sample.labels);
  builder.Delete(kMetricName);
  for (const NamedTemplate& label : labels_) {
    builder.Set(label.name, ExpandOne(label, data, context, round));
  }
  builder.Set(kAlertName, definition_.name);
  return {builder.Build(), Annotate(data, context, round), sample.sample.value};
}

Labels AlertingRule::Annotate(const templates::Value& data,
                              const templates::PrometheusContext& context,
                              const Round& round) const {
  std::vector<std::string> texts;
  texts.reserve(annotations_.size());  // views into it stay good
  std::vector<LabelView> pairs;
  for (const NamedTemplate& annotation : annotations_) {
    texts.push_back(ExpandOne(annotation, data, context, round));
    pairs.push_back({annotation.name, texts.back()});
  }
  return Labels::WithEmptyValues(pairs);
}

Status AlertingRule::Evaluate(const Round& round, std::vector<OutputSample>& out) {
  Result<promql::InstantVector> vector = RunQuery(round);
  if (!vector) return vector.error();
  templates::PrometheusContext context;
  context.time = round.time;
  context.external_url = round.external_url;
  context.query = [&](const std::string& expr) -> Result<std::vector<templates::QuerySample>> {
    Result<std::unique_ptr<PreparedQuery>> prepared = round.queries.Prepare(expr);
    if (!prepared) return prepared.error();
    Result<promql::Value> value = (*prepared)->Run(round.time, round.cancel);
    if (!value) return value.error();
    Result<promql::InstantVector> answer = AsVector(std::move(*value));
    if (!answer) return answer.error();
    std::vector<templates::QuerySample> samples;
    for (promql::VectorSample& sample : *answer) {
      samples.push_back({std::move(sample.labels), ValueOf(sample)});
    }
    return samples;
  };
  std::vector<SeenAlert> seen;
  seen.reserve(vector->size());
  for (const promql::VectorSample& sample : *vector) {
    seen.push_back(Expand(sample, round, context));
    RETURN_IF_ERROR(CheckSize(seen.back().labels));
  }
  const std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(alerts_.Update(std::move(seen), round.time,
                                 {definition_.hold, definition_.keep_firing, round.limit}));
  if (restored()) WriteSeries(out);
  return {};
}

void AlertingRule::WriteSeries(std::vector<OutputSample>& out) {
  series_.clear();
  std::vector<double> starts;
  for (const auto& [labels, entry] : alerts_.entries()) {
    if (entry.state == AlertState::kInactive) continue;
    // The rule's labels stand beneath those of the alert, templates as they are written: so does
    // Prometheus, and it shows where a template expands to nothing.
    LabelsBuilder builder(definition_.labels);
    for (const LabelView label : labels) builder.Set(label.name, label.value);
    builder.Set(kMetricName, "ALERTS_FOR_STATE");
    builder.Set(kAlertName, definition_.name);
    Labels for_state = builder.Build();
    builder.Set(kMetricName, "ALERTS");
    builder.Set(kAlertState, AlertStateName(entry.state));
    series_.emplace_back(builder.Build(), std::move(for_state));
    starts.push_back(static_cast<double>(
        std::chrono::floor<std::chrono::seconds>(entry.active_at).time_since_epoch().count()));
  }
  for (std::size_t i = 0; i < series_.size(); ++i) {
    out.push_back({&series_[i].first, 1});
    out.push_back({&series_[i].second, starts[i]});
  }
}

std::vector<Alert> AlertingRule::TakeDueAlerts(const Round& round, Duration resend_delay) {
  const std::string url = round.external_url + templates::TableLink(definition_.query);
  const std::lock_guard lock(mutex_);
  return alerts_.TakeDue(round.time, resend_delay, round.interval, url);
}

void AlertingRule::CopyStateFrom(const Rule& old) {
  const auto* other = dynamic_cast<const AlertingRule*>(&old);
  if (other == nullptr) return;
  AlertTable alerts;
  {
    const std::lock_guard lock(other->mutex_);
    alerts = other->alerts_;
  }
  const std::lock_guard lock(mutex_);
  alerts_ = std::move(alerts);
}

bool AlertingRule::HasAlerts() const {
  const std::lock_guard lock(mutex_);
  return !alerts_.entries().empty();
}

RuleStatus AlertingRule::GetStatus() const {
  RuleStatus status = Rule::GetStatus();
  const std::lock_guard lock(mutex_);
  status.state = alerts_.state();
  status.alerts = alerts_.Active();
  return status;
}

}  // namespace skep::rules

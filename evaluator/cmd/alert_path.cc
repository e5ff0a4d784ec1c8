#include "evaluator/cmd/alert_path.h"

namespace skep::evaluator {

bool PrepareAlertLabels(Labels& labels, const Labels& external_labels,
                        const std::vector<RelabelRule>& rules) {
  LabelsBuilder builder(labels);
  for (const LabelView label : external_labels) {
    if (builder.Get(label.name).empty()) builder.Set(label.name, label.value);
  }
  if (!Relabel(rules, builder)) return false;
  labels = builder.Build();
  return true;
}

void AlertPath::Configure(Labels external_labels, std::vector<RelabelRule> rules) {
  auto next = std::make_shared<Options>(Options{std::move(external_labels), std::move(rules)});
  const std::lock_guard lock(mutex_);
  options_ = std::move(next);
}

void AlertPath::Send(std::vector<Alert> alerts) {
  std::shared_ptr<const Options> options;
  {
    const std::lock_guard lock(mutex_);
    options = options_;
  }
  std::erase_if(alerts, [&](Alert& alert) {
    return !PrepareAlertLabels(alert.labels, options->external_labels, options->rules);
  });
  if (alerts.empty()) return;
  alertmanagers_.Send(alerts);
  notifier_.Send(std::move(alerts));
}

}  // namespace skep::evaluator

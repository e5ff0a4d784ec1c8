// The way of an alert from the rules to those who tell of it.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "common/model/labels.h"
#include "common/model/relabel.h"
#include "evaluator/notifier/notifier.h"
#include "evaluator/receivers/alertmanager.h"
#include "evaluator/rules/interfaces.h"

namespace skep::evaluator {

// Adds the external labels where an alert has none of that name, applies
// `alerting: alert_relabel_configs`, then hands each alert to the Alertmanagers and to our own
// notifier. Thread-safe; both outlive it.
class AlertPath final : public rules::AlertSink {
 public:
  AlertPath(receivers::AlertmanagerSender& alertmanagers, notifier::Notifier& notifier)
      : alertmanagers_(alertmanagers), notifier_(notifier) {}

  void Configure(Labels external_labels, std::vector<RelabelRule> rules);

  void Send(std::vector<Alert> alerts) override;

 private:
  struct Options {
    Labels external_labels;
    std::vector<RelabelRule> rules;
  };

  receivers::AlertmanagerSender& alertmanagers_;
  notifier::Notifier& notifier_;
  std::mutex mutex_;
  std::shared_ptr<const Options> options_ = std::make_shared<Options>();  // guarded by mutex_
};

// The labels that leave for `labels`, or false where `rules` drop the alert.
bool PrepareAlertLabels(Labels& labels, const Labels& external_labels,
                        const std::vector<RelabelRule>& rules);

}  // namespace skep::evaluator

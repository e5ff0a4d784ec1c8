// One message to one receiver about one group of alerts.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/alert.h"
#include "common/model/labels.h"

namespace skep::notifier {

// Why a notification is due (Alertmanager's dedup stage).
enum class NotifyReason : std::uint8_t {
  kNothing,       // it is not
  kFirst,         // the receiver knows nothing of the group
  kNewAlerts,     // an alert fires that the receiver was not told of
  kAllResolved,   // nothing fires any more
  kSomeResolved,  // an alert resolved, others fire on
  kRepeat,        // nothing changed, but repeat_interval has passed
};

struct NotifiedAlert {
  Alert alert;  // ends_at says something only when resolved
  bool resolved = false;
};

struct Notification {
  // The same in every try, and the same from two evaluators that see the same.
  std::string delivery_id;
  std::string receiver;   // its name in the configuration
  std::string group_key;  // `{}:{alertname="Down"}`
  Labels group_labels;
  std::vector<NotifiedAlert> alerts;  // in Alertmanager's order; never empty
  std::string external_url;
  NotifyReason reason = NotifyReason::kNothing;
};

// `{a="b", c="d"}`, sorted by name: how group keys print label sets.
std::string LabelSetText(const Labels& labels);

// SHA-256 of the group key in hexadecimal: the identity of the incident at receivers that keep one
// (dedup_key, alias).
std::string GroupKeyHash(std::string_view group_key);

// Alertmanager's order: by label job, by label instance (absent last), fewer labels first, then
// label by label.
bool ComesBefore(const Labels& a, const Labels& b);

// The pairs that all have in common. `alerts` may be empty.
Labels CommonLabels(std::span<const NotifiedAlert> alerts);
Labels CommonAnnotations(std::span<const NotifiedAlert> alerts);

// 32 hexadecimal digits made of the group key, the integration, the alerts (label sets, starts,
// states) and, for a repeat, the number of the repeat interval that `now` falls into. So a try that
// is made again after a restart, or by a second evaluator, carries the same id; a repeat does not.
std::string DeliveryId(const Notification& notification, std::string_view integration,
                       Timestamp now, Duration repeat_interval);

}  // namespace skep::notifier

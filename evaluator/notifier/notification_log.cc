#include "evaluator/notifier/notification_log.h"

#include <algorithm>

namespace skep::notifier {
namespace {

bool Contains(const AlertSet& all, const AlertSet& some) {
  return std::includes(all.begin(), all.end(), some.begin(), some.end());
}

}  // namespace

NotifyReason Judge(const LogEntry* entry, const GroupAlerts& alerts, bool send_resolved,
                   Timestamp now, Duration repeat_interval) {
  if (entry == nullptr) {
    return alerts.firing.empty() ? NotifyReason::kNothing : NotifyReason::kFirst;
  }
  if (!Contains(entry->firing, alerts.firing)) return NotifyReason::kNewAlerts;
  if (alerts.firing.empty()) {
    return entry->firing.empty() ? NotifyReason::kNothing : NotifyReason::kAllResolved;
  }
  if (send_resolved && !Contains(entry->resolved, alerts.resolved)) {
    return NotifyReason::kSomeResolved;
  }
  return entry->time < now - repeat_interval ? NotifyReason::kRepeat : NotifyReason::kNothing;
}

}  // namespace skep::notifier

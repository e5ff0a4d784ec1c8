// What a receiver was last told about a group, and whether it has to be told something now.
#pragma once

#include <cstdint>
#include <vector>

#include "common/base/time.h"
#include "evaluator/notifier/notification.h"

namespace skep::notifier {

// Sorted fingerprints of alerts.
using AlertSet = std::vector<std::uint64_t>;

struct LogEntry {
  AlertSet firing;
  AlertSet resolved;
  Timestamp time;     // when the receiver accepted it
  Timestamp expires;  // forgotten then: nothing was told for two repeat intervals
};

struct GroupAlerts {
  AlertSet firing;
  AlertSet resolved;
};

// Alertmanager's rule, condition by condition. `entry` is null where nothing was told.
//   nothing told before   told if something fires
//   a new one fires       told
//   nothing fires         told if something fired at the last telling, whatever send_resolved says
//   a new one resolved    told if send_resolved
//   else                  told if the last telling is more than repeat_interval ago
NotifyReason Judge(const LogEntry* entry, const GroupAlerts& alerts, bool send_resolved,
                   Timestamp now, Duration repeat_interval);

}  // namespace skep::notifier

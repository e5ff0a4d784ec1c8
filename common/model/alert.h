// What rules hand to those who deliver: the only thing that the two sides share.
#pragma once

#include <optional>
#include <string>

#include "common/base/time.h"
#include "common/model/labels.h"

namespace skep {

// A firing or just resolved alert, as the Alertmanager API has it.
struct Alert {
  Labels labels;       // `alertname` included; identity of the alert
  Labels annotations;  // expanded
  Timestamp starts_at;
  // Firing: when it counts as resolved unless it is sent again. Resolved: when it ended.
  Timestamp ends_at;
  std::string generator_url;

  bool ResolvedAt(Timestamp now) const { return ends_at <= now; }
};

}  // namespace skep

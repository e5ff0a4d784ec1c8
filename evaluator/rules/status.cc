#include "evaluator/rules/status.h"

namespace skep::rules {

std::string_view AlertStateName(AlertState state) {
  switch (state) {
    case AlertState::kInactive:
      return "inactive";
    case AlertState::kPending:
      return "pending";
    case AlertState::kFiring:
      return "firing";
  }
  return "";
}

std::string_view HealthName(Health health) {
  switch (health) {
    case Health::kUnknown:
      return "unknown";
    case Health::kOk:
      return "ok";
    case Health::kError:
      return "err";
  }
  return "";
}

}  // namespace skep::rules

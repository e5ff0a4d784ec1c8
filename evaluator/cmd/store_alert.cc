#include "evaluator/cmd/store_alert.h"

#include <chrono>
#include <utility>
#include <vector>

namespace skep::evaluator {
namespace {

using std::chrono::minutes;

constexpr const char* kName = "SkepStoreCannotWrite";
// A disk that is nearly full takes one batch and refuses the next.
constexpr minutes kCalm{1};
constexpr minutes kResend{1};
// As Prometheus does it: four times until the next one.
constexpr minutes kValid{4};
constexpr minutes kTellResolved{15};

}  // namespace

void StoreAlert::Look(const std::string& problem, Timestamp now) {
  if (!problem.empty()) {
    if (!started_at_ || resolved_at_) {
      started_at_ = now;
      resolved_at_.reset();
      next_send_ = now;
    }
    problem_ = problem;
    last_seen_ = now;
  } else if (started_at_ && !resolved_at_ && now - last_seen_ >= kCalm) {
    resolved_at_ = now;
    next_send_ = now;
  }
  if (!started_at_ || now < next_send_) return;
  if (resolved_at_ && now - *resolved_at_ > kTellResolved) {
    started_at_.reset();
    resolved_at_.reset();
    return;
  }
  Send(now);
  next_send_ = now + kResend;
}

void StoreAlert::Send(Timestamp now) const {
  Alert alert;
  alert.labels = Labels{{"alertname", kName}, {"severity", "critical"}};
  alert.annotations = Labels{{"summary", "The evaluator's store cannot write"},
                             {"description", "Samples are not kept: " + problem_},
                             {"runbook_url", external_url_ + "/runbooks#" + kName}};
  alert.starts_at = *started_at_;
  alert.ends_at = resolved_at_.value_or(now + kValid);
  alert.generator_url = external_url_;
  alerts_.Send({std::move(alert)});
}

}  // namespace skep::evaluator

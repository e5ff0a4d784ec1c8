// Where notifications go, as the notifier sees it. Each kind of receiver stands in
// evaluator/receivers.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "evaluator/notifier/notification.h"

namespace skep::notifier {

// What became of one try.
enum class DeliveryVerdict : std::uint8_t {
  kAccepted,
  kRetry,    // the network, a 5xx, 429: the same bytes may be taken later
  kRefused,  // the receiver will never take these bytes
};

// Why a try failed, with the names that Alertmanager gives its label `reason`.
enum class FailureReason : std::uint8_t {
  kOther,
  kClientError,
  kServerError,
  kContextCanceled,
  kContextDeadlineExceeded,
  kAuthError,
  kRateLimited,
};
inline constexpr int kFailureReasons = 7;
// "other", "clientError", ...
std::string_view FailureReasonName(FailureReason reason);

struct DeliveryResult {
  DeliveryVerdict verdict = DeliveryVerdict::kAccepted;
  FailureReason reason = FailureReason::kOther;          // of a failure
  std::string message;                                   // of a failure; holds no secret
  std::optional<std::chrono::milliseconds> retry_after;  // the receiver asked for this pause
};

// Thread-safe: several notifications are delivered at once.
class Receiver {
 public:
  virtual ~Receiver() = default;

  // One try, which ends within `timeout`. The delivery id of `notification` goes along, so that a
  // receiver can tell a repeated try from a new notification.
  virtual DeliveryResult Deliver(const Notification& notification,
                                 std::chrono::milliseconds timeout) = 0;

  // Ends tries that are under way, and all later ones, with kContextCanceled.
  virtual void Cancel() = 0;
};

}  // namespace skep::notifier

// The file that `notifications:` names, in the form of alertmanager.yml.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "evaluator/notifier/route.h"
#include "evaluator/receivers/webhook.h"

namespace skep::config {

struct ReceiverOptions {
  std::string name;
  std::vector<receivers::WebhookOptions> webhooks;
};

struct NotificationOptions {
  notifier::Route route;
  std::vector<ReceiverOptions> receivers;
  // All that was written, as one text: equal text, nothing changed.
  std::string fingerprint;

  // The one that the route names; it exists.
  const ReceiverOptions& Default() const;
};

// Strict. What Alertmanager refuses is refused, and so, with words that say so, is what we do not
// support yet: sub-routes, inhibition, time intervals, templates, receivers other than webhooks.
// `file` is the path, for messages; relative file names begin at its folder.
Result<NotificationOptions> ParseNotifications(std::string_view text, const std::string& file);

}  // namespace skep::config

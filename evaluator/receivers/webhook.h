// The webhook receiver: Alertmanager's payload version 4 by POST.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/net/http_client.h"
#include "common/yaml/node.h"
#include "evaluator/notifier/receiver.h"

namespace skep::receivers {

struct WebhookOptions {
  std::string url;       // either this
  std::string url_file;  // or this: read anew at every try; its content is trimmed
  bool send_resolved = true;
  std::uint64_t max_alerts = 0;  // 0: all
  Duration timeout{0};           // of one try; 0: only what the notifier allows
  net::HttpClientOptions http;
};

// One item of `webhook_configs:`. `folder` is where relative file names begin; `http` what
// `global: http_config:` says.
Result<WebhookOptions> ParseWebhook(const yaml::Node& node, const std::string& folder,
                                    const net::HttpClientOptions& http);

// The payload, byte for byte as Alertmanager 0.25 writes it (newline at the end included). With
// `max_alerts` above 0 further alerts are only counted. Alertmanager 0.34's routeLabels and
// notification_reason are left out: receivers that check fields strictly know the old ones.
std::string WebhookPayload(const notifier::Notification& notification, std::uint64_t max_alerts);

// Fingerprint(labels) as 16 hexadecimal digits.
std::string FingerprintText(const Labels& labels);

Result<std::unique_ptr<notifier::Receiver>> MakeWebhook(WebhookOptions options, const Clock& clock);

// What a status code means to the retry logic: 2xx accepted; 5xx and 429 again; others refused.
// `retry_after` is the header's value: seconds, or an HTTP date relative to `now`.
notifier::DeliveryResult JudgeStatus(int status, std::string_view retry_after, Timestamp now);

}  // namespace skep::receivers

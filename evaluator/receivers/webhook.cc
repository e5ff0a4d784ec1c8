#include "evaluator/receivers/webhook.h"

#include <algorithm>
#include <ctime>

#include "common/base/file.h"
#include "common/base/number.h"
#include "common/net/client_config.h"
#include "evaluator/receivers/http_url.h"

namespace skep::receivers {
namespace {

using notifier::DeliveryResult;
using notifier::DeliveryVerdict;
using notifier::FailureReason;
using std::chrono::milliseconds;

constexpr std::size_t kMaxAnswerBytes = 8UL << 20;
constexpr std::size_t kShownAnswerBytes = 200;
constexpr milliseconds kLongestRetryAfter = std::chrono::hours(1);

std::optional<milliseconds> ParseRetryAfter(std::string_view text, Timestamp now) {
  if (text.empty()) return std::nullopt;
  milliseconds pause{0};
  if (const auto seconds = ParseUint(text)) {
    pause = std::chrono::seconds(std::min<std::uint64_t>(*seconds, 3600));
  } else {
    std::tm date{};
    if (strptime(std::string(text).c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date) == nullptr) {
      return std::nullopt;
    }
    pause = Timestamp(std::chrono::seconds(timegm(&date))) - now;
  }
  return std::clamp(pause, milliseconds(0), kLongestRetryAfter);
}

DeliveryResult JudgeError(const Error& error) {
  DeliveryResult result{DeliveryVerdict::kRetry, FailureReason::kOther, error.message(), {}};
  if (error.kind() == ErrorKind::kTimeout) result.reason = FailureReason::kContextDeadlineExceeded;
  if (error.kind() == ErrorKind::kCanceled) result.reason = FailureReason::kContextCanceled;
  return result;
}

class Webhook final : public notifier::Receiver {
 public:
  Webhook(WebhookOptions options, std::unique_ptr<net::HttpClient> client, const Clock& clock)
      : options_(std::move(options)), client_(std::move(client)), clock_(clock) {}

  DeliveryResult Deliver(const notifier::Notification& notification,
                         milliseconds timeout) override {
    Result<std::string> url = Url();
    if (!url) return JudgeError(url.error());  // the file may come back
    net::ClientRequest request;
    request.method = "POST";
    request.url = std::move(*url);
    request.headers = {{"Content-Type", "application/json"},
                       {"Idempotency-Key", notification.delivery_id}};
    request.body = WebhookPayload(notification, options_.max_alerts);
    request.timeout = options_.timeout.count() > 0 ? std::min(options_.timeout, timeout) : timeout;
    request.max_body_bytes = kMaxAnswerBytes;
    const Result<net::ClientResponse> response = client_->Send(request);
    if (!response) return JudgeError(response.error());
    DeliveryResult result =
        JudgeStatus(response->status, response->Header("Retry-After"), clock_.Now());
    if (result.verdict != DeliveryVerdict::kAccepted && !response->body.empty()) {
      result.message += ": " + response->body.substr(0, kShownAnswerBytes);
    }
    return result;
  }

  void Cancel() override { client_->Cancel(); }

 private:
  Result<std::string> Url() const {
    if (options_.url_file.empty()) return options_.url;
    Result<std::string> content = ReadFile(options_.url_file, 64UL << 10);
    if (!content) return content.error();
    const std::size_t begin = content->find_first_not_of(" \t\r\n");
    if (begin == std::string::npos) return Invalid(options_.url_file + " is empty");
    std::string url = content->substr(begin, content->find_last_not_of(" \t\r\n") - begin + 1);
    if (Status status = CheckHttpUrl(url); !status) return status.error().Wrap(options_.url_file);
    return url;
  }

  const WebhookOptions options_;
  const std::unique_ptr<net::HttpClient> client_;
  const Clock& clock_;
};

void ReadUrl(yaml::MapReader& map, const yaml::Node& node, const std::string& folder,
             WebhookOptions& options) {
  map.Read("url", options.url);
  map.Read("url_file", options.url_file);
  if (map.failed()) return;
  if (!options.url.empty() && !options.url_file.empty()) {
    map.Fail(node.Complain("at most one of url & url_file must be configured"));
  } else if (options.url.empty() && options.url_file.empty()) {
    map.Fail(node.Complain("one of url or url_file must be configured"));
  } else if (!options.url_file.empty()) {
    options.url_file = JoinPath(folder, options.url_file);
  } else if (Status status = CheckHttpUrl(options.url); !status) {
    map.Fail(node.Get("url").Complain(status.error().message()));
  }
}

}  // namespace

DeliveryResult JudgeStatus(int status, std::string_view retry_after, Timestamp now) {
  if (status / 100 == 2) return {};
  DeliveryResult result{DeliveryVerdict::kRefused,
                        FailureReason::kOther,
                        "unexpected status code " + std::to_string(status),
                        {}};
  if (status / 100 == 4) result.reason = FailureReason::kClientError;
  if (status / 100 == 5) result.reason = FailureReason::kServerError;
  if (status == 401 || status == 403) result.reason = FailureReason::kAuthError;
  if (status == 429) result.reason = FailureReason::kRateLimited;
  if (status / 100 == 5 || status == 429) {
    result.verdict = DeliveryVerdict::kRetry;
    result.retry_after = ParseRetryAfter(retry_after, now);
  }
  return result;
}

Result<WebhookOptions> ParseWebhook(const yaml::Node& node, const std::string& folder,
                                    const net::HttpClientOptions& http) {
  WebhookOptions options;
  yaml::MapReader map(node);
  ReadUrl(map, node, folder, options);
  map.Read("send_resolved", options.send_resolved);
  std::int64_t max_alerts = 0;
  const yaml::Node max_alerts_node = map.Take("max_alerts");
  map.Read("max_alerts", max_alerts);
  if (max_alerts < 0) map.Fail(max_alerts_node.Complain("max_alerts must not be negative"));
  options.max_alerts = static_cast<std::uint64_t>(max_alerts);
  map.Read("timeout", options.timeout);
  const yaml::Node http_config = map.Take("http_config");
  if (http_config.IsNull()) {
    options.http = http;
  } else {
    Result<net::HttpClientOptions> own = net::ReadHttpClientConfig(http_config, folder);
    if (own)
      options.http = std::move(*own);
    else
      map.Fail(own.error());
  }
  if (!options.url_file.empty()) {
    options.http.named_files.push_back({options.url_file, map.Take("url_file").place()});
  }
  RETURN_IF_ERROR(map.Finish("webhook_config"));
  return options;
}

Result<std::unique_ptr<notifier::Receiver>> MakeWebhook(WebhookOptions options,
                                                        const Clock& clock) {
  Result<std::unique_ptr<net::HttpClient>> client = net::HttpClient::Create(options.http);
  if (!client) return client.error();
  return std::unique_ptr<notifier::Receiver>(
      std::make_unique<Webhook>(std::move(options), std::move(*client), clock));
}

}  // namespace skep::receivers

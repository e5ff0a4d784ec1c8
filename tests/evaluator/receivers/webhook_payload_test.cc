// Our payload beside the ones that a real Alertmanager 0.25 sent.
#include <catch2/catch.hpp>

#include "common/base/file.h"
#include "common/json/value.h"
#include "common/json/writer.h"
#include "evaluator/receivers/webhook.h"

namespace skep::receivers {
namespace {

constexpr const char* kRecorded = SKEP_SOURCE_DIR "/tests/data/alertmanager/webhook_v4.json";

// Go's compact form of a recorded value.
void Write(json::JsonWriter& out, const json::Value& value) {
  if (value.IsObject()) {
    out.BeginObject();
    for (const auto& [key, member] : value.members()) {
      out.Key(key);
      Write(out, member);
    }
    out.EndObject();
  } else if (value.IsArray()) {
    out.BeginArray();
    for (const json::Value& item : value.items()) Write(out, item);
    out.EndArray();
  } else if (value.IsString()) {
    out.String(value.text());
  } else {
    out.Raw(value.text());
  }
}

Labels LabelsOf(const json::Value& object) {
  LabelsBuilder labels;
  for (const auto& [name, value] : object.members()) labels.Set(name, value.text());
  return labels.Build();
}

Timestamp TimeOf(const json::Value& text) {
  const Result<Timestamp> time = ParseTimestamp(text.text());
  return time ? *time : Timestamp{};
}

notifier::Notification NotificationOf(const json::Value& payload) {
  notifier::Notification notification;
  notification.receiver = payload["receiver"].text();
  notification.group_key = payload["groupKey"].text();
  notification.group_labels = LabelsOf(payload["groupLabels"]);
  notification.external_url = payload["externalURL"].text();
  for (const json::Value& item : payload["alerts"].items()) {
    notifier::NotifiedAlert alert;
    alert.resolved = item["status"].text() == "resolved";
    alert.alert = {LabelsOf(item["labels"]), LabelsOf(item["annotations"]),
                   TimeOf(item["startsAt"]), TimeOf(item["endsAt"]), item["generatorURL"].text()};
    notification.alerts.push_back(std::move(alert));
  }
  return notification;
}

TEST_CASE("The payload is byte for byte what Alertmanager sends", "[receivers]") {
  const Result<std::string> text = ReadFile(kRecorded);
  REQUIRE(text);
  const Result<json::Value> recorded = json::Value::Parse(*text);
  REQUIRE(recorded);
  const auto& notifications = (*recorded)["notifications"].items();
  REQUIRE(notifications.size() == 10);
  for (const json::Value& each : notifications) {
    const json::Value& payload = each["payload"];
    notifier::Notification notification = NotificationOf(payload);
    const std::size_t shown = notification.alerts.size();
    const auto truncated = static_cast<std::size_t>(payload["truncatedAlerts"].number());
    // What was cut off there has other labels and must not count for the common ones.
    for (std::size_t i = 0; i < truncated; ++i) {
      notification.alerts.push_back({{Labels{{"other", "x"}}, {}, {}, {}, ""}, false});
    }
    std::string expected;
    json::JsonWriter writer(expected);
    Write(writer, payload);
    expected += "\n";
    CHECK(std::to_string(expected.size()) == each["headers"]["Content-Length"].text());
    CHECK(WebhookPayload(notification, truncated > 0 ? shown : 0) == expected);
  }
}

TEST_CASE("The alerts of recorded notifications stand in our order", "[receivers]") {
  const Result<std::string> text = ReadFile(kRecorded);
  REQUIRE(text);
  const Result<json::Value> recorded = json::Value::Parse(*text);
  REQUIRE(recorded);
  for (const json::Value& each : (*recorded)["notifications"].items()) {
    const notifier::Notification notification = NotificationOf(each["payload"]);
    for (std::size_t i = 1; i < notification.alerts.size(); ++i) {
      CHECK(notifier::ComesBefore(notification.alerts[i - 1].alert.labels,
                                  notification.alerts[i].alert.labels));
    }
    CHECK(
        notification.group_key.ends_with(":" + notifier::LabelSetText(notification.group_labels)));
  }
}

TEST_CASE("What is cut off decides neither the status nor the common labels", "[receivers]") {
  notifier::Notification notification;
  notification.alerts = {{{Labels{{"a", "1"}, {"b", "1"}}, {}, {}, {}, ""}, true},
                         {{Labels{{"a", "2"}}, {}, {}, {}, ""}, false}};
  const std::string one = WebhookPayload(notification, 1);
  CHECK_THAT(one, Catch::Matchers::Contains("\"status\":\"resolved\",\"alerts\""));
  CHECK_THAT(one, Catch::Matchers::Contains("\"commonLabels\":{\"a\":\"1\",\"b\":\"1\"}"));
  CHECK_THAT(one, Catch::Matchers::Contains("\"truncatedAlerts\":1}"));
  const std::string all = WebhookPayload(notification, 2);
  CHECK_THAT(all, Catch::Matchers::Contains("\"status\":\"firing\",\"alerts\""));
  CHECK_THAT(all, Catch::Matchers::Contains("\"commonLabels\":{}"));
}

TEST_CASE("A status code says whether to try again", "[receivers]") {
  using notifier::DeliveryVerdict;
  using notifier::FailureReason;
  struct Case {
    int status;
    DeliveryVerdict verdict;
    FailureReason reason;
  };
  const Case cases[] = {
      {200, DeliveryVerdict::kAccepted, FailureReason::kOther},
      {204, DeliveryVerdict::kAccepted, FailureReason::kOther},
      {304, DeliveryVerdict::kRefused, FailureReason::kOther},
      {400, DeliveryVerdict::kRefused, FailureReason::kClientError},
      {401, DeliveryVerdict::kRefused, FailureReason::kAuthError},
      {403, DeliveryVerdict::kRefused, FailureReason::kAuthError},
      {404, DeliveryVerdict::kRefused, FailureReason::kClientError},
      {429, DeliveryVerdict::kRetry, FailureReason::kRateLimited},
      {500, DeliveryVerdict::kRetry, FailureReason::kServerError},
      {503, DeliveryVerdict::kRetry, FailureReason::kServerError},
  };
  for (const Case& each : cases) {
    CAPTURE(each.status);
    const notifier::DeliveryResult result = JudgeStatus(each.status, "", Timestamp{});
    CHECK(result.verdict == each.verdict);
    CHECK(result.reason == each.reason);
  }
}

TEST_CASE("Retry-After is seconds or a date, and never more than an hour", "[receivers]") {
  const Timestamp now = *ParseTimestamp("1994-11-06T08:49:00Z");
  const auto pause = [&](std::string_view text) {
    const auto retry_after = JudgeStatus(503, text, now).retry_after;
    return retry_after ? retry_after->count() : -1;
  };
  CHECK(pause("7") == 7000);
  CHECK(pause("Sun, 06 Nov 1994 08:49:37 GMT") == 37'000);
  CHECK(pause("Sun, 06 Nov 1994 08:00:00 GMT") == 0);
  CHECK(pause("99999999999") == 3'600'000);
  CHECK(pause("Sun, 06 Nov 2094 08:49:37 GMT") == 3'600'000);
  CHECK(pause("soon") == -1);
  CHECK(pause("-1") == -1);
  CHECK(pause("") == -1);
}

}  // namespace
}  // namespace skep::receivers

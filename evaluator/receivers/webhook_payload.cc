#include "common/json/writer.h"
#include "evaluator/receivers/webhook.h"

namespace skep::receivers {
namespace {

using notifier::NotifiedAlert;

// What Go prints for a time that is not set.
constexpr std::string_view kNoTime = "0001-01-01T00:00:00Z";

void WriteLabels(json::JsonWriter& json, std::string_view key, const Labels& labels) {
  json.Key(key).BeginObject();
  for (const LabelView label : labels) json.Field(label.name, label.value);
  json.EndObject();
}

void WriteAlert(json::JsonWriter& json, const NotifiedAlert& each) {
  const Alert& alert = each.alert;
  json.BeginObject().Field("status", each.resolved ? "resolved" : "firing");
  WriteLabels(json, "labels", alert.labels);
  WriteLabels(json, "annotations", alert.annotations);
  json.Field("startsAt", FormatTimestamp(alert.starts_at));
  json.Field("endsAt", each.resolved ? FormatTimestamp(alert.ends_at) : kNoTime);
  json.Field("generatorURL", alert.generator_url);
  json.Field("fingerprint", FingerprintText(alert.labels)).EndObject();
}

}  // namespace

std::string FingerprintText(const Labels& labels) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const std::uint64_t fingerprint = Fingerprint(labels);
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[(fingerprint >> shift) & 15];
  return text;
}

std::string WebhookPayload(const notifier::Notification& notification, std::uint64_t max_alerts) {
  std::span<const NotifiedAlert> alerts = notification.alerts;
  if (max_alerts > 0 && alerts.size() > max_alerts) alerts = alerts.first(max_alerts);
  bool firing = false;
  for (const NotifiedAlert& each : alerts) firing = firing || !each.resolved;

  std::string out;
  json::JsonWriter json(out);
  json.BeginObject().Field("receiver", notification.receiver);
  json.Field("status", firing ? "firing" : "resolved").Key("alerts").BeginArray();
  for (const NotifiedAlert& each : alerts) WriteAlert(json, each);
  json.EndArray();
  WriteLabels(json, "groupLabels", notification.group_labels);
  WriteLabels(json, "commonLabels", notifier::CommonLabels(alerts));
  WriteLabels(json, "commonAnnotations", notifier::CommonAnnotations(alerts));
  json.Field("externalURL", notification.external_url).Field("version", "4");
  json.Field("groupKey", notification.group_key).Key("truncatedAlerts");
  json.Uint(notification.alerts.size() - alerts.size()).EndObject();
  return out + "\n";
}

}  // namespace skep::receivers

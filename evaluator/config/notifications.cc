#include "evaluator/config/notifications.h"

#include <algorithm>
#include <map>

#include "common/base/file.h"
#include "common/base/quote.h"
#include "common/net/client_config.h"
#include "evaluator/config/yaml_echo.h"

namespace skep::config {
namespace {

constexpr std::string_view kOtherReceivers[] = {
    "discord_configs",    "email_configs",    "incidentio_configs", "jira_configs",
    "mattermost_configs", "msteams_configs",  "msteamsv2_configs",  "opsgenie_configs",
    "pagerduty_configs",  "pushover_configs", "rocketchat_configs", "slack_configs",
    "sns_configs",        "telegram_configs", "victorops_configs",  "webex_configs",
    "wechat_configs",
};

// Settings of `global` for receivers that we do not have yet begin like this.
constexpr std::string_view kOtherGlobals[] = {
    "smtp_",     "slack_", "pagerduty_", "opsgenie_",   "wechat_",     "victorops_",
    "telegram_", "webex_", "jira_",      "rocketchat_", "mattermost_",
};

bool IsEmpty(const yaml::Node& node) {
  return node.IsNull() || (node.IsSequence() && node.items().empty());
}

void Refuse(yaml::MapReader& map, std::string_view field, std::string_view what) {
  const yaml::Node node = map.Take(field);
  if (!IsEmpty(node)) map.Fail(node.Complain(std::string(what) + " are not supported yet"));
}

Result<net::HttpClientOptions> ReadGlobal(const yaml::Node& node, const std::string& folder) {
  yaml::MapReader map(node);
  Duration resolve_timeout{};  // for alerts without an end; those of our rules always have one
  map.Read("resolve_timeout", resolve_timeout);
  Result<net::HttpClientOptions> http = net::ReadHttpClientConfig(map.Take("http_config"), folder);
  if (!http) map.Fail(http.error());
  for (const auto& [key, value] : node.entries()) {
    const bool other = std::any_of(
        std::begin(kOtherGlobals), std::end(kOtherGlobals),
        [&, name = std::string_view(key.text())](auto prefix) { return name.starts_with(prefix); });
    if (other) {
      map.Fail(key.Complain("field " + key.text() +
                            " of global is not supported yet: only webhook receivers are"));
    }
  }
  RETURN_IF_ERROR(map.Finish("global"));
  return http;
}

Result<ReceiverOptions> ReadReceiver(const yaml::Node& node, const std::string& folder,
                                     const net::HttpClientOptions& http) {
  ReceiverOptions options;
  yaml::MapReader map(node);
  map.Read("name", options.name);
  if (!map.failed() && options.name.empty()) map.Fail(node.Complain("missing name in receiver"));
  for (const std::string_view field : kOtherReceivers) {
    Refuse(map, field, std::string(field));
  }
  const yaml::Node webhooks = map.Take("webhook_configs");
  if (!webhooks.IsNull() && !webhooks.IsSequence()) {
    map.Fail(webhooks.Complain("webhook_configs: expected a list"));
  }
  for (const yaml::Node& item : webhooks.items()) {
    Result<receivers::WebhookOptions> webhook = receivers::ParseWebhook(item, folder, http);
    if (webhook)
      options.webhooks.push_back(std::move(*webhook));
    else
      map.Fail(webhook.error());
  }
  RETURN_IF_ERROR(map.Finish("receiver"));
  return options;
}

Status ReadReceivers(const yaml::Node& list, const std::string& folder,
                     const net::HttpClientOptions& http, NotificationOptions& out) {
  if (!list.IsNull() && !list.IsSequence()) return list.Complain("receivers: expected a list");
  for (const yaml::Node& item : list.items()) {
    Result<ReceiverOptions> receiver = ReadReceiver(item, folder, http);
    if (!receiver) return receiver.error();
    const bool twice = std::any_of(out.receivers.begin(), out.receivers.end(),
                                   [&](const auto& each) { return each.name == receiver->name; });
    if (twice) {
      return item.Complain("notification config name " + Quote(receiver->name) + " is not unique");
    }
    out.receivers.push_back(std::move(*receiver));
  }
  return {};
}

Status ReadRoute(const yaml::Node& node, NotificationOptions& out) {
  Result<notifier::Route> route = notifier::ParseRoute(node);
  if (!route) return route.error();
  out.route = std::move(*route);
  const bool known = std::any_of(out.receivers.begin(), out.receivers.end(),
                                 [&](const auto& each) { return each.name == out.route.receiver; });
  if (known) return {};
  return node.Get("receiver")
      .Complain("undefined receiver " + Quote(out.route.receiver) + " used in route");
}

}  // namespace

const ReceiverOptions& NotificationOptions::Default() const {
  return *std::find_if(receivers.begin(), receivers.end(),
                       [&](const auto& each) { return each.name == route.receiver; });
}

Result<NotificationOptions> ParseNotifications(std::string_view text, const std::string& file) {
  Result<yaml::Node> root = yaml::Node::Parse(text, file);
  if (!root) return root.error();
  const std::string folder = DirName(file);
  NotificationOptions options;
  options.fingerprint = YamlText(*root);
  yaml::MapReader map(*root);
  Result<net::HttpClientOptions> http = ReadGlobal(map.Take("global"), folder);
  if (!http) map.Fail(http.error());
  Refuse(map, "templates", "templates");
  Refuse(map, "inhibit_rules", "inhibit_rules");
  Refuse(map, "time_intervals", "time_intervals");
  Refuse(map, "mute_time_intervals", "mute_time_intervals");
  const yaml::Node receivers = map.Take("receivers");
  const yaml::Node route = map.Take("route");
  if (!map.failed()) {
    Status status = ReadReceivers(receivers, folder, *http, options);
    if (status) status = ReadRoute(route, options);
    if (!status) map.Fail(status.error());
  }
  RETURN_IF_ERROR(map.Finish("configuration"));
  return options;
}

}  // namespace skep::config

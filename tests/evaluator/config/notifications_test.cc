#include "evaluator/config/notifications.h"

#include <catch2/catch.hpp>

namespace skep::config {
namespace {

constexpr std::string_view kGood = R"(
global:
  resolve_timeout: 5m
  http_config: {proxy_url: 'http://proxy'}
route:
  receiver: team
  group_by: [alertname, cluster]
receivers:
- name: team
  webhook_configs:
  - url: http://127.0.0.1:1/x
  - url: http://127.0.0.1:1/y
    send_resolved: false
- name: nobody
templates: []
inhibit_rules: []
)";

TEST_CASE("A notification file of one route and webhooks is read", "[config]") {
  const auto options = ParseNotifications(kGood, "/etc/am.yml");
  REQUIRE(options);
  CHECK(options->route.group_by == std::vector<std::string>{"alertname", "cluster"});
  REQUIRE(options->receivers.size() == 2);
  const ReceiverOptions& team = options->Default();
  CHECK(team.name == "team");
  REQUIRE(team.webhooks.size() == 2);
  CHECK(team.webhooks[0].http.proxy_url == "http://proxy");
  CHECK_FALSE(team.webhooks[1].send_resolved);
  CHECK(options->receivers[1].webhooks.empty());
}

TEST_CASE("The fingerprint of a notification file changes with what it says", "[config]") {
  const std::string text(kGood);
  const auto before = ParseNotifications(text, "am.yml");
  const auto comment = ParseNotifications("# more\n" + text, "am.yml");
  const std::size_t at = text.find("1/y");
  const auto after = ParseNotifications(text.substr(0, at) + "1/z" + text.substr(at + 3), "am.yml");
  REQUIRE(before);
  REQUIRE(comment);
  REQUIRE(after);
  CHECK(before->fingerprint == comment->fingerprint);
  CHECK(before->fingerprint != after->fingerprint);
}

std::string Ok(std::string_view more) {
  std::string text =
      "route: {receiver: a}\nreceivers:\n- {name: a, webhook_configs: [{url: 'http://x'}]}\n";
  text.append(more);
  return text;
}

TEST_CASE("A notification file that is wrong, or asks for more than we have, is refused",
          "[config]") {
  const std::pair<std::string, const char*> cases[] = {
      {"", "no route provided in config"},
      {"route: {receiver: b}\nreceivers: [{name: a}]", "am.yml:1:19: undefined receiver \"b\""},
      {"route: {receiver: a}", "undefined receiver \"a\" used in route"},
      {Ok("- {name: a}\n"), "am.yml:4:3: notification config name \"a\" is not unique"},
      {Ok("- {webhook_configs: []}\n"), "am.yml:4:3: missing name in receiver"},
      {Ok("- {name: b, slack_configs: [{channel: c}]}\n"),
       "am.yml:4:28: slack_configs are not supported yet"},
      {Ok("- {name: b, slak_configs: [{channel: c}]}\n"), "slak_configs"},
      {Ok("inhibit_rules:\n- equal: [a]\n"), "am.yml:5:1: inhibit_rules are not supported yet"},
      {Ok("templates: ['*.tmpl']\n"), "templates are not supported yet"},
      {Ok("time_intervals: [{name: x}]\n"), "time_intervals are not supported yet"},
      {Ok("global: {smtp_from: x}\n"),
       "am.yml:4:10: field smtp_from of global is not supported yet"},
      {Ok("global: {smpt_from: x}\n"), "smpt_from"},
      {Ok("oops: 1\n"), "oops"},
      {Ok("route: {receiver: a}\n"), "am.yml:4:"},
      {"route: [", "am.yml:"},
      {"[]", "am.yml:1:1: "},
  };
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    const auto options = ParseNotifications(text, "am.yml");
    REQUIRE_FALSE(options);
    CHECK_THAT(options.error().message(), Catch::Matchers::Contains(message));
  }
}

TEST_CASE("A notification file gets the verdict of amtool 0.25", "[config]") {
  const std::string route = "receivers: [{name: a}]\nroute:\n  receiver: a\n  ";
  const std::string webhook =
      "route: {receiver: a}\nreceivers:\n- name: a\n  webhook_configs:\n  - ";
  struct Case {
    const std::string& before;
    const char* text;
    bool good;
  };
  const Case cases[] = {
      {route, "group_wait: 0s", true},
      {route, "group_wait: 1d2h", true},
      {route, "group_by: []", true},
      {route, "group_by: ['']", false},
      {route, "receiver: a", false},
      {route, "active_time_intervals: [x]", false},
      {webhook, "url: 'http://:80/'", true},
      {webhook, "url: 'http://[::1]:80/'", true},
      {webhook, "url: 'http://a:b'", false},
      {webhook, "url: 'http://a b/'", false},
      {webhook, "url: ''", false},
      {webhook, "{url: 'http://a', max_alerts: x}", false},
      {webhook, "{url: 'http://a', send_resolved: 'yes'}", false},
      {webhook,
       "{url: 'http://a', http_config: {basic_auth: {username: a}, authorization: "
       "{credentials: b}}}",
       false},
  };
  for (const Case& each : cases) {
    CAPTURE(each.text);
    CHECK(ParseNotifications(each.before + each.text, "am.yml").has_value() == each.good);
  }
}

}  // namespace
}  // namespace skep::config

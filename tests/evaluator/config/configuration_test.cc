#include "evaluator/config/configuration.h"

#include <catch2/catch.hpp>

#include "common/base/file.h"
#include "evaluator/config/yaml_echo.h"
#include "tests/support/temp_folder.h"

namespace skep::config {
namespace {

constexpr const char* kAlertmanagers = R"(
alerting:
  alert_relabel_configs:
  - {regex: replica, action: labeldrop}
  alertmanagers:
  - path_prefix: am/
    scheme: https
    timeout: 3s
    api_version: v2
    basic_auth: {username: u, password: geheim}
    static_configs:
    - targets: ['a:1', 'b:2']
    relabel_configs:
    - {source_labels: [__address__], regex: 'b:.*', action: drop}
  - file_sd_configs: [{files: ['am/*.json']}]
)";

TEST_CASE("A whole configuration is read", "[config]") {
  const test::TempFolder folder;
  REQUIRE(WriteFileAtomic(folder.File("am.yml"), "route: {receiver: a}\nreceivers: [{name: a}]\n"));
  const auto config = ParseConfiguration(
      "global: {evaluation_interval: 7s, external_labels: {site: x}}\n"
      "scrape_configs: [{job_name: j, static_configs: [{targets: ['t:1']}]}]\n"
      "rule_files: ['rules/*.yml', /abs.yml]\nnotifications: am.yml\n"
      "rules: {on_scrape: [{file: rules/a.yml, group: g, min_spacing: 1s}]}\n" +
          std::string(kAlertmanagers),
      folder.File("skep.yml"), {});
  REQUIRE(config);
  CHECK(config->scrape.global.evaluation_interval == std::chrono::seconds(7));
  CHECK(config->scrape.jobs.size() == 1);
  REQUIRE(config->rule_files.size() == 2);
  CHECK(config->rule_files[0].path == folder.File("rules/*.yml"));
  CHECK(config->rule_files[1].path == "/abs.yml");
  CHECK(config->rule_files[1].place == folder.File("skep.yml") + ":3:29");
  REQUIRE(config->on_scrape.size() == 1);
  CHECK(config->on_scrape[0].file == folder.File("rules/a.yml"));
  CHECK(config->on_scrape[0].place == folder.File("skep.yml") + ":5:21");
  REQUIRE(config->notifications);
  CHECK(config->notifications->Default().name == "a");
  CHECK(config->notifications_file == folder.File("am.yml"));
  REQUIRE(config->alerting.alertmanagers.size() == 2);
  const AlertmanagerOptions& first = config->alerting.alertmanagers[0];
  CHECK(first.timeout == std::chrono::seconds(3));
  CHECK(first.http.basic_auth->password == "geheim");
  CHECK(config->alerting.alert_relabel_rules.size() == 1);
  CHECK(config->alerting.alertmanagers[1].file_discoveries.at(0).files ==
        std::vector<std::string>{folder.File("am/*.json")});
  CHECK_THAT(config->echo, !Catch::Matchers::Contains("geheim"));
  CHECK_THAT(config->echo, Catch::Matchers::Contains("password: <secret>"));
}

TEST_CASE("Files that are named and missing are told with their place, each once", "[config]") {
  const test::TempFolder folder;
  REQUIRE(
      WriteFileAtomic(folder.File("am.yml"),
                      "global: {http_config: {bearer_token_file: t}}\nroute: {receiver: a}\n"
                      "receivers: [{name: a, webhook_configs: [{url_file: u}, {url_file: u}]}]\n"));
  REQUIRE(WriteFileAtomic(folder.File("r.yml"), ""));
  const auto config = ParseConfiguration(
      "scrape_configs: [{job_name: a, tls_config: {ca_file: ca}}]\n"
      "rule_files: [r.yml, 'no*.yml', no.yml]\nnotifications: am.yml\n"
      "alerting: {alertmanagers: [{basic_auth: {username: a, password_file: p}}]}\n",
      folder.File("skep.yml"), {});
  REQUIRE(config);
  std::string found;
  for (const Error& error : FindMissingFiles(*config)) {
    found += error.message().substr(folder.path().size() + 1, 15) + "\n";
  }
  CHECK(found ==
        "skep.yml:2:32: \nskep.yml:1:54: \nskep.yml:4:70: \nam.yml:1:43: op\nam.yml:3:52: op\n"
        "am.yml:3:67: op\n");
}

TEST_CASE("An empty configuration is one", "[config]") {
  const auto config = ParseConfiguration("", "skep.yml", {});
  REQUIRE(config);
  CHECK(config->scrape.jobs.empty());
  CHECK_FALSE(config->notifications);
}

TEST_CASE("A configuration that is wrong is refused with file and line", "[config]") {
  const std::string am = "alerting:\n  alertmanagers:\n  - ";
  const std::pair<std::string, const char*> cases[] = {
      {"oops: 1", "skep.yml:1:1: "},
      {"[]", "skep.yml:1:1: "},
      {"rule_files: x", "skep.yml:1:13: rule_files: expected a list"},
      {"rule_files: ['a[.yml']", "skep.yml:1:14: syntax error in pattern \"a[.yml\""},
      {"rule_files: ['a*/b.yml']", "skep.yml:1:14: invalid rule file path \"a*/b.yml\""},
      {"\nremote_write: [{url: x}]", "skep.yml:2:1: remote_write is not supported"},
      {"storage: {tsdb: {out_of_order_time_window: soon}}", "soon"},
      {"storage: {tsdb: {path: /data}}", "field path not found in tsdb"},
      {"storage: {disk: {}}", "field disk not found in storage"},
      {"notifications: no.yml", "skep.yml:1:16: open no.yml"},
      {am + "scheme: ftp", "skep.yml:3:13: scheme must be http or https"},
      {am + "api_version: v1", "expected Alertmanager api version to be one of [v2] but got v1"},
      {am + "dns_sd_configs: [{names: [a]}]", "skep.yml:3:5: dns_sd_configs is not supported"},
      {am + "oops: 1", "oops"},
      {am + "file_sd_configs: [{files: [a.txt]}]", "path name \"a.txt\" is not valid"},
      {am + "file_sd_configs: [{files: [a.yml], refresh_interval: 0s}]",
       "skep.yml:3:58: refresh_interval must be more than 0"},
      {am + "static_configs: [{targets: ['']}]", "skep.yml:3:33: no address"},
      {am + "file_sd_configs: [{}]", "at least one path name"},
      {am + "file_sd_configs: {files: [a.json]}",
       "skep.yml:3:22: file_sd_configs: expected a list"},
      {am + "static_configs: [{targets: ['http://a:1']}]",
       "skep.yml:3:33: \"http://a:1\" is not a valid hostname"},
      {am + "timeout: 0s", "skep.yml:3:14: timeout must be greater than 0"},
      {am + "oauth2: {}", "skep.yml:3:5: oauth2 is not supported"},
      {am + "alert_relabel_configs: [{action: nonsense}]", "skep.yml:3:"},
      {"alerting: {alertmanager: []}", "alertmanager"},
  };
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    const auto config = ParseConfiguration(text, "skep.yml", {});
    REQUIRE_FALSE(config);
    CHECK_THAT(config.error().message(), Catch::Matchers::Contains(message));
  }
}

TEST_CASE("What is not supported is left out and listed, if the user wants it so", "[config]") {
  const auto config = ParseConfiguration(
      "remote_write: [{url: x}]\ntracing: {endpoint: y}\nremote_read: []\n"
      "alerting: {alertmanagers: [{dns_sd_configs: [{names: [a]}]}, {static_configs: [{targets: "
      "['a:1']}]}]}\n"
      "scrape_configs:\n- {job_name: cloud, ec2_sd_configs: [{region: r}]}\n"
      "- {job_name: here, static_configs: [{targets: ['a:1']}]}\n",
      "skep.yml", {.ignore_unsupported = true});
  REQUIRE(config);
  CHECK(config->alerting.alertmanagers.size() == 1);
  CHECK(config->scrape.jobs.size() == 1);
  CHECK(config->left_out.size() == 4);
  for (const scrape::LeftOut& each : config->left_out) {
    CAPTURE(each.what);
    CHECK_THAT(each.reason, Catch::Matchers::Contains("skep.yml:"));
  }
  // A mistake stays one.
  CHECK_FALSE(ParseConfiguration("oops: 1", "skep.yml", {.ignore_unsupported = true}));
}

TEST_CASE("The built-in configuration is good", "[config]") {
  DefaultsOptions options;
  options.own_address = "[::1]:7538";
  options.metrics_path = "/a \"b\"/metrics";
  options.share_folder = "/usr/share/it's";
  const auto config = ParseConfiguration(DefaultConfigurationText(options), "(built-in)", {});
  REQUIRE(config);
  CHECK(config->scrape.jobs.size() == 2);
  REQUIRE(config->rule_files.size() == 1);
  CHECK(config->rule_files[0].path == "/usr/share/it's/rules/*.yml");
  const auto bare = ParseConfiguration(DefaultConfigurationText({}), "(built-in)", {});
  REQUIRE(bare);
  CHECK(bare->scrape.jobs.size() == 1);
  CHECK(bare->rule_files.empty());
}

TEST_CASE("YAML is printed so that it reads back as the same", "[config]") {
  const char* texts[] = {
      "a: 1\nb: '1'\nc: \"x: y\"\nd: [1, [2, {e: f, g: []}], {}]\nh:\n",
      "- a\n- - b\n  - c\n- {d: 'e\n\n  f'}\n",
      "a: &x {b: c}\nd: *x\n",
      "a: '- b'\n'c d': '#'\ne: 'null'\nf: \"\\t\\x01ü\"\n",
      "plain",
      "{}",
  };
  for (const char* text : texts) {
    CAPTURE(text);
    const auto node = yaml::Node::Parse(text, "x.yml");
    REQUIRE(node);
    const std::string printed = YamlText(*node);
    CAPTURE(printed);
    const auto again = yaml::Node::Parse(printed, "x.yml");
    REQUIRE(again);
    CHECK(YamlText(*again) == printed);
    CHECK(again->kind() == node->kind());
    for (const auto& [key, value] : node->entries()) {
      CHECK(again->Get(key.text()).text() == value.text());
      CHECK(again->Get(key.text()).quoted() == value.quoted());
    }
  }
}

TEST_CASE("Secrets do not show in the echo", "[config]") {
  const auto node = yaml::Node::Parse(
      "a: {password: geheim, username: u}\n"
      "b: [{credentials: geheim}, {url: 'http://u:geheim@h/x?y=u:p@z'}]\n"
      "http_headers: {X: {secrets: [geheim, geheim], values: [v]}}\n"
      "tls_config: {key: geheim, key_file: k.pem}\nbearer_token: geheim\n"
      "password_file: shown\n",
      "x.yml");
  REQUIRE(node);
  const std::string echo = YamlEcho(*node);
  CAPTURE(echo);
  CHECK_THAT(echo, !Catch::Matchers::Contains("geheim"));
  for (const char* shown :
       {"username: u", "http://u:<secret>@h/x", "key_file: k.pem", "- v", "password_file: shown"}) {
    CHECK_THAT(echo, Catch::Matchers::Contains(shown));
  }
}

}  // namespace
}  // namespace skep::config

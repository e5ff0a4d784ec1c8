#include "evaluator/cmd/alertmanager_targets.h"

#include <catch2/catch.hpp>

#include "common/base/file.h"
#include "tests/support/temp_folder.h"

namespace skep::evaluator {
namespace {

config::AlertingOptions Alerting(const std::string& text) {
  const auto node = yaml::Node::Parse(text, "skep.yml");
  REQUIRE(node);
  auto alerting = config::ReadAlerting(*node, {});
  REQUIRE(alerting);
  return std::move(*alerting);
}

using Urls = std::vector<std::string>;

TEST_CASE("Alertmanagers come from the configuration and from files that change", "[cmd]") {
  const test::TempFolder folder;
  const SystemClock clock;
  receivers::AlertmanagerSender sender(clock, Logger::Silent(), {});
  AlertmanagerTargets targets(sender, clock, Logger::Silent());
  const config::AlertingOptions alerting = Alerting(
      "alertmanagers:\n- static_configs: [{targets: ['127.0.0.1:1']}]\n  file_sd_configs: "
      "[{files: ['" +
      folder.File("*.yml") + "']}]\n");
  targets.Configure(alerting);
  const std::string fixed = "http://127.0.0.1:1/api/v2/alerts";
  const std::string listed = "http://127.0.0.1:2/api/v2/alerts";
  CHECK(targets.CurrentStatus().active == Urls{fixed});
  CHECK(sender.counts().size() == 1);

  REQUIRE(WriteFileAtomic(folder.File("a.yml"), "- targets: ['127.0.0.1:2']\n"));
  targets.Refresh();
  CHECK(targets.CurrentStatus().active == Urls{fixed, listed});
  CHECK(sender.counts().size() == 2);

  // Half written: what it listed before holds.
  REQUIRE(WriteFileAtomic(folder.File("a.yml"), "- targets: ['127.0.0.1:2'"));
  targets.Refresh();
  CHECK(targets.CurrentStatus().active == Urls{fixed, listed});

  REQUIRE(WriteFileAtomic(folder.File("a.yml"), "[]\n"));
  targets.Refresh();
  CHECK(targets.CurrentStatus().active == Urls{fixed});
  targets.Configure(Alerting("alertmanagers: []"));
  CHECK(targets.CurrentStatus().active.empty());
  CHECK(sender.counts().empty());
}

TEST_CASE("Alertmanagers are found at the URLs where Prometheus finds them", "[cmd]") {
  const config::AlertingOptions alerting = Alerting(
      "alertmanagers: [{path_prefix: am/, scheme: https, static_configs: [{targets: ['a:1', "
      "'b:2']}], relabel_configs: [{source_labels: [__address__], regex: 'b:.*', action: drop}]}]");
  const config::AlertmanagerOptions& options = alerting.alertmanagers.at(0);
  const AlertmanagerUrls urls = ResolveAlertmanagers(options, options.static_groups);
  CHECK(urls.active == Urls{"https://a:1/am/api/v2/alerts"});
  CHECK(urls.dropped == Urls{"https://b:2/am/api/v2/alerts"});
  CHECK(urls.refused.empty());
}

TEST_CASE("An address that is none costs that Alertmanager alone", "[cmd]") {
  const test::TempFolder folder;
  const SystemClock clock;
  receivers::AlertmanagerSender sender(clock, Logger::Silent(), {});
  AlertmanagerTargets targets(sender, clock, Logger::Silent());
  REQUIRE(
      WriteFileAtomic(folder.File("a.yml"), "- targets: ['http://a:1/x', '', '127.0.0.1:2']\n"));
  targets.Configure(
      Alerting("alertmanagers: [{file_sd_configs: [{files: ['" + folder.File("a.yml") + "']}]}]"));
  CHECK(targets.CurrentStatus().active == Urls{"http://127.0.0.1:2/api/v2/alerts"});
}

TEST_CASE("Alertmanagers that cannot be used are found before they are in force", "[cmd]") {
  CHECK(AlertmanagerTargets::Check(
      Alerting("alertmanagers: [{static_configs: [{targets: ['a:1']}]}]")));
  const Status bad = AlertmanagerTargets::Check(
      Alerting("alertmanagers: [{static_configs: [{targets: ['a:1']}], relabel_configs: "
               "[{target_label: __address__, replacement: 'http://a:1'}]}]"));
  REQUIRE_FALSE(bad);
  CHECK_THAT(bad.error().message(), Catch::Matchers::Contains("\"http://a:1\" is not a valid"));
}

}  // namespace
}  // namespace skep::evaluator

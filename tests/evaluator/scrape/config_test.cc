#include "evaluator/scrape/config.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "evaluator/scrape/relabel_config.h"

namespace skep::scrape {
namespace {

Result<ScrapeConfig> Read(const std::string& text, ReadOptions options = {}) {
  const Result<yaml::Node> root = yaml::Node::Parse(text, "p.yml");
  if (!root) return root.error();
  return ReadScrapeConfig(root->Get("global"), root->Get("scrape_configs"), options);
}

TEST_CASE("Jobs take their defaults from global", "[scrape]") {
  ::setenv("SKEP_TEST_REGION", "eu", 1);
  const Result<ScrapeConfig> config = Read(R"(
global:
  scrape_interval: 15s
  evaluation_interval: 30s
  external_labels: {region: "${SKEP_TEST_REGION}", cost: "$$5", none: "$SKEP_TEST_NONE"}
  sample_limit: 10
  body_size_limit: 1MB
scrape_configs:
  - job_name: a
    static_configs: [{targets: ["h:1", "h:2"], labels: {zone: z}}]
  - job_name: b
    scrape_interval: 5s
    sample_limit: 0
    scheme: https
    metrics_path: /m
    params: {x: ["1", "2"]}
    honor_labels: true
    honor_timestamps: false
    track_timestamps_staleness: true
    enable_compression: false
    scrape_protocols: [PrometheusProto, PrometheusText0.0.4]
    fallback_scrape_protocol: OpenMetricsText1.0.0
    basic_auth: {username: u, password: p}
    always_scrape_classic_histograms: true
    file_sd_configs: [{files: [t/*.json], refresh_interval: 1m}]
    metric_relabel_configs: [{source_labels: [x], action: drop, regex: y}]
)",
                                           {.folder = "/etc/skep"});
  if (!config) FAIL(config.error().message());
  CHECK(config->global.evaluation_interval == std::chrono::seconds(30));
  CHECK(config->global.external_labels == Labels{{"cost", "$5"}, {"region", "eu"}});
  REQUIRE(config->jobs.size() == 2);
  const JobOptions& a = config->jobs[0];
  CHECK(a.interval == std::chrono::seconds(15));
  CHECK(a.timeout == std::chrono::seconds(10));
  CHECK(a.limits.samples == 10);
  CHECK(a.limits.body_size_bytes == 1024 * 1024);
  CHECK(a.static_groups == std::vector<TargetGroup>{{{"h:1", "h:2"}, Labels{{"zone", "z"}}, "0"}});
  CHECK(a.protocols.size() == 4);
  const JobOptions& b = config->jobs[1];
  CHECK(b.timeout == std::chrono::seconds(5));  // never longer than the interval
  CHECK(b.limits.samples == 0);
  CHECK(b.scheme == "https");
  CHECK(b.honor_labels);
  CHECK_FALSE(b.honor_timestamps);
  CHECK(b.track_timestamps_staleness);
  CHECK_FALSE(b.enable_compression);
  CHECK(b.protocols == std::vector<Protocol>{Protocol::kPrometheusText004});
  CHECK(b.fallback_protocol == Protocol::kOpenMetricsText100);
  CHECK(b.http->basic_auth->username == "u");
  CHECK(b.file_discoveries[0].files == std::vector<std::string>{"/etc/skep/t/*.json"});
  CHECK(b.metric_relabel_rules.size() == 1);
}

TEST_CASE("A scrape configuration that is wrong names its place", "[scrape]") {
  const std::pair<std::string, std::string> cases[] = {
      {"global: {scrape_intervall: 1s}", "p.yml:1:10: "},
      {"global: {scrape_interval: 1s, scrape_timeout: 2s}", "p.yml:1:47: scrape timeout greater"},
      {"global: {external_labels: {__name__: x}}", "p.yml:1:28: \"__name__\" is not a valid label"},
      {"scrape_configs:\n- {}", "p.yml:2:3: field job_name is required"},
      {"scrape_configs:\n- job_name: ''", "p.yml:2:3: job_name is empty"},
      {"scrape_configs:\n- job_name: a\n- job_name: a", "p.yml:3:3: found multiple scrape configs"},
      {"scrape_configs:\n- job_name: a\n  kubernetes_sd_configs: [{role: pod}]",
       "p.yml:3:3: field kubernetes_sd_configs is not supported"},
      {"scrape_configs:\n- job_name: a\n  typo: 1", "p.yml:3:3: "},
      {"scrape_configs:\n- job_name: a\n  scheme: ftp", "p.yml:3:11: expected http or https"},
      {"scrape_configs:\n- job_name: a\n  scrape_protocols: [Morse]",
       "p.yml:3:22: unknown scrape protocol"},
      {"scrape_configs:\n- job_name: a\n  sample_limit: -1",
       "p.yml:3:17: sample_limit must not be negative"},
      {"scrape_configs:\n- job_name: a\n  file_sd_configs: [{files: ['a[.yml']}]",
       "p.yml:3:30: syntax error in pattern \"a[.yml\""},
      {"global: {scrape_interval: 300y}", "p.yml:1:27: duration out of range: \"300y\""},
      {"scrape_configs:\n- job_name: a\n  static_configs: [{targets: ['http://x']}]",
       "p.yml:3:31: \"http://x\" is not a valid hostname"},
      {"scrape_configs:\n- job_name: a\n  static_configs: [{target: [x]}]", "p.yml:3:21: "},
      {"scrape_configs:\n- job_name: a\n  file_sd_configs: [{files: [x.txt]}]",
       "p.yml:3:30: path name \"x.txt\" is not valid"},
      {"scrape_configs:\n- job_name: a\n  relabel_configs: [{action: fly}]",
       "p.yml:3:30: unknown relabel action \"fly\""},
      {"scrape_configs:\n- job_name: a\n  relabel_configs: [{regex: '('  , target_label: x}]",
       "p.yml:3:21: "},
      {"scrape_configs:\n- job_name: a\n  convert_classic_histograms_to_nhcb: true",
       "p.yml:3:3: field convert_classic_histograms_to_nhcb is not supported"},
      {"scrape_configs: 5", "p.yml:1:17: expected a list"},
  };
  for (const auto& [text, message] : cases) {
    CAPTURE(text, message);
    const Result<ScrapeConfig> config = Read(text);
    REQUIRE_FALSE(config);
    CAPTURE(config.error().message());
    CHECK(config.error().message().starts_with(message));
  }
}

TEST_CASE("A span of 0 is the default, as in Prometheus", "[scrape]") {
  const Result<ScrapeConfig> config = Read(
      "global: {scrape_interval: 0s, scrape_timeout: 0s, evaluation_interval: 0s}\n"
      "scrape_configs:\n- {job_name: a, scrape_interval: 0s, scrape_timeout: 0s}\n"
      "- {job_name: b, scrape_interval: 5s, scrape_timeout: 0s, sample_limit: 0x10}\n");
  if (!config) FAIL(config.error().message());
  CHECK(config->global.evaluation_interval == std::chrono::minutes(1));
  CHECK(config->jobs[0].interval == std::chrono::minutes(1));
  CHECK(config->jobs[0].timeout == std::chrono::seconds(10));
  CHECK(config->jobs[1].timeout == std::chrono::seconds(5));
  CHECK(config->jobs[1].limits.samples == 16);
}

TEST_CASE("What is not supported is left out and told when asked for", "[scrape]") {
  const Result<ScrapeConfig> config = Read(
      "global: {query_log_file: q}\nscrape_configs:\n- job_name: k\n  kubernetes_sd_configs: "
      "[{role: pod}]\n- job_name: a\n",
      {.ignore_unsupported = true});
  if (!config) FAIL(config.error().message());
  CHECK(config->jobs.size() == 1);
  REQUIRE(config->left_out.size() == 2);
  CHECK(config->left_out[1].what == "scrape job \"k\"");
  CHECK(config->left_out[1].reason == "p.yml:4:3: field kubernetes_sd_configs is not supported");
}

TEST_CASE("Jobs that read the same have the same fingerprint", "[scrape]") {
  const auto fingerprint = [](const std::string& text) { return Read(text)->jobs[0].fingerprint; };
  const std::string job = "scrape_configs: [{job_name: a, scheme: http}]\n";
  CHECK(fingerprint(job) == fingerprint("# comment\n\n" + job));
  CHECK(fingerprint(job) != fingerprint("global: {scrape_interval: 5s}\n" + job));
  CHECK(fingerprint(job) != fingerprint("scrape_configs: [{job_name: a, scheme: https}]\n"));
}

}  // namespace
}  // namespace skep::scrape

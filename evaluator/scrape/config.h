// `global` and `scrape_configs` of prometheus.yml, checked and with all defaults filled in.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/model/labels.h"
#include "common/model/relabel.h"
#include "common/net/http_client.h"
#include "common/yaml/node.h"
#include "evaluator/scrape/file_discovery.h"
#include "evaluator/scrape/target_group.h"

namespace skep::scrape {

// What a page may hold where body_size_limit does not say it: a small answer that unpacks to more
// than the machine has costs that target alone.
constexpr std::uint64_t kMostBodyBytes = 256UL << 20;

// 0: no limit.
struct Limits {
  std::uint64_t body_size_bytes = 0;     // after decompression; 0: kMostBodyBytes
  std::uint64_t samples = 0;             // per scrape, after metric relabelling
  std::uint64_t labels = 0;              // per series
  std::uint64_t label_name_length = 0;   // bytes
  std::uint64_t label_value_length = 0;  // bytes
  std::uint64_t targets = 0;             // per job, after relabelling
  std::uint64_t dropped_targets = 0;     // kept for the status page, per job

  bool operator==(const Limits&) const = default;
};

enum class Protocol : std::uint8_t {
  kPrometheusText004,
  kPrometheusText100,
  kOpenMetricsText001,
  kOpenMetricsText100
};

// One entry of `scrape_configs`. Immutable once read.
struct JobOptions {
  std::string name;
  Duration interval{};
  Duration timeout{};
  bool honor_labels = false;
  bool honor_timestamps = true;
  bool track_timestamps_staleness = false;
  bool enable_compression = true;
  bool legacy_names = false;  // metric_name_validation_scheme: legacy
  std::string metrics_path = "/metrics";
  std::string scheme = "http";
  std::vector<std::pair<std::string, std::vector<std::string>>> params;
  std::vector<Protocol> protocols;            // most wanted first
  std::optional<Protocol> fallback_protocol;  // for a page whose Content-Type says nothing of use
  Limits limits;
  std::shared_ptr<const net::HttpClientOptions> http;
  std::vector<RelabelRule> relabel_rules;
  std::vector<RelabelRule> metric_relabel_rules;
  std::vector<TargetGroup> static_groups;
  std::vector<FileDiscoveryOptions> file_discoveries;
  // All that was written, defaults of `global` included, as one text: equal text, equal job.
  std::string fingerprint;
};

struct GlobalOptions {
  Duration scrape_interval = std::chrono::minutes(1);
  Duration scrape_timeout = std::chrono::seconds(10);
  Duration evaluation_interval = std::chrono::minutes(1);
  Duration rule_query_offset{};
  Labels external_labels;  // ${VAR} is replaced from the environment, $$ is $
};

// A thing of the configuration that was left out because ignore_unsupported was set.
struct LeftOut {
  std::string what;    // "scrape job \"kubernetes\": kubernetes_sd_configs"
  std::string reason;  // with its place
};

struct ScrapeConfig {
  GlobalOptions global;
  std::vector<JobOptions> jobs;
  std::vector<LeftOut> left_out;
};

struct ReadOptions {
  std::string folder = ".";  // relative file names start here
  bool ignore_unsupported =
      false;  // a job that needs what we do not have is left out, not an error
};

// The ways of finding targets that Prometheus 3 has and we do not, as fields of a scrape job or of
// an entry of `alertmanagers`: "kubernetes_sd_configs" and so on.
std::span<const std::string_view> UnsupportedDiscoveries();

// `global` and `scrape_configs` are children of the file's root, or null where absent. Strict: an
// unknown field, a doubled job name, a timeout over its interval and the like are kInvalid with
// file, line and column. The fields of Prometheus 3 that we do
// not support are errors that say so, or left out with ignore_unsupported.
Result<ScrapeConfig> ReadScrapeConfig(const yaml::Node& global, const yaml::Node& scrape_configs,
                                      const ReadOptions& options);

}  // namespace skep::scrape

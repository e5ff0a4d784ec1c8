// `ingest: otlp:` of the configuration.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/yaml/node.h"

namespace skep::ingest {

//   otlp:
//     enabled: true                  # false: /v1/metrics, /v1/logs and /v1/traces answer 404
//     pass_through: true             # false: metrics are mapped to swarm_* only
//     drop_metrics: ["process.*"]    # not passed through: patterns with * over OTLP names
//     keep_attributes: [user.id]     # become labels although they are dropped by default
//     drop_attributes: ["http.*"]    # never become labels; wins over keep_attributes
//     resource_attributes: {service.name: service_name}   # which become labels, and their names
//     buckets: {my.duration: [0.1, 1, 10]}  # bounds of a histogram by OTLP name
//     exponential_buckets: [0.005, ...]  # of exponential histograms that no other list names
//     gauge_expiry: 5m               # a gauge or up-down sum whose sender is silent leaves the
//     page max_points: 20000              # of one request: points, records, spans; the rest is
//     refused max_concurrent: 8              # requests at work; more are told to come again
//     max_attributes: 64             # of one point; more and it is refused
//     max_label_bytes: 256           # a longer value is cut
//     max_streams: 50000             # whose last values are remembered; the oldest are forgotten;
//                                    # at least max_points
//     max_metrics: 500               # families; further ones are refused
//     metric_expiry: 1h              # once there are max_metrics, those without points for so long
//                                    # make room for new ones; at least gauge_expiry
//     max_series_per_metric: 1000    # further ones are counted in "other"
struct OtlpOptions {
  bool enabled = true;
  bool pass_through = true;
  std::vector<std::string> drop_metrics;
  std::vector<std::string> keep_attributes;
  std::vector<std::string> drop_attributes;
  std::vector<std::pair<std::string, std::string>> resource_attributes = {
      {"service.name", "service_name"}};
  std::vector<std::pair<std::string, std::vector<double>>> buckets;
  std::vector<double> exponential_buckets = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,   2.5,
                                             5,     10,   25,    50,   100, 250,  500, 1000};
  Duration gauge_expiry{300'000};
  std::size_t max_points = 20'000;
  std::size_t max_concurrent = 8;
  std::size_t max_attributes = 64;
  std::size_t max_label_bytes = 256;
  std::size_t max_streams = 50'000;
  std::size_t max_metrics = 500;
  Duration metric_expiry{3'600'000};
  std::size_t max_series_per_metric = 1'000;
};

// A null node: the defaults.
Result<OtlpOptions> ReadOtlpOptions(const yaml::Node& node);

}  // namespace skep::ingest

#include "exporter/ingest/taken_names.h"

#include <algorithm>

namespace skep::ingest {
namespace {

constexpr std::string_view kPrefixes[] = {
    "__",   "auth_failures_", "cgroup_", "component_", "deployment_", "deployments_", "journey_",
    "log_", "node_",          "probe_",  "process_",   "scrape_",     "skep_",        "swarm_"};

// Families of exporter/logs whose prefix others may use (http_server_request_duration_seconds is
// what OpenTelemetry's SDKs send), and names with a meaning to Prometheus.
constexpr std::string_view kNames[] = {"ALERTS",
                                       "ALERTS_FOR_STATE",
                                       "background_jobs_total",
                                       "db_query_duration_seconds",
                                       "db_slow_queries_total",
                                       "errors_total",
                                       "events_total",
                                       "http_request_duration_seconds",
                                       "http_requests_total",
                                       "http_response_bytes_total",
                                       "http_upstream_response_duration_seconds",
                                       "security_events_total",
                                       "target_info",
                                       "up"};

}  // namespace

bool IsTakenName(std::string_view name) {
  const auto begins = [name](std::string_view prefix) { return name.starts_with(prefix); };
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes), begins) ||
         std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

}  // namespace skep::ingest

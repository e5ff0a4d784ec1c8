#include "exporter/logs/families.h"

#include <algorithm>
#include <utility>

namespace skep::logs {
namespace {

using exposition::MetricType;
using state::FamilySpec;

constexpr std::size_t kHttpSeries = 5'000;

// Each with its member of Families; bounds of histograms come from the options.
struct OwnFamily {
  MaybeFamily Families::*member;
  FamilySpec spec;
};

std::vector<OwnFamily> OwnFamilies(const Options& options) {
  return {
      {&Families::http_requests,
       {.name = "http_requests_total",
        .help = "HTTP requests in access logs, by method, status code and group of paths.",
        .max_series = kHttpSeries,
        .closed_labels = {"method", "code"}}},
      {&Families::http_duration,
       {.name = "http_request_duration_seconds",
        .help = "Durations of HTTP requests in access logs.",
        .type = MetricType::kHistogram,
        .bounds = options.request_buckets,
        .closed_labels = {"method"}}},
      {&Families::http_upstream,
       {.name = "http_upstream_response_duration_seconds",
        .help = "What upstream servers took for requests in access logs.",
        .type = MetricType::kHistogram,
        .bounds = options.request_buckets}},
      {&Families::http_bytes,
       {.name = "http_response_bytes_total", .help = "Bytes of HTTP responses in access logs."}},
      {&Families::lines,
       {.name = "log_lines_total",
        .help = "Lines of logs (records, where several lines are one), by the level they tell.",
        .closed_labels = {"level"}}},
      {&Families::matches,
       {.name = "log_matches_total", .help = "Lines that match a named pattern."}},
      {&Families::errors,
       {.name = "errors_total",
        .help = "Error lines by class; retryable where trying again may help.",
        .closed_labels = {"class", "retryable"}}},
      {&Families::auth_failures,
       {.name = "auth_failures_total",
        .help = "Failed log-ins in logs.",
        .closed_labels = {"kind"}}},
      {&Families::security_events,
       {.name = "security_events_total",
        .help = "Security events in logs, by what they are.",
        .closed_labels = {"event"}}},
      {&Families::jobs,
       {.name = "background_jobs_total",
        .help = "Ends of background jobs told in logs.",
        .closed_labels = {"outcome"}}},
      {&Families::query_duration,
       {.name = "db_query_duration_seconds",
        .help = "Durations of database queries told in logs.",
        .type = MetricType::kHistogram,
        .bounds = options.query_buckets}},
      {&Families::slow_queries,
       {.name = "db_slow_queries_total",
        .help =
            "Database queries in logs that took as long as the limit for slow ones, or longer."}},
      {&Families::read_errors,
       {.name = "log_read_errors_total",
        .help = "What of logs could not be read or understood, by reason.",
        .closed_labels = {"reason"}}},
      {&Families::rotations,
       {.name = "log_rotations_total",
        .help = "Files of logs that were renamed, truncated or deleted while they were followed.",
        .closed_labels = {"kind"}}},
      {&Families::new_patterns,
       {.name = "log_new_patterns_total",
        .help = "Templates of error lines that were never seen before."}},
  };
}

FamilySpec CustomSpec(const MetricOptions& metric) {
  FamilySpec spec;
  spec.name = metric.name;
  spec.help = metric.help.empty() ? "Lines of logs that match a configured pattern." : metric.help;
  spec.type = metric.kind == MetricKind::kCounter ? MetricType::kCounter : MetricType::kHistogram;
  spec.bounds = metric.buckets;
  spec.max_series = metric.max_series;
  return spec;
}

MaybeFamily Define(state::Store& store, FamilySpec spec, const Logger& log) {
  const std::string name = spec.name;
  const Result<state::FamilyId> family = store.Define(std::move(spec));
  if (family) return *family;
  log.Warn("family of metrics is not counted", {{"family", name}, {"err", family.error()}});
  return std::nullopt;
}

}  // namespace

std::vector<double> DefaultRequestBuckets() {
  return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4,
          0.5,   0.75,   1,     1.5,  2,     3,    4,   5,   7.5,  10,  30};
}

std::vector<double> DefaultQueryBuckets() {
  return {0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
}

bool IsOwnFamily(std::string_view name) {
  const std::vector<OwnFamily> own = OwnFamilies({});
  return name.starts_with("log_") || std::any_of(own.begin(), own.end(), [&](const OwnFamily& f) {
           return f.spec.name == name;
         });
}

Families DefineFamilies(const Options& options, state::Store& store, const Logger& log) {
  Families families;
  if (options.sources.empty()) return families;  // pages need no families of logs then
  for (OwnFamily& own : OwnFamilies(options)) {
    const MaybeFamily family = Define(store, std::move(own.spec), log);
    if (family) families.defined.push_back(*family);
    families.*own.member = family;
  }
  for (const SourceOptions& source : options.sources) {
    for (const MetricOptions& metric : source.metrics) {
      if (families.custom.contains(metric.name)) continue;
      if (const MaybeFamily family = Define(store, CustomSpec(metric), log)) {
        families.custom.emplace(metric.name, *family);
        families.defined.push_back(*family);
      }
    }
  }
  return families;
}

void ReleaseFamilies(Families& families, state::Store& store) {
  for (const state::FamilyId family : families.defined) store.Release(family);
  families = {};
}

}  // namespace skep::logs

// The families that events change.
#include <algorithm>
#include <initializer_list>
#include <utility>

#include "exporter/ingest/event_schema.h"

namespace skep::ingest {
namespace {

using exposition::MetricType;
using state::FamilySpec;
using Caps = std::vector<std::pair<std::string, std::size_t>>;

constexpr std::size_t kServices = 200;

// Of things a person waits for, of web vitals, of frames, of jobs, of what lasts hours.
const std::vector<double> kLatencyBounds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                            0.5,   1,    2.5,   5,    10,  30};
const std::vector<double> kPaintBounds = {0.1, 0.25, 0.5, 0.8, 1, 1.5, 1.8, 2,
                                          2.5, 3,    4,   6,   8, 10,  30};
const std::vector<double> kInputBounds = {0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5};
const std::vector<double> kShiftBounds = {0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2};
const std::vector<double> kFrameBounds = {0.004,    0.008, 0.0125, 0.016667, 0.02, 0.025,
                                          0.033334, 0.05,  0.1,    0.25,     1};
const std::vector<double> kJobBounds = {1,   5,    15,   30,   60,   120,  300,   600,
                                        900, 1200, 1800, 3600, 5400, 7200, 10800, 14400};
const std::vector<double> kIncidentBounds = {60,   300,   600,   900,   1800,  3600,
                                             7200, 14400, 28800, 86400, 259200};
const std::vector<double> kSessionBounds = {10,   30,   60,   180,  300,   600,
                                            1200, 1800, 3600, 7200, 14400, 28800};

FamilySpec Counter(std::string name, std::string help, Caps caps = {},
                   std::vector<std::string> closed = {}) {
  return {std::move(name),   std::move(help), MetricType::kCounter, {}, 2000,
          std::move(closed), std::move(caps)};
}

FamilySpec Gauge(std::string name, std::string help, Caps caps = {},
                 std::vector<std::string> closed = {}) {
  return {std::move(name),   std::move(help), MetricType::kGauge, {}, 2000,
          std::move(closed), std::move(caps)};
}

FamilySpec Histogram(std::string name, std::string help, const std::vector<double>& bounds,
                     Caps caps = {}, std::vector<std::string> closed = {}) {
  return {std::move(name),   std::move(help), MetricType::kHistogram, bounds, 500,
          std::move(closed), std::move(caps)};
}

void AddDeployments(std::vector<FamilySpec>& out) {
  const Caps service = {{"service", kServices}};
  out.insert(
      out.end(),
      {
          Counter("deployments_total", "Deployments that have ended.", service, {"outcome"}),
          Counter("deployment_outside_window_total",
                  "Deployments at times at which none should happen.", service),
          Gauge("deployment_timestamp_seconds", "When the service was deployed last.", service),
          Gauge("deployment_info", "What of the service is deployed: 1.", service),
          Gauge("deployment_rollback_info", "Where a rollback of the service goes: 1.", service),
          Histogram("deployment_duration_seconds", "How long deployments took.", kJobBounds,
                    {{"strategy", 20}}),
          Gauge("deployment_progress_ratio", "How much of the running deployment is done.",
                service),
          Gauge("deployment_phase", "1 for the phase in which the deployment is, 0 for others.",
                service, {"phase"}),
          Gauge("deployment_gate_passed", "Whether the gate let the last deployment through.",
                {{"service", kServices}, {"gate", 50}}),
          Gauge("deployment_gate_duration_seconds", "How long the gate took last.",
                {{"service", kServices}, {"gate", 50}}),
          Gauge("deployment_gate_timestamp_seconds", "When the gate decided last.",
                {{"service", kServices}, {"gate", 50}}),
          Gauge("deployment_check_status",
                "1 for what the check after the last deployment said, 0 for others.", service,
                {"check", "status"}),
          Gauge("deployment_traffic_weight_ratio", "Share of the traffic that the track gets.",
                service, {"track"}),
          Gauge("deployment_step_timestamp_seconds", "When the track's share changed last.",
                service, {"track"}),
          Gauge("deployment_ready_seconds", "How long the environment took to be ready.", service,
                {"color"}),
          Gauge("rollback_requested", "Whether somebody asks for a rollback.", service),
          Counter("rollbacks_total", "Rollbacks that have ended.", service, {"trigger", "outcome"}),
          Histogram("rollback_duration_seconds", "How long rollbacks took.", kJobBounds,
                    {{"strategy", 20}}),
          Counter("migration_runs_total", "Runs of database migrations.", {},
                  {"direction", "outcome"}),
          Histogram("migration_duration_seconds", "How long database migrations took.", kJobBounds,
                    {}, {"direction"}),
      });
}

void AddQuality(std::vector<FamilySpec>& out) {
  const Caps suites = {{"service", kServices}, {"suite", 100}};
  const Caps backup = {{"backup", 100}};
  out.insert(
      out.end(),
      {
          Counter("builds_total", "Builds that have ended.", {{"service", kServices}}, {"outcome"}),
          Histogram("build_duration_seconds", "How long builds took.", kJobBounds,
                    {{"service", kServices}}),
          Gauge("build_bundle_size_bytes", "Size of the bundle as built last.",
                {{"service", kServices}, {"bundle", 100}}),
          Gauge("test_cases", "Tests of the last run by result.", suites, {"result"}),
          Gauge("test_pass_ratio", "Tests that passed, of those that passed or failed.", suites),
          Gauge("test_coverage_ratio", "Share of the code that the last run covered.", suites),
          Gauge("test_duration_seconds", "How long the last run took.", suites),
          Gauge("test_run_timestamp_seconds", "When the suite ran last.", suites),
          Gauge("vulnerabilities", "Vulnerabilities that the last scan found.", {{"scanner", 30}},
                {"severity"}),
          Gauge("vulnerability_scan_timestamp_seconds", "When the scanner ran last.",
                {{"scanner", 30}}),
          Gauge("secrets_detected", "Secrets that the last scan found in the code.",
                {{"scanner", 30}}),
          Gauge("dependencies_outdated", "Dependencies with a newer version.", {}, {"update"}),
          Counter("backups_total", "Backups that have ended.", backup, {"outcome"}),
          Gauge("backup_last_success_timestamp_seconds", "When the last good backup was made.",
                backup),
          Gauge("backup_size_bytes", "Size of the last backup.", backup),
          Gauge("backup_duration_seconds", "How long the last backup took.", backup),
          Counter("backup_restore_tests_total", "Backups that were restored to try them.", backup,
                  {"outcome"}),
          Gauge("backup_restore_test_timestamp_seconds",
                "When the backup was last restored with success.", backup),
          Gauge("wasm_speedup_ratio", "Times as fast as without WASM."),
          Gauge("wasm_memory_bytes", "Memory of the WASM module."),
          Gauge("wasm_build_info", "How the WASM module was built: 1.", {}, {"opt_level", "simd"}),
      });
}

void AddBusiness(std::vector<FamilySpec>& out) {
  const Caps experiment = {{"experiment", 50}, {"variant", 50}};
  out.insert(
      out.end(),
      {
          Gauge("active_users", "Users who were active within the window.", {}, {"window"}),
          Counter("business_events_total", "What the business counts.", {{"event", 200}}),
          Counter("business_funnel_step_total", "Users who reached the step.",
                  {{"funnel", 50}, {"step", 50}}),
          Counter("business_transactions_total", "Transactions.", {}, {"outcome"}),
          Counter("revenue_usd_total", "Money earned, in US dollars."),
          Counter("cost_usd_total", "Money spent, in US dollars.", {{"service", kServices}}),
          Counter("cost_savings_usd_total", "Money saved, in US dollars.",
                  {{"service", kServices}}),
          Gauge("customer_satisfaction_score", "Satisfaction of customers, from 0 to 5."),
          Counter("experiment_exposures_total", "Users who saw the variant.", experiment),
          Counter("experiment_conversions_total", "Users whom the variant moved.", experiment),
          Counter("feature_requests_total", "Requests for features."),
          Counter("feature_usage_total", "Uses of the feature.", {{"feature", 200}}),
          Gauge("github_issues_open", "Open issues.", {{"label", 50}}),
          Counter("package_installations_total", "Installations of the package.", {{"package", 50}},
                  {"outcome"}),
          Counter("support_tickets_total", "Requests for help.", {{"category", 50}}),
          Counter("user_signups_total", "Users who have signed up."),
          Histogram("user_session_duration_seconds", "How long users stayed.", kSessionBounds),
      });
}

void AddPages(std::vector<FamilySpec>& out) {
  const Caps page = {{"page_group", 1000}};  // the present bound is EventOptions::max_page_groups
  const auto vital = [&page](std::string name, std::string help,
                             const std::vector<double>& bounds) {
    return Histogram(std::move(name), std::move(help) + ", as browsers tell.", bounds, page);
  };
  out.insert(
      out.end(),
      {
          vital("rum_page_load_seconds", "Time until a page was loaded", kPaintBounds),
          vital("rum_interaction_delay_seconds", "Time until an interaction was answered",
                kInputBounds),
          vital("rum_largest_contentful_paint_seconds", "Largest contentful paint", kPaintBounds),
          vital("rum_first_contentful_paint_seconds", "First contentful paint", kPaintBounds),
          vital("rum_first_input_delay_seconds", "First input delay", kInputBounds),
          vital("rum_interaction_to_next_paint_seconds", "Interaction to next paint", kInputBounds),
          vital("rum_time_to_first_byte_seconds", "Time to first byte", kPaintBounds),
          vital("rum_cumulative_layout_shift", "Cumulative layout shift", kShiftBounds),
          Counter("rum_js_errors_total", "Errors in scripts of pages, as browsers tell.", page),
          Histogram("dashboard_frame_duration_seconds", "Time to draw one frame.", kFrameBounds,
                    {{"dashboard", 50}}),
          Gauge("dashboard_connections", "Connections that are open.", {{"dashboard", 50}}),
          Gauge("dashboard_connections_max", "Connections that may be open.", {{"dashboard", 50}}),
          Counter("dashboard_transmit_bytes_total", "Bytes sent by the dashboard.",
                  {{"dashboard", 50}}),
      });
}

void AddService(std::vector<FamilySpec>& out) {
  const Caps component = {{"component", 100}};
  out.insert(
      out.end(),
      {
          Counter("cache_requests_total", "Requests to the cache.", {{"cache", 50}}, {"result"}),
          Gauge("circuit_breaker_open", "Whether the circuit breaker is open.", component),
          Gauge("circuit_breaker_state", "1 for the state of the circuit breaker, 0 for others.",
                component, {"state"}),
          Counter("circuit_breaker_trips_total", "How often the circuit breaker has opened.",
                  component),
          Counter("client_errors_total", "Errors told by client programs.", {{"class", 100}}),
          Counter("external_api_requests_total", "Calls of somebody else's interface.",
                  {{"api", 100}}, {"outcome"}),
          Histogram("external_api_request_duration_seconds",
                    "How long calls of somebody else's interface took.", kLatencyBounds,
                    {{"api", 100}}),
          Counter("retries_total", "What was tried again.", component, {"outcome"}),
          Gauge("http_requests_in_flight", "Requests under way.", {{"service", kServices}}),
          Counter("incidents_total", "Incidents opened.", {}, {"source", "severity", "impact"}),
          Gauge("incidents_active", "Incidents that are open.", {}, {"severity"}),
          Gauge("users_affected_ratio", "Share of the users that the last incident hurts.", {},
                {"severity"}),
          Histogram("incident_detect_seconds", "From the beginning of incidents to their finding.",
                    kIncidentBounds, {}, {"severity"}),
          Histogram("incident_ack_seconds", "From the finding of incidents until they were taken.",
                    kIncidentBounds, {}, {"severity"}),
          Histogram("incident_resolve_seconds", "From the finding of incidents to their end.",
                    kIncidentBounds, {}, {"severity"}),
          Counter("events_total", "Events accepted, by their kind.", {}, {"kind"}),
      });
}

}  // namespace

const std::vector<FamilySpec>& EventFamilies() {
  static const std::vector<FamilySpec> families = [] {
    std::vector<FamilySpec> out;
    AddDeployments(out);
    AddQuality(out);
    AddBusiness(out);
    AddPages(out);
    AddService(out);
    std::sort(out.begin(), out.end(),
              [](const FamilySpec& a, const FamilySpec& b) { return a.name < b.name; });
    return out;
  }();
  return families;
}

}  // namespace skep::ingest

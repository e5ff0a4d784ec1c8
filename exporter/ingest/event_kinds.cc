// The table itself.
#include <string_view>

#include "exporter/ingest/event_schema.h"

namespace skep::ingest {
namespace {

using enum FieldType;
using enum EffectOp;
using Choices = std::string_view[];

constexpr bool kRequired = true;

constexpr Choices kOutcomes = {"failure", "success"};
constexpr Choices kDeployOutcomes = {"cancelled", "failure", "rolled_back", "success"};
constexpr Choices kSeverities = {"critical", "high", "low", "medium"};
constexpr Choices kWindows = {"1d", "30d", "7d"};
constexpr Choices kBreakerStates = {"closed", "half_open", "open"};
constexpr Choices kUpdates = {"major", "minor", "patch"};
constexpr Choices kChecks = {"business", "errors", "latency", "resources", "throughput"};
constexpr Choices kCheckStatuses = {"critical", "good", "warning"};
constexpr Choices kPhases = {"finished", "monitoring", "preparation", "production",
                             "rollback", "staging",    "verification"};
constexpr Choices kTracks = {"baseline", "blue", "canary", "green", "stable"};
constexpr Choices kColors = {"blue", "canary", "green", "stable"};
constexpr Choices kEnvironmentStates = {"created", "removed"};
constexpr Choices kTriggers = {"error_rate", "health", "latency", "manual", "memory"};
constexpr Choices kIncidentSources = {"alerts", "logs", "metrics", "user_reports"};
constexpr Choices kIncidentStates = {"acknowledged", "opened", "resolved"};
constexpr Choices kImpacts = {"internal", "performance", "user_facing"};
constexpr Choices kApiOutcomes = {"error", "ok"};
constexpr Choices kRetryOutcomes = {"exhausted", "failure", "success"};
constexpr Choices kDirections = {"down", "reapply", "up"};
constexpr Choices kMethods = {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS",
                              "PATCH",   "POST",   "PUT", "TRACE"};
constexpr Choices kOptLevels = {"O0", "O1", "O2", "O3", "Os", "Oz"};
constexpr Choices kMeasureTypes = {"counter", "gauge", "histogram"};
constexpr Choices kAgentStatuses = {"active", "busy",   "completed", "failed",
                                    "idle",   "paused", "starting",  "terminated"};
constexpr Choices kTaskStatuses = {"assigned", "blocked",     "cancelled", "completed",
                                   "failed",   "in_progress", "pending"};
constexpr Choices kPriorities = {"critical", "high", "low", "normal"};

constexpr FieldSpec kCountField = {"count", kPositive, "How often it happened; 1 by default"};
constexpr FieldSpec kServiceField = {"service", kText, "Name of the service", kRequired};
constexpr FieldSpec kOutcomeField = {"outcome", kChoice, "How it ended", kRequired, kOutcomes};
constexpr FieldSpec kDurationField = {"duration_seconds", kSeconds, "How long it took"};

constexpr LabelSpec kByService[] = {{"service", "service"}};

// active_users
constexpr FieldSpec kActiveUsersFields[] = {
    {"window", kChoice, "Span in which they were active", kRequired, kWindows},
    {"users", kCount, "How many", kRequired}};
constexpr LabelSpec kByWindow[] = {{"window", "window"}};
constexpr EffectSpec kActiveUsersEffects[] = {{"active_users", kSet, "users", kByWindow}};

// agent
constexpr FieldSpec kAgentFields[] = {
    {"agent", kId, "Which one, so that its states are told apart; never on the page", kRequired},
    {"agent_type", kText, "Kind of agent: coder, reviewer"},
    {"workspace", kText, "Short name of the project"},
    {"status", kChoice, "What it does now", !kRequired, kAgentStatuses},
    {"task", kId, "What it works on; never on the page"},
    {"waits_for", kIds, "Agents and tasks without which it cannot go on; never on the page"},
    {"spawn_seconds", kShortSeconds, "From the wish for it until it ran"},
    {"health_ratio", kRatio, "How well it is"},
    {"confidence_ratio", kRatio, "How sure it is of its work"},
    {"quality_ratio", kRatio, "How good its work was found"}};

// backup
constexpr FieldSpec kBackupFields[] = {{"backup", kText, "Name of what is saved", kRequired},
                                       kOutcomeField,
                                       {"size_bytes", kBytes, "Size of the backup"},
                                       kDurationField};
constexpr LabelSpec kByBackup[] = {{"backup", "backup"}};
constexpr LabelSpec kByBackupOutcome[] = {{"backup", "backup"}, {"outcome", "outcome"}};
constexpr EffectSpec kBackupEffects[] = {
    {"backups_total", kIncrease, "", kByBackupOutcome},
    {"backup_last_success_timestamp_seconds", kSetTime, "", kByBackup, "outcome", "success"},
    {"backup_size_bytes", kSet, "size_bytes", kByBackup},
    {"backup_duration_seconds", kSet, "duration_seconds", kByBackup}};

// build
constexpr FieldSpec kBuildFields[] = {{"service", kText, "Name of the service"},
                                      {"outcome", kChoice, "How it ended", !kRequired, kOutcomes},
                                      kDurationField,
                                      {"bundle", kText, "Name of the bundle; main by default"},
                                      {"bundle_size_bytes", kBytes, "Size of the bundle"}};
constexpr std::string_view kBuildAnyOf[] = {"outcome", "duration_seconds", "bundle_size_bytes"};
constexpr LabelSpec kByBundle[] = {{"service", "service"}, {"bundle", "bundle", "main"}};
constexpr LabelSpec kBuildSuccess[] = {{"service", "service"}, {"outcome", "", "success"}};
constexpr LabelSpec kBuildFailure[] = {{"service", "service"}, {"outcome", "", "failure"}};
constexpr EffectSpec kBuildEffects[] = {
    {"builds_total", kIncrease, "", kBuildSuccess, "outcome", "success"},
    {"builds_total", kIncrease, "", kBuildFailure, "outcome", "failure"},
    {"build_duration_seconds", kObserve, "duration_seconds", kByService},
    {"build_bundle_size_bytes", kSet, "bundle_size_bytes", kByBundle}};

// business
constexpr FieldSpec kBusinessFields[] = {
    {"event", kText, "What happened: order, upgrade", kRequired}, kCountField};
constexpr LabelSpec kByEvent[] = {{"event", "event"}};
constexpr EffectSpec kBusinessEffects[] = {{"business_events_total", kIncrease, "count", kByEvent}};

// cache
constexpr FieldSpec kCacheFields[] = {{"cache", kText, "Name of the cache", kRequired},
                                      {"hits", kCount, "Requests answered from it"},
                                      {"misses", kCount, "Requests it could not answer"}};
constexpr std::string_view kCacheAnyOf[] = {"hits", "misses"};
constexpr LabelSpec kCacheHit[] = {{"cache", "cache"}, {"result", "", "hit"}};
constexpr LabelSpec kCacheMiss[] = {{"cache", "cache"}, {"result", "", "miss"}};
constexpr EffectSpec kCacheEffects[] = {{"cache_requests_total", kAdd, "hits", kCacheHit},
                                        {"cache_requests_total", kAdd, "misses", kCacheMiss}};

// circuit_breaker
constexpr FieldSpec kBreakerFields[] = {
    {"component", kText, "What it guards", kRequired},
    {"state", kChoice, "Its state from now on", kRequired, kBreakerStates}};
constexpr LabelSpec kByComponent[] = {{"component", "component"}};
constexpr EffectSpec kBreakerEffects[] = {
    {"circuit_breaker_state", kOneHot, "state", kByComponent},
    {"circuit_breaker_open", kSetIf, "state", kByComponent, "", "", "open"},
    {"circuit_breaker_trips_total", kIncrease, "", kByComponent, "state", "open"}};

// client_error
constexpr FieldSpec kClientErrorFields[] = {{"class", kText, "Kind of error: TypeError", kRequired},
                                            kCountField};
constexpr LabelSpec kByClass[] = {{"class", "class"}};
constexpr EffectSpec kClientErrorEffects[] = {
    {"client_errors_total", kIncrease, "count", kByClass}};

// cost
constexpr FieldSpec kCostFields[] = {kServiceField,
                                     {"amount_usd", kUsd, "Spent since the last event"},
                                     {"savings_usd", kUsd, "Saved since the last event"}};
constexpr std::string_view kCostAnyOf[] = {"amount_usd", "savings_usd"};
constexpr EffectSpec kCostEffects[] = {{"cost_usd_total", kAdd, "amount_usd", kByService},
                                       {"cost_savings_usd_total", kAdd, "savings_usd", kByService}};

// dashboard
constexpr FieldSpec kDashboardFields[] = {
    {"dashboard", kText, "Which one; left out where there is only one"},
    {"frame_seconds", kShortSeconds, "Time to draw one frame"},
    {"connections", kCount, "Open now"},
    {"connections_max", kCount, "Most that may be open"},
    {"transmitted_bytes", kBytes, "Sent since the last event"}};
constexpr std::string_view kDashboardAnyOf[] = {"frame_seconds", "connections", "connections_max",
                                                "transmitted_bytes"};
constexpr LabelSpec kByDashboard[] = {{"dashboard", "dashboard"}};
constexpr EffectSpec kDashboardEffects[] = {
    {"dashboard_frame_duration_seconds", kObserve, "frame_seconds", kByDashboard},
    {"dashboard_connections", kSet, "connections", kByDashboard},
    {"dashboard_connections_max", kSet, "connections_max", kByDashboard},
    {"dashboard_transmit_bytes_total", kAdd, "transmitted_bytes", kByDashboard}};

// dependencies
constexpr FieldSpec kDependenciesFields[] = {
    {"update", kChoice, "How far they are behind", kRequired, kUpdates},
    {"outdated", kCount, "How many", kRequired}};
constexpr LabelSpec kByUpdate[] = {{"update", "update"}};
constexpr EffectSpec kDependenciesEffects[] = {
    {"dependencies_outdated", kSet, "outdated", kByUpdate}};

// deployment
constexpr FieldSpec kDeploymentFields[] = {
    kServiceField,
    {"version", kText, "What runs now", kRequired},
    {"strategy", kText, "blue_green, canary, rolling, hotfix; unknown by default"},
    {"outcome", kChoice, "How it ended; success by default", !kRequired, kDeployOutcomes},
    kDurationField,
    {"commit", kText, "What was deployed, in version control"},
    {"url", kLongText, "Where to read more; kept beside the metrics"},
    {"rollback_version", kText, "Where a rollback goes; the version before by default"},
    {"outside_window", kBool, "Whether it happened when it should not"}};
constexpr LabelSpec kByStrategy[] = {{"strategy", "strategy", "unknown"}};
constexpr LabelSpec kDeployOutcome[] = {{"service", "service"}, {"outcome", "outcome", "success"}};
constexpr EffectSpec kDeploymentEffects[] = {
    {"deployments_total", kIncrease, "", kDeployOutcome},
    {"deployment_duration_seconds", kObserve, "duration_seconds", kByStrategy}};

// deployment_check
constexpr FieldSpec kDeploymentCheckFields[] = {
    kServiceField,
    {"check", kChoice, "What was compared with the time before", kRequired, kChecks},
    {"status", kChoice, "What came out", kRequired, kCheckStatuses}};
constexpr LabelSpec kByCheck[] = {{"service", "service"}, {"check", "check"}};
constexpr EffectSpec kDeploymentCheckEffects[] = {
    {"deployment_check_status", kOneHot, "status", kByCheck}};

// deployment_environment
constexpr FieldSpec kEnvironmentFields[] = {
    kServiceField,
    {"color", kChoice, "Which environment", kRequired, kColors},
    {"state", kChoice, "What became of it", kRequired, kEnvironmentStates},
    {"ready_seconds", kSeconds, "From its making until it was ready"}};
constexpr LabelSpec kByColor[] = {{"service", "service"}, {"color", "color"}};
constexpr EffectSpec kEnvironmentEffects[] = {
    {"deployment_ready_seconds", kSet, "ready_seconds", kByColor}};

// deployment_phase
constexpr FieldSpec kPhaseFields[] = {kServiceField,
                                      {"phase", kChoice, "Where it stands", kRequired, kPhases},
                                      {"progress_ratio", kRatio, "How much of the whole is done"}};
constexpr EffectSpec kPhaseEffects[] = {
    {"deployment_phase", kOneHot, "phase", kByService},
    {"deployment_progress_ratio", kSet, "progress_ratio", kByService}};

// deployment_traffic
constexpr FieldSpec kTrafficFields[] = {
    kServiceField,
    {"track", kChoice, "Which part of the deployment", kRequired, kTracks},
    {"weight_ratio", kRatio, "Its share of the traffic", kRequired}};
constexpr LabelSpec kByTrack[] = {{"service", "service"}, {"track", "track"}};
constexpr EffectSpec kTrafficEffects[] = {
    {"deployment_traffic_weight_ratio", kSet, "weight_ratio", kByTrack},
    {"deployment_step_timestamp_seconds", kSetTime, "", kByTrack}};

// error
constexpr FieldSpec kErrorFields[] = {
    {"component", kText, "Where it happened; unknown by default"},
    {"class", kText, "What kind: ETIMEDOUT, SQLITE_BUSY, validation", kRequired},
    {"retryable", kBool, "Whether trying again may help; by default what is known of the class"},
    kCountField};
constexpr LabelSpec kByErrorClass[] = {
    {"component", "component", "unknown"}, {"class", "class"}, {"retryable", "retryable", "false"}};
constexpr EffectSpec kErrorEffects[] = {{"errors_total", kIncrease, "count", kByErrorClass}};

// experiment
constexpr FieldSpec kExperimentFields[] = {
    {"experiment", kText, "Its name", kRequired},
    {"variant", kText, "Which of its variants", kRequired},
    {"exposures", kCount, "Users who saw it"},
    {"conversions", kCount, "Users who did what was hoped for"}};
constexpr std::string_view kExperimentAnyOf[] = {"exposures", "conversions"};
constexpr LabelSpec kByVariant[] = {{"experiment", "experiment"}, {"variant", "variant"}};
constexpr EffectSpec kExperimentEffects[] = {
    {"experiment_exposures_total", kAdd, "exposures", kByVariant},
    {"experiment_conversions_total", kAdd, "conversions", kByVariant}};

// external_api
constexpr FieldSpec kExternalApiFields[] = {
    {"api", kText, "Whose interface was called", kRequired},
    {"outcome", kChoice, "What came back", kRequired, kApiOutcomes},
    {"duration_seconds", kShortSeconds, "How long one call took"},
    kCountField};
constexpr LabelSpec kByApi[] = {{"api", "api"}};
constexpr LabelSpec kByApiOutcome[] = {{"api", "api"}, {"outcome", "outcome"}};
constexpr EffectSpec kExternalApiEffects[] = {
    {"external_api_requests_total", kIncrease, "count", kByApiOutcome},
    {"external_api_request_duration_seconds", kObserve, "duration_seconds", kByApi}};

// feature
constexpr FieldSpec kFeatureFields[] = {{"feature", kText, "What was used", kRequired},
                                        kCountField};
constexpr LabelSpec kByFeature[] = {{"feature", "feature"}};
constexpr EffectSpec kFeatureEffects[] = {{"feature_usage_total", kIncrease, "count", kByFeature}};

// feature_request
constexpr FieldSpec kOnlyCountFields[] = {kCountField};
constexpr EffectSpec kFeatureRequestEffects[] = {{"feature_requests_total", kIncrease, "count"}};

// funnel
constexpr FieldSpec kFunnelFields[] = {{"funnel", kText, "Its name", kRequired},
                                       {"step", kText, "Which step was reached", kRequired},
                                       kCountField};
constexpr LabelSpec kByStep[] = {{"funnel", "funnel"}, {"step", "step"}};
constexpr EffectSpec kFunnelEffects[] = {
    {"business_funnel_step_total", kIncrease, "count", kByStep}};

// gate
constexpr FieldSpec kGateFields[] = {
    kServiceField,
    {"gate", kText, "code_review, tests, security, build, migration, infrastructure", kRequired},
    {"passed", kBool, "Whether it let the deployment through", kRequired},
    kDurationField};
constexpr LabelSpec kByGate[] = {{"service", "service"}, {"gate", "gate"}};
constexpr EffectSpec kGateEffects[] = {
    {"deployment_gate_passed", kSet, "passed", kByGate},
    {"deployment_gate_duration_seconds", kSet, "duration_seconds", kByGate},
    {"deployment_gate_timestamp_seconds", kSetTime, "", kByGate}};

// incident
constexpr FieldSpec kIncidentFields[] = {
    {"severity", kChoice, "How bad it is", kRequired, kSeverities},
    {"state", kChoice, "What became of it", kRequired, kIncidentStates},
    {"source", kChoice, "Who found it; user_reports by default", !kRequired, kIncidentSources},
    {"impact", kChoice, "Whom it hurts", !kRequired, kImpacts},
    {"active", kCount, "Incidents of this severity that are open now"},
    {"users_affected_ratio", kRatio, "Share of the users that it hurts"},
    {"detect_seconds", kSeconds, "From its beginning to its finding"},
    {"ack_seconds", kSeconds, "From its finding until somebody took it"},
    {"resolve_seconds", kSeconds, "From its finding to its end"}};
constexpr LabelSpec kBySeverity[] = {{"severity", "severity"}};
constexpr LabelSpec kByIncident[] = {
    {"source", "source", "user_reports"}, {"severity", "severity"}, {"impact", "impact"}};
constexpr EffectSpec kIncidentEffects[] = {
    {"incidents_total", kIncrease, "", kByIncident, "state", "opened"},
    {"incidents_active", kSet, "active", kBySeverity},
    {"users_affected_ratio", kSet, "users_affected_ratio", kBySeverity},
    {"incident_detect_seconds", kObserve, "detect_seconds", kBySeverity},
    {"incident_ack_seconds", kObserve, "ack_seconds", kBySeverity},
    {"incident_resolve_seconds", kObserve, "resolve_seconds", kBySeverity}};

// installation
constexpr FieldSpec kInstallationFields[] = {
    {"package", kText, "What was installed", kRequired}, kOutcomeField, kCountField};
constexpr LabelSpec kByPackage[] = {{"package", "package"}, {"outcome", "outcome"}};
constexpr EffectSpec kInstallationEffects[] = {
    {"package_installations_total", kIncrease, "count", kByPackage}};

// issues
constexpr FieldSpec kIssuesFields[] = {
    {"label", kText, "bug, enhancement, installation", kRequired},
    {"open", kCount, "How many are open", kRequired}};
constexpr LabelSpec kByLabel[] = {{"label", "label"}};
constexpr EffectSpec kIssuesEffects[] = {{"github_issues_open", kSet, "open", kByLabel}};

// measure
constexpr FieldSpec kMeasureFields[] = {
    {"name", kName, "Of the family: base unit at its end, counters with _total", kRequired},
    {"type", kChoice, "What it is", kRequired, kMeasureTypes},
    {"value", kNumber, "counter: added; gauge: set; histogram: observed", kRequired},
    {"labels", kLabels, "Names and values; ids do not belong here"},
    {"help", kLongText, "What it says; the first one counts"},
    {"bounds", kBounds, "Upper bounds of a histogram; the first ones count"}};

// migration
constexpr FieldSpec kMigrationFields[] = {
    {"direction", kChoice, "Which way", kRequired, kDirections}, kOutcomeField, kDurationField};
constexpr LabelSpec kByDirection[] = {{"direction", "direction"}};
constexpr LabelSpec kByMigration[] = {{"direction", "direction"}, {"outcome", "outcome"}};
constexpr EffectSpec kMigrationEffects[] = {
    {"migration_runs_total", kIncrease, "", kByMigration},
    {"migration_duration_seconds", kObserve, "duration_seconds", kByDirection}};

// page
constexpr FieldSpec kPageFields[] = {
    {"page_group", kText, "Kind of page, not its address: checkout", kRequired},
    {"load_seconds", kShortSeconds, "Until the page was loaded"},
    {"interaction_delay_seconds", kShortSeconds, "Until an interaction was answered"},
    {"largest_contentful_paint_seconds", kShortSeconds, "LCP"},
    {"first_contentful_paint_seconds", kShortSeconds, "FCP"},
    {"first_input_delay_seconds", kShortSeconds, "FID"},
    {"interaction_to_next_paint_seconds", kShortSeconds, "INP"},
    {"time_to_first_byte_seconds", kShortSeconds, "TTFB"},
    {"cumulative_layout_shift", kSmall, "CLS, without unit"},
    {"js_errors", kCount, "Errors in scripts"}};
constexpr std::string_view kPageAnyOf[] = {"load_seconds",
                                           "interaction_delay_seconds",
                                           "largest_contentful_paint_seconds",
                                           "first_contentful_paint_seconds",
                                           "first_input_delay_seconds",
                                           "interaction_to_next_paint_seconds",
                                           "time_to_first_byte_seconds",
                                           "cumulative_layout_shift",
                                           "js_errors"};
constexpr LabelSpec kByPage[] = {{"page_group", "page_group"}};
constexpr EffectSpec kPageEffects[] = {
    {"rum_page_load_seconds", kObserve, "load_seconds", kByPage},
    {"rum_interaction_delay_seconds", kObserve, "interaction_delay_seconds", kByPage},
    {"rum_largest_contentful_paint_seconds", kObserve, "largest_contentful_paint_seconds", kByPage},
    {"rum_first_contentful_paint_seconds", kObserve, "first_contentful_paint_seconds", kByPage},
    {"rum_first_input_delay_seconds", kObserve, "first_input_delay_seconds", kByPage},
    {"rum_interaction_to_next_paint_seconds", kObserve, "interaction_to_next_paint_seconds",
     kByPage},
    {"rum_time_to_first_byte_seconds", kObserve, "time_to_first_byte_seconds", kByPage},
    {"rum_cumulative_layout_shift", kObserve, "cumulative_layout_shift", kByPage},
    {"rum_js_errors_total", kAdd, "js_errors", kByPage}};

// request
constexpr FieldSpec kRequestFields[] = {
    kServiceField,
    {"status", kStatus, "HTTP status of the answer"},
    {"method", kChoice, "HTTP method", !kRequired, kMethods},
    {"route", kText, "Group of paths: /users/:id, never a path itself"},
    {"duration_seconds", kSeconds, "How long one request took"},
    {"in_flight", kCount, "Requests under way now"},
    kCountField};
constexpr std::string_view kRequestAnyOf[] = {"status", "in_flight"};
constexpr LabelSpec kByRequest[] = {
    {"service", "service"}, {"route", "route"}, {"method", "method"}, {"code", "status"}};
constexpr LabelSpec kByRequestTime[] = {
    {"service", "service"}, {"route", "route"}, {"method", "method"}};
constexpr EffectSpec kRequestEffects[] = {
    {"http_requests_total", kIncrease, "count", kByRequest, "status"},
    {"http_request_duration_seconds", kObserve, "duration_seconds", kByRequestTime},
    {"http_requests_in_flight", kSet, "in_flight", kByService}};

// restore_test
constexpr FieldSpec kRestoreFields[] = {{"backup", kText, "What was restored", kRequired},
                                        kOutcomeField};
constexpr EffectSpec kRestoreEffects[] = {
    {"backup_restore_tests_total", kIncrease, "", kByBackupOutcome},
    {"backup_restore_test_timestamp_seconds", kSetTime, "", kByBackup, "outcome", "success"}};

// retry
constexpr FieldSpec kRetryFields[] = {
    {"component", kText, "Who tried again", kRequired},
    {"outcome", kChoice, "What came of it", kRequired, kRetryOutcomes},
    kCountField};
constexpr LabelSpec kByRetry[] = {{"component", "component"}, {"outcome", "outcome"}};
constexpr EffectSpec kRetryEffects[] = {{"retries_total", kIncrease, "count", kByRetry}};

// revenue
constexpr FieldSpec kRevenueFields[] = {
    {"amount_usd", kUsd, "Earned since the last event", kRequired}};
constexpr EffectSpec kRevenueEffects[] = {{"revenue_usd_total", kAdd, "amount_usd"}};

// rollback
constexpr FieldSpec kRollbackFields[] = {
    kServiceField,
    {"trigger", kChoice, "Why", kRequired, kTriggers},
    {"outcome", kChoice, "How it ended; success by default", !kRequired, kOutcomes},
    {"strategy", kText, "How: blue_green, canary, rolling; unknown by default"},
    {"version", kText, "What runs again"},
    kDurationField};
constexpr LabelSpec kByRollback[] = {
    {"service", "service"}, {"trigger", "trigger"}, {"outcome", "outcome", "success"}};
constexpr EffectSpec kRollbackEffects[] = {
    {"rollbacks_total", kIncrease, "", kByRollback},
    {"rollback_duration_seconds", kObserve, "duration_seconds", kByStrategy}};

// rollback_request
constexpr FieldSpec kRollbackRequestFields[] = {
    kServiceField, {"requested", kBool, "false takes it back", kRequired}};
constexpr EffectSpec kRollbackRequestEffects[] = {
    {"rollback_requested", kSet, "requested", kByService}};

// satisfaction
constexpr FieldSpec kSatisfactionFields[] = {
    {"score", kScore, "From 0 to 5, as a survey has it", kRequired}};
constexpr EffectSpec kSatisfactionEffects[] = {{"customer_satisfaction_score", kSet, "score"}};

// scan
constexpr FieldSpec kScanFields[] = {
    {"scanner", kText, "npm_audit, semgrep, trivy, gitleaks", kRequired},
    {"critical", kCount, "Vulnerabilities of this severity"},
    {"high", kCount, "Vulnerabilities of this severity"},
    {"moderate", kCount, "Vulnerabilities of this severity"},
    {"low", kCount, "Vulnerabilities of this severity"},
    {"info", kCount, "Vulnerabilities of this severity"},
    {"secrets", kCount, "Secrets found in the code"}};
constexpr std::string_view kScanAnyOf[] = {"critical", "high", "moderate",
                                           "low",      "info", "secrets"};
constexpr LabelSpec kByScanner[] = {{"scanner", "scanner"}};
constexpr LabelSpec kScanCritical[] = {{"scanner", "scanner"}, {"severity", "", "critical"}};
constexpr LabelSpec kScanHigh[] = {{"scanner", "scanner"}, {"severity", "", "high"}};
constexpr LabelSpec kScanModerate[] = {{"scanner", "scanner"}, {"severity", "", "moderate"}};
constexpr LabelSpec kScanLow[] = {{"scanner", "scanner"}, {"severity", "", "low"}};
constexpr LabelSpec kScanInfo[] = {{"scanner", "scanner"}, {"severity", "", "info"}};
constexpr EffectSpec kScanEffects[] = {
    {"vulnerabilities", kSet, "critical", kScanCritical},
    {"vulnerabilities", kSet, "high", kScanHigh},
    {"vulnerabilities", kSet, "moderate", kScanModerate},
    {"vulnerabilities", kSet, "low", kScanLow},
    {"vulnerabilities", kSet, "info", kScanInfo},
    {"secrets_detected", kSet, "secrets", kByScanner},
    {"vulnerability_scan_timestamp_seconds", kSetTime, "", kByScanner}};

// session
constexpr FieldSpec kSessionFields[] = {
    {"duration_seconds", kSeconds, "How long a user stayed", kRequired}};
constexpr EffectSpec kSessionEffects[] = {
    {"user_session_duration_seconds", kObserve, "duration_seconds"}};

// signup
constexpr EffectSpec kSignupEffects[] = {{"user_signups_total", kIncrease, "count"}};

// task
constexpr FieldSpec kTaskFields[] = {
    {"task", kId, "Which one, so that its states are told apart; never on the page", kRequired},
    {"status", kChoice, "What became of it", kRequired, kTaskStatuses},
    {"task_type", kText, "Kind of task: implementation, review"},
    {"workspace", kText, "Short name of the project"},
    {"priority", kChoice, "How urgent it is", !kRequired, kPriorities},
    {"progress_ratio", kRatio, "How much of it is done"},
    {"agent", kId, "Who works on it; never on the page"},
    {"depends_on", kIds, "Agents and tasks that must come first; never on the page"},
    {"duration_seconds", kSeconds, "From start to end; by default between the reports of both"}};

// test
constexpr FieldSpec kTestFields[] = {{"suite", kText, "Which tests", kRequired},
                                     {"service", kText, "Name of the service"},
                                     {"passed", kCount, "Tests that passed"},
                                     {"failed", kCount, "Tests that failed"},
                                     {"skipped", kCount, "Tests that did not run"},
                                     {"flaky", kCount, "Tests that passed only when tried again"},
                                     {"coverage_ratio", kRatio, "Share of the code that was run"},
                                     kDurationField};
constexpr std::string_view kTestAnyOf[] = {"passed", "failed", "coverage_ratio"};
constexpr LabelSpec kBySuite[] = {{"service", "service"}, {"suite", "suite"}};
constexpr LabelSpec kTestPassed[] = {
    {"service", "service"}, {"suite", "suite"}, {"result", "", "passed"}};
constexpr LabelSpec kTestFailed[] = {
    {"service", "service"}, {"suite", "suite"}, {"result", "", "failed"}};
constexpr LabelSpec kTestSkipped[] = {
    {"service", "service"}, {"suite", "suite"}, {"result", "", "skipped"}};
constexpr LabelSpec kTestFlaky[] = {
    {"service", "service"}, {"suite", "suite"}, {"result", "", "flaky"}};
constexpr EffectSpec kTestEffects[] = {
    {"test_cases", kSet, "passed", kTestPassed},
    {"test_cases", kSet, "failed", kTestFailed},
    {"test_cases", kSet, "skipped", kTestSkipped},
    {"test_cases", kSet, "flaky", kTestFlaky},
    {"test_pass_ratio", kShare, "passed", kBySuite, "", "", "failed"},
    {"test_coverage_ratio", kSet, "coverage_ratio", kBySuite},
    {"test_duration_seconds", kSet, "duration_seconds", kBySuite},
    {"test_run_timestamp_seconds", kSetTime, "", kBySuite}};

// ticket
constexpr FieldSpec kTicketFields[] = {{"category", kText, "What it is about", kRequired},
                                       kCountField};
constexpr LabelSpec kByCategory[] = {{"category", "category"}};
constexpr EffectSpec kTicketEffects[] = {
    {"support_tickets_total", kIncrease, "count", kByCategory}};

// transaction
constexpr FieldSpec kTransactionFields[] = {
    {"outcome", kChoice, "How it ended; success by default", !kRequired, kOutcomes}, kCountField};
constexpr LabelSpec kByTransaction[] = {{"outcome", "outcome", "success"}};
constexpr EffectSpec kTransactionEffects[] = {
    {"business_transactions_total", kIncrease, "count", kByTransaction}};

// wasm
constexpr FieldSpec kWasmFields[] = {
    {"speedup", kSmall, "Times as fast as without WASM"},
    {"memory_bytes", kBytes, "Size of its memory"},
    {"opt_level", kChoice, "How it was built", !kRequired, kOptLevels},
    {"simd", kBool, "Whether it was built with SIMD"}};
constexpr std::string_view kWasmAnyOf[] = {"speedup", "memory_bytes", "opt_level"};
constexpr LabelSpec kByWasmBuild[] = {{"opt_level", "opt_level"}, {"simd", "simd", "false"}};
constexpr EffectSpec kWasmEffects[] = {{"wasm_speedup_ratio", kSet, "speedup"},
                                       {"wasm_memory_bytes", kSet, "memory_bytes"},
                                       {"wasm_build_info", kInfo, "opt_level", kByWasmBuild}};

constexpr FieldSpec kCommon[] = {
    {"kind", kText, "Which of the kinds", kRequired},
    {"id", kId,
     "Of this event within its kind: an id that was seen within 24 hours does not count "
     "again"},
    {"time", kTime, "When it happened; now by default"}};

constexpr KindSpec kKinds[] = {
    {"active_users", "Users who were active within a day, a week, a month", kActiveUsersFields,
     kActiveUsersEffects},
    {"agent", "What an agent does, and how well", kAgentFields, {}, {}, KindId::kAgent},
    {"backup", "A backup was made, or not", kBackupFields, kBackupEffects},
    {"build", "A build has ended", kBuildFields, kBuildEffects, kBuildAnyOf},
    {"business", "Something that the business counts", kBusinessFields, kBusinessEffects},
    {"cache", "Hits and misses since the last event", kCacheFields, kCacheEffects, kCacheAnyOf},
    {"circuit_breaker", "A circuit breaker has changed its state", kBreakerFields, kBreakerEffects},
    {"client_error", "An error told by a client program", kClientErrorFields, kClientErrorEffects},
    {"cost", "Money spent or saved", kCostFields, kCostEffects, kCostAnyOf},
    {"dashboard", "How a dashboard of one's own does", kDashboardFields, kDashboardEffects,
     kDashboardAnyOf},
    {"dependencies", "Packages with newer versions", kDependenciesFields, kDependenciesEffects},
    {"deployment",
     "A deployment has ended",
     kDeploymentFields,
     kDeploymentEffects,
     {},
     KindId::kDeployment},
    {"deployment_check", "A check after a deployment", kDeploymentCheckFields,
     kDeploymentCheckEffects},
    {"deployment_environment",
     "An environment was made or removed",
     kEnvironmentFields,
     kEnvironmentEffects,
     {},
     KindId::kEnvironment},
    {"deployment_phase", "A deployment goes on", kPhaseFields, kPhaseEffects},
    {"deployment_traffic", "Traffic moves to another track", kTrafficFields, kTrafficEffects},
    {"error", "An error that a program noticed", kErrorFields, kErrorEffects, {}, KindId::kError},
    {"experiment", "Who saw a variant, and whom it moved", kExperimentFields, kExperimentEffects,
     kExperimentAnyOf},
    {"external_api", "Calls of somebody else's interface", kExternalApiFields, kExternalApiEffects},
    {"feature", "A feature was used", kFeatureFields, kFeatureEffects},
    {"feature_request", "A user asked for a feature", kOnlyCountFields, kFeatureRequestEffects},
    {"funnel", "A step of a funnel was reached", kFunnelFields, kFunnelEffects},
    {"gate", "A gate of a deployment has decided", kGateFields, kGateEffects},
    {"incident", "An incident was opened, taken, resolved", kIncidentFields, kIncidentEffects},
    {"installation", "A package was installed, or not", kInstallationFields, kInstallationEffects},
    {"issues", "Open issues by label", kIssuesFields, kIssuesEffects},
    {"measure", "A metric of one's own", kMeasureFields, {}, {}, KindId::kMeasure},
    {"migration", "A database migration has ended", kMigrationFields, kMigrationEffects},
    {"page", "What a user saw of a page (web vitals)", kPageFields, kPageEffects, kPageAnyOf,
     KindId::kPlain, true},
    {"request", "Requests that a service has answered", kRequestFields, kRequestEffects,
     kRequestAnyOf},
    {"restore_test", "A backup was restored to try it", kRestoreFields, kRestoreEffects},
    {"retry", "Something was tried again", kRetryFields, kRetryEffects},
    {"revenue", "Money earned", kRevenueFields, kRevenueEffects},
    {"rollback",
     "A deployment was taken back",
     kRollbackFields,
     kRollbackEffects,
     {},
     KindId::kRollback},
    {"rollback_request", "Somebody asks for a rollback", kRollbackRequestFields,
     kRollbackRequestEffects},
    {"satisfaction", "How satisfied customers are", kSatisfactionFields, kSatisfactionEffects},
    {"scan", "A security scan has ended", kScanFields, kScanEffects, kScanAnyOf},
    {"session", "A user's session has ended", kSessionFields, kSessionEffects},
    {"signup", "Users have signed up", kOnlyCountFields, kSignupEffects},
    {"task", "A task has changed its state", kTaskFields, {}, {}, KindId::kTask},
    {"test", "A run of tests has ended", kTestFields, kTestEffects, kTestAnyOf},
    {"ticket", "A user asked for help", kTicketFields, kTicketEffects},
    {"transaction", "Transactions of the business", kTransactionFields, kTransactionEffects},
    {"wasm", "What a WASM benchmark found", kWasmFields, kWasmEffects, kWasmAnyOf},
};

}  // namespace

std::span<const FieldSpec> CommonFields() { return kCommon; }
std::span<const KindSpec> Kinds() { return kKinds; }

}  // namespace skep::ingest

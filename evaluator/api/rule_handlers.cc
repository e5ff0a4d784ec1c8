// Rules, alerts, and whom alerts are sent to.
#include <algorithm>
#include <charconv>
#include <cstdio>

#include "common/base/hash.h"
#include "common/base/number.h"
#include "evaluator/api/api.h"
#include "evaluator/api/encode.h"
#include "evaluator/api/envelope.h"
#include "evaluator/api/parameters.h"

namespace skep::api {
namespace {

double Seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

// Go's 'e' form with shortest precision: "1e+00".
std::string ScientificText(double value) {
  if (value != value || value - value != 0) return FormatDouble(value);
  char buffer[32];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  return std::string(buffer, end);
}

void WriteAlert(json::JsonWriter& json, const rules::AlertStatus& alert) {
  json.BeginObject().Key("labels");
  WriteLabels(json, alert.labels);
  json.Key("annotations");
  WriteLabels(json, alert.annotations);
  json.Field("state", rules::AlertStateName(alert.state));
  json.Field("activeAt", TimeText(alert.active_at));
  if (alert.keep_firing_since) json.Field("keepFiringSince", TimeText(*alert.keep_firing_since));
  json.Field("value", ScientificText(alert.value)).EndObject();
}

void WriteAlerts(json::JsonWriter& json, const std::vector<rules::AlertStatus>& alerts) {
  json.Key("alerts").BeginArray();
  for (const rules::AlertStatus& alert : alerts) WriteAlert(json, alert);
  json.EndArray();
}

void WriteRule(json::JsonWriter& json, const rules::RuleStatus& rule, bool with_alerts) {
  const rules::RuleDefinition& definition = rule.definition;
  const bool alerting = definition.kind == rules::RuleKind::kAlerting;
  json.BeginObject();
  if (alerting) json.Field("state", rules::AlertStateName(rule.state));
  json.Field("name", definition.name).Field("query", definition.query);
  if (alerting) {
    json.Key("duration").Double(ToSeconds(definition.hold));
    json.Key("keepFiringFor").Double(ToSeconds(definition.keep_firing));
  }
  json.Key("labels");
  WriteLabels(json, definition.labels);
  if (alerting) {
    json.Key("annotations");
    WriteLabels(json, definition.annotations);
    if (with_alerts) WriteAlerts(json, rule.alerts);
  }
  json.Field("health", rules::HealthName(rule.health));
  if (!rule.last_error.empty()) json.Field("lastError", rule.last_error);
  json.Key("evaluationTime").Double(Seconds(rule.evaluation_time));
  json.Field("lastEvaluation", TimeText(rule.last_evaluation.value_or(Timestamp{})));
  json.Field("type", alerting ? "alerting" : "recording").EndObject();
}

bool Contains(const std::vector<std::string>& list, const std::string& text) {
  return list.empty() || std::find(list.begin(), list.end(), text) != list.end();
}

// What a request of /rules asks for.
struct RuleFilter {
  std::string type;  // "", "alert", "record"
  std::vector<std::string> names, groups, files;
  std::vector<std::vector<Matcher>> selectors;

  bool AcceptsGroup(const rules::GroupStatus& group) const {
    return Contains(groups, group.name) && Contains(files, group.file);
  }
  bool AcceptsRule(const rules::RuleStatus& rule) const {
    const bool alerting = rule.definition.kind == rules::RuleKind::kAlerting;
    if ((type == "alert" && !alerting) || (type == "record" && alerting)) return false;
    if (!Contains(names, rule.definition.name)) return false;
    return selectors.empty() ||
           std::any_of(selectors.begin(), selectors.end(), [&](const auto& matchers) {
             return MatchesAll(matchers, rule.definition.labels);
           });
  }
  bool narrows_rules() const { return !type.empty() || !names.empty() || !selectors.empty(); }
};

// Names the place to go on at; stable as long as the group exists.
std::string GroupToken(const rules::GroupStatus& group) {
  char text[20];
  std::snprintf(text, sizeof text, "%016llx",
                static_cast<unsigned long long>(HashBytes(group.file + ";" + group.name)));
  return text;
}

// Ours; a group that goes by its interval alone reads as in Prometheus.
void WriteOnScrape(json::JsonWriter& json, const rules::GroupStatus& group) {
  json.Key("onScrape").BeginObject();
  json.Key("minSpacing").Double(ToSeconds(*group.min_spacing));
  json.Key("rounds").BeginObject();
  for (const auto& [cause, count] : {std::pair(rules::RoundCause::kScrape, group.rounds.by_scrape),
                                     {rules::RoundCause::kInterval, group.rounds.by_interval}}) {
    json.Key(rules::RoundCauseName(cause)).Int(static_cast<std::int64_t>(count));
  }
  json.EndObject().EndObject();
}

void WriteGroup(json::JsonWriter& json, const rules::GroupStatus& group, bool with_alerts) {
  json.BeginObject().Field("name", group.name).Field("file", group.file);
  json.Key("rules").BeginArray();
  for (const rules::RuleStatus& rule : group.rules) WriteRule(json, rule, with_alerts);
  json.EndArray();
  json.Key("interval").Double(ToSeconds(group.interval));
  json.Key("limit").Int(group.limit);
  json.Key("evaluationTime").Double(Seconds(group.evaluation_time));
  json.Field("lastEvaluation", TimeText(group.last_evaluation.value_or(Timestamp{})));
  if (group.min_spacing) WriteOnScrape(json, group);
  json.EndObject();
}

// Keeps what the filter accepts; a group without an accepted rule goes where rules were asked for.
std::vector<rules::GroupStatus> Filtered(std::vector<rules::GroupStatus> groups,
                                         const RuleFilter& filter) {
  std::erase_if(groups,
                [&](const rules::GroupStatus& group) { return !filter.AcceptsGroup(group); });
  for (rules::GroupStatus& group : groups) {
    std::erase_if(group.rules,
                  [&](const rules::RuleStatus& rule) { return !filter.AcceptsRule(rule); });
  }
  if (filter.narrows_rules()) {
    std::erase_if(groups, [](const rules::GroupStatus& group) { return group.rules.empty(); });
  }
  return groups;
}

}  // namespace

net::HttpResponse Api::Rules(const net::HttpRequest& request) const {
  Parameters parameters(request);
  RuleFilter filter;
  filter.type = parameters.Text("type");
  filter.names = parameters.List("rule_name");
  filter.groups = parameters.List("rule_group");
  filter.files = parameters.List("file");
  filter.selectors = parameters.Selectors();
  const bool exclude_alerts = parameters.Flag("exclude_alerts");
  const std::string limit_text = parameters.Text("group_limit");
  const std::string token = parameters.Text("group_next_token");
  if (!filter.type.empty() && filter.type != "alert" && filter.type != "record") {
    parameters.Refuse("type", "not supported value \"" + filter.type + "\"");
  }
  const std::optional<std::int64_t> limit = ParseInt(limit_text);
  if (!limit_text.empty() && (!limit || *limit <= 0)) {
    parameters.Refuse("group_limit", "group_limit needs to be a valid number greater than zero");
  }
  if (!token.empty() && limit_text.empty()) {
    parameters.Refuse("group_limit",
                      "group_limit needs to be present in order to paginate over the groups");
  }
  if (parameters.failed()) return parameters.refusal();

  std::vector<rules::GroupStatus> groups = Filtered(sources_.rule_groups(), filter);
  auto begin = groups.begin();
  if (!token.empty()) {
    begin = std::find_if(groups.begin(), groups.end(),
                         [&](const auto& group) { return GroupToken(group) == token; });
    if (begin == groups.end()) {
      return BadParameter("group_next_token",
                          "invalid group_next_token '" + token + "'. were rule groups changed?");
    }
  }
  const bool more = limit && groups.end() - begin > *limit;
  const auto end = more ? begin + *limit : groups.end();
  return Success([&](json::JsonWriter& json) {
    json.BeginObject().Key("groups").BeginArray();
    for (auto group = begin; group != end; ++group) WriteGroup(json, *group, !exclude_alerts);
    json.EndArray();
    if (more) json.Field("groupNextToken", GroupToken(*end));
    json.EndObject();
  });
}

net::HttpResponse Api::Alerts(const net::HttpRequest&) const {
  std::vector<rules::AlertStatus> alerts;
  for (rules::GroupStatus& group : sources_.rule_groups()) {
    for (rules::RuleStatus& rule : group.rules) {
      std::move(rule.alerts.begin(), rule.alerts.end(), std::back_inserter(alerts));
    }
  }
  return Success([&](json::JsonWriter& json) {
    json.BeginObject();
    WriteAlerts(json, alerts);
    json.EndObject();
  });
}

net::HttpResponse Api::Alertmanagers(const net::HttpRequest&) const {
  const AlertmanagersStatus status = sources_.alertmanagers();
  return Success([&](json::JsonWriter& json) {
    const auto list = [&](std::string_view key, const std::vector<std::string>& urls) {
      json.Key(key).BeginArray();
      for (const std::string& url : urls) json.BeginObject().Field("url", url).EndObject();
      json.EndArray();
    };
    json.BeginObject();
    list("activeAlertmanagers", status.active);
    list("droppedAlertmanagers", status.dropped);
    json.EndObject();
  });
}

}  // namespace skep::api

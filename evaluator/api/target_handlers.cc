// Targets, and what their pages say of their metrics.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "common/base/number.h"
#include "evaluator/api/api.h"
#include "evaluator/api/encode.h"
#include "evaluator/api/envelope.h"
#include "evaluator/api/parameters.h"

namespace skep::api {
namespace {

void WriteTarget(json::JsonWriter& json, const scrape::TargetStatus& target) {
  json.BeginObject().Key("discoveredLabels");
  WriteLabels(json, target.discovered_labels);
  json.Key("labels");
  WriteLabels(json, target.labels);
  json.Field("scrapePool", target.pool)
      .Field("scrapeUrl", target.scrape_url)
      .Field("globalUrl", target.global_url);
  json.Field("lastError", target.last_error).Field("lastScrape", TimeText(target.last_scrape));
  json.Key("lastScrapeDuration").Double(target.last_duration_seconds);
  json.Field("health", scrape::HealthName(target.health));
  json.Field("scrapeInterval", FormatDuration(target.interval));
  json.Field("scrapeTimeout", FormatDuration(target.timeout)).EndObject();
}

// Type, help and unit, as one family's entry of /metadata; ordered so that equal ones of several
// targets are one.
using MetadataEntry = std::tuple<std::string_view, std::string, std::string>;

void WriteMetadata(json::JsonWriter& json, const MetadataEntry& entry) {
  const auto& [type, help, unit] = entry;
  json.BeginObject().Field("type", type).Field("unit", unit).Field("help", help).EndObject();
}

}  // namespace

net::HttpResponse Api::Targets(const net::HttpRequest& request) const {
  Parameters parameters(request);
  std::string state = parameters.Text("state");
  std::transform(state.begin(), state.end(), state.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string pool = parameters.Text("scrapePool");
  if (!state.empty() && state != "active" && state != "dropped" && state != "any") {
    parameters.Refuse("state", "expected active, dropped or any, got \"" + state + "\"");
  }
  if (parameters.failed()) return parameters.refusal();
  const bool with_active = state != "dropped";
  const bool with_dropped = state != "active";

  const scrape::TargetsStatus status = sources_.targets();
  return Success([&](json::JsonWriter& json) {
    const auto wanted = [&](const std::string& p) { return pool.empty() || p == pool; };
    json.BeginObject().Key("activeTargets").BeginArray();
    for (const scrape::TargetStatus& target : status.active) {
      if (with_active && wanted(target.pool)) WriteTarget(json, target);
    }
    json.EndArray().Key("droppedTargets").BeginArray();
    for (const scrape::DroppedTarget& target : status.dropped) {
      if (!with_dropped || !wanted(target.pool)) continue;
      json.BeginObject().Key("discoveredLabels");
      WriteLabels(json, target.discovered_labels);
      json.Field("scrapePool", target.pool).EndObject();
    }
    json.EndArray().Key("droppedTargetCounts").BeginObject();
    for (const auto& [name, count] : status.dropped_counts) {
      if (with_dropped && wanted(name)) json.Key(name).Uint(count);
    }
    json.EndObject().EndObject();
  });
}

net::HttpResponse Api::ScrapePools(const net::HttpRequest&) const {
  const scrape::TargetsStatus status = sources_.targets();
  return Success([&](json::JsonWriter& json) {
    json.BeginObject().Key("scrapePools").BeginArray();
    for (const std::string& pool : status.pools) json.String(pool);
    json.EndArray().EndObject();
  });
}

net::HttpResponse Api::Metadata(const net::HttpRequest& request) const {
  Parameters parameters(request);
  const std::string metric = parameters.Text("metric");
  const std::size_t limit = parameters.Limit();
  const std::size_t limit_per_metric = static_cast<std::size_t>(
      std::max<std::int64_t>(0, ParseInt(parameters.Text("limit_per_metric")).value_or(0)));
  if (parameters.failed()) return parameters.refusal();

  std::map<std::string, std::set<MetadataEntry>> families;
  for (const scrape::TargetMetadata& target : sources_.metadata()) {
    for (const scrape::MetricMetadata& entry : *target.table) {
      if (!metric.empty() && entry.family != metric) continue;
      std::set<MetadataEntry>& entries = families[entry.family];
      if (limit_per_metric > 0 && entries.size() >= limit_per_metric) continue;
      entries.emplace(exposition::MetricTypeName(entry.type), entry.help, entry.unit);
    }
  }
  return Success([&](json::JsonWriter& json) {
    std::size_t count = 0;
    json.BeginObject();
    for (const auto& [family, entries] : families) {
      if (limit > 0 && count++ == limit) break;
      json.Key(family).BeginArray();
      for (const MetadataEntry& entry : entries) WriteMetadata(json, entry);
      json.EndArray();
    }
    json.EndObject();
  });
}

net::HttpResponse Api::TargetsMetadata(const net::HttpRequest& request) const {
  Parameters parameters(request);
  const std::string metric = parameters.Text("metric");
  const std::size_t limit = parameters.Limit();
  const std::vector<std::vector<Matcher>> selectors = parameters.Selectors("match_target");
  if (parameters.failed()) return parameters.refusal();

  const std::vector<scrape::TargetMetadata> targets = sources_.metadata();
  return Success([&](json::JsonWriter& json) {
    std::size_t count = 0;
    json.BeginArray();
    for (const scrape::TargetMetadata& target : targets) {
      if (!selectors.empty() && !MatchesAll(selectors.front(), target.labels)) continue;
      for (const scrape::MetricMetadata& entry : *target.table) {
        if (!metric.empty() && entry.family != metric) continue;
        if (limit > 0 && count++ == limit) break;
        json.BeginObject().Key("target");
        WriteLabels(json, target.labels);
        if (metric.empty()) json.Field("metric", entry.family);
        json.Field("type", exposition::MetricTypeName(entry.type)).Field("help", entry.help);
        json.Field("unit", entry.unit).EndObject();
      }
    }
    json.EndArray();
  });
}

}  // namespace skep::api

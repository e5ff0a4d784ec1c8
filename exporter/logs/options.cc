#include "exporter/logs/options.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "common/base/file.h"
#include "common/model/labels.h"
#include "exporter/logs/builtin_patterns.h"
#include "exporter/logs/families.h"

namespace skep::logs {
namespace {

using yaml::MapReader;
using yaml::Node;

constexpr std::size_t kMaxSources = 200;

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-.:").find(c) != std::string_view::npos;
}

// Names stand in the state file between blanks.
bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), IsNameByte);
}

// Plain names, as every reader of pages understands.
bool IsPlainName(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return IsNameByte(c) && c != '-' && c != '.' && c != ':'; });
}

Result<Regex> ReadRegex(const Node& node) {
  Result<Regex> regex = Regex::Create(node.text());
  if (!regex) return node.Complain(regex.error().message());
  return regex;
}

// A sequence of texts, or one.
void ReadTexts(MapReader& map, std::string_view key, std::vector<std::string>& out) {
  const Node node = map.Take(key);
  if (node.IsNull()) return;
  if (node.IsScalar()) {
    out = {node.text()};
    return;
  }
  Result<std::vector<std::string>> texts = node.AsStrings();
  if (!texts) return map.Fail(texts.error());
  out = std::move(*texts);
}

void ReadSize(MapReader& map, std::string_view key, std::uint64_t least, std::uint64_t most,
              std::size_t& out) {
  const Node node = map.Take(key);
  if (node.IsNull()) return;
  const Result<std::uint64_t> size = node.AsSizeBytes();
  if (!size) return map.Fail(size.error());
  if (*size < least || *size > most) {
    return map.Fail(node.Complain("expected a number from " + std::to_string(least) + " to " +
                                  std::to_string(most)));
  }
  out = *size;
}

void ReadSpan(MapReader& map, std::string_view key, Duration least, Duration& out) {
  const Node node = map.Take(key);
  if (node.IsNull()) return;
  const Result<Duration> span = node.AsDuration();
  if (!span) return map.Fail(span.error());
  if (*span < least) return map.Fail(node.Complain("expected at least " + FormatDuration(least)));
  out = *span;
}

void ReadBuckets(MapReader& map, std::string_view key, std::vector<double>& out) {
  const Node node = map.Take(key);
  if (node.IsNull()) return;
  std::vector<double> bounds;
  for (const Node& item : node.items()) {
    const Result<double> bound = item.AsDouble();
    if (!bound) return map.Fail(bound.error());
    if (!std::isfinite(*bound) || (!bounds.empty() && *bound <= bounds.back())) {
      return map.Fail(item.Complain("expected finite bounds, each above the one before it"));
    }
    bounds.push_back(*bound);
  }
  if (bounds.empty() || bounds.size() > 100) {
    return map.Fail(node.Complain("expected 1 to 100 upper bounds"));
  }
  out = std::move(bounds);
}

Status ReadAnonymize(const Node& node, AnonymizeOptions& out) {
  MapReader map(node);
  map.Read("ipv4_bits", out.ipv4_bits);
  map.Read("ipv6_bits", out.ipv6_bits);
  RETURN_IF_ERROR(map.Finish("anonymize"));
  if (out.ipv4_bits < 0 || out.ipv4_bits > 32) return node.Complain("ipv4_bits: expected 0 to 32");
  if (out.ipv6_bits < 0 || out.ipv6_bits > 128) {
    return node.Complain("ipv6_bits: expected 0 to 128");
  }
  return {};
}

// Of "ms", "s" and so on; 0: not given.
Result<double> ReadUnit(const Node& node) {
  if (node.IsNull()) return 0.0;
  const std::pair<std::string_view, double> units[] = {
      {"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"ns", 1e-9}};
  for (const auto& [unit, scale] : units) {
    if (node.text() == unit) return scale;
  }
  return node.Complain("expected s, ms, us or ns");
}

Result<FieldNames> ReadFields(const Node& node, double scale) {
  FieldNames fields;
  fields.duration_scale = scale;
  if (!node.IsNull() && !node.IsMap()) return node.Complain("expected a map of fields");
  for (const auto& [key, value] : node.entries()) {
    if (!value.IsScalar() || value.text().empty()) return value.Complain("expected a field's name");
    fields.names[key.text()] = value.text();
  }
  return fields;
}

// The fields of the format and what belongs to it.
struct FormatNodes {
  Node format;
  Node log_format;
  Node pattern;
  Node fields;
  Node unit;
};

Status Refuse(const Node& node, std::string_view what) {
  if (node.IsNull()) return {};
  return node.Complain(std::string(what) + " does not go with this format");
}

Result<LineFormatPtr> ReadFormat(const FormatNodes& nodes) {
  const std::string name = nodes.format.IsNull() ? "plain" : nodes.format.text();
  const bool takes_log_format = name == "nginx" || name == "apache";
  const bool takes_fields = name == "json" || name == "logfmt";
  if (!takes_log_format) RETURN_IF_ERROR(Refuse(nodes.log_format, "log_format"));
  if (!takes_fields) RETURN_IF_ERROR(Refuse(nodes.fields, "fields"));
  if (name != "pattern") RETURN_IF_ERROR(Refuse(nodes.pattern, "pattern"));
  if (!takes_fields && name != "pattern") RETURN_IF_ERROR(Refuse(nodes.unit, "duration_unit"));
  const Result<double> scale = ReadUnit(nodes.unit);
  if (!scale) return scale.error();
  const auto located = [](Result<LineFormatPtr> format, const Node& node) -> Result<LineFormatPtr> {
    if (!format) return node.Complain(format.error().message());
    return format;
  };
  if (name == "nginx") {
    return located(MakeNginxFormat(nodes.log_format.text()), nodes.log_format);
  }
  if (name == "apache") {
    return located(MakeApacheFormat(nodes.log_format.text()), nodes.log_format);
  }
  if (name == "haproxy") return MakeHaproxyFormat();
  if (name == "plain") return MakePlainFormat();
  if (takes_fields) {
    const Result<FieldNames> fields = ReadFields(nodes.fields, *scale);
    if (!fields) return fields.error();
    return located(name == "json" ? MakeJsonFormat(*fields) : MakeLogfmtFormat(*fields),
                   nodes.fields);
  }
  if (name == "pattern") {
    if (nodes.pattern.IsNull()) return nodes.format.Complain("format pattern needs a pattern");
    const Result<Regex> regex = ReadRegex(nodes.pattern);
    if (!regex) return regex.error();
    return located(MakePatternFormat(*regex, *scale), nodes.pattern);
  }
  return nodes.format.Complain(
      "expected nginx, apache, haproxy, json, logfmt, pattern or plain, got \"" + name + "\"");
}

Result<std::optional<MultilineOptions>> ReadMultiline(const Node& node) {
  if (node.IsNull()) return std::optional<MultilineOptions>();
  MultilineOptions options;
  MapReader map(node);
  for (const auto& [key, pattern] :
       {std::pair("start", &options.start), std::pair("continuation", &options.continuation)}) {
    const Node child = map.Take(key);
    if (child.IsNull()) continue;
    Result<Regex> regex = ReadRegex(child);
    if (!regex) return regex.error();
    *pattern = std::move(*regex);
  }
  ReadSpan(map, "timeout", Duration(10), options.timeout);
  ReadSize(map, "max_size", 256, 16UL << 20, options.max_bytes);
  RETURN_IF_ERROR(map.Finish("multiline"));
  if (options.start.has_value() == options.continuation.has_value()) {
    return node.Complain("expected either start or continuation");
  }
  return std::optional(options);
}

// `routes: false`, or a map.
Status ReadRoutes(const Node& node, RouteOptions& out) {
  if (node.IsScalar()) {
    const Result<bool> enabled = node.AsBool();
    if (!enabled) return enabled.error();
    out.enabled = *enabled;
    return {};
  }
  MapReader map(node);
  map.Read("automatic", out.automatic);
  ReadSize(map, "max", 1, 10'000, out.max_routes);
  for (const Node& item : map.Take("rules").items()) {
    RouteRule rule;
    MapReader fields(item);
    fields.Require("name", rule.name);
    fields.Require("pattern", rule.pattern);
    RETURN_IF_ERROR(fields.Finish("route"));
    if (rule.name.empty() || rule.name.size() > 128) return item.Complain("expected a name");
    if (const Result<Regex> regex = Regex::Create(rule.pattern); !regex) {
      return item.Complain(regex.error().message());
    }
    out.rules.push_back(std::move(rule));
  }
  return map.Finish("routes");
}

Status ReadPatternSets(const Node& node, bool is_access_log, std::vector<std::string>& out) {
  const std::vector<std::string> all = BuiltinSets();
  if (node.IsNull()) {
    if (!is_access_log) out = all;
    return {};
  }
  if (node.IsScalar()) {
    if (node.text() != "all" && node.text() != "none") {
      return node.Complain("expected all, none or a list of sets");
    }
    if (node.text() == "all") out = all;
    return {};
  }
  for (const Node& item : node.items()) {
    if (std::find(all.begin(), all.end(), item.text()) == all.end()) {
      std::string names;
      for (const std::string& name : all) names += (names.empty() ? "" : ", ") + name;
      return item.Complain("expected one of " + names + ", got \"" + item.text() + "\"");
    }
    out.push_back(item.text());
  }
  return {};
}

Status ReadMatches(const Node& node, std::vector<MatchOptions>& out) {
  for (const Node& item : node.items()) {
    MatchOptions match;
    MapReader fields(item);
    fields.Require("name", match.name);
    fields.Require("pattern", match.pattern);
    RETURN_IF_ERROR(fields.Finish("match"));
    if (!IsName(match.name)) return item.Complain("expected a name of letters, digits and _-.:");
    if (const Result<Regex> regex = Regex::Create(match.pattern); !regex) {
      return item.Complain(regex.error().message());
    }
    out.push_back(std::move(match));
  }
  return {};
}

bool IsReserved(std::string_view name) {
  const state::StoreOptions store;
  return IsOwnFamily(name) ||
         std::any_of(store.reserved_prefixes.begin(), store.reserved_prefixes.end(),
                     [&](const std::string& prefix) { return name.starts_with(prefix); });
}

Status CheckMetricName(const Node& node, const MetricOptions& metric) {
  if (!IsPlainName(metric.name)) return node.Complain("\"" + metric.name + "\" is no metric name");
  if (IsReserved(metric.name)) {
    return node.Complain("the name " + metric.name + " belongs to another part of the page");
  }
  const bool is_total = metric.name.ends_with("_total");
  if (is_total != (metric.kind == MetricKind::kCounter)) {
    return node.Complain("names of counters, and of nothing else, end with _total");
  }
  return {};
}

Status ReadLabels(const Node& node, const std::vector<std::string>& groups, MetricOptions& out) {
  if (!node.IsNull() && !node.IsMap()) return node.Complain("expected a map of labels");
  for (const auto& [key, value] : node.entries()) {
    const std::string& name = key.text();
    if (!IsPlainName(name) || name.starts_with("__") || name == "le" || name == "quantile") {
      return key.Complain("\"" + name + "\" is no name of a label");
    }
    const std::string& text = value.text();
    if (text.empty()) return value.Complain("expected a text or $group");
    const bool is_group = text.starts_with('$');
    if (is_group && (text.size() == 1 ||
                     std::find(groups.begin(), groups.end(), text.substr(1)) == groups.end())) {
      return value.Complain("the pattern has no group named \"" + text.substr(1) + "\"");
    }
    out.labels.emplace_back(name, text);
  }
  return {};
}

Result<MetricOptions> ReadMetric(const Node& node) {
  MetricOptions metric;
  std::string kind = "counter";
  MapReader map(node);
  map.Require("name", metric.name);
  map.Read("help", metric.help);
  map.Read("kind", kind);
  map.Require("pattern", metric.pattern);
  map.Read("value", metric.value);
  map.Read("scale", metric.scale);
  ReadSize(map, "max_series", 1, 100'000, metric.max_series);
  ReadBuckets(map, "buckets", metric.buckets);
  const Node labels = map.Take("labels");
  RETURN_IF_ERROR(map.Finish("metric"));
  if (kind != "counter" && kind != "histogram") {
    return node.Get("kind").Complain("expected counter or histogram");
  }
  metric.kind = kind == "counter" ? MetricKind::kCounter : MetricKind::kHistogram;
  RETURN_IF_ERROR(CheckMetricName(node, metric));
  const Result<Regex> regex = ReadRegex(node.Get("pattern"));
  if (!regex) return regex.error();
  const std::vector<std::string> groups = regex->GroupNames();
  if (!metric.value.empty() &&
      std::find(groups.begin(), groups.end(), metric.value) == groups.end()) {
    return node.Get("value").Complain("the pattern has no group named \"" + metric.value + "\"");
  }
  if (metric.kind == MetricKind::kHistogram) {
    if (metric.value.empty()) return node.Complain("a histogram needs a value");
    if (metric.buckets.empty()) metric.buckets = DefaultRequestBuckets();
  } else if (!metric.buckets.empty()) {
    return node.Complain("a counter has no buckets");
  }
  if (!std::isfinite(metric.scale) || metric.scale <= 0) {
    return node.Get("scale").Complain("expected a number above 0");
  }
  RETURN_IF_ERROR(ReadLabels(labels, groups, metric));
  return metric;
}

Status ReadTemplates(const Node& node, TemplateOptions& out) {
  if (node.IsScalar()) {
    const Result<bool> enabled = node.AsBool();
    if (!enabled) return enabled.error();
    out.enabled = *enabled;
    return {};
  }
  MapReader map(node);
  ReadSize(map, "max", 10, 100'000, out.max_templates);
  ReadSpan(map, "learning", Duration(0), out.learning);
  return map.Finish("templates");
}

Status CheckPaths(const Node& node, const SourceOptions& source) {
  if (source.paths.empty()) return node.Complain("field paths is required");
  for (const std::string& path : source.paths) {
    if (!path.starts_with('/')) {
      return node.Get("paths").Complain("expected whole paths, got \"" + path + "\"");
    }
    if (path.find('\n') != std::string::npos) return node.Get("paths").Complain("newline in path");
    if (const Status glob = CheckGlob(path); !glob) {
      return node.Get("paths").Complain(glob.error().message());
    }
  }
  return {};
}

Status ReadSourceLists(const Node& node, MapReader& map, SourceOptions& source) {
  RETURN_IF_ERROR(ReadRoutes(map.Take("routes"), source.routes));
  RETURN_IF_ERROR(
      ReadPatternSets(map.Take("patterns"), source.format->IsAccessLog(), source.pattern_sets));
  RETURN_IF_ERROR(ReadMatches(map.Take("matches"), source.matches));
  for (const Node& item : map.Take("metrics").items()) {
    Result<MetricOptions> metric = ReadMetric(item);
    if (!metric) return metric.error();
    source.metrics.push_back(std::move(*metric));
  }
  RETURN_IF_ERROR(ReadTemplates(map.Take("templates"), source.templates));
  const std::size_t patterns =
      source.matches.size() + source.metrics.size() + BuiltinPatterns().size();
  if (patterns > 1'000) return node.Complain("more than 1000 patterns in one source");
  return {};
}

Result<SourceOptions> ReadSource(const Node& node) {
  SourceOptions source;
  MapReader map(node);
  map.Require("name", source.name);
  source.service = source.name;
  map.Read("service", source.service);
  source.database = source.service;
  map.Read("db", source.database);
  ReadTexts(map, "paths", source.paths);
  ReadTexts(map, "exclude", source.exclude);
  map.Read("from_beginning", source.from_beginning);
  ReadSize(map, "max_line_size", 256, 16UL << 20, source.max_line_bytes);
  ReadSize(map, "max_files", 1, 100'000, source.max_files);
  Result<LineFormatPtr> format =
      ReadFormat({map.Take("format"), map.Take("log_format"), map.Take("pattern"),
                  map.Take("fields"), map.Take("duration_unit")});
  if (!format) return format.error();
  source.format = std::move(*format);
  Result<std::optional<MultilineOptions>> multiline = ReadMultiline(map.Take("multiline"));
  if (!multiline) return multiline.error();
  source.multiline = std::move(*multiline);
  RETURN_IF_ERROR(ReadSourceLists(node, map, source));
  RETURN_IF_ERROR(map.Finish("source"));
  if (!IsName(source.name)) return node.Complain("expected a name of letters, digits and _-.:");
  if (source.service.empty() || source.database.empty()) {
    return node.Complain("service and db may not be empty");
  }
  RETURN_IF_ERROR(CheckPaths(node, source));
  return source;
}

// Two sources may count into the same metric of the user's own, if they mean the same.
Status CheckSameMetric(const Node& node, const SourceOptions& source, const Options& options) {
  for (const SourceOptions& other : options.sources) {
    for (const MetricOptions& theirs : other.metrics) {
      for (const MetricOptions& ours : source.metrics) {
        if (ours.name != theirs.name) continue;
        if (ours.kind == theirs.kind && ours.buckets == theirs.buckets) continue;
        return node.Complain("metric " + ours.name +
                             " has another kind or other buckets in source " + other.name);
      }
    }
  }
  return {};
}

Status ReadSources(const Node& node, Options& options) {
  std::set<std::string> names;
  if (!node.IsNull() && !node.IsSequence()) return node.Complain("expected a list of sources");
  for (const Node& item : node.items()) {
    Result<SourceOptions> source = ReadSource(item);
    if (!source) return source.error();
    if (!names.insert(source->name).second) {
      return item.Complain("a second source named \"" + source->name + "\"");
    }
    if (names.size() > kMaxSources) {
      return item.Complain("more than " + std::to_string(kMaxSources) + " sources");
    }
    RETURN_IF_ERROR(CheckSameMetric(item, *source, options));
    options.sources.push_back(std::move(*source));
  }
  return {};
}

}  // namespace

Result<Options> ReadOptions(const yaml::Node& node) {
  Options options;
  options.request_buckets = DefaultRequestBuckets();
  options.query_buckets = DefaultQueryBuckets();
  Duration slow_query{1'000};
  MapReader map(node);
  map.Read("threads", options.threads);
  ReadSpan(map, "poll_interval", Duration(10), options.poll_interval);
  ReadSpan(map, "scan_interval", Duration(10), options.scan_interval);
  ReadSpan(map, "slow_query", Duration(1), slow_query);
  ReadBuckets(map, "request_buckets", options.request_buckets);
  ReadBuckets(map, "query_buckets", options.query_buckets);
  const Node anonymize = map.Take("anonymize");
  const Node sources = map.Take("sources");
  RETURN_IF_ERROR(map.Finish("logs"));
  if (options.threads < 1 || options.threads > 16) {
    return node.Get("threads").Complain("expected 1 to 16 threads");
  }
  options.slow_query_seconds = ToSeconds(slow_query);
  RETURN_IF_ERROR(ReadAnonymize(anonymize, options.anonymize));
  RETURN_IF_ERROR(ReadSources(sources, options));
  return options;
}

}  // namespace skep::logs

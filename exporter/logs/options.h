// The configuration `logs:` of the exporter: which files are followed and what is counted in them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/model/regex.h"
#include "common/yaml/node.h"
#include "exporter/logs/anonymize.h"
#include "exporter/logs/line_format.h"

namespace skep::logs {

// Several lines as one. Exactly one of both patterns is set.
struct MultilineOptions {
  std::optional<Regex> start;         // a line that matches begins a record
  std::optional<Regex> continuation;  // a line that matches belongs to the record before it
  // A record is whole when nothing came behind it for so long.
  Duration timeout{2'000};
  // What goes beyond is dropped and counted; the record counts.
  std::size_t max_bytes = 64UL << 10;
};

struct RouteRule {
  std::string name;
  std::string pattern;  // RE2, on the whole path without its query
};

struct RouteOptions {
  bool enabled = true;
  std::vector<RouteRule> rules = {};  // the first that matches counts
  // What no rule matches: true: ids, numbers and hashes in the path become placeholders; false:
  // "other".
  bool automatic = true;
  std::size_t max_routes = 100;  // then "other"
};

// log_matches_total{source,pattern=NAME} of the user's own.
struct MatchOptions {
  std::string name;
  std::string pattern;
};

enum class MetricKind : std::uint8_t { kCounter, kHistogram };

// A metric of the user's own, from lines that a pattern matches.
struct MetricOptions {
  std::string name;
  std::string help;
  MetricKind kind = MetricKind::kCounter;
  std::string pattern;
  // The named group that holds what is added or observed; "": a counter counts lines.
  std::string value;
  double scale = 1;  // the value is multiplied by it: 0.001 for milliseconds
  std::vector<double> buckets = {};
  // Label and its value; a value "$group" is what the group matched, cut to 128 bytes and
  // anonymised.
  std::vector<std::pair<std::string, std::string>> labels = {};
  std::size_t max_series = 200;
};

struct TemplateOptions {
  bool enabled = true;
  std::size_t max_templates = 1'000;
  // What appears within it after the first sight of the source is known, not new, unless a
  // deployment comes before.
  Duration learning{3'600'000};
};

struct SourceOptions {
  std::string name;      // label `source`
  std::string service;   // labels `service` and `component`
  std::string database;  // label `db`
  std::vector<std::string> paths;
  std::vector<std::string> exclude = {};  // shell patterns, on the whole path
  // Files that are there when a pattern of `paths` is seen for the first time ever are read from
  // here on (false) or whole (true). Later ones always whole.
  bool from_beginning = false;
  std::size_t max_line_bytes = 256UL << 10;
  std::size_t max_files = 1'000;
  LineFormatPtr format;
  std::optional<MultilineOptions> multiline;
  RouteOptions routes;
  std::vector<std::string> pattern_sets = {};  // names from builtin_patterns.h
  std::vector<MatchOptions> matches = {};
  std::vector<MetricOptions> metrics = {};
  TemplateOptions templates;
};

struct Options {
  std::vector<SourceOptions> sources;
  // Each reads one source at a time, so this many slow disks stop nobody else.
  int threads = 2;
  // How long a change may go unnoticed where the kernel does not tell of it (inotify).
  Duration poll_interval{1'000};
  // How often folders are read again without being told of a change.
  Duration scan_interval{10'000};
  double slow_query_seconds = 1;  // db_slow_queries_total counts from here on
  AnonymizeOptions anonymize;
  std::vector<double> request_buckets;
  std::vector<double> query_buckets;
};

// Reads the value of `logs:`; null: no sources. kInvalid names file, line and column.
//
//   logs:
//     sources:
//       - name: nginx
//         paths: [/var/log/nginx/*access.log]
//         format: nginx
//         log_format: '$remote_addr - $remote_user [$time_local] "$request" $status
//         $body_bytes_sent $request_time'
//
// The README beside this file lists all fields.
Result<Options> ReadOptions(const yaml::Node& node);

}  // namespace skep::logs

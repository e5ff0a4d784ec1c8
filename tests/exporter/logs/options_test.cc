#include "exporter/logs/options.h"

#include <catch2/catch.hpp>

#include "tests/exporter/logs/fixtures.h"

namespace skep::logs {
namespace {

TEST_CASE("No configuration means no sources", "[logs]") {
  CHECK(Configured("").sources.empty());
  CHECK(Configured("sources: []").sources.empty());
}

TEST_CASE("A source of each kind is read", "[logs]") {
  const Options options = Configured(R"(
threads: 3
poll_interval: 500ms
scan_interval: 5s
slow_query: 2s
anonymize: {ipv4_bits: 16, ipv6_bits: 32}
request_buckets: [0.1, 1]
query_buckets: [1]
sources:
  - name: web
    service: shop
    db: main
    paths: [/var/log/nginx/*access.log, /srv/*.log]
    exclude: ['*-debug.log']
    from_beginning: true
    max_line_size: 64KiB
    max_files: 10
    format: nginx
    log_format: '$remote_addr "$request" $status $request_time'
    routes:
      automatic: false
      max: 20
      rules: [{name: cart, pattern: '/cart/.*'}]
  - {name: app, paths: /var/log/app.log, format: json, duration_unit: ms, fields: {duration: took}, routes: false}
  - {name: p, paths: /x, format: pattern, pattern: '(?P<level>\w+)', templates: {max: 50, learning: 0s}}
  - {name: j, paths: /y, patterns: [errors], multiline: {start: '^\d', timeout: 500ms, max_size: 1KiB}}
)");
  REQUIRE(options.sources.size() == 4);
  const SourceOptions& web = options.sources[0];
  CHECK(options.threads == 3);
  CHECK(options.anonymize.ipv4_bits == 16);
  CHECK(options.slow_query_seconds == 2);
  CHECK(web.paths.size() == 2);
  CHECK(web.max_line_bytes == 64UL << 10);
  CHECK(web.format->IsAccessLog());
  CHECK(web.pattern_sets.empty());
  CHECK(web.routes.rules[0].name == "cart");
  CHECK(!options.sources[1].routes.enabled);
  CHECK(options.sources[1].pattern_sets.size() > 10);
  CHECK(options.sources[2].templates.max_templates == 50);
  CHECK(options.sources[3].multiline->max_bytes == 1024);
  CHECK(options.sources[3].pattern_sets == std::vector<std::string>{"errors"});
}

TEST_CASE("What is wrong in the configuration is told with its place", "[logs]") {
  const std::string source = "sources: [{name: a, paths: [/x], ";
  const std::pair<std::string, std::string> cases[] = {
      {"colour: red", "colour"},
      {"threads: 0", "1 to 16"},
      {"sources: [{paths: [/x]}]", "name is required"},
      {"sources: [{name: a}]", "paths is required"},
      {"sources: [{name: 'a b', paths: [/x]}]", "expected a name"},
      {"sources: [{name: a, paths: [x.log]}]", "whole paths"},
      {"sources: [{name: a, paths: ['/x/[']}]", "pattern"},
      {"sources: [{name: a, paths: [/x]}, {name: a, paths: [/y]}]", "second source"},
      {source + "format: xml}]", "expected nginx"},
      {source + "log_format: '$status'}]", "does not go with"},
      {source + "format: nginx, log_format: '$request$status'}]", "nothing stands between"},
      {source + "format: nginx, fields: {path: x}}]", "does not go with"},
      {source + "format: json, fields: {colour: x}}]", "unknown field"},
      {source + "format: json, duration_unit: weeks}]", "expected s, ms"},
      {source + "format: pattern}]", "needs a pattern"},
      {source + "format: pattern, pattern: '('}]", "bad regular expression"},
      {source + "multiline: {timeout: 1s}}]", "either start"},
      {source + "multiline: {start: a, continuation: b}}]", "either start"},
      {source + "routes: {rules: [{name: x, pattern: '('}]}}]", "bad regular expression"},
      {source + "patterns: [erors]}]", "erors"},
      {source + "patterns: some}]", "expected all"},
      {source + "matches: [{name: x, pattern: '['}]}]", "bad regular expression"},
      {source + "metrics: [{name: x_total, pattern: '['}]}]", "bad regular expression"},
      {source + "metrics: [{name: x, pattern: a}]}]", "_total"},
      {source + "metrics: [{name: node_x_total, pattern: a}]}]", "another part"},
      {source + "metrics: [{name: log_x_total, pattern: a}]}]", "another part"},
      {source + "metrics: [{name: http_requests_total, pattern: a}]}]", "another part"},
      {source + "metrics: [{name: 'a-b_total', pattern: a}]}]", "no metric name"},
      {source + "metrics: [{name: x_total, pattern: a, value: v}]}]", "no group"},
      {source + "metrics: [{name: x_total, pattern: a, labels: {l: $v}}]}]", "no group"},
      {source + "metrics: [{name: x_total, pattern: a, labels: {le: v}}]}]", "no name of a label"},
      {source + "metrics: [{name: x_seconds, kind: histogram, pattern: a}]}]", "needs a value"},
      {source + "metrics: [{name: x_total, pattern: a, buckets: [1]}]}]", "no buckets"},
      {source + "metrics: [{name: x_total, pattern: a, kind: gauge}]}]", "counter or histogram"},
      {source + "metrics: [{name: x_total, pattern: a, scale: 0}]}]", "above 0"},
      {source + "max_line_size: 1}]", "expected a number"},
      {"request_buckets: [2, 1]", "each above"},
      {"request_buckets: []", "1 to 100"},
      {"anonymize: {ipv4_bits: 33}", "0 to 32"},
      {"poll_interval: 1ms", "at least"},
  };
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    const Result<Options> options = ReadOptions(*yaml::Node::Parse(text, "c.yml"));
    REQUIRE(!options);
    INFO(options.error().message());
    CHECK(Contains(options.error().message(), "c.yml:1:"));
    CHECK(Contains(options.error().message(), message));
  }
}

TEST_CASE("A metric may not mean two things", "[logs]") {
  const std::string text = R"(sources:
  - {name: a, paths: [/x], metrics: [{name: x_seconds, kind: histogram, pattern: '(?P<v>a)', value: v}]}
  - {name: b, paths: [/x], metrics: [{name: x_seconds, kind: histogram, pattern: '(?P<v>a)', value: v, buckets: [1]}]}
)";
  CHECK(!ReadOptions(*yaml::Node::Parse(text, "c.yml")));
}

}  // namespace
}  // namespace skep::logs

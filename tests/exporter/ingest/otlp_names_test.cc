#include "exporter/ingest/otlp_names.h"

#include <catch2/catch.hpp>
#include <random>

#include "exporter/ingest/label_values.h"
#include "exporter/ingest/otlp_labels.h"

namespace skep::ingest {
namespace {

Metric Of(std::string_view name, std::string_view unit, MetricKind kind, bool monotonic = false) {
  Metric metric;
  metric.name = name;
  metric.unit = unit;
  metric.kind = kind;
  metric.monotonic = monotonic;
  return metric;
}

}  // namespace

TEST_CASE("Metric names as Prometheus translates them", "[otlp]") {
  constexpr auto kSum = MetricKind::kSum;
  constexpr auto kGauge = MetricKind::kGauge;
  const std::pair<Metric, const char*> cases[] = {
      {Of("claude_code.session.count", "", kSum, true), "claude_code_session_count_total"},
      {Of("claude_code.cost.usage", "USD", kSum, true), "claude_code_cost_usage_USD_total"},
      {Of("claude_code.token.usage", "tokens", kSum, true), "claude_code_token_usage_tokens_total"},
      {Of("claude_code.active_time.total", "s", kSum, true),
       "claude_code_active_time_seconds_total"},
      {Of("gen_ai.client.operation.duration", "s", MetricKind::kHistogram),
       "gen_ai_client_operation_duration_seconds"},
      {Of("gen_ai.client.token.usage", "{token}", MetricKind::kHistogram),
       "gen_ai_client_token_usage"},
      {Of("system.filesystem.utilization", "1", kGauge), "system_filesystem_utilization_ratio"},
      {Of("queue.ratio.used", "1", kGauge), "queue_used_ratio"},
      {Of("things", "1", kSum, true), "things_total"},
      {Of("open", "1", kSum, false), "open"},
      {Of("net.io", "By/s", kGauge), "net_io_bytes_per_second"},
      {Of("rate", "{request}/s", kGauge), "rate_per_second"},
      {Of("speed", "m/min", kGauge), "speed_meters_per_min"},
      {Of("temperature", "Cel", kGauge), "temperature_celsius"},
      {Of("time.seconds.spent", "s", kGauge), "time_seconds_spent"},
      {Of("cpu.load", "%", kGauge), "cpu_load_percent"},
      {Of("cpu.load", "cores.per-node", kGauge), "cpu_load_cores_per_node"},
      {Of("5xx.errors", "", kSum, true), "_5xx_errors_total"},
      {Of("a..b--c", "", kGauge), "a_b_c"},
      {Of("with:colon", "", kGauge), "with:colon"},
      {Of("...", "s", kGauge), ""},
      {Of("", "", kGauge), ""},
      {Of("gr\xc3\xb6\xc3\x9f"
          "e",
          "", kGauge),
       "gr_e"},
  };
  for (const auto& [metric, expected] : cases) {
    CAPTURE(metric.name, metric.unit);
    CHECK(PrometheusMetricName(metric) == expected);
  }
}

TEST_CASE("Label names", "[otlp]") {
  const std::pair<const char*, const char*> cases[] = {
      {"http.route", "http_route"},
      {"agent.name", "agent_name"},
      {"a..b", "a__b"},
      {"2xx", "key_2xx"},
      {"_private", "key_private"},
      {"__name__", "attribute___name__"},
      {"le", "attribute_le"},
      {"quantile", "attribute_quantile"},
      {"gr\xc3\xb6\xc3\x9f"
       "e",
       "gr__e"},
      {"a:b", "a_b"},
      {"...", ""},
      {"", ""},
  };
  for (const auto& [attribute, expected] : cases) {
    CAPTURE(attribute);
    CHECK(PrometheusLabelName(attribute) == expected);
  }
}

TEST_CASE("Attributes that identify are no labels by default", "[otlp]") {
  using enum AttributeUse;
  const std::pair<const char*, AttributeUse> cases[] = {
      {"session.id", kDropped},
      {"session_id", kDropped},
      {"sessionId", kDropped},
      {"user.id", kDropped},
      {"user.account_uuid", kDropped},
      {"user.email", kDropped},
      {"enduser.role", kDropped},
      {"organization.id", kDropped},
      {"request_id", kDropped},
      {"agent_id", kDropped},
      {"gen_ai.conversation.id", kDropped},
      {"gen_ai.response.id", kDropped},
      {"service.instance.id", kDropped},
      {"host.id", kDropped},
      {"process.pid", kDropped},
      {"client.address", kDropped},
      {"client.port", kDropped},
      {"http.client_ip", kDropped},
      {"db.query.text", kLabelUnlessText},
      {"url.full", kLabelUnlessText},
      {"url.path", kLabelUnlessText},
      {"exception.message", kLabelUnlessText},
      {"prompt", kLabelUnlessText},
      {"anthropic.custom_base_url", kLabelUnlessText},
      {"network.peer.address", kLabelUnlessText},
      {"gen_ai.token.type", kLabel},
      {"gen_ai.request.model", kLabel},
      {"gen_ai.agent.name", kLabel},
      {"mcp.method.name", kLabel},
      {"server.address", kLabel},
      {"server.port", kLabel},
      {"http.route", kLabel},
      {"http.response.status_code", kLabel},
      {"url.scheme", kLabel},
      {"error.type", kLabel},
      {"query_source", kLabel},
      {"valid", kLabel},
      {"", kLabel},
  };
  for (const auto& [key, expected] : cases) {
    CAPTURE(key);
    CHECK(DefaultUseOf(key) == expected);
  }
}

TEST_CASE("Values that look like ids", "[otlp]") {
  for (const char* text : {"ca26ed13-d74c-4376-9f76-30fe8e052696", "05a5672689630e66",
                           "a@example.org", "192.0.2.7", "2001:db8::1", "::1"}) {
    CAPTURE(text);
    CHECK(LooksLikeId(text));
  }
  for (const char* text : {"claude-opus-5-5", "1234567890123456", "deadbeefdeadbeef", "1.2.3",
                           "1.2.3.4.5", "12:30", "a@b", "", "GET", "2026-11-22T03:00:00"}) {
    CAPTURE(text);
    CHECK_FALSE(LooksLikeId(text));
  }
}

TEST_CASE("Patterns with stars", "[otlp]") {
  CHECK(MatchesPattern("user.*", "user.id"));
  CHECK(MatchesPattern("*.id", "a.b.id"));
  CHECK(MatchesPattern("a*b*c", "aXbYbZc"));
  CHECK(MatchesPattern("*", ""));
  CHECK(MatchesPattern("exact", "exact"));
  CHECK_FALSE(MatchesPattern("user.*", "users.id"));
  CHECK_FALSE(MatchesPattern("a*b", "a"));
  CHECK_FALSE(MatchesPattern("exact", "exactly"));
  CHECK_FALSE(MatchesPattern("", "a"));
}

namespace {

std::string Text(std::span<const state::LabelView> labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    out += std::string(name) + "=" + std::string(value) + " ";
  }
  return out;
}

}  // namespace

TEST_CASE("Label sets: sorted, joined, cut, converted", "[otlp]") {
  OtlpOptions options;
  options.max_label_bytes = 8;
  options.keep_attributes = {"user.id", "keep.*"};
  options.drop_attributes = {"keep.not", "noise*"};
  LabelMaker maker(options);
  const std::vector<Attribute> resource = {{"service.name", AttributeValue::String("svc")},
                                           {"host.name", AttributeValue::String("h")}};
  maker.SetResource(resource);
  const std::vector<Attribute> attributes = {
      {"z", AttributeValue::Bool(true)},
      {"n", AttributeValue::Int(-5)},
      {"d", AttributeValue::Double(0.25)},
      {"a_b", AttributeValue::String("two")},
      {"a.b", AttributeValue::String("one")},
      {"long", AttributeValue::String("1234567\xc3\xbc")},
      {"empty", AttributeValue::String("")},
      {"list", AttributeValue::Other("[1]")},
      {"user.id", AttributeValue::String("u")},
      {"session.id", AttributeValue::String("s")},
      {"keep.me", AttributeValue::String("::1")},
      {"keep.not", AttributeValue::String("x")},
      {"noise.x", AttributeValue::String("x")},
      {"cwd", AttributeValue::String("/home/me")},
      {"who", AttributeValue::String("ca26ed13-d74c-4376-9f76-30fe8e052696")},
  };
  CHECK(Text(maker.Make(attributes)) ==
        "a_b=one;two d=0.25 keep_me=::1 long=1234567 n=-5 service_name=svc user_id=u z=true ");
  const std::vector<Attribute> own = {{"service_name", AttributeValue::String("mine")}};
  CHECK(Text(maker.Make(own)) == "service_name=mine ");
  maker.Clear();
  maker.SetResource({});
  CHECK(Text(maker.Make(attributes)).find("service_name") == std::string::npos);
}

TEST_CASE("What a label maker remembers of the last point changes nothing", "[otlp]") {
  OtlpOptions options;
  constexpr const char* kKeys[] = {"model",     "a.b", "a_b",          "session.id",
                                   "prompt.id", "z",   "service_name", "text"};
  constexpr const char* kValues[] = {"one", "", "192.168.0.1", "caf\xc3\xa9"};
  const std::vector<Attribute> resources[] = {
      {},
      {{"service.name", AttributeValue::String("svc")}},
      {{"service.name", AttributeValue::String("other")}},
  };
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same run each time
  const auto below = [&random](std::size_t n) { return random() % n; };
  LabelMaker maker(options);
  std::vector<Attribute> attributes;
  for (int i = 0; i < 3000; ++i) {
    const std::vector<Attribute>& resource = resources[below(std::size(resources))];
    const bool other_keys = below(3) == 0;
    if (other_keys) attributes.clear();
    for (std::size_t left = other_keys ? below(6) : 0; left > 0; --left) {
      attributes.push_back({kKeys[below(std::size(kKeys))], AttributeValue::Bool(true)});
    }
    for (Attribute& one : attributes) {
      one.value = below(2) == 0 ? AttributeValue::String(kValues[below(std::size(kValues))])
                                : AttributeValue::Int(static_cast<std::int64_t>(below(5)));
    }
    maker.SetResource(resource);
    LabelMaker fresh(options);
    fresh.SetResource(resource);
    REQUIRE(Text(maker.Make(attributes)) == Text(fresh.Make(attributes)));
    if (below(10) == 0) maker.Clear();
  }
}

TEST_CASE("Ever new attribute keys do not dangle", "[otlp]") {
  OtlpOptions options;
  LabelMaker maker(options);
  std::vector<std::string> keys;
  for (int i = 0; i < 12'000; ++i) keys.push_back("attribute_number_" + std::to_string(i));
  std::vector<std::span<const state::LabelView>> sets;
  for (const std::string& key : keys) {
    const std::vector<Attribute> one = {{key, AttributeValue::String("v")}};
    sets.push_back(maker.Make(one));
  }
  for (std::size_t i = 0; i < keys.size(); i += 997) {
    REQUIRE(sets[i].size() == 1);
    CHECK(sets[i][0].first == keys[i]);
  }
  maker.Clear();
}

}  // namespace skep::ingest

#include "exporter/ingest/otlp_options.h"

#include <algorithm>
#include <cmath>

#include "common/base/quote.h"
#include "common/model/labels.h"

namespace skep::ingest {
namespace {

constexpr std::size_t kMaxBounds = 128;

void ReadPositive(yaml::MapReader& map, std::string_view key, std::size_t& out) {
  const yaml::Node node = map.Take(key);
  std::int64_t value = static_cast<std::int64_t>(out);
  map.Read(key, value);
  if (value < 1) map.Fail(node.Complain(std::string(key) + " must be at least 1"));
  out = static_cast<std::size_t>(std::max<std::int64_t>(value, 1));
}

Result<std::vector<double>> ReadBounds(const yaml::Node& node) {
  std::vector<double> bounds;
  if (!node.IsSequence()) return node.Complain("expected a list of bucket bounds");
  for (const yaml::Node& item : node.items()) {
    const Result<double> bound = item.AsDouble();
    if (!bound) return bound.error();
    if (!std::isfinite(*bound) || (!bounds.empty() && *bound <= bounds.back())) {
      return item.Complain("bucket bounds must be finite and rise");
    }
    bounds.push_back(*bound);
  }
  if (bounds.empty() || bounds.size() > kMaxBounds) {
    return node.Complain("expected 1 to " + std::to_string(kMaxBounds) + " bucket bounds");
  }
  return bounds;
}

void ReadBuckets(yaml::MapReader& map, OtlpOptions& options) {
  const yaml::Node node = map.Take("buckets");
  if (!node.IsNull() && !node.IsMap()) map.Fail(node.Complain("expected metric names with lists"));
  for (const auto& [name, list] : node.entries()) {
    Result<std::vector<double>> bounds = ReadBounds(list);
    if (!bounds) {
      map.Fail(bounds.error());
    } else {
      options.buckets.emplace_back(name.text(), std::move(*bounds));
    }
  }
  const yaml::Node exponential = map.Take("exponential_buckets");
  if (exponential.IsNull()) return;
  Result<std::vector<double>> bounds = ReadBounds(exponential);
  if (!bounds) return map.Fail(bounds.error());
  options.exponential_buckets = std::move(*bounds);
}

void ReadResourceAttributes(yaml::MapReader& map, OtlpOptions& options) {
  const yaml::Node node = map.Take("resource_attributes");
  if (node.IsNull()) return;
  if (!node.IsMap()) return map.Fail(node.Complain("expected attribute names with label names"));
  options.resource_attributes.clear();
  for (const auto& [name, label] : node.entries()) {
    const std::string& text = label.text();
    if (!IsLegacyLabelName(text) || text.starts_with("__") || text == "le" || text == "quantile") {
      map.Fail(label.Complain(Quote(text) + " cannot be the name of a label"));
    }
    for (const auto& [other, taken] : options.resource_attributes) {
      if (taken == text) map.Fail(label.Complain("label " + Quote(text) + " stands twice"));
    }
    options.resource_attributes.emplace_back(name.text(), text);
  }
}

}  // namespace

Result<OtlpOptions> ReadOtlpOptions(const yaml::Node& node) {
  OtlpOptions options;
  yaml::MapReader map(node);
  map.Read("enabled", options.enabled);
  map.Read("pass_through", options.pass_through);
  map.Read("drop_metrics", options.drop_metrics);
  map.Read("keep_attributes", options.keep_attributes);
  map.Read("drop_attributes", options.drop_attributes);
  ReadResourceAttributes(map, options);
  ReadBuckets(map, options);
  const yaml::Node expiry = map.Take("gauge_expiry");
  map.Read("gauge_expiry", options.gauge_expiry);
  if (options.gauge_expiry < Duration{1000}) {
    map.Fail(expiry.Complain("gauge_expiry must be at least 1s"));
  }
  ReadPositive(map, "max_points", options.max_points);
  ReadPositive(map, "max_concurrent", options.max_concurrent);
  ReadPositive(map, "max_attributes", options.max_attributes);
  ReadPositive(map, "max_label_bytes", options.max_label_bytes);
  const yaml::Node streams = map.Take("max_streams");
  ReadPositive(map, "max_streams", options.max_streams);
  if (options.max_streams < options.max_points) {
    map.Fail(streams.Complain("max_streams must be at least max_points"));
  }
  ReadPositive(map, "max_metrics", options.max_metrics);
  const yaml::Node metric_expiry = map.Take("metric_expiry");
  options.metric_expiry = std::max(options.metric_expiry, options.gauge_expiry);
  map.Read("metric_expiry", options.metric_expiry);
  if (options.metric_expiry < options.gauge_expiry) {
    map.Fail(metric_expiry.Complain("metric_expiry must be at least gauge_expiry"));
  }
  ReadPositive(map, "max_series_per_metric", options.max_series_per_metric);
  RETURN_IF_ERROR(map.Finish("otlp"));
  return options;
}

}  // namespace skep::ingest

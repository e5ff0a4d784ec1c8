// OTLP's metric and attribute names as Prometheus has them: what its translation strategy
// UnderscoreEscapingWithSuffixes makes, so that public dashboards find what they ask for.
#pragma once

#include <string>
#include <string_view>

#include "exporter/ingest/otlp_model.h"

namespace skep::ingest {

// "claude_code.cost.usage" in USD, a monotonic sum: "claude_code_cost_usage_USD_total". "" where
// nothing is left of the name.
std::string PrometheusMetricName(const Metric& metric);

// "http.route": "http_route"; "2xx": "key_2xx"; "_x": "key_x". Names that Prometheus keeps for
// itself (le, quantile, all that begin with two underscores) get "attribute_" before them. "" where
// nothing is left of the name.
std::string PrometheusLabelName(std::string_view attribute);

}  // namespace skep::ingest

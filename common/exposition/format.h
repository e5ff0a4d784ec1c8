// The two text forms of a metrics page, and choosing between them.
#pragma once

#include <cstdint>
#include <string_view>

namespace skep::exposition {

enum class Format : std::uint8_t { kText, kOpenMetrics };  // text 0.0.4; OpenMetrics 1.0.0

enum class MetricType : std::uint8_t {
  kUnknown,
  kCounter,
  kGauge,
  kHistogram,
  kGaugeHistogram,
  kSummary,
  kInfo,
  kStateset
};

// "unknown", "counter", ... as OpenMetrics spells it; text 0.0.4 says "untyped" for unknown and has
// no gaugehistogram, info and stateset.
std::string_view MetricTypeName(MetricType type);

// By an Accept header, as Prometheus and curl send it; anything unknown or absent: text 0.0.4.
Format NegotiateFormat(std::string_view accept);

// The Content-Type of a page. `with_utf8_names` adds escaping=allow-utf-8.
std::string_view ContentType(Format format);

}  // namespace skep::exposition
